// Whatever a template says, it ends on its budget of steps, in about the time of plain loops, and within 64 MiB.

#include <algorithm>
#include <ctime>
#include <fstream>
#include <limits>
#include <utility>

#include "hostile_templates.h"
#include "render.h"
#include "support.h"

namespace strata::jinja {
namespace {

constexpr std::size_t kMostBytes = 64u << 20;
// Of the time of plain loops that end on the budget: how long that is, each machine, its load and each kind of build
// decide for themselves.
constexpr double kMostTimes = 10;

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

double secondsOf(const std::string& source, const Json& data) {
  const double started = cpuSeconds();
  testing::tryRender(source, data);
  return cpuSeconds() - started;
}

/// Another process on the same core makes a thread's own time longer, never shorter, so the least of each counts.
void expectQuick(const std::string& source, const Json& data) {
  double seconds = std::numeric_limits<double>::infinity(), plain = seconds;
  for (int round = 0; round == 0 || (round < 6 && seconds >= kMostTimes * plain); ++round) {
    plain = std::min(
        plain, secondsOf("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}", data));
    seconds = std::min(seconds, secondsOf(source, data));
  }
  EXPECT_LT(seconds, kMostTimes * plain) << seconds << " s; plain loops took " << plain << " s";
}

void expectBounded(const testing::HostileTemplate& hostile) {
  SCOPED_TRACE(hostile.name);
  const Json data{{"messages", {{{"role", "user"}, {"content", "Hi"}}}}};
  resetPeak();
  const std::size_t before = peakResident();
  const auto rendered = testing::tryRender(hostile.source, data);
  const std::size_t grown = peakResident() - before;
  if (!strata::testing::kSanitized) {
    EXPECT_LT(grown, kMostBytes);
    expectQuick(hostile.source, data);
  }
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
