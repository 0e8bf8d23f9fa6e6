#pragma once
// What a verb shows: its answer on stdout (one JSON object a line with --json, else text for a person), errors and
// progress on stderr. Control characters of what is shown never reach the terminal. One thread.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

class Output {
 public:
  bool json = false;  // --json

  /// One of the two, whichever was asked for.
  void answer(const Json& object, const std::string& text) const;
  /// An object on stdout whatever --json says (streams of lines).
  static void line(const Json& object);
  /// Text on stdout, at once.
  static void stream(std::string_view text);
  /// "strata: sentence" on stderr, and with --json {"error": …} on stdout.
  void error(const Error& error) const;
  /// "strata: warning: sentence" on stderr.
  static void warning(const std::string& sentence);
  /// Writes out what is buffered; an error where stdout could not take it (a full disk, a closed pipe).
  static Result<void> flush();
};

/// 2 for bad usage, 130 for a cancelled command, 1 for the rest.
int exitCodeOf(const Error& error);

/// {"code", "message", "context"}
Json errorToJson(const Error& error);

/// A bar with the time left where stderr is a terminal, else a plain line now and then.
///
///   Progress progress("Training", 100);
///   progress.update(12, "loss 2.31");
class Progress {
 public:
  /// `copy`: gets the plain lines, also where a terminal shows a bar.
  Progress(std::string name, std::int64_t total, std::int64_t first = 0,
           std::function<void(const std::string& line)> copy = {});
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(std::int64_t done, const std::string& note = {});
  /// A line of its own above the bar.
  void note(const std::string& text);

 private:
  std::string secondsLeft(std::int64_t done) const;
  void clear();

  std::string m_name;
  std::int64_t m_total;
  std::int64_t m_first;  // where this command began: a resumed run's steps do not count for the time left
  bool m_terminal;
  bool m_drawn = false;
  std::chrono::steady_clock::time_point m_started;
  std::chrono::steady_clock::time_point m_shown, m_copied;
  std::function<void(const std::string& line)> m_copy;
};

/// "12.3 MB", "640 bytes": powers of 1000.
std::string printBytes(std::int64_t bytes);

}  // namespace strata
