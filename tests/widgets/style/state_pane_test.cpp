#include "widgets/style/state_pane.h"

#include <gtest/gtest.h>

#include <QClipboard>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "style_test.h"

namespace strata {
namespace {

class StatePaneTest : public testing::Test {
 protected:
  StatePaneTest() {
    plainTheme();
    auto* content = new QWidget;
    auto* column = new QVBoxLayout(content);
    edit = new QLineEdit("typed");
    column->addWidget(edit);
    pane = std::make_unique<StatePane>(content);
    pane->resize(600, 300);
    pane->show();
    pane->activateWindow();
    EXPECT_TRUE(QTest::qWaitForWindowActive(pane.get()));
  }

  template <class T = QWidget>
  T* part(const char* name) const {
    return pane->findChild<T*>(name);
  }
  bool shown(const char* name) const { return part(name)->isVisible(); }
  std::string text(const char* name) const { return part<QLabel>(name)->text().toStdString(); }
  void click(const char* name) const { QTest::mouseClick(part<QPushButton>(name), Qt::LeftButton); }

  QLineEdit* edit;
  std::unique_ptr<StatePane> pane;
};

TEST_F(StatePaneTest, WorkingShowsTheContentAlone) {
  EXPECT_EQ(pane->state(), StatePane::State::working);
  EXPECT_TRUE(edit->isVisible());
  for (const char* cover : {"stateBar", "emptyCover", "loadingCover", "staleVeil"}) EXPECT_FALSE(shown(cover)) << cover;
}

TEST_F(StatePaneTest, EmptyHasOneSentenceOneButtonAndALink) {
  int pressed = 0;
  int linked = 0;
  pane->setEmpty(
      "No model on side B.", "Choose one", [&] { ++pressed; }, "Open the sample", [&] { ++linked; });
  EXPECT_TRUE(shown("emptyCover"));
  EXPECT_EQ(text("emptySentence"), "No model on side B.");
  click("emptyButton");
  click("emptyLink");
  EXPECT_EQ(pressed, 1);
  EXPECT_EQ(linked, 1);
  EXPECT_FALSE(edit->isEnabled());
}

TEST_F(StatePaneTest, LoadingShowsNothingFor200MsThenTheOutlineThenWhatAndHowFar) {
  bool stopped = false;
  pane->setLoading("Reading the model", [&] { stopped = true; });
  EXPECT_EQ(pane->state(), StatePane::State::loading);
  pane->setProgress(3, 10);
  QTest::qWait(80);
  EXPECT_FALSE(shown("loadingCover"));
  EXPECT_TRUE(QTest::qWaitFor([&] { return shown("loadingCover"); }, 1000));
  EXPECT_FALSE(shown("loadingStop"));
  EXPECT_TRUE(QTest::qWaitFor([&] { return shown("loadingStop"); }, 2500));
  EXPECT_EQ(text("loadingWhat"), "Reading the model");
  EXPECT_EQ(text("loadingFar"), "30 %");
  click("loadingStop");
  EXPECT_TRUE(stopped);
  pane->setWorking();
  EXPECT_FALSE(shown("loadingCover"));
}

TEST_F(StatePaneTest, QuickLoadingNeverFlickers) {
  pane->setLoading("Reading the model");
  QTest::qWait(50);
  pane->setWorking();
  QTest::qWait(300);
  EXPECT_FALSE(shown("loadingCover"));
  EXPECT_TRUE(edit->isEnabled());
}

TEST_F(StatePaneTest, AFailureStandsAboveTheContentAndWhatWasTypedStays) {
  int again = 0;
  const int before = edit->mapTo(pane.get(), QPoint()).y();
  pane->setFailed({ErrorCode::notFound, "The shard 2 of 3 is missing; download it again.", "/models/x"}, "Try again",
                  [&] { ++again; });
  QTest::qWait(1);
  EXPECT_TRUE(shown("stateBar"));
  EXPECT_GT(edit->mapTo(pane.get(), QPoint()).y(), before);
  EXPECT_TRUE(edit->isEnabled());
  EXPECT_EQ(edit->text(), "typed");
  EXPECT_EQ(text("stateSentence"), "The shard 2 of 3 is missing; download it again.");
  click("stateAction");
  EXPECT_EQ(again, 1);
  click("stateCopy");
  EXPECT_TRUE(QApplication::clipboard()->text().contains("not_found: /models/x"));
}

TEST_F(StatePaneTest, AnActionMayShowAnotherState) {
  pane->setFailed({ErrorCode::io, "It failed.", ""}, "Try again", [&] { pane->setWorking(); });
  click("stateAction");
  EXPECT_EQ(pane->state(), StatePane::State::working);
  EXPECT_FALSE(shown("stateBar"));
}

TEST_F(StatePaneTest, StaleFiguresStayGreyedWithWhereTheyAreFrom) {
  bool redone = false;
  pane->setStale("from the map stride:2", [&] { redone = true; });
  EXPECT_EQ(text("stateSentence"), "from the map stride:2");
  EXPECT_TRUE(shown("staleVeil"));
  EXPECT_FALSE(shown("stateCopy"));
  EXPECT_EQ(pane->childAt(edit->mapTo(pane.get(), QPoint(5, 5))), edit);  // the mouse goes through
  click("stateAction");
  EXPECT_TRUE(redone);
}

TEST_F(StatePaneTest, StaleTextStillReads) {
  for (const Scheme scheme : {Scheme::light, Scheme::dark, Scheme::lightContrast, Scheme::darkContrast}) {
    const Colors& c = colorsOf(scheme);
    EXPECT_GE(contrast(mixed(c.window, c.text, 0.35), c.window), 4.5);
  }
}

TEST_F(StatePaneTest, TheFocusComesBackWithTheContent) {
  edit->setFocus();
  pane->setEmpty("Nothing here.", "Open", [] {});
  EXPECT_FALSE(edit->hasFocus());
  pane->setWorking();
  EXPECT_TRUE(edit->hasFocus());
}

}  // namespace
}  // namespace strata
