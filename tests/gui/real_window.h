#pragma once
// The whole window with the real engine, the sample project and the sample models, in folders of its own.

#include <gtest/gtest.h>

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QLabel>
#include <QPlainTextEdit>
#include <QScreen>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <csignal>
#include <memory>

#include "support.h"
#include "widgets/chat/chat_page.h"
#include "widgets/chat/chat_pane.h"
#include "widgets/chat/first_start.h"
#include "widgets/chat/text_view.h"
#include "widgets/data/data_page.h"
#include "widgets/evaluation/evaluation_page.h"
#include "widgets/mapeditor/map_page.h"
#include "widgets/models/models_page.h"
#include "widgets/reports/reports_page.h"
#include "widgets/settings/settings_page.h"
#include "widgets/shell/main_window.h"
#include "widgets/style/theme.h"
#include "widgets/training/train_page.h"

namespace strata {

constexpr int kPatience = 60'000;  // ms; the machine may be busy with other tests

inline bool until(const std::function<bool()>& holds, int milliseconds = kPatience) {
  return QTest::qWaitFor(holds, milliseconds);
}

inline QString screenshotFolder() {
  const QString scale = qEnvironmentVariable("QT_SCALE_FACTOR");
  const QString folder = QStringLiteral(STRATA_BINARY_DIR "/screenshots") +
                         (qApp->platformName() == "xcb" ? "/x11" : "") + (scale.isEmpty() ? "" : "/scale-" + scale);
  QDir().mkpath(folder);
  return folder;
}

/// Folders that the program would write to, anew for each test.
class OwnFolders {
 public:
  OwnFolders() {
    for (const char* name : {"XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"}) {
      const QString folder = m_folder.filePath(QString::fromLatin1(name).toLower());
      QDir().mkpath(folder);
      qputenv(name, folder.toUtf8());
    }
    qputenv("HF_HUB_CACHE", m_folder.filePath("hub").toUtf8());
    const QString run = m_folder.filePath("run");
    QDir().mkpath(run);
    QFile::setPermissions(run, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    qputenv("XDG_RUNTIME_DIR", run.toUtf8());
  }
  QString path(const QString& name) const { return m_folder.filePath(name); }

 private:
  QTemporaryDir m_folder;
};

class RealWindow {
 public:
  explicit RealWindow(const OwnFolders& folders,
                      const EngineClient::Command& command = {QStringLiteral(STRATA_BINARY_DIR "/bin/strata"),
                                                              {"engine"}})
      : settings(folders.path("settings.ini")), theme(*qApp), session(engine, settings), window(session, theme) {
    models = new ModelsPage(session);
    data = new DataPage(session);
    train = new TrainPage(session);
    map = new MapPage(session);
    chat = new ChatPage(session);
    evaluate = new EvaluationPage(session);
    reports = new ReportsPage(session);
    window.addPage(models);
    window.addPage(data);
    window.addPage(train);
    window.addPage(map);
    window.addPage(chat);
    window.addPage(evaluate);
    window.addPage(reports);
    window.addPage(new SettingsPage(session, theme));
    window.restore();
    window.resize(1280, 800);
    window.show();
    engine.start(command);
    session.openProject({});
  }
  /// Ready, the sample project open, and something on both sides.
  bool isReady() {
    return until([this] { return engine.ready() && session.side(Which::a) && session.side(Which::b); });
  }
  /// Something on each page: answers, a model in memory, a checked file. Once it is ready.
  bool fillPages() {
    if (!until([&] { return !find<QPlainTextEdit>("chatDraft")->toPlainText().isEmpty(); })) return false;
    find<QAbstractButton>("step-ask")->click();
    if (!until([&] { return !chat->conversation().turns().empty(); }) || !bothAnswered(0)) return false;
    window.showPage("models");
    if (!until([&] { return find<QLabel>("measured-kv")->text().contains("iB"); })) return false;
    window.showPage("data");
    data->read(QString::fromStdString(session.project()->folder) + "/recall.json");
    return true;
  }
  const SideAnswer* answer(int turn, Which which) const { return chat->conversation().answer(turn, which); }
  bool bothAnswered(int turn) {
    return until([this, turn] {
      const SideAnswer *a = answer(turn, Which::a), *b = answer(turn, Which::b);
      return a != nullptr && b != nullptr && a->answer && b->answer && !chat->answering().busy();
    });
  }
  template <class T = QWidget>
  T* find(const char* name) const {
    return window.findChild<T*>(QString::fromLatin1(name));
  }
  /// The text views of a side's answers just now.
  QList<TextView*> answerViews(Which which) const {
    QList<TextView*> views = chat->pane(which)->transcript()->findChildren<TextView*>();
    views.removeIf([](const TextView* view) { return !view->objectName().startsWith("answer"); });
    return views;
  }
  void screenshot(const QString& name) {
    QTest::qWait(400);  // until what changed last is laid out
    // Of an X server the whole screen: the window with its frame and what pops up.
    const QPixmap picture =
        qApp->platformName() == "xcb" ? QGuiApplication::primaryScreen()->grabWindow(0) : window.grab();
    picture.save(screenshotFolder() + "/" + name + ".png");
  }
  void killEngine() const { ::kill(static_cast<pid_t>(engine.engine().pid), SIGKILL); }

  Settings settings;
  Theme theme;
  EngineClient engine;
  Session session;
  MainWindow window;
  ModelsPage* models;
  DataPage* data;
  TrainPage* train;
  MapPage* map;
  ChatPage* chat;
  EvaluationPage* evaluate;
  ReportsPage* reports;
};

}  // namespace strata
