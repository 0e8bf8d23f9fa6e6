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

void killAtRandom(int kills) {
  const TemporaryFolder folder;
  const auto store = folder.path() / "store";
  auto limits = quickLimits();
  limits.delaysMs = {0, 10, 20, 20, 20};
  limits.stableMs = 0;  // the budget is another test's matter
  auto engine = std::make_unique<EngineClient>();
  engine->setLimits(limits);
  engine->setJournal(std::move(*Journal::open(folder.path() / "journal.jsonl")));
  int deaths = 0;
  QObject::connect(engine.get(), &EngineClient::stateChanged, engine.get(), [&] {
    if (engine->state() == EngineClient::State::restarting) ++deaths;
  });
  engine->start(fakeEngine({"--store", QString::fromStdString(store.string()), "--load-ms", "15"}));
  engine->call<protocol::OpenProject>({}, nullptr, [](const auto&) {});
  engine->call<protocol::LoadModel>({refOf("base")}, nullptr, [](const auto&) {});

  std::mt19937 random(7);
  std::set<std::string> sent;
  int answers = 0, stopped = 0, stored = 0;
  QTimer work;
  QObject::connect(&work, &QTimer::timeout, [&] {
    const std::string id = "m" + std::to_string(sent.size());
    sent.insert(id);
    engine->call<protocol::PutChat>(messageOf(id), nullptr, [&](const auto& put) { stored += put ? 1 : 0; });
    protocol::Generate::Params ask;
    ask.side.ref = refOf("routed");
    ask.stream = id;
    ask.sampling.maxTokens = 5;
    engine->call<protocol::Generate>(ask, nullptr, [&](const auto& answer) { answer ? ++answers : ++stopped; });
  });
  for (int i = 0; i < kills; ++i) {
    (random() % 4 == 0) ? work.stop() : work.start(7);  // now and then it is idle
    runFor(static_cast<int>(random() % 150));
    const int before = deaths;
    ASSERT_TRUE(waitUntil([&] { return engine->ready() || engine->engine().pid > 0; }));
    const auto pid = static_cast<pid_t>(engine->engine().pid);
    ::kill(pid, SIGKILL);
    ASSERT_TRUE(waitUntil([&] { return deaths > before || engine->engine().pid != pid; })) << "kill " << i;
  }
  work.stop();
  ASSERT_TRUE(waitUntil([&] { return engine->ready() && stored == static_cast<int>(sent.size()); }));
  EXPECT_TRUE(waitUntil([&] { return answers + stopped == static_cast<int>(sent.size()); }))
      << "every answer ends once";
  EXPECT_TRUE(waitUntil([&] { return engine->loaded().size() >= 1; }));
  EXPECT_EQ(linesOf(store), sent);
  std::cout << kills << " kills: " << deaths << " deaths seen, " << sent.size() << " messages sent and stored, "
            << answers << " answers, " << stopped << " given up\n";
}

TEST(RandomKills, TenLoseNoMessage) {
  killAtRandom(10);
}

TEST(RandomKillsSlow, AHundredLoseNoMessage) {
  killAtRandom(100);
}

TEST(Journal, MessagesOfAWindowThatDiedAreSentByTheNext) {
  const TemporaryFolder folder;
  const auto store = folder.path() / "store";
  const auto journal = folder.path() / "journal.jsonl";
  const auto command = fakeEngine({"--store", QString::fromStdString(store.string())});
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
