#include "widgets/session/run_table.h"

#include <gtest/gtest.h>

#include <QTest>

#include "fake_engine.h"
#include "support.h"

namespace strata {
namespace {

TEST(RunTable, HoldsAllRunsOfAProjectThoughTheEngineTellsThemByPages) {
  constexpr int kRuns = 1000, kTrashed = 450;
  const testing::TemporaryFolder folder;
  Json jobs = {{"kept", Json::array()}, {"trash", Json::array()}};
  for (int i = 0; i < kRuns + kTrashed; ++i) {
    jobs[i < kRuns ? "kept" : "trash"].push_back({{"id", "run-" + std::to_string(i)}, {"state", "done"}});
  }
  testing::writeText(folder.path() / "jobs.json", dumpLine(jobs));
  EngineClient engine;
  RunTable table(engine);
  engine.start(testing::fakeEngine(folder.path()));
  table.refresh();
  ASSERT_TRUE(QTest::qWaitFor([&] { return table.rowCount() > 0 && !table.trash().empty(); }, 10'000));
  EXPECT_EQ(table.rowCount(), kRuns);
  EXPECT_EQ(table.trash().size(), static_cast<std::size_t>(kTrashed));
  EXPECT_EQ(testing::requestsTo(folder.path(), "jobs/list").size(), 5u);
}

TEST(RunTable, NamesTagsAndNotesAreStoredByTheEngine) {
  const testing::TemporaryFolder folder;
  const Json jobs = {{"kept",
                      {{{"id", "a"}, {"kind", "train"}, {"title", "base on train.txt"}, {"state", "done"}},
                       {{"id", "b"}, {"name", "LoRA of base"}, {"state", "done"}}}},
                     {"trash", Json::array()}};
  testing::writeText(folder.path() / "jobs.json", dumpLine(jobs));
  EngineClient engine;
  RunTable table(engine);
  engine.start(testing::fakeEngine(folder.path()));
  table.refresh();
  ASSERT_TRUE(QTest::qWaitFor([&] { return table.rowCount() == 2; }, 10'000));
  const auto cell = [&](const char* id, int role) { return table.index(table.rowOf(id), RunTable::kName).data(role); };
  EXPECT_EQ(cell("a", Qt::DisplayRole), "Train: base on train.txt") << "a run of before has no name";
  EXPECT_EQ(cell("b", Qt::DisplayRole), "LoRA of base");
  QString problem = "not answered";
  const auto note = [&](const protocol::AnnotateJob::Params& params) {
    problem = "not answered";
    table.annotate(params, &table, [&](const QString& told) { problem = told; });
    return QTest::qWaitFor([&] { return problem != "not answered"; }, 10'000);
  };
  ASSERT_TRUE(note({"a", "Best so far", "Good on names.", {{"paper", "half"}}}));
  EXPECT_EQ(problem, "");
  EXPECT_EQ(cell("a", Qt::DisplayRole), "Best so far");
  EXPECT_EQ(cell("a", RunTable::kTagsRole).toStringList(), (QStringList{"paper", "half"}));
  EXPECT_EQ(cell("a", RunTable::kNoteRole), "Good on names.");
  ASSERT_TRUE(note({"a", "LoRA of base", {}, {}}));
  EXPECT_EQ(problem, "Another run is called LoRA of base. Choose another name.");
}

}  // namespace
}  // namespace strata
