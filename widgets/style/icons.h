#pragma once
// Icons by name, from resources/icons.txt: outline forms in one colour, drawn in the theme's colour of the moment, so
// that an icon once set follows the theme.
//
//   button->setIcon(icon("pencil"));

#include <QIcon>
#include <QString>

namespace strata {

enum class Ink { text, second, accent, onAccent, good, warn, bad };

/// An unknown name is a bug: it asserts, and shows nothing.
QIcon icon(const QString& name, Ink ink = Ink::text);
/// Whether the list has it.
bool hasIcon(const QString& name);

}  // namespace strata
