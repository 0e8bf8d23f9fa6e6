#include "core/config/train_config.h"

#include <algorithm>

#include "core/routing/sampler.h"

namespace strata {
namespace {

tl::unexpected<Error> bad(const char* option, std::string message) {
  return fail(ErrorCode::usage, std::move(message), option);
}

Result<void> checkSources(const TrainConfig& config) {
  if (config.model.empty() && config.init.empty()) {
    return bad("model", "No model is given; name a checkpoint with model, or a folder with config.json with init.");
  }
  if (!config.model.empty() && !config.init.empty()) {
    return bad("init", "Both model and init are given; model starts from weights, init from random ones: give one.");
  }
  if (config.lora > 0 && !config.init.empty()) {
    return bad("lora",
               "lora is given with init; a LoRA needs weights to lie over: train from init fully, or give model.");
  }
  if (config.lora > 0 && config.loraTargets.empty()) {
    return bad("lora-targets", "lora-targets is empty; give all-linear or a list such as q_proj,v_proj.");
  }
  if (config.data.empty()) return bad("data", "No training data is given; name a data file with data.");
  return {};
}

Result<void> checkRouting(const TrainConfig& config) {
  STRATA_TRY(const RoutingSampler sampler, RoutingSampler::parse(config.sampler));
  STRATA_CHECK(sampler.checkPCross(config.pCross.value_or(sampler.defaultPCross())));
  if (config.pCrossWarmup > 0 && std::holds_alternative<ClaSampler>(sampler.kind())) {
    return bad("p-cross-warmup", "p-cross-warmup cannot be used with the sampler " + sampler.print() +
                                     ", whose p-cross is fixed at 1; leave it out.");
  }
  return {};
}

Result<void> checkSizes(const TrainConfig& config) {
  if (config.epochs && config.steps != TrainConfig().steps) {
    return bad("epochs", "Both steps and epochs are given; the run ends by one of them: give one.");
  }
  const std::string batch = std::to_string(config.batch);
  const int micro = effectiveMicroBatch(config);
  const int groups = effectiveRoutingGroups(config);
  if (config.routingGroups == 0 && config.batch % micro != 0) {
    return bad("micro-batch", "micro-batch " + std::to_string(micro) + " does not divide the batch of " + batch +
                                  " sequences; give a divisor of it.");
  }
  if (config.batch % groups != 0) {
    return bad("routing-groups", "routing-groups " + std::to_string(groups) + " does not divide the batch of " + batch +
                                     " sequences; give a divisor of it.");
  }
  const int group = config.batch / groups;
  if (group % micro != 0) {
    return bad("micro-batch", "micro-batch " + std::to_string(micro) + " does not divide the " + std::to_string(group) +
                                  " sequences of a routing group; a micro-batch never spans two groups.");
  }
  return {};
}

Result<void> checkEvaluation(const TrainConfig& config) {
  if (config.split > 0 && !config.evalData.empty()) {
    return bad("split", "Both split and eval-data are given; held-out rows come from one of them: give one.");
  }
  const bool hasHeldOut = !config.evalData.empty() || config.split > 0, hasQuestions = !config.evalQuestions.empty();
  if (config.evalEvery > 0 && !hasHeldOut && !hasQuestions) {
    return bad("eval-data",
               "eval-every is given but neither eval-data, split nor eval-questions; name the held-out data or its "
               "share, or questions.");
  }
  if (hasQuestions && config.evalEvery == 0) {
    return bad("eval-every", "eval-questions are given but eval-every is 0; give the steps between evaluations.");
  }
  if (config.earlyStopMetric != "nll" && !hasQuestions) {
    return bad("early-stop-metric", "early-stop-metric is " + config.earlyStopMetric +
                                        ", a score of answers, but no questions are given; give eval-questions.");
  }
  if (config.earlyStopPatience > 0 && config.evalEvery == 0) {
    return bad("eval-every",
               "early-stop-patience counts evaluations, but eval-every is 0; give the steps between them.");
  }
  if (config.earlyStopPatience > 0 && config.earlyStopMetric == "nll" && !hasHeldOut) {
    return bad("early-stop-metric",
               "An early stop by nll needs held-out data; give eval-data or split, or watch f1 or em.");
  }
  return {};
}

}  // namespace

int effectiveMicroBatch(const TrainConfig& config) {
  if (config.microBatch > 0) return config.microBatch;
  return std::max(1, config.batch / std::max(1, config.routingGroups));
}

int effectiveRoutingGroups(const TrainConfig& config) {
  if (config.routingGroups > 0) return config.routingGroups;
  const int micro = effectiveMicroBatch(config);
  return std::max(1, config.batch / micro);
}

double effectiveWeightDecay(const TrainConfig& config) {
  constexpr double kFullFineTune = 0.1;
  return config.weightDecay.value_or(config.lora > 0 ? 0.0 : kFullFineTune);
}

std::vector<Error> problemsOf(const TrainConfig& config) {
  std::vector<Error> problems;
  for (const Result<void>& checked : {checkRanges(config), checkSources(config), checkDevice(config.device),
                                      checkRouting(config), checkSizes(config), checkEvaluation(config)}) {
    if (!checked) problems.push_back(checked.error());
  }
  return problems;
}

Result<void> checkTrainConfig(const TrainConfig& config) {
  std::vector<Error> problems = problemsOf(config);
  if (problems.empty()) return {};
  return tl::unexpected<Error>(std::move(problems.front()));
}

}  // namespace strata
