#include <QLabel>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QStyledItemDelegate>
#include <QTreeView>
#include <set>

#include "pace.h"
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
    ASSERT_TRUE(eventually([&] { return session->runs().rows().size() == 1; }));
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
  auto* list = child<QTreeView>("jobs-list");
  ASSERT_TRUE(list->isVisible());
  EXPECT_EQ(list->model()->rowCount(), 1);
  EXPECT_EQ(list->model()->index(0, 0).data().toString(), "Train: base on train.txt");
  EXPECT_EQ(list->model()->index(0, 1).data().toString(), "done");
  auto* log = child<QPlainTextEdit>("job-log");
  ASSERT_TRUE(eventually([&] { return log->toPlainText().contains("step 2 loss 3.17"); }));
  const QRect panel = child<QWidget>("jobs-panel")->geometry();
  EXPECT_LE(child<QWidget>("jobs-panel")->mapTo(window.get(), QPoint(0, panel.height())).y(),
            child<QWidget>("jobs-strip")->y());
}

TEST_F(Jobs, KeepsTheChoiceWhileAnotherJobGoesOn) {
  child<QPushButton>("jobs-toggle")->click();
  auto* list = child<QTreeView>("jobs-list");
  changed(running(20));
  ASSERT_TRUE(eventually([&] { return list->model()->rowCount() == 2; }));
  EXPECT_EQ(list->model()->index(0, 0).data().toString(), "Train: routed on train.txt");  // the newest first
  EXPECT_EQ(list->currentIndex().data().toString(), "Train: base on train.txt");
  changed(running(40));
  ASSERT_TRUE(eventually([&] { return list->model()->index(0, 2).data().toString() == "20 %"; }));
  EXPECT_EQ(list->currentIndex().data().toString(), "Train: base on train.txt");
}

TEST_F(Jobs, MovesAFinishedJobToTheTrashAndTakesItBack) {
  child<QPushButton>("jobs-toggle")->click();
  auto* undo = child<QPushButton>("jobs-undo");
  EXPECT_FALSE(undo->isVisible());
  child<QPushButton>("jobs-trash")->click();
  ASSERT_TRUE(eventually([&] { return session->runs().rows().empty(); }));
  EXPECT_TRUE(undo->isVisible());
  EXPECT_EQ(undo->text(), "Undo: restore Train: base on train.txt");
  undo->click();
  ASSERT_TRUE(eventually([&] { return session->runs().rows().size() == 1; }));
  EXPECT_FALSE(undo->isVisible());
  Json params;
  EXPECT_EQ(requests("jobs/remove", &params), 2);
  EXPECT_EQ(params["how"], "restore");
}

TEST_F(Jobs, ListsOfModelsAreAskedForAnewWhenARunGoesToTheTrash) {
  ASSERT_TRUE(eventually([&] { return requests("models/list") == 1; }));
  session->runs().moveToTrash(session->runs().rows().front().id);
  EXPECT_TRUE(eventually([&] { return requests("models/list") == 2; }));
}

TEST_F(Jobs, ARunningJobCannotBeMovedToTheTrash) {
  child<QPushButton>("jobs-toggle")->click();
  changed(running(20));
  auto* list = child<QTreeView>("jobs-list");
  ASSERT_TRUE(eventually([&] { return list->model()->rowCount() == 2; }));
  list->setCurrentIndex(list->model()->index(0, 0));
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
  auto* list = child<QTreeView>("jobs-list");
  ASSERT_TRUE(eventually([&] { return list->model()->rowCount() == 2; }));
  list->setCurrentIndex(list->model()->index(0, 0));
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

/// Rows that a view was asked to paint, by counting what it reads.
class CountingPaint : public QStyledItemDelegate {
 public:
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    rows.insert(index.row());
    QStyledItemDelegate::paint(painter, option, index);
  }
  mutable std::set<int> rows;
};

class ThousandRuns : public Jobs {
 protected:
  void SetUp() override {
    Json jobs = Json::array();
    for (int i = 0; i < 1000; ++i) {
      protocol::JobInfo job = running(0);
      job.id = "run-" + std::to_string(10'000 + i);
      job.title = (i % 10 == 0 ? "routed on " : "base on ") + std::to_string(i);
      job.created = "2026-11-28T12:00:00Z";
      job.state = "done";
      job.alive = false;
      jobs.push_back(configToJson(job));
    }
    testing::writeText(folder.filePath("jobs.json").toStdString(),
                       dumpLine({{"kept", jobs}, {"trash", Json::array()}}));
    Shell::SetUp();
    startEngine();
    ASSERT_TRUE(eventually([&] { return session->runs().rowCount() == 1000; }));
  }
  static double milliseconds(const std::function<void()>& act) {
    QElapsedTimer clock;
    clock.start();
    act();
    QCoreApplication::processEvents();
    return static_cast<double>(clock.nsecsElapsed()) * 1e-6;
  }
};

TEST_F(ThousandRuns, OpenInAThirdOfASecondAndAreFilteredInATwentieth) {
  double open = 1e9, filter = 1e9;
  for (int i = 0; i < 3; ++i) {
    open = std::min(open, milliseconds([&] { child<QPushButton>("jobs-toggle")->setChecked(true); }));
    auto* search = child<QLineEdit>("jobs-search");
    filter = std::min(filter, milliseconds([&] { search->setText("routed"); }));
    EXPECT_EQ(child<QTreeView>("jobs-list")->model()->rowCount(), 100);
    search->clear();
    child<QPushButton>("jobs-toggle")->setChecked(false);
  }
  const double pace = testing::pace();
  EXPECT_LT(open, 300 * pace);
  EXPECT_LT(filter, 50 * pace);
  std::printf("1,000 runs: opened in %.1f ms, filtered in %.1f ms\n", open, filter);
}

TEST_F(ThousandRuns, AnUpdateOfTenPaintsThoseTenAlone) {
  child<QPushButton>("jobs-toggle")->click();
  auto* list = child<QTreeView>("jobs-list");
  CountingPaint paint;
  QAbstractItemDelegate* before = list->itemDelegate();
  list->setItemDelegate(&paint);
  ASSERT_TRUE(eventually([&] { return !paint.rows.empty(); }));
  const int top = list->indexAt(QPoint(1, 1)).row();
  QTest::qWait(50);
  paint.rows.clear();
  protocol::JobsChanged news;
  news.jobs = session->runs().rows();
  news.jobs.resize(static_cast<std::size_t>(top + 2));
  for (protocol::JobInfo& job : news.jobs) job.step = 77;
  const std::size_t changed = news.jobs.size();
  say(news);
  ASSERT_TRUE(eventually([&] { return session->runs().at(top).step == 77 && !paint.rows.empty(); }));
  for (int i = 0; i < 5; ++i) QCoreApplication::processEvents();
  EXPECT_LE(paint.rows.size(), changed);
  for (const int row : paint.rows) EXPECT_LT(row, static_cast<int>(changed));
  list->setItemDelegate(before);
}

TEST(JobTexts, TellTimeAndShareAsAPersonReadsThem) {
  EXPECT_EQ(RunTable::timeLeftText(-1), "");
  EXPECT_EQ(RunTable::timeLeftText(12.2), "13 s left");
  EXPECT_EQ(RunTable::timeLeftText(600), "10 min left");
  EXPECT_EQ(RunTable::timeLeftText(9000), "2.5 h left");
  protocol::JobInfo job;
  EXPECT_EQ(RunTable::percentText(job), "");
  job.steps = 3;
  job.step = 1;
  EXPECT_EQ(RunTable::percentText(job), "33 %");
}

TEST_F(Jobs, ARunIsNamedTaggedAndNoted) {
  child<QPushButton>("jobs-toggle")->click();
  child<QPushButton>("jobs-edit")->click();
  QWidget* form = popup("run-popup");
  ASSERT_NE(form, nullptr);
  form->findChild<QLineEdit*>("run-name")->setText("Best so far");
  form->findChild<QLineEdit*>("run-tags")->setText("paper, half,, ");
  form->findChild<QPlainTextEdit*>("run-note")->setPlainText("Good on names.");
  form->findChild<QPushButton*>("run-save")->click();
  auto* list = child<QTreeView>("jobs-list");
  ASSERT_TRUE(eventually([&] { return list->model()->index(0, 0).data().toString() == "Best so far"; }));
  ASSERT_TRUE(eventually([&] { return popup("run-popup") == nullptr; }));
  Json params;
  EXPECT_EQ(requests("jobs/annotate", &params), 1);
  EXPECT_EQ(params["tags"], Json({"paper", "half"}));
  EXPECT_FALSE(FindPopup::found(window->findables(), "best paper").empty()) << "Ctrl+K finds it by its tags";
}

}  // namespace
}  // namespace strata
