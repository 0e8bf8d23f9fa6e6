#include <signal.h>

#include <QAbstractItemView>
#include <QAbstractSpinBox>
#include <QComboBox>
#include <QDropEvent>
#include <QLabel>
#include <QListWidget>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QScreen>
#include <QWindow>

#include "field_help.h"
#include "layout_check.h"
#include "shell_fixture.h"
#include "widgets/help/help_window.h"
#include "widgets/shell/find_popup.h"
#include "widgets/style/button.h"
#include "widgets/style/labels.h"
#include "widgets/style/segmented_buttons.h"

namespace strata {
namespace {

using Frame = Shell;

TEST_F(Frame, ShowsTheRailsPagesByTheirNumbers) {
  EXPECT_EQ(window->currentPage(), chat);  // the first time
  key(Qt::Key_1, Qt::ControlModifier);
  EXPECT_EQ(window->currentPage(), models);
  EXPECT_TRUE(child<RailButton>("rail-models")->isChecked());
  EXPECT_FALSE(child<RailButton>("rail-chat")->isChecked());
  key(Qt::Key_2, Qt::ControlModifier);
  EXPECT_EQ(window->currentPage(), data);
  key(Qt::Key_3, Qt::ControlModifier);
  EXPECT_EQ(window->currentPage(), chat);
  key(Qt::Key_4, Qt::ControlModifier);  // there is none
  EXPECT_EQ(window->currentPage(), chat);
  key(Qt::Key_Comma, Qt::ControlModifier);
  EXPECT_EQ(window->currentPage()->id(), "settings");
}

TEST_F(Frame, WalksTheRailWithTheArrowKeys) {
  child<RailButton>("rail-models")->setFocus();
  key(Qt::Key_Down);
  EXPECT_TRUE(child<RailButton>("rail-data")->hasFocus());
  key(Qt::Key_Space);
  EXPECT_EQ(window->currentPage(), data);
  key(Qt::Key_Up);
  key(Qt::Key_Up);
  EXPECT_TRUE(child<RailButton>("rail-project")->hasFocus());
  key(Qt::Key_Up);
  EXPECT_TRUE(child<RailButton>("rail-settings")->hasFocus());
}

TEST_F(Frame, ShowsTheSidesOnlyWhereAPageComparesThem) {
  QWidget* sides = child<QWidget>("sides-bar");
  EXPECT_TRUE(sides->isVisible());
  window->showPage("data");
  EXPECT_FALSE(sides->isVisible());
}

TEST_F(Frame, HidesTheInspectorWithF4AndWhereAPageHasNone) {
  EXPECT_FALSE(inspector->isVisible());
  window->showPage("models");
  EXPECT_TRUE(inspector->isVisible());
  key(Qt::Key_F4);
  EXPECT_FALSE(inspector->isVisible());
  key(Qt::Key_F4);
  EXPECT_TRUE(inspector->isVisible());
}

TEST_F(Frame, F6GoesThroughThePanesAndBackToWhereItWas) {
  chat->text()->setFocus();
  QSet<QString> seen;
  for (int i = 0; i < 12; ++i) {
    key(Qt::Key_F6);
    QWidget* pane = QApplication::focusWidget();
    while (pane != nullptr &&
           !QStringList{"rail", "sides-bar", "jobs-strip", "status-bar"}.contains(pane->objectName()) && pane != chat) {
      pane = pane->parentWidget();
    }
    ASSERT_NE(pane, nullptr);
    seen << (pane == chat ? QString("chat") : pane->objectName());
    if (pane == chat) break;
  }
  EXPECT_TRUE(chat->text()->hasFocus());
  EXPECT_TRUE(seen.contains("rail"));
  EXPECT_TRUE(seen.contains("sides-bar"));
  EXPECT_TRUE(seen.contains("jobs-strip"));
  EXPECT_TRUE(seen.contains("status-bar"));
}

TEST_F(Frame, F1OpensTheGuideAtThePageInView) {
  const auto opened = [&] {
    const auto* help = window->findChild<HelpWindow*>("helpWindow");
    return help != nullptr && help->isVisible() ? help->page().toStdString() : std::string();
  };
  window->showPage("data");
  window->activateWindow();
  QTest::keyClick(window.get(), Qt::Key_F1);
  EXPECT_EQ(opened(), "data");
  window->showPage("chat");
  QTest::keyClick(window.get(), Qt::Key_F1);
  EXPECT_EQ(opened(), "chat");
  QTest::keyClick(window->findChild<HelpWindow*>("helpWindow"), Qt::Key_Escape);
  EXPECT_EQ(opened(), "");
}

TEST_F(Frame, ShiftF1SaysWhatTheFocusedFieldIsFor) {
  chat->text()->setFocus();
  key(Qt::Key_F1, Qt::ShiftModifier);
  QWidget* help = popup("field-help");
  ASSERT_NE(help, nullptr);
  EXPECT_EQ(help->findChild<QLabel*>()->text(), "What the text of Chat is for.");
  QTest::keyClick(help, Qt::Key_Escape);
  EXPECT_EQ(popup("field-help"), nullptr);
  EXPECT_EQ(chat->escaped, 0);  // Esc closed the popup and nothing else
}

TEST_F(Frame, EscStopsWhatThePageDoes) {
  chat->text()->setFocus();
  key(Qt::Key_Escape);
  EXPECT_EQ(chat->escaped, 1);
}

TEST_F(Frame, CtrlKFindsPagesActionsModelsRunsAndSettings) {
  startEngine();
  ASSERT_TRUE(eventually([&] { return requests("models/list") > 0 && requests("jobs/list") > 0; }));
  ASSERT_TRUE(eventually([&] {
    return !FindPopup::found(window->findables(), "routed as b").empty() &&
           !FindPopup::found(window->findables(), "job train").empty();
  }));
  const std::vector<Findable> all = window->findables();
  const auto first = [&](const QString& text) {
    const auto found = FindPopup::found(all, text);
    return found.empty() ? QString() : found.front()->kind + ": " + found.front()->name;
  };
  EXPECT_EQ(first("data"), "Page: Data");
  EXPECT_EQ(first("does chat"), "Action: Do what Chat does");
  EXPECT_EQ(first("swap"), "Action: Swap A and B");
  EXPECT_EQ(first("text size"), "Setting: Text size");
  EXPECT_EQ(first("ROUTED"), "Model: routed");
  EXPECT_EQ(first("run base"), "Run: base on train.txt");
  EXPECT_EQ(first("no such thing"), "");
}

TEST_F(Frame, CtrlKRunsWhatIsChosenByTheKeyboard) {
  key(Qt::Key_K, Qt::ControlModifier);
  QWidget* find = popup("find-popup");
  ASSERT_NE(find, nullptr);
  auto* text = find->findChild<QLineEdit*>("find-text");
  QTest::keyClicks(text, "data does");
  QTest::keyClick(text, Qt::Key_Return);
  ASSERT_TRUE(eventually([&] { return data->done == 1; }));
  EXPECT_EQ(window->currentPage(), data);
}

TEST_F(Frame, PutsAFoundModelOnASide) {
  startEngine();
  ASSERT_TRUE(eventually([&] { return !FindPopup::found(window->findables(), "Use base as B").empty(); }));
  const auto all = window->findables();
  session->setMap(Which::b, "stride:2");
  window->showPage("chat");
  FindPopup::found(all, "Use base as B").front()->run();
  EXPECT_EQ(session->side(Which::b)->ref.model, "base");
  EXPECT_EQ(session->side(Which::b)->map, "stride:2") << "the map stays";
  EXPECT_EQ(window->currentPage(), chat);
}

TEST_F(Frame, F6RestsWhereTheFocusIsSeen) {
  startEngine();
  for (const char* id : {"chat", "models"}) {
    window->showPage(id);
    const bool inspected = id == std::string("models");
    ASSERT_TRUE(eventually([&] { return inspector->visibleRegion().isEmpty() != inspected; })) << "it is laid out";
    for (int i = 0; i < 8; ++i) {
      key(Qt::Key_F6);
      QWidget* stop = QApplication::focusWidget();
      ASSERT_NE(stop, nullptr);
      const QImage with = window->grab().toImage();
      stop->clearFocus();
      EXPECT_NE(window->grab().toImage(), with) << id << ": " << stop->objectName().toStdString();
      stop->setFocus(Qt::ShortcutFocusReason);
    }
  }
}

TEST_F(Frame, EveryFieldHasHelp) {
  startEngine();
  EXPECT_EQ(fieldsWithoutHelp(*window).join(", ").toStdString(), "paper-inspector");
  window->showPage("settings");
  EXPECT_EQ(fieldsWithoutHelp(*window).join(", ").toStdString(), "paper-inspector");
}

TEST_F(Frame, ComesBackAsItWasLeft) {
  window->resize(1400, 900);
  window->showPage("models");
  key(Qt::Key_F4);
  auto* toggle = child<QPushButton>("jobs-toggle");
  toggle->click();
  EXPECT_TRUE(child<QWidget>("jobs-panel")->isVisible());
  ASSERT_TRUE(eventually(
      [&] { return settings.value("window/jobs").toBool() && !settings.value("window/inspector").toBool(); }));
  makeWindow();  // the old one is gone without a word, as after a crash
  EXPECT_EQ(window->currentPage(), models);
  EXPECT_EQ(window->size(), QSize(1400, 900));
  EXPECT_FALSE(inspector->isVisible());
  EXPECT_TRUE(child<QWidget>("jobs-panel")->isVisible());
}

TEST_F(Frame, GivesADropToThePageInViewElseToTheOneForSuchThings) {
  startEngine();
  const auto drop = [&](const QString& path) {
    QMimeData mime;
    mime.setUrls({QUrl::fromLocalFile(path)});
    QDropEvent event(QPointF(400, 400), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    static_cast<QObject*>(window.get())->event(&event);  // as at the end of a drag
  };
  models->takes = data->takes = true;
  models->looksRight = folder.path();
  data->looksRight = "rows.jsonl";
  QFile config(folder.filePath("config.json"));
  ASSERT_TRUE(config.open(QIODevice::WriteOnly));
  drop(folder.path());
  EXPECT_EQ(models->dropped, QStringList{folder.path()});
  EXPECT_EQ(window->currentPage(), models);
  QFile file(folder.filePath("rows.jsonl"));
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  file.close();
  window->showPage("chat");
  drop(file.fileName());
  EXPECT_EQ(data->dropped, QStringList{file.fileName()});
  EXPECT_EQ(window->currentPage(), data);
  data->takes = models->takes = false;
  drop(file.fileName());
  EXPECT_TRUE(child<QLabel>("status-said")->text().contains("rows.jsonl"));
}

TEST_F(Frame, SaysAboveThePageWhyAProjectCannotBeOpened) {
  startEngine();
  session->openProject("/missing");
  ASSERT_TRUE(eventually([&] { return session->projectProblem().has_value(); }));
  bool said = false;
  for (const QLabel* label : window->findChildren<QLabel*>()) {
    said = said || (label->isVisible() && label->text().contains("no project in /missing"));
  }
  EXPECT_TRUE(said);
  for (QPushButton* button : window->findChildren<QPushButton*>()) {
    if (button->isVisible() && button->text() == "Open the sample") button->click();
  }
  EXPECT_TRUE(eventually([&] { return !session->projectProblem().has_value(); }));
}

TEST_F(Frame, AProjectThatIsLostWithItsEngineCanBeOpenedAgain) {
  startEngine();
  QFile taken(folder.filePath("in_use"));
  ASSERT_TRUE(taken.open(QIODevice::WriteOnly));
  ::kill(static_cast<pid_t>(engine->engine().pid), SIGKILL);
  ASSERT_TRUE(eventually([&] { return session->projectLost() && engine->ready(); }));
  EXPECT_EQ(session->project()->name, "tiny-stories");
  ASSERT_TRUE(taken.remove());
  QPushButton* again = nullptr;
  for (QPushButton* button : window->findChildren<QPushButton*>()) {
    if (button->isVisible() && button->text() == "Open again") again = button;
  }
  ASSERT_NE(again, nullptr);
  again->click();
  ASSERT_TRUE(eventually([&] { return !session->projectLost(); }));
  EXPECT_TRUE(eventually([&] { return !session->projectProblem() && !again->isVisible(); }));
}

TEST_F(Frame, DoesNotOpenAProjectThatAnotherWindowHas) {
  startEngine();
  window->setClaim([](const QString& folder) { return folder != "/taken"; });
  const int before = requests("project/open");
  window->openProject("/taken");
  EXPECT_TRUE(child<QLabel>("status-said")->text().contains("another window"));
  window->openProject("/free");
  ASSERT_TRUE(eventually([&] { return requests("project/open") == before + 1; }));
}

bool isControl(const QWidget* widget) {
  return qobject_cast<const QAbstractButton*>(widget) || qobject_cast<const QLineEdit*>(widget) ||
         qobject_cast<const QComboBox*>(widget) || qobject_cast<const QAbstractSpinBox*>(widget) ||
         qobject_cast<const QAbstractItemView*>(widget) || qobject_cast<const QPlainTextEdit*>(widget);
}

QString nameOf(QWidget* widget) {
  QAccessibleInterface* spoken = QAccessible::queryAccessibleInterface(widget);
  return spoken ? spoken->text(QAccessible::Name) : QString();
}

TEST_F(Frame, EveryControlHasANameForPeopleAndOneForTests) {
  startEngine();
  child<QPushButton>("jobs-toggle")->click();
  for (const QString page : {"models", "settings", "chat"}) {
    window->showPage(page);
    QCoreApplication::processEvents();
    for (QWidget* widget : window->findChildren<QWidget*>()) {
      if (!widget->isVisible() || !isControl(widget) || widget->objectName().startsWith("qt_")) continue;
      // The parts of a composed control carry its own name.
      if (qobject_cast<SegmentedButtons*>(widget->parentWidget())) continue;
      if (qobject_cast<QAbstractSpinBox*>(widget->parentWidget()) || qobject_cast<QComboBox*>(widget->parentWidget()))
        continue;
      EXPECT_FALSE(nameOf(widget).isEmpty())
          << widget->metaObject()->className() << " " << qPrintable(widget->objectName());
      EXPECT_FALSE(widget->objectName().isEmpty())
          << widget->metaObject()->className() << " named " << qPrintable(nameOf(widget));
    }
  }
}

TEST_F(Frame, ClipsNothingAtLargeTextAndKeepsItsSize) {
  startEngine();
  window->resize(1280, 800);
  child<QPushButton>("jobs-toggle")->click();
  for (const int percent : {150, 200, 100}) {
    testTheme().setTextPercent(percent);
    for (const QString page : {"models", "settings", "chat"}) {
      window->showPage(page);
      testing::waitForLayout(*window);
      EXPECT_EQ(window->size(), QSize(1280, 800)) << qPrintable(page) << " at " << percent;
      EXPECT_EQ(testing::layoutProblems(*window).join("\n").toStdString(), "") << qPrintable(page) << " at " << percent;
    }
  }
}

TEST_F(Frame, FirstFitsTheScreenWithTheFrameThatItGets) {
  QScreen* small = nullptr;
  for (QScreen* screen : QGuiApplication::screens()) {
    if (screen->availableGeometry().size() == QSize(1280, 800)) small = screen;
  }
  ASSERT_NE(small, nullptr) << "tests run with the screens of tests/support/screens.json";
  Settings fresh(folder.filePath("fresh.ini"));
  Session empty(*engine, fresh);
  MainWindow first(empty, testTheme());
  first.addPage(new PaperPage("chat", "Chat", "chat-left-text", true));
  first.setScreen(small);
  first.move(small->availableGeometry().topLeft());
  first.restore();
  first.show();
  const auto outer = [&] { return first.geometry().marginsAdded(first.windowHandle()->frameMargins()); };
  ASSERT_TRUE(eventually([&] { return !first.windowHandle()->frameMargins().isNull(); }));
  EXPECT_TRUE(eventually([&] { return small->availableGeometry().contains(outer()); }))
      << outer().width() << " x " << outer().height() << " at " << outer().x() << ", " << outer().y();
  const QWidget* status = first.findChild<QWidget*>("status-bar");
  EXPECT_TRUE(small->availableGeometry().contains(QRect(status->mapToGlobal(QPoint()), status->size())));
}

}  // namespace
}  // namespace strata
