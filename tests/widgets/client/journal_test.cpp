#include "widgets/client/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "client_test.h"
#include "widgets/client/restart_budget.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<Journal> opened(const std::filesystem::path& path) {
  auto journal = Journal::open(path);
  EXPECT_TRUE(journal) << (journal ? "" : journal.error().message);
  return journal ? std::move(*journal) : nullptr;
}

TEST(Journal, KeepsWhatIsNotDoneForTheNextWindow) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "deep" / "journal.jsonl";
  {
    const auto journal = opened(path);
    const auto first = journal->add("/p", {{"text", "one\ntwo — é"}});
    ASSERT_TRUE(journal->add("/p", {{"text", "two"}}));
    ASSERT_TRUE(journal->done(*first));
    ASSERT_TRUE(journal->add("/q", {{"text", "three"}}));
  }
  const auto journal = opened(path);
  ASSERT_EQ(journal->entries().size(), 2);
  EXPECT_EQ(journal->entries()[0].params["text"], "two");
  EXPECT_EQ(journal->entries()[1].project, "/q");
  EXPECT_EQ(readText(path).find("one"), std::string::npos) << "done lines are gone";
}

TEST(Journal, ALineCutShortByTheWindowsEndLosesNoOther) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "journal.jsonl";
  {
    const auto journal = opened(path);
    ASSERT_TRUE(journal->add("/p", {{"text", "whole"}}));
  }
  writeText(path, readText(path) + "{\"put\": \"x\", \"proj");
  {
    const auto journal = opened(path);
    ASSERT_EQ(journal->entries().size(), 1);
    ASSERT_TRUE(journal->add("/p", {{"text", "after"}}));
  }
  EXPECT_EQ(opened(path)->entries().size(), 2);
}

TEST(Journal, AnotherWindowsJournalIsRefused) {
  const TemporaryFolder folder;
  const auto journal = opened(folder.path() / "journal.jsonl");
  const auto second = Journal::open(folder.path() / "journal.jsonl");
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("Another window"));
}

TEST(Journal, AWindowTakesOverWhatDeadWindowsLeft) {
  const TemporaryFolder folder;
  auto first = Journal::openIn(folder.path());
  {
    const auto second = Journal::openIn(folder.path());
    ASSERT_TRUE(first && second);
    ASSERT_TRUE((*second)->add("/q", {{"text", "from the second window"}}));
    ASSERT_TRUE((*first)->add("/p", {{"text", "from the first"}}));
  }
  first->reset();  // both windows are gone
  const auto third = Journal::openIn(folder.path());
  ASSERT_TRUE(third);
  ASSERT_EQ((*third)->entries().size(), 2);
  EXPECT_EQ((*third)->entries()[1].project, "/q");
  const auto fourth = Journal::openIn(folder.path());
  ASSERT_TRUE(fourth);
  EXPECT_TRUE((*fourth)->entries().empty()) << "they are not sent twice";
}

TEST(Journal, AProjectMayTurnOutToHaveAnotherName) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "journal.jsonl";
  {
    const auto journal = opened(path);
    ASSERT_TRUE(journal->add("", {{"text", "one"}}));
    ASSERT_TRUE(journal->move("", "/home/me/sample"));
  }
  EXPECT_EQ(opened(path)->entries().front().project, "/home/me/sample");
}

TEST(Journal, DoesNotGrowWithWhatIsDone) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "journal.jsonl";
  const auto journal = opened(path);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(journal->done(*journal->add("/p", {{"text", std::string(2000, 'x')}})));
  EXPECT_LT(std::filesystem::file_size(path), 100'000);
}

TEST(RestartBudget, WaitsLongerEachTimeThenGivesUp) {
  RestartBudget budget{EngineLimits{}};
  std::vector<int> waits;
  std::int64_t now = 0;
  while (const auto wait = budget.died(now, now + 100)) {
    waits.push_back(*wait);
    now += 100 + *wait;
  }
  EXPECT_EQ(waits, (std::vector<int>{0, 500, 1000, 2000, 5000}));
}

TEST(RestartBudget, ALongLifeBeginsAnew) {
  RestartBudget budget{EngineLimits{}};
  std::int64_t now = 0;
  for (int i = 0; i < 5; ++i) budget.died(now, now + 100);
  EXPECT_EQ(budget.died(now, now + 30'000), 0);
}

TEST(RestartBudget, AMinuteAfterTheFirstDeathBeginsAnew) {
  RestartBudget budget{EngineLimits{}};
  for (std::int64_t now = 0; now < 600'000; now += 20'000) EXPECT_TRUE(budget.died(now, now + 100)) << now;
}

}  // namespace
}  // namespace strata::testing
