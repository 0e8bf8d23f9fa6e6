#include "core/training/answer_scores.h"

#include <utility>

#include "core/evaluation/tasks.h"
#include "core/model/model.h"

namespace strata {

Result<AnswerScores> scoreAnswers(const RunSetup& setup, const NamedMap& map, const std::function<bool()>& goOn) {
  Trainer& trainer = *setup.trainer;
  AnswerScores scores;
  TaskHooks hooks;
  hooks.goOn = goOn;
  hooks.onAnswers = [&](const std::vector<TaskAnswer>& answers) -> Result<void> {
    for (const TaskAnswer& each : answers)
      scores.answers.push_back({each.map, each.question, each.answer, each.scores, each.asked});
    return {};
  };
  ModelConfig config = setup.model;
  config.eosIds = setup.eosIds;
  const at::ScalarType dtype = setup.config.lora > 0 ? trainer.computeType() : at::kFloat;
  std::shared_ptr<const Model> model;
  try {
    model = Model::over(config, trainer.weights(), dtype, setup.tokenizer);
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
  STRATA_TRY(const std::vector<TaskResult> results, evaluateQuestions(model, {map}, setup.questions, {}, hooks));
  const TaskResult& result = results.front();
  scores.f1 = result.metrics.at("f1");
  scores.em = result.metrics.at("em");
  scores.nll = result.metrics.at("nll");
  scores.interval = bootstrapMean(result.f1, setup.config.seed, static_cast<std::uint32_t>(trainer.nextStep()));
  return scores;
}

}  // namespace strata
