#include "core/config/eval_config.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace strata {

Result<void> checkEvalConfig(const EvalConfig& config) {
  constexpr std::array<std::string_view, 5> kTasks = {"squad", "nll", "hotpotqa", "triviaqa", "msmarco"};
  STRATA_CHECK(checkRanges(config));
  if (std::find(kTasks.begin(), kTasks.end(), config.task) == kTasks.end()) {
    return fail(ErrorCode::usage,
                "The task \"" + config.task + "\" is unknown; give squad, nll, hotpotqa, triviaqa or msmarco.",
                "--task");
  }
  if (config.model.empty()) {
    return fail(ErrorCode::usage, "No model is given; name one, or give a file of answers made elsewhere to be scored.",
                "MODEL");
  }
  if (config.data.empty()) return fail(ErrorCode::usage, "No data is given; name a file with data.", "--data");
  return {};
}

}  // namespace strata
