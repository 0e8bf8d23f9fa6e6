// Bodies and headers of HTTP requests: no crash, each refusal is a sentence in valid JSON, and what is accepted is
// within its ranges. The files of core/service that need no LibTorch are compiled into this program.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/service/http_guard.h"
#include "core/service/http_request.h"

namespace {

using namespace strata;

void require(bool condition) {
  if (!condition) std::abort();
}

bool isIds(const std::vector<int>& ids) {
  return !ids.empty() && std::all_of(ids.begin(), ids.end(), [](int id) { return id >= 0; });
}

template <class Request>
bool isRefused(const HttpResult<Request>& request) {
  if (request) return false;
  const HttpProblem& problem = request.error();
  require(problem.status >= 400 && problem.status < 600 && !problem.message.empty());
  require(parseJson(dumpLine(problemToJson(problem)), "problem").has_value());
  return true;
}

void checkBody(std::string_view body, bool chat) {
  const auto request = parseCompletion(body, chat);
  if (isRefused(request)) return;
  require(request->chat == chat && !request->model.empty());
  require(request->turns.empty() != chat && request->prompts.empty() == chat);
  require(request->generates || request->echo);
  for (const TextPrompt& prompt : request->prompts) {
    const auto* ids = std::get_if<std::vector<int>>(&prompt);
    require(ids == nullptr || isIds(*ids));
  }
  require(!request->logprobs || *request->logprobs >= 0);
  require(checkRanges(request->sampling).has_value());
}

void checkHeader(std::string_view text) {
  if (const auto length = parseContentLength(text)) {
    require(!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos);
  }
  const std::string host(text);
  (void)isLoopback(text);
  (void)namesThisServer(text, host, host);
  require(!carriesToken(text, "") && !carriesToken("", text));
  if (!text.empty()) require(carriesToken("Bearer " + host, text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  checkBody(text, true);
  checkBody(text, false);
  (void)isRefused(parseTokenize(text));
  if (const auto request = parseDetokenize(text); !isRefused(request)) {
    require(request->ids.empty() || isIds(request->ids));
  }
  checkHeader(text);
  return 0;
}
