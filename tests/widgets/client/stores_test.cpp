// Messages that the engine could not store, or ends over: none is lost, and none stops the others.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "client_test.h"
#include "core/protocol/framing.h"
#include "widgets/client/journal.h"

namespace strata::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Stores : public ::testing::Test {
 protected:
  Stores() {
    EngineLimits limits = quickLimits();
    limits.storeAgainMs = 50;
    engine.setLimits(limits);
    engine.setJournal(std::move(*Journal::open(journal())));
    QObject::connect(&engine, &EngineClient::notRestored, [this](const QString& sentence) { lost << sentence; });
    QObject::connect(&engine, &EngineClient::caughtUp, [this] { ++caughtUp; });
  }
  std::filesystem::path journal() const { return folder.path() / "journal.jsonl"; }
  std::filesystem::path full() const { return folder.path() / "full"; }
  void start() {
    engine.start(fakeEngine(folder.path()));
    engine.call<protocol::OpenProject>({}, nullptr, [this](const auto& info) { open = info.has_value(); });
  }
  std::vector<std::string> stored() const {
    std::vector<std::string> ids;
    std::istringstream lines(readText(folder.path() / "stored"));
    for (std::string line; std::getline(lines, line);) ids.push_back(line);
    return ids;
  }
  /// Puts a message; its answer comes into `answers`.
  void put(const protocol::PutChat::Params& params) {
    const std::string id = params.messages.front().id;
    engine.call<protocol::PutChat>(
        params, nullptr, [this, id](const auto& answer) { answers[id] = answer ? "stored" : answer.error().message; });
  }
  /// What an earlier window would find.
  std::vector<Journal::Entry> kept() const {
    std::filesystem::copy(journal(), folder.path() / "copy.jsonl", std::filesystem::copy_options::overwrite_existing);
    return (*Journal::open(folder.path() / "copy.jsonl"))->entries();
  }

  TemporaryFolder folder;
  EngineClient engine;
  bool open = false;
  int caughtUp = 0;
  QStringList lost;
  std::map<std::string, std::string> answers;
};

TEST_F(Stores, AFullDiskKeepsEachMessageAndStoresAllInOrderOnceThereIsRoom) {
  writeText(full(), "");
  start();
  for (const char* id : {"one", "two", "three"}) put(messageOf(id));
  ASSERT_TRUE(waitUntil([&] { return answers.size() == 3; }));
  for (const auto& [id, answer] : answers)
    EXPECT_EQ(answer, "The disk is full: project.sqlite could not be written; free some space.") << id;
  EXPECT_EQ(kept().size(), 3U);
  std::filesystem::remove(full());
  ASSERT_TRUE(waitUntil([&] { return caughtUp == 1; }));
  EXPECT_THAT(stored(), ElementsAre("one", "two", "three"));
  EXPECT_TRUE(kept().empty());
}

TEST_F(Stores, AnotherMessageTriesTheEarlierOnesFirst) {
  EngineLimits limits = quickLimits();
  limits.storeAgainMs = 600'000;
  engine.setLimits(limits);
  writeText(full(), "");
  start();
  put(messageOf("one"));
  ASSERT_TRUE(waitUntil([&] { return answers.contains("one"); }));
  std::filesystem::remove(full());
  put(messageOf("two"));
  ASSERT_TRUE(waitUntil([&] { return answers.contains("two"); }));
  EXPECT_EQ(answers["two"], "stored");
  EXPECT_THAT(stored(), ElementsAre("one", "two"));
}

TEST_F(Stores, WhatCouldNotBeStoredWaitsForItsOwnProject) {
  writeText(full(), "");
  start();
  put(messageOf("one"));
  ASSERT_TRUE(waitUntil([&] { return answers.contains("one"); }));
  bool another = false;
  protocol::OpenProject::Params params;
  params.folder = "/projects/another";
  engine.call<protocol::OpenProject>(params, nullptr, [&](const auto&) { another = true; });
  ASSERT_TRUE(waitUntil([&] { return another; }));
  std::filesystem::remove(full());
  put(messageOf("two"));
  ASSERT_TRUE(waitUntil([&] { return answers.contains("two"); }));
  EXPECT_THAT(stored(), ElementsAre("two"));
  ASSERT_EQ(kept().size(), 1U);
  another = false;
  params.folder = "/projects/tiny-stories";
  engine.call<protocol::OpenProject>(params, nullptr, [&](const auto&) { another = true; });
  ASSERT_TRUE(waitUntil([&] { return another && stored().size() == 2; }));
}

TEST_F(Stores, AMessageThatEndsTheEngineTwiceIsSetAsideAndTheOthersAreStored) {
  protocol::PutChat::Params poison = messageOf("bad");
  poison.messages.front().text = "poison";
  start();
  ASSERT_TRUE(waitUntil([&] { return open; }));
  put(messageOf("one"));
  put(poison);
  put(messageOf("two"));
  ASSERT_TRUE(waitUntil([&] { return answers.size() == 3; }));
  EXPECT_EQ(answers["one"], "stored");
  EXPECT_EQ(answers["two"], "stored");
  EXPECT_THAT(answers["bad"], HasSubstr("The engine stopped while"));
  EXPECT_THAT(lost.join("|").toStdString(), HasSubstr("A message was set aside"));
  ASSERT_EQ(kept().size(), 1U);
  EXPECT_TRUE(kept()[0].aside);
  EXPECT_EQ(kept()[0].params["messages"][0]["text"], "poison");
  EXPECT_TRUE(engine.ready());
  // The next window does not send it.
  const auto deaths = engine.log();
  engine.restart();
  open = false;
  engine.call<protocol::OpenProject>({}, nullptr, [this](const auto& info) { open = info.has_value(); });
  ASSERT_TRUE(waitUntil([&] { return open; }));
  put(messageOf("three"));
  ASSERT_TRUE(waitUntil([&] { return answers.contains("three"); }));
  EXPECT_EQ(answers["three"], "stored");
}

TEST_F(Stores, AMessageThatIsTooLargeIsRefusedBeforeItIsKept) {
  start();
  protocol::PutChat::Params large = messageOf("large");
  large.messages.front().text = std::string(kMostFrameBytes, 'x');
  put(large);
  put(messageOf("small"));
  ASSERT_TRUE(waitUntil([&] { return answers.size() == 2; }));
  EXPECT_EQ(answers["large"], "The message has 17 MiB, and one may have 16; shorten it or send it in parts.");
  EXPECT_EQ(answers["small"], "stored");
  EXPECT_TRUE(kept().empty());
}

TEST_F(Stores, WhatIsKeptReachesTheDiskWithoutBeingAskedFor) {
  const auto other = Journal::open(folder.path() / "other.jsonl");
  ASSERT_TRUE((*other)->add("/p", {{"text", "one"}}));
  ASSERT_TRUE((*other)->sync());
}

}  // namespace
}  // namespace strata::testing
