#pragma once
// A window frame around pages of paper, with the engine of fake_engine.h behind it.

#include <gtest/gtest.h>

#include <QAccessible>
#include <QApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>
#include <QTextEdit>
#include <QVBoxLayout>

#include "fake_engine.h"
#include "widgets/settings/settings_page.h"
#include "widgets/shell/find_popup.h"
#include "widgets/shell/main_window.h"
#include "widgets/style/theme.h"

namespace strata {

/// Runs the event loop until `holds` does; false after fifteen seconds.
template <class F>
bool eventually(F holds) {
  QElapsedTimer clock;
  clock.start();
  while (!holds()) {
    if (clock.elapsed() > 15000) return false;
    QCoreApplication::processEvents(QEventLoop::AllEvents, 10);
    QTest::qSleep(1);
  }
  return true;
}

/// The one theme of the program.
inline Theme& testTheme() {
  static auto* theme = new Theme(*qApp);
  return *theme;
}

class PaperPage : public Page {
 public:
  PaperPage(const QString& id, const QString& title, const QString& icon, bool sides, QWidget* inspector = nullptr)
      : m_id(id), m_title(title), m_icon(icon), m_sides(sides), m_inspector(inspector) {
    auto* column = new QVBoxLayout(this);
    m_text = new QTextEdit;
    m_text->setObjectName(id + "-text");
    m_text->setAccessibleName("Text of " + title);
    m_text->setWhatsThis("What the text of " + title + " is for.");
    m_text->setTabChangesFocus(true);
    column->addWidget(m_text);
    addCommand("paper", "Do what " + title + " does", QKeySequence("Ctrl+R"), [this] { ++done; });
  }

  QString id() const override { return m_id; }
  QString title() const override { return m_title; }
  QString iconName() const override { return m_icon; }
  bool showsSides() const override { return m_sides; }
  QWidget* inspector() override { return m_inspector; }
  QWidget* banner() override { return top; }
  bool bannerShowsEngine() const override { return top != nullptr; }
  QList<QPair<QString, QString>> keys() override { return {{"Enter", "send"}}; }
  bool shows(const Place& place) const override { return kinds.contains(place.kind) || Page::shows(place); }
  void open(const Place& place) override { opened << place; }
  std::optional<Wanted> wants(const QStringList& paths) const override {
    if (!takes) return {};
    return Wanted{paths.first(), paths.first().endsWith(looksRight)};
  }
  QUndoStack* undoStack() override { return undo; }
  QByteArray saveState() const override { return kept; }
  void restoreState(const QByteArray& state) override { kept = state; }
  void take(const QString& path) override { dropped << path; }
  bool escape() override { return ++escaped > 0; }

  QTextEdit* text() const { return m_text; }
  QList<Place> opened;
  QList<PlaceKind> kinds;  // that it shows
  QStringList dropped;
  QString looksRight = "nothing";  // the end of what it knows by its looks
  QWidget* top = nullptr;
  QUndoStack* undo = nullptr;
  QByteArray kept;
  bool takes = false;
  int done = 0, escaped = 0;

 private:
  QString m_id, m_title, m_icon;
  bool m_sides;
  QWidget* m_inspector;
  QTextEdit* m_text;
};

class Shell : public ::testing::Test {
 protected:
  Shell() : settings(folder.filePath("settings.ini")) {}

  void SetUp() override {
    testTheme().setChoice(Theme::Choice::light);
    testTheme().setTextPercent(100);
    makeWindow();
  }
  void TearDown() override {
    window.reset();
    session.reset();
    engine.reset();
  }

  /// Before the window gets its pages.
  virtual void prepare() {}
  /// Anew, with the settings that there are: as after a restart of the window.
  void makeWindow() {
    window.reset();
    session.reset();
    engine = std::make_unique<EngineClient>();
    session = std::make_unique<Session>(*engine, settings);
    window = std::make_unique<MainWindow>(*session, testTheme());
    inspector = new QLineEdit;
    inspector->setObjectName("paper-inspector");
    inspector->setAccessibleName("Paper inspector");
    models = new PaperPage("models", "Models", "box-seam", false, inspector);
    data = new PaperPage("data", "Data", "database", false);
    chat = new PaperPage("chat", "Chat", "chat-left-text", true);
    models->kinds = {PlaceKind::model, PlaceKind::newModel};
    chat->kinds = {PlaceKind::firstSteps};
    prepare();
    for (PaperPage* page : {models, data, chat}) window->addPage(page);
    window->addPage(new SettingsPage(*session, testTheme(), {"0.3.0", "The licence.", "# Built on\n"}));
    window->restore();
    window->show();
    window->activateWindow();
    ASSERT_TRUE(QTest::qWaitForWindowActive(window.get()));
  }

  EngineClient::Command fakeEngine() const { return testing::fakeEngine(folder.path().toStdString()); }
  /// Starts the engine, opens the project and waits until the frame knows both sides' cards.
  void startEngine() {
    engine->start(fakeEngine());
    session->openProject({});
    ASSERT_TRUE(eventually([&] { return engine->ready() && session->project().has_value(); }));
    ASSERT_TRUE(eventually([&] {
      return session->knownCard(session->side(Which::a)->ref) && session->knownCard(session->side(Which::b)->ref);
    }));
  }

  /// How many requests of a method the engine got; `last`: the parameters of the last one.
  int requests(const std::string& method, Json* last = nullptr) const {
    const std::vector<Json> all = allRequests(method);
    if (last != nullptr && !all.empty()) *last = all.back();
    return static_cast<int>(all.size());
  }
  /// The parameters of each.
  std::vector<Json> allRequests(const std::string& method) const {
    return testing::requestsTo(folder.path().toStdString(), method);
  }
  /// Lets the engine send a notification.
  template <class N>
  void say(const N& notification) {
    const Json message = {{"method", N::kName}, {"params", configToJson(notification)}};
    const QString path = folder.filePath("say");
    QFile file(path + ".part");
    ASSERT_TRUE(file.open(QIODevice::WriteOnly));
    file.write(QByteArray::fromStdString(dumpLine(message) + "\n"));
    file.close();
    ASSERT_TRUE(eventually([&] { return !QFile::exists(path); }));  // the one before was read
    ASSERT_TRUE(QFile::rename(path + ".part", path));
  }

  template <class W>
  W* child(const char* name) const {
    W* found = window->findChild<W*>(name);
    EXPECT_NE(found, nullptr) << name;
    return found;
  }
  /// The popup that is open, by its name.
  QWidget* popup(const char* name) const {
    for (QWidget* widget : QApplication::topLevelWidgets()) {
      if (widget->objectName() == name && widget->isVisible()) return widget;
    }
    return nullptr;
  }
  void key(int key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
    QWidget* focus = QApplication::focusWidget();
    QTest::keyClick(focus ? focus : window.get(), static_cast<Qt::Key>(key), modifiers);
  }

  QTemporaryDir folder;
  Settings settings;
  std::unique_ptr<EngineClient> engine;
  std::unique_ptr<Session> session;
  std::unique_ptr<MainWindow> window;
  PaperPage *models = nullptr, *data = nullptr, *chat = nullptr;
  QLineEdit* inspector = nullptr;
};

}  // namespace strata
