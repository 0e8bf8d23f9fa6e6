#pragma once
// tests/support/fake_engine: an engine without models; files in a folder say what it does.

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "support.h"
#include "widgets/client/engine_client.h"

namespace strata::testing {

inline EngineClient::Command fakeEngine(const std::filesystem::path& folder) {
  // Without site-packages it starts in half the time.
  return {
      "python3",
      {"-IS", QStringLiteral(STRATA_SOURCE_DIR "/tests/support/fake_engine"), QString::fromStdString(folder.string())},
      false};
}

/// The parameters of the requests and notifications of this method that it got, in order.
inline std::vector<Json> requestsTo(const std::filesystem::path& folder, const std::string& method) {
  std::vector<Json> found;
  std::istringstream lines(readText(folder / "log"));
  for (std::string line; std::getline(lines, line);) {
    const auto request = parseJson(line, "log");
    if (request && request->at("method") == method) found.push_back(request->at("params"));
  }
  return found;
}

}  // namespace strata::testing
