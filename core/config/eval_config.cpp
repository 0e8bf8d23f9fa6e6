#include "core/config/eval_config.h"

namespace strata {

Result<void> checkEvalConfig(const EvalConfig& config) {
  STRATA_CHECK(checkRanges(config));
  if (config.task.empty()) {
    return fail(ErrorCode::usage, "No task is given; give one of: " + printChoices(kTaskChoices) + ".", "--task");
  }
  STRATA_CHECK(checkDevice(config.device));
  if (config.model.empty()) {
    return fail(ErrorCode::usage, "No model is given; name one, or give a file of answers made elsewhere to be scored.",
                "MODEL");
  }
  if (config.data.empty()) return fail(ErrorCode::usage, "No data is given; name a file with data.", "--data");
  return {};
}

}  // namespace strata
