#pragma once
// What stands between a window of its own process and its engine: passes on what they say to each other, keeps a copy
// of the engine's side, and asks the engine what the test wants to know, as if the window had asked.
//
//   Relay relay(folder);
//   strata-workbench --engine (relay.command())
//   relay.ask("jobs/start", params);
// The test program itself is the relay, started again with STRATA_RELAY=FOLDER in its environment; it never reaches
// main() then.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/rpc.h"
#include "support.h"

namespace strata::testing {

class Relay {
 public:
  explicit Relay(std::filesystem::path folder) : m_folder(std::move(folder)) {
    std::filesystem::create_directories(m_folder);
  }
  /// The words of an engine's command line.
  std::vector<std::string> command() const;
  /// The engine's answer; an error where there is none in time.
  Result<Json> ask(const std::string& method, const Json& params);
  /// Whether the engine has said such a message to its window, or says it in time.
  bool heard(const std::function<bool(const RpcMessage&)>& wanted, double seconds = 60) const;
  /// Forgets what was said: another window begins.
  void clear() const;
  /// The engine behind it; 0: none yet.
  int engine() const;

 private:
  std::filesystem::path m_folder;
  std::int64_t m_number = 1'000'000'000;  // far from the window's own
};

}  // namespace strata::testing
