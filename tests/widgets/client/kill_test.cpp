// Engines that are killed at random moments while models load, answers stream, messages are stored, or nothing happens.

#include <gtest/gtest.h>
#include <signal.h>

#include <QTimer>
#include <iostream>
#include <random>
#include <set>

#include "client_test.h"
#include "widgets/client/journal.h"

namespace strata::testing {
namespace {

std::set<std::string> linesOf(const std::filesystem::path& path) {
  std::set<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.insert(line);
  return lines;
}

/// What is killed, and how its memory is read afterwards.
struct Victim {
  EngineClient::Command command;
  protocol::OpenProject::Params project;
  std::string loaded, asked;  // models
  int everyMs = 15;           // a message and an answer are asked for
  int longestMs = 400;        // between two kills; the fake engine takes some 50 ms to start
  std::function<std::set<std::string>(EngineClient&)> stored;
};

void killAtRandom(const Victim& victim, int kills) {
  const TemporaryFolder folder;
  auto limits = quickLimits();
  limits.delaysMs = {0, 10, 20, 20, 20};
  limits.stableMs = 0;  // the budget is another test's matter
  limits.initializeMs = 60'000;
  limits.pingMs = 5'000;
  EngineClient engine;
  engine.setLimits(limits);
  engine.setJournal(std::move(*Journal::open(folder.path() / "journal.jsonl")));
  int deaths = 0, told = 0;
  QObject::connect(&engine, &EngineClient::notRestored, &engine, [&] { ++told; });
  QObject::connect(&engine, &EngineClient::stateChanged, &engine, [&] {
    if (engine.state() == EngineClient::State::restarting) ++deaths;
  });
  engine.start(victim.command);
  engine.call<protocol::OpenProject>(victim.project, nullptr, [](const auto&) {});
  engine.call<protocol::LoadModel>({refOf(victim.loaded)}, nullptr,
                                   [&](const auto& answer) { told += answer ? 0 : 1; });

  std::mt19937 random(7);
  std::set<std::string> sent;
  int answers = 0, stopped = 0, stored = 0;
  QTimer work;
  QObject::connect(&work, &QTimer::timeout, [&] {
    const std::string id = "m" + std::to_string(sent.size());
    protocol::PutChat::Params put = messageOf(id);
    put.messages.front().turn = static_cast<int>(sent.size());
    sent.insert(id);
    engine.call<protocol::PutChat>(put, nullptr, [&](const auto& answer) { stored += answer ? 1 : 0; });
    protocol::Generate::Params ask;
    ask.side.ref = refOf(victim.asked);
    ask.stream = "a";
    ask.turns = {{"user", "Lily has a red ball. What does Lily have?"}};
    ask.sampling.maxTokens = 5;
    engine.call<protocol::Generate>(ask, nullptr, [&](const auto& answer) { answer ? ++answers : ++stopped; });
  });
  for (int hits = 0; hits < kills;) {
    (random() % 4 == 0) ? work.stop() : work.start(victim.everyMs);  // now and then it is idle
    runFor(static_cast<int>(random() % static_cast<unsigned>(victim.longestMs)));
    const int before = deaths;
    ASSERT_TRUE(waitUntil([&] { return engine.engine().pid > 0; }, 60'000));
    const auto pid = static_cast<pid_t>(engine.engine().pid);
    if (::kill(pid, SIGKILL) != 0) continue;  // the last one hit is still being replaced
    ++hits;
    ASSERT_TRUE(waitUntil([&] { return deaths > before || engine.engine().pid != pid; }, 60'000)) << "kill " << hits;
  }
  work.stop();
  const auto all = [&] { return static_cast<int>(sent.size()); };
  ASSERT_TRUE(waitUntil([&] { return engine.ready() && stored == all(); }, 120'000)) << stored << " of " << all();
  EXPECT_TRUE(waitUntil([&] { return answers + stopped == all(); }, 120'000)) << "every answer ends once";
  // A load that an engine died of is not tried again: that may have been what it died of.
  EXPECT_TRUE(waitUntil([&] { return !engine.loaded().empty() || told > 0; }, 60'000)) << "open again, or said why not";
  EXPECT_EQ(victim.stored(engine), sent);
  std::cout << kills << " kills: " << deaths << " deaths seen, " << sent.size() << " messages sent and stored, "
            << answers << " answers, " << stopped << " given up\n";
}

void killTheFakeEngine(int kills) {
  const TemporaryFolder folder;
  const auto store = folder.path() / "stored";
  writeText(folder.path() / "load", "0.015");
  Victim victim;
  victim.command = fakeEngine(folder.path());
  victim.loaded = "base";
  victim.asked = "routed";
  victim.stored = [store](EngineClient&) { return linesOf(store); };
  killAtRandom(victim, kills);
}

/// The ids that chats/open gives, page by page.
std::set<std::string> idsOfChat(EngineClient& engine) {
  std::set<std::string> ids;
  int next = 0;
  while (next >= 0) {
    bool answered = false;
    protocol::OpenChat::Params params;
    params.id = "chat";
    params.fromTurn = next;
    next = -1;
    engine.call<protocol::OpenChat>(params, nullptr, [&](const Result<protocol::OpenChat::Answer>& page) {
      answered = true;
      EXPECT_TRUE(page) << page.error().message;
      if (!page) return;
      for (const protocol::ChatMessage& message : page->messages) ids.insert(message.id);
      next = page->nextTurn;
    });
    EXPECT_TRUE(waitUntil([&] { return answered; }, 60'000));
  }
  return ids;
}

TEST(RandomKills, TenLoseNoMessage) {
  killTheFakeEngine(10);
}

TEST(RandomKillsSlow, AHundredLoseNoMessage) {
  killTheFakeEngine(100);
}

TEST(RandomKillsSlow, AHundredOfTheRealEngineLoseNoMessage) {
  const std::string program = STRATA_BINARY_DIR "/bin/strata";
  if (!std::filesystem::exists(program)) GTEST_SKIP() << "this build has no engine (STRATA_TORCH=OFF)";
  const TemporaryFolder folder;
  Victim victim;
  victim.command = {QString::fromStdString(program), {"engine"}};
  victim.project.folder = (folder.path() / "project").string();
  victim.project.create = true;
  victim.loaded = (sourceFolder() / "resources/models/sample-base").string();
  victim.asked = (sourceFolder() / "resources/models/sample-routed").string();
  victim.everyMs = 40;
  victim.longestMs = 1'500;
  victim.stored = idsOfChat;
  killAtRandom(victim, 100);
}

TEST(Journal, MessagesOfAWindowThatDiedAreSentByTheNext) {
  const TemporaryFolder folder;
  const auto store = folder.path() / "stored";
  const auto journal = folder.path() / "journal.jsonl";
  const auto command = fakeEngine(folder.path());
  {
    EngineClient engine;  // never reaches an engine: as if both had died
    engine.setJournal(std::move(*Journal::open(journal)));
    engine.call<protocol::OpenProject>({}, nullptr, [](const auto&) {});
    engine.call<protocol::PutChat>(messageOf("m1"), nullptr, [](const auto&) {});
    engine.call<protocol::PutChat>(messageOf("m2"), nullptr, [](const auto&) {});
  }
  {
    EngineClient engine;  // another project: they are not its
    engine.setJournal(std::move(*Journal::open(journal)));
    engine.start(command);
    bool open = false;
    protocol::OpenProject::Params other;
    other.folder = "/elsewhere";
    engine.call<protocol::OpenProject>(other, nullptr, [&](const auto&) { open = true; });
    ASSERT_TRUE(waitUntil([&] { return open; }));
    runFor(100);
    EXPECT_TRUE(linesOf(store).empty());
  }
  EngineClient engine;
  engine.setJournal(std::move(*Journal::open(journal)));
  engine.start(command);
  engine.call<protocol::OpenProject>({}, nullptr, [](const auto&) {});
  EXPECT_TRUE(waitUntil([&] { return linesOf(store).size() == 2; }));
  EXPECT_EQ(linesOf(store), (std::set<std::string>{"m1", "m2"}));
}

}  // namespace
}  // namespace strata::testing
