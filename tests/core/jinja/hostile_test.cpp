// Whatever a template says, it ends within a quarter of a second and within 64 MiB.

#include <algorithm>
#include <ctime>
#include <fstream>
#include <utility>

#include "hostile_templates.h"
#include "render.h"

namespace strata::jinja {
namespace {

constexpr std::size_t kMostBytes = 64u << 20;
#if defined(__SANITIZE_ADDRESS__)
constexpr double kMostSeconds = 5;  // the sanitizers' own time
constexpr bool kMeasuresMemory = false;
#else
constexpr double kMostSeconds = 0.25;
constexpr bool kMeasuresMemory = true;
#endif

double cpuSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The highest resident size since the last reset, in bytes; 0 where the system does not tell.
std::size_t peakResident() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  return 0;
}

void resetPeak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

void expectBounded(const testing::HostileTemplate& hostile) {
  SCOPED_TRACE(hostile.name);
  const Json data{{"messages", {{{"role", "user"}, {"content", "Hi"}}}}};
  resetPeak();
  const std::size_t before = peakResident();
  const auto render = [&] {
    const double started = cpuSeconds();
    auto rendered = testing::tryRender(hostile.source, data);
    return std::pair(std::move(rendered), cpuSeconds() - started);
  };
  auto [rendered, seconds] = render();
  if (kMeasuresMemory) {
    EXPECT_LT(peakResident() - before, kMostBytes);
  }
  // Another process on the same core makes a thread's own time longer, never shorter.
  for (int again = 0; again < 4 && seconds >= kMostSeconds; ++again) seconds = std::min(seconds, render().second);
  EXPECT_LT(seconds, kMostSeconds);
  if (rendered) {
    EXPECT_LT(rendered->peakBytes, kMostBytes);
  } else {
    EXPECT_TRUE(rendered.error().message.starts_with("t.jinja")) << rendered.error().message;
    EXPECT_LT(rendered.error().message.size(), 400u);
  }
}

TEST(JinjaLimits, BoundEveryHostileTemplate) {
  for (const testing::HostileTemplate& hostile : testing::hostileTemplates()) expectBounded(hostile);
}

TEST(JinjaLimits, BoundNumbersAndMessages) {
  for (const testing::HostileTemplate& hostile : testing::hostileNumbersAndMessages()) expectBounded(hostile);
}

TEST(JinjaLimits, MessagesRepeatNoControlCharacters) {
  const auto rendered = testing::tryRender("{{ raise_exception('\\x1b[2J' * 3) }}", Json::object());
  ASSERT_FALSE(rendered);
  EXPECT_EQ(rendered.error().message, "t.jinja:1: the template refuses its input: ?[2J?[2J?[2J");
}

TEST(JinjaLimits, BoundWorkOnLongTexts) {
  for (const testing::HostileTemplate& hostile : testing::hostileLoops()) expectBounded(hostile);
}

TEST(JinjaLimits, LeaveRoomForALongConversation) {
  Json messages = Json::array();
  for (int i = 0; i < 4000; ++i)
    messages.push_back({{"role", i % 2 == 0 ? "user" : "assistant"}, {"content", std::string(500, 'x')}});
  const auto rendered = testing::tryRender(
      "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate') }}"
      "{% endif %}<|{{ m.role }}|>{{ m.content|trim }}{% if not loop.last %}\n{% endif %}{% endfor %}",
      Json{{"messages", messages}});
  ASSERT_TRUE(rendered) << rendered.error().message;
  EXPECT_GT(rendered->text.size(), 2'000'000u);
}

TEST(JinjaLimits, LeaveRoomForALongText) {
  const auto rendered =
      testing::tryRender("{{ text|trim|replace('b', 'c') ~ text }}", Json{{"text", std::string(20'000'000, 'a')}});
  ASSERT_TRUE(rendered) << rendered.error().message;
  EXPECT_EQ(rendered->text.size(), 40'000'000u);
}

}  // namespace
}  // namespace strata::jinja
