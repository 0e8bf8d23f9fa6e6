#include "widgets/language/language.h"

#include <QCoreApplication>
#include <QDir>
#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>

#include "widgets/language/pseudo_translator.h"

// In the global namespace, as the macro asks: a static library's resources are dropped unless something names them.
static void loadTranslationResource() {
  Q_INIT_RESOURCE(strata_translations);
}

namespace strata {
namespace {

const QString kFolder = QStringLiteral(":/translations");
const QString kName = QStringLiteral("strata-language");

/// Tried before those that were installed earlier; the program owns it.
void install(QTranslator* translator) {
  translator->setParent(QCoreApplication::instance());
  translator->setObjectName(kName);
  QCoreApplication::installTranslator(translator);
}

void installFile(const QLocale& locale, const QString& name, const QString& folder) {
  auto translator = std::make_unique<QTranslator>();
  if (translator->load(locale, name, "_", folder)) install(translator.release());
}

}  // namespace

void loadLanguage(const QString& language) {
  loadTranslationResource();
  qDeleteAll(QCoreApplication::instance()->findChildren<QTranslator*>(kName, Qt::FindDirectChildrenOnly));
  installFile(QLocale(QLocale::English), "strata", kFolder);
  if (language == "pseudo") return install(new PseudoTranslator);
  const QLocale locale = language.isEmpty() ? QLocale::system() : QLocale(language);
  QTranslator found;
  if (!found.load(locale, "strata", "_", kFolder) || found.language() == "en") return;
  // Of Qt's dialogs too, where its translations are installed.
  installFile(locale, "qtbase", QLibraryInfo::path(QLibraryInfo::TranslationsPath));
  installFile(locale, "strata", kFolder);
}

QStringList languages() {
  loadTranslationResource();
  QStringList found;
  for (const QString& file : QDir(kFolder).entryList({"strata_*.qm"})) {
    found << file.section('_', 1).section('.', 0, 0);
  }
  return found;
}

QString languageName(const QString& language) {
  QString name = QLocale(language).nativeLanguageName();
  if (language == "en") name = "English";  // not "American English"
  return name.isEmpty() ? language : name.left(1).toUpper() + name.mid(1);
}

}  // namespace strata
