#pragma once
// What `strata eval` measures: negative log-likelihood of held-out data, and SQuAD questions answered greedily, each
// under several maps.
//
//   STRATA_TRY(const auto results, evaluateSquad(model, maps, data, {.limit = 100}, hooks));
// Errors: a model without a tokenizer, unreadable data, cancellation.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/squad.h"
#include "core/model/model.h"
#include "core/routing/sharing_map.h"

namespace strata {

struct TaskOptions {
  int limit = 0;  // the first questions, documents or rows; 0: all
};

/// One answered question under one map.
struct TaskAnswer {
  std::string map;
  std::string question;  // id
  std::string answer;
  double exact = 0, f1 = 0;
};

struct TaskHooks {
  std::function<void(const std::string& map, std::int64_t done, std::int64_t all)> onProgress;
  std::function<Result<void>(const TaskAnswer&)> onAnswer;
  const std::atomic<bool>* cancel = nullptr;
};

struct TaskResult {
  std::string map;  // as the user named it
  SharingMap src = SharingMap::full(1);
  double retention = 1;
  std::optional<double> f1, exact;  // 0 … 1; questions only
  double nll = 0;                   // nats per predicted token
  std::int64_t tokens = 0;          // predicted
  std::int64_t n = 0;               // questions, documents or rows
  std::int64_t truncated = 0;       // questions whose passage lost its end, rows that were cut
  std::int64_t kvBytesPerToken = 0;
  double seconds = 0;
};

/// Text (.txt, or JSONL of {"text"}): each document in windows as scoring cuts them. Prompt and completion: rows of at
/// most the model's context, their completions predicted.
Result<std::vector<TaskResult>> evaluateNll(const Model& model, const std::vector<NamedMap>& maps,
                                            const std::filesystem::path& data, const TaskOptions& options,
                                            const TaskHooks& hooks = {});

/// The prompt of a question, without special tokens:
///   Context: …\nQuestion: …\n[If there is no answer, say unanswerable.\n]Answer:
std::string squadPrompt(const SquadQuestion& question, const std::string& passage, bool version2);

/// What an answer's text means: its first line, trimmed; in version 2 "unanswerable" is no answer.
std::string squadAnswer(const std::string& generated, bool version2);

/// Greedy answers of at most 32 tokens, stopped at a newline; exact match and F1 by answer_metrics.h. `nll` is that of
/// the first gold answer with a leading space (version 2, no answer: "unanswerable"), tokenised as completions are
/// (encodePair), summed over all questions and divided by their tokens. Where prompt and answer exceed the context, the
/// passage loses its end.
Result<std::vector<TaskResult>> evaluateSquad(const std::shared_ptr<const Model>& model,
                                              const std::vector<NamedMap>& maps, const SquadData& data,
                                              const TaskOptions& options, const TaskHooks& hooks = {});

}  // namespace strata
