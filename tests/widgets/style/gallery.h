#pragma once
// Every control in every form on one sheet, for tests and for the eye.

#include <QWidget>

namespace strata {

/// Buttons, switches, choices, fields.
QWidget* controlsSheet();
/// Lists, tables, trees, scroll bars, text.
QWidget* viewsSheet();
/// A pane in one of its states: "empty", "loading", "working", "failed", "stale".
QWidget* stateSheet(const QString& state);

}  // namespace strata
