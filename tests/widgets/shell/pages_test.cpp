// What a page needs to be one: its folder, and the line that gives it to the window.

#include <QLabel>
#include <QListView>
#include <QUndoCommand>
#include <QUndoStack>

#include "shell_fixture.h"

namespace strata {
namespace {

/// All that a page must have.
class EmptyPage : public Page {
 public:
  QString id() const override { return "empty"; }
  QString title() const override { return "Empty"; }
  QString iconName() const override { return "database"; }
};

class SetNumber : public QUndoCommand {
 public:
  SetNumber(int& number, int value)
      : QUndoCommand("number " + QString::number(value)), m_number(number), m_value(value) {}
  void undo() override { std::swap(m_number, m_value); }
  void redo() override { std::swap(m_number, m_value); }

 private:
  int& m_number;
  int m_value;
};

using Pages = Shell;

TEST_F(Pages, OneLineAddsAPageWithRailKeyAndCtrlK) {
  window->addPage(new EmptyPage);
  ASSERT_NE(child<QWidget>("rail-empty"), nullptr);
  key(Qt::Key_4, Qt::ControlModifier);
  EXPECT_EQ(window->currentPage()->id(), "empty");
  EXPECT_EQ(FindPopup::found(window->findables(), "page empty").size(), 1u);
}

TEST_F(Pages, APlaceIsShownByThePageThatShowsSuchThings) {
  session->go(Place::model("routed"));
  EXPECT_EQ(window->currentPage(), models);
  EXPECT_EQ(models->opened, QList<Place>{Place::model("routed")});
  session->go(Place::pageOf("data"));
  EXPECT_EQ(window->currentPage(), data);
  EXPECT_TRUE(data->opened.isEmpty());
  session->go(Place::run("nobody shows runs"));
  EXPECT_EQ(window->currentPage(), data) << "no page shows it";
  data->kinds = {PlaceKind::model};
  session->go(Place::model("base"));
  EXPECT_EQ(window->currentPage(), data) << "the page in view goes first";
}

TEST_F(Pages, ShortcutsWorkOnThePageInViewAlone) {
  window->showPage("models");
  key(Qt::Key_R, Qt::ControlModifier);
  EXPECT_EQ(models->done, 1);
  window->showPage("data");
  child<QWidget>("rail-data")->setFocus();
  key(Qt::Key_R, Qt::ControlModifier);
  EXPECT_EQ(data->done, 1) << "from the strips around it, too";
  EXPECT_EQ(models->done, 1);
}

TEST_F(Pages, CtrlKOffersOnlyWhatCanBeDoneAndNamesItsKeys) {
  const auto found = [&](const QString& text) {
    const auto all = window->findables();
    std::vector<QString> shortcuts;
    for (const Findable* one : FindPopup::found(all, text)) shortcuts.push_back(one->shortcut);
    return shortcuts;
  };
  EXPECT_EQ(found("do what data"), (std::vector<QString>{"Ctrl+R"}));
  data->actions().first()->setEnabled(false);
  EXPECT_TRUE(found("do what data").empty());
}

TEST_F(Pages, CtrlZGoesBackOneStepOfThePageInView) {
  QUndoStack stack;
  int number = 1;
  stack.push(new SetNumber(number, 2));
  data->undo = &stack;
  window->showPage("data");
  child<QWidget>("rail-data")->setFocus();
  key(Qt::Key_Z, Qt::ControlModifier);
  EXPECT_EQ(number, 1);
  EXPECT_EQ(child<QLabel>("status-said")->text(), "Undone: number 2");
  key(Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
  EXPECT_EQ(number, 2);
  window->showPage("models");
  child<QWidget>("rail-models")->setFocus();
  key(Qt::Key_Z, Qt::ControlModifier);
  EXPECT_EQ(number, 2) << "another page's steps stay";
}

TEST_F(Pages, ComeBackWithTheStateThatTheyLeft) {
  data->kept = "left like this";
  Q_EMIT data->stateChanged();
  makeWindow();
  EXPECT_EQ(data->kept, QByteArray("left like this"));
  EXPECT_TRUE(models->kept.isEmpty());
}

TEST_F(Pages, ABannerIsThereWithItsPageAlone) {
  auto* banner = new QLabel("Look here");
  data->top = banner;
  window->showPage("data");
  EXPECT_TRUE(banner->isVisible());
  window->showPage("models");
  EXPECT_FALSE(banner->isVisible());
  window->showPage("data");
  EXPECT_TRUE(banner->isVisible());
  data->top = nullptr;
  Q_EMIT data->bannerChanged();
  EXPECT_FALSE(banner->isVisible());
}

TEST_F(Pages, WhatWasSaidStaysBehindTheBellAndAProblemIsCounted) {
  auto* bell = child<QPushButton>("status-bell");
  EXPECT_FALSE(bell->isVisible());
  session->announce("Sides A and B swapped.");
  EXPECT_TRUE(bell->isVisible());
  EXPECT_EQ(bell->text(), "");
  session->warn("The disk is full.", Place::setting("engine"));
  EXPECT_EQ(bell->text(), "1");
  EXPECT_EQ(child<QLabel>("status-said")->text(), "The disk is full.");
  bell->click();
  EXPECT_EQ(bell->text(), "") << "it was looked at";
  QWidget* notices = popup("notices-popup");
  ASSERT_NE(notices, nullptr);
  auto* list = notices->findChild<QListView*>("notices-list");
  ASSERT_EQ(list->model()->rowCount(), 2);
  EXPECT_TRUE(list->model()->index(0, 0).data().toString().endsWith("The disk is full."));
  QTest::keyClick(list, Qt::Key_Return);
  EXPECT_EQ(window->currentPage()->id(), "settings") << "where it leads";
}

TEST_F(Pages, NoticesAreBounded) {
  for (int i = 0; i < 2 * Notices::kMost; ++i) session->announce(QString::number(i));
  EXPECT_EQ(session->notices().rowCount(), Notices::kMost);
  EXPECT_EQ(session->notices().at(0).text, QString::number(2 * Notices::kMost - 1));
}

}  // namespace
}  // namespace strata
