#include "core/service/job_info.h"

#include "core/base/json_values.h"
#include "core/protocol/job_kinds.h"

namespace strata {
namespace {

using protocol::JobInfo;

std::string lastPart(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return path;
  const std::size_t slash = path.find_last_of('/', end);
  const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
  return path.substr(begin, end + 1 - begin);
}

/// "sample-base on train.txt"
std::string titleOf(const JobInfo& info) {
  std::string title = lastPart(info.model);
  if (!info.task.empty()) title += ", " + info.task;
  const std::string data = lastPart(info.data);
  return data.empty() ? title : title + " on " + data;
}

std::string methodOf(const Json& config) {
  const auto rank = config.find("lora");
  const bool isLora = rank != config.end() && rank->is_number_integer() && *rank > 0;
  return isLora ? "LoRA r=" + rank->dump() : "full";
}

}  // namespace

void tell(const RunInfo& run, JobInfo& info) {
  info.kind = run.kind;
  info.state = toString(run.state);
  info.created = run.created;
  info.message = run.message;
  info.parent = run.parent;
  info.name = run.name;
  info.sweep = run.sweep;
  if (!run.config.is_object()) return;
  info.model = textIn(run.config, "model");
  if (info.model.empty()) info.model = textIn(run.config, "init");
  const bool measures = run.kind == kSearchKind || run.kind == kSensitivityKind;
  info.data = textIn(run.config, measures ? "text" : "data");
  if (run.kind == kSearchKind) info.method = textIn(run.config, "method");
  if (run.kind == kEvalKind || run.kind == kSearchKind) info.task = textIn(run.config, "task");
  info.title = titleOf(info);
  if (run.kind != kTrainKind) return;
  info.method = methodOf(run.config);
  info.sampler = textIn(run.config, "sampler");
  const auto pCross = run.config.find("p-cross");
  if (pCross != run.config.end() && pCross->is_number()) info.pCross = pCross->get<double>();
}

void tell(const RunProgress& progress, JobInfo& info) {
  info.step = progress.step;
  info.steps = progress.steps;
  info.loss = progress.loss;
  info.secondsLeft = info.alive ? progress.secondsLeft() : -1;
  info.seconds = progress.seconds;
  info.best = toScores(progress.best);
}

std::vector<protocol::Score> toScores(const std::map<std::string, double>& scores) {
  std::vector<protocol::Score> list;
  for (const auto& [name, value] : scores) list.push_back({name, value});
  return list;
}

}  // namespace strata
