#include "app/strata/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/base/terminal_text.h"

namespace strata {
namespace {

constexpr auto kBarInterval = std::chrono::milliseconds(50), kLineInterval = std::chrono::milliseconds(2000);

void write(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
}

}  // namespace

void Output::line(const Json& object) {
  write(stdout, terminalJson(dumpLine(object)));
  write(stdout, "\n");
}

void Output::stream(std::string_view text) {
  write(stdout, terminalText(text));
  std::fflush(stdout);
}

void Output::answer(const Json& object, const std::string& text) const {
  if (json) return line(object);
  write(stdout, terminalText(text));
  if (text.empty() || text.back() != '\n') write(stdout, "\n");
}

Json errorToJson(const Error& error) {
  return {{"code", toString(error.code)}, {"message", error.message}, {"context", error.context}};
}

void Output::error(const Error& error) const {
  std::string sentence = error.message;
  std::replace(sentence.begin(), sentence.end(), '\n', ' ');
  // The library names no options: its sentences are the window's too.
  if (error.context.starts_with("--") && sentence.find(error.context) == std::string::npos) {
    sentence += " (" + error.context + ")";
  }
  write(stderr, "strata: " + terminalText(sentence) + "\n");
  if (json) line({{"error", errorToJson(error)}});
}

void Output::warning(const std::string& sentence) {
  write(stderr, "strata: warning: " + terminalText(sentence) + "\n");
}

Result<void> Output::flush() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
  const std::string reason = errno != 0 ? std::strerror(errno) : "the output is closed";
  return fail(ErrorCode::io, "The answer could not be written to standard output: " + reason + ".", "stdout");
}

int exitCodeOf(const Error& error) {
  if (error.code == ErrorCode::usage) return 2;
  return error.code == ErrorCode::cancelled ? 130 : 1;
}

Progress::Progress(std::string name, std::int64_t total, std::int64_t first,
                   std::function<void(const std::string& line)> copy)
    : m_name(std::move(name)),
      m_total(std::max<std::int64_t>(total, 1)),
      m_first(first),
      m_terminal(isatty(STDERR_FILENO) == 1),
      m_started(std::chrono::steady_clock::now()),
      m_shown(m_started - std::chrono::hours(1)),
      m_copied(m_shown),
      m_copy(std::move(copy)) {}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (m_drawn) write(stderr, "\r\x1b[K");
  m_drawn = false;
}

std::string Progress::secondsLeft(std::int64_t done) const {
  if (done <= m_first) return "";
  const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - m_started).count();
  const auto left = static_cast<std::int64_t>(spent / static_cast<double>(done - m_first) *
                                              static_cast<double>(std::max<std::int64_t>(0, m_total - done)));
  if (left >= 3600) return fmt::format("{} h {:02} min left", left / 3600, left / 60 % 60);
  if (left >= 60) return fmt::format("{} min {:02} s left", left / 60, left % 60);
  return fmt::format("{} s left", left);
}

void Progress::update(std::int64_t done, const std::string& note) {
  const auto now = std::chrono::steady_clock::now();
  const auto interval = m_terminal ? kBarInterval : kLineInterval;
  const bool copies = m_copy && (now - m_copied >= kLineInterval || done == m_total);
  const bool shows = now - m_shown >= interval || done == m_total;
  if (!copies && !shows) return;
  const std::string counts = fmt::format("{}/{}", done, m_total);
  const std::string rest = (note.empty() ? "" : "  " + note) + "  " + secondsLeft(done);
  if (copies) {
    m_copied = now;
    m_copy(m_name + " " + counts + rest);
  }
  if (!shows) return;
  m_shown = now;
  if (!m_terminal) return write(stderr, terminalText(m_name + " " + counts + rest) + "\n");
  constexpr std::int64_t kWidth = 24;
  const auto filled = static_cast<std::size_t>(std::clamp<std::int64_t>(done * kWidth / m_total, 0, kWidth));
  const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
  write(stderr, "\r\x1b[K" + terminalText(m_name + " [" + bar + "] " + counts + rest));
  m_drawn = true;
}

void Progress::note(const std::string& text) {
  clear();
  write(stderr, terminalText(text) + "\n");
  if (m_copy) m_copy(text);
}

std::string printBytes(std::int64_t bytes) {
  if (bytes < 1000) return fmt::format("{} bytes", bytes);
  double value = static_cast<double>(bytes);
  const char* unit = "";
  for (const char* next : {"kB", "MB", "GB", "TB"}) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return fmt::format("{:.{}f} {}", value, value < 100 ? 1 : 0, unit);
}

}  // namespace strata
