// The list of runs: ticks, order, columns, filter, queue, and what is done to a run.

#include "widgets/training/run_list.h"

#include <QAction>
#include <QElapsedTimer>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMimeData>
#include <QPaintEvent>
#include <QTreeView>

#include "page_fixture.h"
#include "widgets/plots/series_plot.h"
#include "widgets/training/run_actions.h"
#include "widgets/training/run_sparklines.h"
#include "widgets/training/train_page.h"

namespace strata::testing {
namespace {

class RunListTest : public ::testing::Test, public PageFixture {
 protected:
  void open(const std::string& scenario = "many runs", int rows = 28) {
    ASSERT_TRUE(start(scenario));
    show();
    session.runs().refresh();
    ASSERT_TRUE(soon([&] { return shown().rowCount() == rows; })) << shown().rowCount();
  }
  void show() {
    page = std::make_unique<TrainPage>(session);
    frame = std::make_unique<Frame>(*page);
    frame->resize(1280, 800);
    frame->show();
    frame->activateWindow();
    EXPECT_TRUE(QTest::qWaitForWindowActive(frame.get(), 20'000));  // shortcuts are the active window's
  }
  QTreeView& view() const { return child<QTreeView>(*page, "trainingRuns"); }
  QAbstractItemModel& shown() const { return *view().model(); }
  QModelIndex cell(int row, RunField field) const { return shown().index(row, static_cast<int>(field)); }
  QString text(int row, RunField field) const { return cell(row, field).data().toString(); }
  QString id(int row) const { return cell(row, RunField::name).data(TrainingRuns::kIdRole).toString(); }
  int rowOf(const QString& run) const {
    for (int row = 0; row < shown().rowCount(); ++row) {
      if (id(row) == run) return row;
    }
    return -1;
  }
  void clickTick(int row) const {
    QTest::mouseClick(view().viewport(), Qt::LeftButton, {}, view().visualRect(cell(row, RunField::tick)).center());
  }
  void choose(const QString& run) const { view().setCurrentIndex(cell(rowOf(run), RunField::name)); }
  void search(const QString& words) const { child<QLineEdit>(*page, "searchRuns").setText(words); }
  void act(const char* action) const {
    EXPECT_TRUE(soon([&] { return child<QAction>(*page, action).isEnabled(); })) << action;
    child<QAction>(*page, action).trigger();
  }
  QString label(const char* name) const { return child<QLabel>(*page, name).text(); }
  QStringList lossOf() const { return child<SeriesPlot>(*page, "lossPlot").series(); }

  std::unique_ptr<TrainPage> page;
  std::unique_ptr<Frame> frame;
};

TEST_F(RunListTest, ATickDrawsTheRunsCurvesBesideTheSelectedOnes) {
  open();
  choose("20261128-1");
  ASSERT_TRUE(soon([&] { return lossOf().size() == 1; }));
  clickTick(rowOf("ended-0"));
  ASSERT_TRUE(soon([&] { return lossOf().size() == 2; }));
  EXPECT_EQ(view().currentIndex().data(TrainingRuns::kIdRole), "20261128-1") << "a tick selects nothing";
  EXPECT_EQ(cell(rowOf("ended-0"), RunField::tick).data(TrainingRuns::kSlotRole), 2);
  choose("ended-0");
  ASSERT_TRUE(soon([&] { return lossOf() == QStringList{"ended-0\nloss"}; }));
  choose("20261128-1");
  ASSERT_TRUE(soon([&] { return lossOf().size() == 2; })) << "ticks last";
  clickTick(rowOf("ended-0"));
  EXPECT_EQ(lossOf().size(), 1);
}

TEST_F(RunListTest, ATickKeepsItsColourWhileOthersGo) {
  open();
  choose("20261128-1");
  const auto slot = [&](const char* run) {
    return cell(rowOf(run), RunField::tick).data(TrainingRuns::kSlotRole).toInt();
  };
  for (const char* run : {"ended-0", "ended-1", "ended-2"}) clickTick(rowOf(run));
  EXPECT_EQ(slot("ended-2"), 4);
  clickTick(rowOf("ended-0"));
  EXPECT_EQ(slot("ended-1"), 3);
  clickTick(rowOf("ended-3"));
  EXPECT_EQ(slot("ended-3"), 2) << "the colour that is free";
}

TEST_F(RunListTest, ARunUnderThePointerStandsOutInEveryPlot) {
  open();
  choose("20261128-1");
  clickTick(rowOf("ended-0"));
  auto& heldOut = child<SeriesPlot>(*page, "nllPlot");
  ASSERT_TRUE(soon([&] { return lossOf().size() == 2 && heldOut.series().size() == 4; }));
  QTest::mouseMove(view().viewport(), view().visualRect(cell(rowOf("ended-0"), RunField::name)).center());
  const QStringList both = {"ended-0\nnll/full", "ended-0\nnll/retention:0.5"};
  ASSERT_TRUE(soon([&] { return heldOut.highlighted() == both; })) << heldOut.highlighted().join(' ').toStdString();
  QEvent leave(QEvent::Leave);
  QCoreApplication::sendEvent(view().viewport(), &leave);
  EXPECT_TRUE(heldOut.highlighted().isEmpty());
}

TEST_F(RunListTest, SpaceTicksTheSelectedRun) {
  open();
  choose("ended-0");
  view().setFocus();
  QTest::keyClick(&view(), Qt::Key_Space);
  EXPECT_EQ(cell(rowOf("ended-0"), RunField::tick).data(Qt::CheckStateRole).toInt(), Qt::Checked);
}

TEST_F(RunListTest, ColumnsSortWithUnknownFiguresLast) {
  open();
  const auto loss = static_cast<int>(RunField::loss);
  view().sortByColumn(loss, Qt::AscendingOrder);
  EXPECT_EQ(id(0), "ended-0");
  EXPECT_EQ(text(shown().rowCount() - 1, RunField::loss), "");
  view().sortByColumn(loss, Qt::DescendingOrder);
  EXPECT_EQ(id(0), "20261128-1");
  EXPECT_EQ(text(shown().rowCount() - 1, RunField::loss), "");
}

TEST_F(RunListTest, TheHeldOutLossIsThatOfTheFullMapAndOfTheOneWithTheFewestOwners) {
  open();
  const int row = rowOf("ended-0");
  EXPECT_EQ(text(row, RunField::full), "2.100");
  EXPECT_EQ(text(row, RunField::least), "2.600");
  EXPECT_EQ(cell(row, RunField::least).data(Qt::ToolTipRole).toString(), "Under the map stride:4");
}

TEST_F(RunListTest, ColumnsAndOrderAreThereAgainInTheNextWindow) {
  open();
  child<QAction>(*page, "column-p_cross").trigger();
  child<QAction>(*page, "column-done").trigger();
  view().sortByColumn(static_cast<int>(RunField::pCross), Qt::AscendingOrder);
  frame.reset();
  show();
  EXPECT_FALSE(view().isColumnHidden(static_cast<int>(RunField::pCross)));
  EXPECT_TRUE(view().isColumnHidden(static_cast<int>(RunField::done)));
  EXPECT_EQ(view().header()->sortIndicatorSection(), static_cast<int>(RunField::pCross));
}

TEST_F(RunListTest, TheSearchTakesWordsAndConditions) {
  open();
  const auto found = [&](const char* words) {
    search(words);
    return shown().rowCount();
  };
  EXPECT_EQ(found("state:done tags:paper"), 1);
  EXPECT_EQ(found("half"), 1);
  EXPECT_EQ(found("p_cross>0.8 method:lora"), 1);
  EXPECT_EQ(found("p_cross=0.9 method:full"), 1);
  EXPECT_EQ(found("sweep:3fa2"), 3);
  EXPECT_EQ(found("sampler:window"), 0);
  EXPECT_EQ(found("name:\"of base, p 0.1\""), 3);
  EXPECT_EQ(found("p_cross>"), 28) << "not typed yet";
  EXPECT_EQ(found("p_cross>many"), 28);
  EXPECT_EQ(label("searchHint"), "p_cross is a number; many is none.");
  EXPECT_EQ(found("colour>1"), 28);
  EXPECT_TRUE(label("searchHint").startsWith("No run has a field colour. The fields are name, state,"));
}

TEST_F(RunListTest, ARunThatIsFilteredOutStaysTheOneThatIsShown) {
  open();
  choose("20261128-1");
  search("state:paused");
  EXPECT_EQ(child<RunList>(*page, "runList").current(), "20261128-1");
  EXPECT_FALSE(view().currentIndex().isValid());
  search({});
  EXPECT_EQ(view().currentIndex().data(TrainingRuns::kIdRole), "20261128-1");
}

TEST_F(RunListTest, TheSearchTakesAnySettingOfARun) {
  open();
  search("lora>8 lr<1");
  ASSERT_TRUE(soon([&] { return shown().rowCount() == 12; })) << shown().rowCount();
  search("lora:8");
  EXPECT_EQ(shown().rowCount(), 8) << "settings are read once";
  search("lora:7");
  EXPECT_EQ(shown().rowCount(), 0);
}

TEST_F(RunListTest, AnUpdateOfARunRepaintsItsRowAlone) {
  open();
  choose("20261128-1");
  auto* lines = page->findChild<RunSparklines*>();
  // All rows in view have their curves, and nothing is painted any more.
  int requests = -1;
  ASSERT_TRUE(soon([&] {
    QTest::qWait(2 * RunSparklines::kPauseMs);
    return std::exchange(requests, lines->requests()) == lines->requests();
  }));
  struct Painted : QObject {
    QRegion region;
    bool eventFilter(QObject*, QEvent* event) override {
      if (event->type() == QEvent::Paint) region += static_cast<QPaintEvent*>(event)->region();
      return false;
    }
  } painted;
  view().viewport()->installEventFilter(&painted);
  bool done = false;
  protocol::AnnotateJob::Params note;
  note.id = "ended-0";
  note.name = "Another name";
  session.runs().annotate(note, page.get(), [&](const QString&) { done = true; });
  ASSERT_TRUE(soon([&] { return done && !painted.region.isEmpty(); }));
  const QRect row = view().visualRect(cell(rowOf("ended-0"), RunField::name));
  EXPECT_EQ(text(rowOf("ended-0"), RunField::name), "Another name");
  EXPECT_GE(painted.region.boundingRect().top(), row.top());
  EXPECT_LE(painted.region.boundingRect().bottom(), row.bottom());
}

TEST_F(RunListTest, RunsThatWaitStandFirstAndAreMovedInTheQueue) {
  open();
  EXPECT_EQ(text(0, RunField::state), "queued (1)");
  EXPECT_EQ(text(2, RunField::state), "queued (3)");
  EXPECT_TRUE(label("waitingRuns").startsWith("3 run")) << label("waitingRuns").toStdString();
  choose("20261129-3");
  view().setFocus();
  ASSERT_TRUE(soon([&] { return view().hasFocus() && child<QAction>(*page, "run-earlier").isEnabled(); }));
  QTest::keyClick(&view(), Qt::Key_Up, Qt::AltModifier);
  ASSERT_TRUE(soon([&] { return id(1) == "20261129-3"; }));
  EXPECT_EQ(id(0), "20261129-1");
  EXPECT_EQ(id(2), "20261129-2");
  ASSERT_TRUE(soon([&] { return child<QAction>(*page, "run-later").isEnabled(); }));
  QTest::keyClick(&view(), Qt::Key_Down, Qt::AltModifier);
  ASSERT_TRUE(soon([&] { return id(2) == "20261129-3"; }));
}

TEST_F(RunListTest, ARunThatWaitsIsDroppedBeforeAnother) {
  open();
  const std::unique_ptr<QMimeData> run(shown().mimeData({cell(2, RunField::name)}));
  const QModelIndex first = cell(0, RunField::name);
  ASSERT_TRUE(shown().canDropMimeData(run.get(), Qt::MoveAction, -1, -1, first));
  EXPECT_FALSE(shown().canDropMimeData(run.get(), Qt::MoveAction, -1, -1, cell(5, RunField::name)));
  EXPECT_FALSE(cell(5, RunField::name).flags() & Qt::ItemIsDragEnabled);
  shown().dropMimeData(run.get(), Qt::MoveAction, -1, -1, first);
  EXPECT_TRUE(soon([&] { return id(0) == "20261129-3"; }));
}

TEST_F(RunListTest, TheQueueIsPausedWhileRunsWait) {
  open();
  auto& pause = child<QAbstractButton>(*page, "pauseQueue");
  EXPECT_TRUE(pause.isVisible());
  EXPECT_FALSE(pause.isChecked());
  pause.click();
  ASSERT_TRUE(soon([&] { return session.runs().queuePaused(); }));
  EXPECT_TRUE(pause.isChecked());
}

TEST_F(RunListTest, WithoutRunsThatWaitThereIsNoQueue) {
  open("runs", 3);
  EXPECT_FALSE(child<QAbstractButton>(*page, "pauseQueue").isVisible());
}

TEST_F(RunListTest, ASweepsRunsAreShownAlone) {
  open();
  choose("20261129-1");
  act("run-sweep");
  EXPECT_EQ(shown().rowCount(), 3);
}

TEST_F(RunListTest, ASweepsRunsAreDrawnTogetherAndUntickedAtOnce) {
  open();
  choose("20261129-1");
  act("run-draw-sweep");
  const auto ticks = [&] {
    int count = 0;
    for (int row = 0; row < shown().rowCount(); ++row) {
      count += cell(row, RunField::tick).data(Qt::CheckStateRole).toInt() == Qt::Checked;
    }
    return count;
  };
  EXPECT_EQ(ticks(), 3);
  child<Button>(*page, "untickRuns").click();
  EXPECT_EQ(ticks(), 0);
  EXPECT_FALSE(child<Button>(*page, "untickRuns").isVisible());
}

TEST_F(RunListTest, SweepsStandTogetherInTheOrderOfTheirColumn) {
  open();
  view().sortByColumn(static_cast<int>(RunField::sweep), Qt::DescendingOrder);
  for (int row = 0; row < 3; ++row) EXPECT_EQ(text(row, RunField::sweep), "3fa2b1c0");
  view().sortByColumn(static_cast<int>(RunField::sweep), Qt::AscendingOrder);
  EXPECT_EQ(text(0, RunField::sweep), "3fa2b1c0") << "runs without a sweep stand last";
}

TEST_F(RunListTest, ASweepCollapsesToItsBestRunAndComesBack) {
  open();
  choose("20261129-1");
  const auto sign = [&](const char* run) {
    const QRect name = view().visualRect(cell(rowOf(run), RunField::name));
    return QPoint(name.left() + kGapRelated, name.center().y());
  };
  const auto isIndented = [&](const char* run) {
    return cell(rowOf(run), RunField::name).data(Qt::DecorationRole).isValid();
  };
  EXPECT_TRUE(isIndented("20261129-1") && isIndented("20261129-2")) << "the names stand in one column";
  EXPECT_FALSE(isIndented("ended-0"));
  QTest::mouseClick(view().viewport(), Qt::LeftButton, {}, sign("20261129-1"));
  EXPECT_EQ(shown().rowCount(), 26) << "three runs are one row";
  EXPECT_TRUE(text(rowOf("20261129-1"), RunField::name).startsWith("Sweep of 3, best: "))
      << text(rowOf("20261129-1"), RunField::name).toStdString();
  EXPECT_EQ(text(rowOf("20261129-1"), RunField::state), "0/3 ended");
  search("sweep:3fa2b1c0");
  EXPECT_EQ(shown().rowCount(), 3) << "a search finds all of them";
  EXPECT_FALSE(isIndented("20261129-2"));
  search("");
  EXPECT_EQ(shown().rowCount(), 26);
  view().setFocus();
  choose("20261129-1");
  QTest::keyClick(&view(), Qt::Key_Right);
  EXPECT_EQ(shown().rowCount(), 28);
  QTest::keyClick(&view(), Qt::Key_Left);
  EXPECT_EQ(shown().rowCount(), 26);
  page->open(Place::run("20261129-3"));
  EXPECT_EQ(id(view().currentIndex().row()), "20261129-3") << "a run that is asked for is shown";
}

TEST_F(RunListTest, TheTrashTakesARunAndGivesItBack) {
  open();
  choose("ended-0");
  view().setFocus();
  const QString next = id(rowOf("ended-0") + 1);
  QTest::keyClick(&view(), Qt::Key_Delete);
  ASSERT_TRUE(soon([&] { return rowOf("ended-0") < 0; }));
  EXPECT_EQ(view().currentIndex().data(TrainingRuns::kIdRole), next);
  auto& undo = child<Button>(*page, "restoreRun");
  ASSERT_TRUE(soon([&] { return undo.isVisible(); }));
  undo.click();
  EXPECT_TRUE(soon([&] { return rowOf("ended-0") >= 0; }));
}

TEST_F(RunListTest, ARunThatTrainsIsNotForTheTrash) {
  open();
  choose("20261128-1");
  EXPECT_FALSE(child<QAction>(*page, "run-trash").isEnabled());
}

TEST_F(RunListTest, ARunIsExportedAndThePathIsTold) {
  open();
  choose("ended-0");
  act("run-export-tensorboard");
  const QString told = "Exported to /projects/test/exports/ended-0.tensorboard.";
  EXPECT_TRUE(soon([&] { return session.notices().rowCount() > 0 && session.notices().at(0).text == told; }));
}

TEST_F(RunListTest, ComparesTheSettingsInWhichRunsDiffer) {
  open();
  choose("ended-0");
  EXPECT_FALSE(child<Button>(*page, "compareRuns").isVisible());
  clickTick(rowOf("ended-1"));
  auto& compare = child<Button>(*page, "compareRuns");
  ASSERT_TRUE(compare.isVisible());
  compare.click();
  auto& table = child<QTreeView>(*page, "comparedSettings");
  ASSERT_TRUE(soon([&] { return table.isVisible(); }));
  EXPECT_TRUE(label("comparisonState").startsWith("2 different setting")) << label("comparisonState").toStdString();
  EXPECT_EQ(table.model()->columnCount(), 3);
  QStringList values;
  for (int row = 0; row < 2; ++row) values << table.model()->index(row, 1).data().toString();
  EXPECT_TRUE(values.contains("not set") || values.contains("0")) << values.join(", ").toStdString();
  EXPECT_TRUE(frame->grab().save(QStringLiteral(STRATA_BINARY_DIR) + "/screenshots/train_compare_behind.png"));
  QWidget* popup = table.window();
  for (const bool dark : {false, true}) {
    theme().setChoice(dark ? Theme::Choice::dark : Theme::Choice::light);
    QTest::qWait(60);
    popup->grab().save(QStringLiteral(STRATA_BINARY_DIR) +
                       (dark ? "/screenshots/train_compare_dark.png" : "/screenshots/train_compare_light.png"));
  }
  theme().setChoice(Theme::Choice::light);
  popup->close();
}

TEST_F(RunListTest, CurvesInRowsAreAskedForWhereTheyAreSeenAndOneAtATime) {
  open("1000 runs", 1004);
  auto* lines = page->findChild<RunSparklines*>();
  ASSERT_NE(lines, nullptr);
  ASSERT_TRUE(soon([&] { return lines->requests() >= 3; }));
  QElapsedTimer timer;
  timer.start();
  const int before = lines->requests();
  QTest::qWait(1000);
  EXPECT_LE(lines->requests() - before, timer.elapsed() / RunSparklines::kPauseMs + 1);
}

TEST_F(RunListTest, TimeToFilterAndOpenGrowsNoFasterThanTheRuns) {
  struct Times {
    qint64 filter = 1LL << 60, open = 1LL << 60;  // ns, of the best round
  };
  const auto measured = [this] {
    Times best;
    QElapsedTimer timer;
    for (int i = 0; i < 5; ++i) {
      timer.start();
      search("lora p_cross>0.3 state:done");
      best.filter = std::min(best.filter, timer.nsecsElapsed());
      search({});
      timer.start();
      RunList list(session);
      list.resize(400, 700);
      list.grab();
      best.open = std::min(best.open, timer.nsecsElapsed());
    }
    return best;
  };
  open("many runs", 28);
  const Times few = measured();
  ASSERT_TRUE(start("1000 runs"));
  ASSERT_TRUE(soon([&] { return shown().rowCount() == 1004; }));
  const Times many = measured();
  constexpr int kMoreRuns = 1004 / 28;
  const auto filter = static_cast<int>(many.filter / few.filter), open = static_cast<int>(many.open / few.open);
  RecordProperty("filter_ratio", filter);
  RecordProperty("open_ratio", open);
  EXPECT_LT(filter, kMoreRuns);
  EXPECT_LT(open, kMoreRuns) << "what is out of view is not painted";
}

TEST_F(RunListTest, ScreenshotOfACollapsedSweep) {
  open();
  choose("20261129-1");
  view().setFocus();
  QTest::keyClick(&view(), Qt::Key_Left);
  ASSERT_EQ(shown().rowCount(), 26);
  shoot(*frame, "train_sweep");
}

TEST_F(RunListTest, ScreenshotOfManyRuns) {
  open();
  choose("20261128-1");
  clickTick(rowOf("ended-0"));
  clickTick(rowOf("ended-4"));
  auto* lines = page->findChild<RunSparklines*>();
  ASSERT_TRUE(soon([&] { return lines->requests() > 15 && lossOf().size() == 3; }));
  shoot(*frame, "train_runs");
  shootLargeAndGrey(*frame, "train_runs");
  search("paused");
  for (const char* column : {"column-started", "column-p_cross", "column-method", "column-least"}) {
    child<QAction>(*page, column).trigger();
  }
  shoot(*frame, "train_runs_columns");
}

}  // namespace
}  // namespace strata::testing
