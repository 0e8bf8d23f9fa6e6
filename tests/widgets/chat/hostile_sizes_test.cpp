// A megabyte of what lays out badly, on both sides at once: no turn of the event loop computes over 50 ms while it
// comes, nor while somebody scrolls, resizes, switches theme or chat, or asks for the differences.

#include <cstdio>

#include "chat_fixture.h"
#include "widgets/chat/text_view.h"

namespace strata::testing {
namespace {

constexpr std::size_t kMegabyte = 1 << 20;
constexpr std::size_t kMarkdown = 190 * 1024;  // still read as Markdown
constexpr std::size_t kMostCompared = 20'000;  // tokens whose comparison a frame can hold

struct Kind {
  std::string name;
  std::string text;
};
void PrintTo(const Kind& kind, std::ostream* out) {
  *out << kind.name;
}

std::vector<Kind> kinds(std::size_t size, const std::string& suffix) {
  const auto filled = [size](const std::string& text) {
    std::string all;
    all.reserve(size + text.size());
    while (all.size() < size) all += text;
    return all;
  };
  std::string nested;
  for (std::size_t depth = 0; nested.size() < size; ++depth) {
    nested += std::string(depth % 400 + 1, '>') + " quoted\n" + std::string(depth % 40, ' ') + "- item\n";
  }
  std::vector<Kind> all = {
      {"OneWord", filled("x")},
      {"LineEnds", filled("\n")},
      {"Stars", filled("*")},
      {"Brackets", filled("[")},
      {"Backticks", filled("`")},
      {"Pipes", filled("|a|b|\n|-|-|\n")},
      {"Quotes", nested},
      {"Combining", "a" + filled("\xcc\x81\xcc\xa7\xcd\x9c")},
      {"RightToLeft", filled("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xd8\xb3\xd9\x84\xd8\xa7\xd9\x85 \xe2\x80\xae")},
      {"Joined", filled("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa6")},
      {"Tabs", filled("\t")},
      {"Controls", filled("\x01")},
      {"Images", filled("![](file:///etc/passwd) <img src=\"http://127.0.0.1:1/x.png\"> ")},
      {"Prose", filled("Nobody spoke for a while, and then *somebody* said `yes`. ")}};
  for (Kind& kind : all) kind.name += suffix;
  return all;
}

std::vector<Kind> quickKinds() {
  std::vector<Kind> quick;
  for (const auto& [size, suffix] : {std::pair{kMegabyte, ""}, {kMarkdown, "AsMarkdown"}}) {
    for (Kind& kind : kinds(size, suffix)) {
      for (const char* name : {"OneWord", "LineEnds", "PipesAsMarkdown", "QuotesAsMarkdown", "Combining"}) {
        if (kind.name == name) quick.push_back(std::move(kind));
      }
    }
  }
  return quick;
}

class HostileSizes : public ChatFixture, public ::testing::WithParamInterface<Kind> {
 protected:
  void freezeNothing();
  /// While `act` runs and what it set off comes to rest.
  void expectSmooth(const char* what, const std::function<void()>& act) {
    const LongestTurn turn = longestTurn([&] {
      act();
      QTest::qWait(300);
    });
    std::printf("%-22s %-14s %3lld ms of %lld\n", GetParam().name.c_str(), what, static_cast<long long>(turn.worst),
                static_cast<long long>(turn.most));
    EXPECT_LE(turn.worst, turn.most) << what;
  }
  void scrollThrough(Transcript* transcript) {
    QScrollBar* bar = transcript->verticalScrollBar();
    for (int i = 0; i <= 12; ++i) {
      bar->setValue(static_cast<int>(static_cast<qint64>(bar->maximum()) * (12 - i) / 12));
      QTest::qWait(15);
    }
  }
  bool answeredBoth() {
    return answer(Which::a) && answer(Which::b) && answer(Which::a)->answer && answer(Which::b)->answer;
  }
};

void HostileSizes::freezeNothing() {
  ASSERT_TRUE(begin());
  GenerateConfig sampling;
  sampling.maxTokens = 10'000'000;
  page->conversation().setSampling(sampling);
  ASSERT_TRUE(ask("echo warm"));  // fonts and styles are loaded by the first
  const QString small = page->conversation().id();
  page->startNew();
  file("hostile", GetParam().text);
  QTest::qWait(200);
  const int resources = TextView::resourcesAsked();

  expectSmooth("arrives", [&] {
    page->startNew();
    ASSERT_TRUE(ask("hostile"));
    ASSERT_TRUE(answeredBoth());
  });
  EXPECT_GE(answer(Which::b)->text.size(), static_cast<qsizetype>(GetParam().text.size() / 4));
  expectSmooth("arrives anew", [&] { ASSERT_TRUE(ask("hostile")); });
  expectSmooth("scroll", [&] { scrollThrough(page->pane(Which::a)->transcript()); });
  expectSmooth("resize", [&] {
    for (int i = 1; i <= 3; ++i) {
      page->resize(1208 - 40 * i, 660 - 20 * i);
      QTest::qWait(30);
    }
  });
  expectSmooth("dark and light", [&] {
    for (const Theme::Choice choice : {Theme::Choice::dark, Theme::Choice::light}) {
      theme().setChoice(choice);
      QTest::qWait(100);
    }
  });
  const QString large = page->conversation().id();
  const int last = page->conversation().lastTurn();
  expectSmooth("other and back", [&] {
    page->open(Place::chat(small));
    ASSERT_TRUE(soon([&] { return page->conversation().id() == small; }));
    page->open(Place::chat(large));
    ASSERT_TRUE(soon([&] { return page->conversation().id() == large && page->conversation().lastTurn() == last; }));
  });
  if (answer(Which::a)->answer->ids.size() < kMostCompared) {
    expectSmooth("differences", [&] {
      page->differences().setOn(false);
      page->differences().setOn(true);
      ASSERT_TRUE(soon([&] { return page->differences().state() == Differences::State::shown; }, 20'000));
    });
    expectSmooth("walk", [&] {
      for (int i = 0; i < 5; ++i) {
        page->differences().choose(1000 * i + 1);
        QTest::qWait(15);
      }
      scrollThrough(page->pane(Which::a)->transcript());
    });
  }
  EXPECT_EQ(TextView::resourcesAsked(), resources);
  EXPECT_LT(page->pane(Which::a)->transcript()->alive(), 80);
}

TEST_P(HostileSizes, FreezeNothing) {
  freezeNothing();
}
INSTANTIATE_TEST_SUITE_P(BothSides, HostileSizes, ::testing::ValuesIn(quickKinds()),
                         [](const auto& info) { return info.param.name; });

class HostileSizesSlow : public HostileSizes {};
TEST_P(HostileSizesSlow, FreezeNothing) {
  freezeNothing();
}
INSTANTIATE_TEST_SUITE_P(AMegabyte, HostileSizesSlow, ::testing::ValuesIn(kinds(kMegabyte, "")),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(AsMarkdown, HostileSizesSlow, ::testing::ValuesIn(kinds(kMarkdown, "AsMarkdown")),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace strata::testing
