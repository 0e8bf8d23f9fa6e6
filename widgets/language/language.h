#pragma once
// The language of the window's texts. English is in the sources; its plurals ("1 row", "2 rows") are in strata_en.ts,
// which is always loaded. Any other strata_<language>.ts of resources/translations lies over it.
//
//   QApplication application(argc, argv);
//   loadLanguage(settings.value("look/language").toString());  // before the first widget: texts are made once
//
// GUI thread only.

#include <QStringList>

namespace strata {

/// Shows the window in `language`: one of languages(), "pseudo" (pseudo_translator.h), or "" for the desktop's. What is
/// not translated is English.
void loadLanguage(const QString& language = {});
/// The languages that are compiled in: "en", "de".
QStringList languages();
/// As its speakers call it: "English", "Deutsch".
QString languageName(const QString& language);

}  // namespace strata
