#include "core/report/commands.h"

#include "core/config/describe.h"
#include "core/config/eval_config.h"
#include "core/config/search_config.h"
#include "core/config/train_config.h"
#include "core/protocol/job_kinds.h"

namespace strata {
namespace {

template <class Config>
std::string commandWith(const std::string& verb, const Json& stored, const std::string& project) {
  Config config;
  if (!configFromJson(stored, "run.json", config, UnknownKeys::ignore)) return {};
  return commandLine("strata " + verb, config) + " --project " + shellQuoted(project);
}

}  // namespace

std::string commandOf(const std::string& kind, const Json& config, const std::string& project) {
  if (kind == kTrainKind) return commandWith<TrainConfig>("train", config, project);
  if (kind == kEvalKind) return commandWith<EvalConfig>("eval", config, project);
  if (kind == kSearchKind) return commandWith<SearchConfig>("search", config, project);
  if (kind == kSensitivityKind) return commandWith<SensitivityConfig>("sensitivity", config, project);
  return {};
}

}  // namespace strata
