// The window: arguments, and which part is tied to which.

#include <QApplication>
#include <QFile>
#include <QFileInfo>
#include <QStandardPaths>
#include <QTimer>
#include <cstdio>

#include "options.h"
#include "timing.h"
#include "widgets/chat/chat_page.h"
#include "widgets/client/journal.h"
#include "widgets/data/data_page.h"
#include "widgets/evaluation/evaluation_page.h"
#include "widgets/language/language.h"
#include "widgets/mapeditor/map_page.h"
#include "widgets/models/models_page.h"
#include "widgets/reports/reports_page.h"
#include "widgets/settings/settings_page.h"
#include "widgets/shell/engine_command.h"
#include "widgets/shell/main_window.h"
#include "widgets/shell/run_watch.h"
#include "widgets/shell/single_instance.h"
#include "widgets/shell/window_log.h"
#include "widgets/training/train_page.h"

namespace strata {
namespace {

QString resource(const QString& name) {
  QFile file(":/strata/" + name);
  return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

/// The engine: as told on the command line, in STRATA_ENGINE, or in the window before.
EngineClient::Command chosenEngine(const WorkbenchOptions& options, const Settings& settings) {
  if (!options.engine.isEmpty()) return engineCommand(options.engine);
  const QString environment = qEnvironmentVariable("STRATA_ENGINE");
  return engineCommand(environment.isEmpty() ? settings.value("engine/command").toString() : environment);
}

/// Names a project for the lock; folders of this machine whatever way they are written. No folder means the user's copy
/// of the sample, whose place is known once it was open.
QString lockKey(const EngineClient::Command& engine, QString folder, const Settings& settings) {
  if (engine.remote) return commandText(engine) + '\n' + folder;
  if (folder.isEmpty()) folder = settings.value("projects/sample").toString();
  const QString canonical = folder.isEmpty() ? QString() : QFileInfo(folder).canonicalFilePath();
  return canonical.isEmpty() ? folder : canonical;
}

/// Messages that no engine confirmed outlive the window too.
void keepJournal(EngineClient& engine) {
  const QString folder = QStandardPaths::writableLocation(QStandardPaths::AppLocalDataLocation);
  auto journal = Journal::openIn(folder.toStdString());
  if (journal) {
    engine.setJournal(std::move(*journal));
  } else {
    qWarning("%s", journal.error().message.c_str());
  }
}

int run(QApplication& application, const WorkbenchOptions& options) {
  Settings settings;
  loadLanguage(qEnvironmentVariable("STRATA_LANGUAGE", settings.value("look/language").toString()));
  Theme theme(application);
  restoreTheme(settings, theme);
  EngineClient engine;
  Session session(engine, settings);
  const EngineClient::Command command = chosenEngine(options, settings);
  QString project = options.project;
  if (!project.isEmpty() && !command.remote) project = QFileInfo(project).absoluteFilePath();
  if (project.isEmpty() && !command.remote) project = settings.value("projects/recent").toStringList().value(0);

  SingleInstance instance;
  const QString key = lockKey(command, project, settings);
  if (!instance.claim(key)) {
    if (instance.raiseOther(key)) return 0;
    std::fputs("Another window has this project open, and does not answer: close it, or end its process.\n", stderr);
    return 1;
  }
  keepJournal(engine);
  MainWindow window(session, theme);
  window.setWindowIcon(QIcon(":/strata/resources/icons/strata.svg"));
  QObject::connect(&instance, &SingleInstance::raised, &window, &MainWindow::raiseWindow);
  window.setClaim([&](const QString& folder) {
    const QString key = lockKey(engine.command(), folder, settings);
    if (instance.claim(key)) return true;
    instance.raiseOther(key, [folder](bool answered) {
      if (!answered) qWarning("The window that has %s open does not answer.", qPrintable(folder));
    });
    return false;
  });
  QObject::connect(&session, &Session::projectChanged, &instance, [&] {
    const auto& open = session.project();
    if (!open || engine.remote()) return;
    const QString folder = QString::fromStdString(open->folder);
    if (open->sample) settings.setValue("projects/sample", folder);
    instance.claim(lockKey(engine.command(), folder, settings));
  });
  window.addPage(new ModelsPage(session));
  window.addPage(new DataPage(session));
  window.addPage(new TrainPage(session));
  window.addPage(new MapPage(session));
  window.addPage(new ChatPage(session));
  window.addPage(new EvaluationPage(session));
  window.addPage(new ReportsPage(session));
  window.addPage(
      new SettingsPage(session, theme, {STRATA_VERSION, resource("LICENSE"), resource("packaging/dependencies.md")}));
  const RunWatch watch(session, QDBusConnection::systemBus(), QDBusConnection::sessionBus());
  window.restore();
  window.show();
  // The engine starts once the window is on the screen, not before.
  QTimer::singleShot(0, &window, [&] {
    if (qEnvironmentVariableIsSet("STRATA_TIMING")) {
      std::fprintf(stderr, "window visible %d ms after the program began\n", millisecondsSinceStart());
      QObject::connect(&engine, &EngineClient::stateChanged, &window, [&engine] {
        if (engine.ready()) std::fprintf(stderr, "engine ready after %d ms\n", millisecondsSinceStart());
      });
    }
    engine.start(command);
    session.openProject(project);
  });
  return application.exec();
}

}  // namespace
}  // namespace strata

int main(int argc, char** argv) {
  QStringList words;
  for (int i = 1; i < argc; ++i) words << QString::fromLocal8Bit(argv[i]);
  const strata::Result<strata::WorkbenchOptions> options = strata::parseOptions(words);
  if (!options) {
    std::fprintf(stderr, "%s\n", options.error().message.c_str());
    return 2;
  }
  if (options->help) return std::fputs(qPrintable(strata::helpText()), stdout) < 0;
  if (options->version) return std::puts("strata-workbench " STRATA_VERSION) < 0;
  QCoreApplication::setOrganizationName("strata");
  QCoreApplication::setApplicationName("workbench");
  QCoreApplication::setApplicationVersion(STRATA_VERSION);
  strata::startWindowLog();
  QApplication application(argc, argv);
  QGuiApplication::setDesktopFileName("strata-workbench");
  QGuiApplication::setApplicationDisplayName("Strata");
  return strata::run(application, *options);
}
