#include <QLabel>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QTreeWidget>

#include "shell_fixture.h"

namespace strata {
namespace {

class Jobs : public Shell {
 protected:
  static protocol::JobInfo running(std::int64_t step) {
    protocol::JobInfo job;
    job.id = "20261128-120000-bb";
    job.kind = "train";
    job.state = "running";
    job.created = "2026-11-28T12:00:00Z";
    job.title = "routed on train.txt";
    job.alive = true;
    job.step = step;
    job.steps = 200;
    job.secondsLeft = 180;
    return job;
  }
  void changed(const protocol::JobInfo& job) {
    protocol::JobsChanged news;
    news.jobs = {job};
    say(news);
  }
  void SetUp() override {
    Shell::SetUp();
    startEngine();
    ASSERT_TRUE(eventually([&] { return window->jobs().jobs().size() == 1; }));
  }
};

TEST_F(Jobs, StripSaysThatNoneRuns) {
  EXPECT_EQ(child<QLabel>("job-name")->text(), "No job is running; 1 finished.");
  EXPECT_FALSE(child<QPushButton>("job-stop")->isVisible());
  EXPECT_FALSE(child<QProgressBar>("job-progress")->isVisible());
}

TEST_F(Jobs, StripFollowsARunningJobUntilItIsDone) {
  changed(running(20));
  auto* percent = child<QLabel>("job-percent");
  ASSERT_TRUE(eventually([&] { return percent->isVisible() && percent->text() == "10 %"; }));
  EXPECT_EQ(child<QLabel>("job-name")->text(), "Train: routed on train.txt");
  EXPECT_EQ(child<QLabel>("job-left")->text(), "3 min left");
  changed(running(150));
  ASSERT_TRUE(eventually([&] { return percent->text() == "75 %"; }));
  EXPECT_EQ(child<QProgressBar>("job-progress")->value(), 750);
  protocol::JobInfo done = running(200);
  done.alive = false;
  done.state = "done";
  changed(done);
  ASSERT_TRUE(eventually([&] { return !percent->isVisible(); }));
  EXPECT_EQ(child<QLabel>("job-name")->text(), "No job is running; 2 finished.");
}

TEST_F(Jobs, StopAsksOnceAndSaysThatTheStepIsFinishedFirst) {
  changed(running(20));
  auto* stop = child<QPushButton>("job-stop");
  ASSERT_TRUE(eventually([&] { return stop->isVisible(); }));
  stop->click();
  stop->click();
  Json params;
  ASSERT_TRUE(eventually([&] { return requests("jobs/stop", &params) == 1; }));
  EXPECT_EQ(params["id"], running(0).id);
  EXPECT_EQ(child<QLabel>("job-left")->text(), "stopping after this step");
  EXPECT_FALSE(stop->isEnabled());
}

TEST_F(Jobs, ListOpensUpwardsWithTheLogOfTheChosenJob) {
  child<QPushButton>("jobs-toggle")->click();
  auto* list = child<QTreeWidget>("jobs-list");
  ASSERT_TRUE(list->isVisible());
  EXPECT_EQ(list->topLevelItemCount(), 1);
  EXPECT_EQ(list->topLevelItem(0)->text(0), "Train: base on train.txt");
  EXPECT_EQ(list->topLevelItem(0)->text(1), "done");
  auto* log = child<QPlainTextEdit>("job-log");
  ASSERT_TRUE(eventually([&] { return log->toPlainText().contains("step 2 loss 3.17"); }));
  const QRect panel = child<QWidget>("jobs-panel")->geometry();
  EXPECT_LE(child<QWidget>("jobs-panel")->mapTo(window.get(), QPoint(0, panel.height())).y(),
            child<QWidget>("jobs-strip")->y());
}

TEST_F(Jobs, KeepsTheChoiceWhileAnotherJobGoesOn) {
  child<QPushButton>("jobs-toggle")->click();
  auto* list = child<QTreeWidget>("jobs-list");
  changed(running(20));
  ASSERT_TRUE(eventually([&] { return list->topLevelItemCount() == 2; }));
  EXPECT_EQ(list->topLevelItem(0)->text(0), "Train: routed on train.txt");  // the newest first
  EXPECT_EQ(list->currentItem()->text(0), "Train: base on train.txt");
  changed(running(40));
  ASSERT_TRUE(eventually([&] { return list->topLevelItem(0)->text(2) == "20 %"; }));
  EXPECT_EQ(list->currentItem()->text(0), "Train: base on train.txt");
}

TEST_F(Jobs, MovesAFinishedJobToTheTrashAndTakesItBack) {
  child<QPushButton>("jobs-toggle")->click();
  auto* undo = child<QPushButton>("jobs-undo");
  EXPECT_FALSE(undo->isVisible());
  child<QPushButton>("jobs-trash")->click();
  ASSERT_TRUE(eventually([&] { return window->jobs().jobs().empty(); }));
  EXPECT_TRUE(undo->isVisible());
  EXPECT_EQ(undo->text(), "Undo: take back Train: base on train.txt");
  undo->click();
  ASSERT_TRUE(eventually([&] { return window->jobs().jobs().size() == 1; }));
  EXPECT_FALSE(undo->isVisible());
  Json params;
  EXPECT_EQ(requests("jobs/remove", &params), 2);
  EXPECT_EQ(params["how"], "restore");
}

TEST_F(Jobs, ListsOfModelsAreAskedForAnewWhenARunGoesToTheTrash) {
  ASSERT_TRUE(eventually([&] { return requests("models/list") == 1; }));
  window->jobs().moveToTrash(window->jobs().jobs().front().id);
  EXPECT_TRUE(eventually([&] { return requests("models/list") == 2; }));
}

TEST_F(Jobs, ARunningJobCannotBeMovedToTheTrash) {
  child<QPushButton>("jobs-toggle")->click();
  changed(running(20));
  auto* list = child<QTreeWidget>("jobs-list");
  ASSERT_TRUE(eventually([&] { return list->topLevelItemCount() == 2; }));
  list->setCurrentItem(list->topLevelItem(0));
  EXPECT_FALSE(child<QPushButton>("jobs-trash")->isEnabled());
  EXPECT_TRUE(child<QPushButton>("jobs-stop")->isEnabled());
}

TEST_F(Jobs, SaysWhatAFailedJobFailedOf) {
  child<QPushButton>("jobs-toggle")->click();
  protocol::JobInfo failed = running(20);
  failed.alive = false;
  failed.state = "failed";
  failed.message = "The loss is not a number at step 20: lower the learning rate.";
  changed(failed);
  auto* list = child<QTreeWidget>("jobs-list");
  ASSERT_TRUE(eventually([&] { return list->topLevelItemCount() == 2; }));
  list->setCurrentItem(list->topLevelItem(0));
  EXPECT_EQ(child<QLabel>("job-message")->text().toStdString(), failed.message);
}

TEST_F(Jobs, StopWaitsForTheEngineWhileItIsAway) {
  changed(running(20));
  auto* stop = child<QPushButton>("job-stop");
  ASSERT_TRUE(eventually([&] { return stop->isVisible(); }));
  engine->stop();
  ASSERT_TRUE(eventually([&] { return !engine->ready(); }));
  EXPECT_FALSE(stop->isEnabled());
  EXPECT_EQ(stop->text(), "Stop waits for the engine");
}

TEST(JobTexts, TellTimeAndShareAsAPersonReadsThem) {
  EXPECT_EQ(JobBook::timeLeftText(-1), "");
  EXPECT_EQ(JobBook::timeLeftText(12.2), "13 s left");
  EXPECT_EQ(JobBook::timeLeftText(600), "10 min left");
  EXPECT_EQ(JobBook::timeLeftText(9000), "2.5 h left");
  protocol::JobInfo job;
  EXPECT_EQ(JobBook::percentText(job), "");
  job.steps = 3;
  job.step = 1;
  EXPECT_EQ(JobBook::percentText(job), "33 %");
}

}  // namespace
}  // namespace strata
