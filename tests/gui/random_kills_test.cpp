// SIGKILL at any moment: while models are opened, while both sides answer, and in between.

#include <QRandomGenerator>

#include "real_window.h"

namespace strata {
namespace {

struct Killed {
  int loading = 0, answering = 0, idle = 0;
};

/// Questions asked and engines killed in turn; each question has to be in the project at the end.
Killed killAtRandom(RealWindow& window, int kills) {
  QRandomGenerator random(7);
  Killed killed;
  for (int i = 0; i < kills; ++i) {
    EXPECT_TRUE(until([&] { return window.engine.ready(); })) << window.engine.problem().toStdString();
    const std::size_t turns = window.chat->conversation().turns().size();
    if (i % 3 != 2) {
      EXPECT_TRUE(until([&] { return !window.chat->answering().busy(); }));
      window.chat->setDraft(QStringLiteral("Question %1: who was it?").arg(i));
      window.chat->sendDraft();
      EXPECT_TRUE(until([&] { return window.chat->conversation().turns().size() == turns + 1; }));
    }
    QTest::qWait(static_cast<int>(random.bounded(i % 3 == 0 ? 60 : 400)));
    const Answering& answering = window.chat->answering();
    const auto is = [&](Answering::State state) {
      return answering.state(Which::a) == state || answering.state(Which::b) == state;
    };
    ++(is(Answering::State::loading) || is(Answering::State::waiting) ? killed.loading
       : answering.busy()                                             ? killed.answering
                                                                      : killed.idle);
    const qint64 before = window.engine.engine().pid;
    window.killEngine();
    EXPECT_TRUE(until([&] { return window.engine.engine().pid != before || !window.engine.ready(); }));
    if (window.engine.state() == EngineClient::State::failed) window.engine.restart();  // as the button does
    EXPECT_TRUE(until([&] {
      if (window.engine.state() == EngineClient::State::failed) window.engine.restart();
      return window.engine.ready();
    }));
  }
  return killed;
}

void expectNothingLost(RealWindow& window) {
  EXPECT_TRUE(until([&] { return !window.chat->answering().busy(); }));
  QTest::qWait(500);
  const std::vector<ChatTurn>& turns = window.chat->conversation().turns();
  std::vector<std::string> stored;
  for (int from = 0; from >= 0;) {
    std::optional<Result<protocol::OpenChat::Answer>> page;
    window.engine.call<protocol::OpenChat>({window.chat->conversation().id().toStdString(), from}, &window.window,
                                           [&](const auto& answer) { page = answer; });
    ASSERT_TRUE(until([&] { return page.has_value(); }));
    ASSERT_TRUE(*page) << page->error().message;
    for (const protocol::ChatMessage& message : (*page)->messages) {
      if (message.role == "user") stored.push_back(message.text);
    }
    from = (*page)->nextTurn;
  }
  ASSERT_EQ(stored.size(), turns.size());
  for (std::size_t i = 0; i < turns.size(); ++i) EXPECT_EQ(stored[i], turns[i].question.toStdString());
}

void expectNothingLostBy(int kills) {
  const OwnFolders folders;
  RealWindow window(folders);
  ASSERT_TRUE(window.isReady());
  const Killed killed = killAtRandom(window, kills);
  EXPECT_EQ(killed.loading + killed.answering + killed.idle, kills);
  ::testing::Test::RecordProperty("while_loading", killed.loading);
  ::testing::Test::RecordProperty("while_answering", killed.answering);
  ::testing::Test::RecordProperty("while_idle", killed.idle);
  std::printf("killed %d times: while loading %d, answering %d, idle %d\n", kills, killed.loading, killed.answering,
              killed.idle);
  expectNothingLost(window);
}

TEST(RandomKillsJourney, TwentyFiveKillsLoseNoQuestion) {
  expectNothingLostBy(25);
}

TEST(RandomKillsJourneySlow, AHundredKillsLoseNoQuestion) {
  expectNothingLostBy(100);
}

}  // namespace
}  // namespace strata
