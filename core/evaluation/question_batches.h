#pragma once
// Questions answered together. What their prompts begin with (a passage that several ask about, the examples before all
// of them) is computed once; one pass over the rest gives the first token and the loss of the gold answer; then the
// answers grow in one batch.
//
//   for (const QuestionBatch& batch : planBatches(questions, limits)) {
//     STRATA_TRY(const auto outcomes, answerBatch(model, map, questions, batch, 32, hooks));

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/data/questions.h"
#include "core/evaluation/masked_nll.h"
#include "core/model/model.h"
#include "core/routing/sharing_map.h"

namespace strata {

/// One question, tokenised.
struct PreparedQuestion {
  const Question* question = nullptr;
  std::vector<TokenId> prompt;
  std::vector<TokenId> gold;  // empty where no answer is known
  std::string passages;       // as asked: they may have lost their end
};

/// Questions whose prompts begin with the same `shared` ids; 0: prompts of similar length.
struct PromptGroup {
  std::size_t shared = 0;
  std::vector<std::size_t> questions;
};

struct QuestionBatch {
  std::vector<PromptGroup> groups;
  /// In the order of the groups.
  std::vector<std::size_t> questions() const;
};

struct BatchLimits {
  int answerTokens = 32;              // at most, of an answer
  std::int64_t bytesPerToken = 0;     // of the KV cache, all layers
  std::int64_t cacheBytes = 1 << 30;  // of a batch; one question may take more
};

/// The questions alone decide it, so that an evaluation that goes on computes the batches that it would have.
std::vector<QuestionBatch> planBatches(const std::vector<PreparedQuestion>& questions, const BatchLimits& limits);

struct QuestionOutcome {
  std::string text;  // that was generated, up to a newline
  NllSum gold;
};

inline void to_json(Json& json, const QuestionOutcome& outcome) {
  json = {outcome.text, outcome.gold};
}
inline void from_json(const Json& json, QuestionOutcome& outcome) {
  json.at(0).get_to(outcome.text);
  json.at(1).get_to(outcome.gold);
}

/// Bytes of a model's cache where every layer owns, and the default share of memory.
BatchLimits batchLimits(const Model& model, int answerTokens);

/// In the order of batch.questions(). `alsoEndAt`: ids that end an answer beside the model's own. Errors: cancellation,
/// memory, logits that are no finite numbers.
Result<std::vector<QuestionOutcome>> answerBatch(const std::shared_ptr<const Model>& model, const SharingMap& map,
                                                 const std::vector<PreparedQuestion>& questions,
                                                 const QuestionBatch& batch, int answerTokens, const TaskHooks& hooks,
                                                 const std::vector<TokenId>& alsoEndAt = {});

struct GoldOutcome {
  NllSum sum;
  std::vector<TokenId> likeliest;  // where they are asked for: of each gold id's place, after the gold ids before it
};

inline void to_json(Json& json, const GoldOutcome& outcome) {
  json = {outcome.sum, outcome.likeliest};
}
inline void from_json(const Json& json, GoldOutcome& outcome) {
  json.at(0).get_to(outcome.sum);
  json.at(1).get_to(outcome.likeliest);
}

/// The losses of the gold answers alone.
Result<std::vector<GoldOutcome>> scoreBatch(const std::shared_ptr<const Model>& model, const SharingMap& map,
                                            const std::vector<PreparedQuestion>& questions, const QuestionBatch& batch,
                                            bool likeliest, const TaskHooks& hooks);

}  // namespace strata
