#pragma once
// What `strata eval` measures: negative log-likelihood of held-out data, questions answered greedily, and questions
// scored by the likelihood of what can be said, each under several maps.
//
//   STRATA_TRY(const auto results, evaluateQuestions(model, maps, data, {.limit = 100}, hooks));
// Errors: a model without a tokenizer, unreadable data, cancellation.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/chat_rows.h"
#include "core/data/questions.h"
#include "core/distributed/communicator.h"
#include "core/evaluation/task_prompt.h"
#include "core/model/model.h"
#include "core/project/run_database.h"
#include "core/routing/sharing_map.h"

namespace strata {

struct TaskOptions {
  int limit = 0;                       // the first questions, documents or rows; 0: all
  const ChatRenderer* chat = nullptr;  // the model's chat template, where data may hold conversations
  AskOptions ask = {};                 // how questions are put
  Columns columns = {};                // of texts and rows: columns.h
  std::int64_t window = 0;             // of texts, in tokens; 0: kDefaultWindow; never more than the context
};

/// By their names in answers and files: f1, em, nll, rouge_l, bleu_1, answerable_f1, subspan_em, acc, acc_norm,
/// perplexity. 0 … 1, but nll in nats per token, and perplexity.
using Metrics = std::map<std::string, double>;

/// One answered question under one map; of texts a document or row, without an answer.
struct TaskAnswer {
  std::string map;
  std::string question;  // id; of a text its number in the data, from 1
  std::string answer;
  Metrics scores;     // nll with "tokens", those that were predicted
  RunQuestion asked;  // of a text or row its cluster alone
};

/// A task by its name.
struct EvalTask {
  const char* name;
  std::optional<QaFormat> questions;  // nothing: texts and rows, of which the loss is measured
};
/// As kTaskChoices of the configuration lists them.
const std::vector<EvalTask>& evalTasks();
/// nullptr: there is none.
const EvalTask* findEvalTask(const std::string& name);
/// Questions of this format are scored by the likelihood of given answers, not answered.
bool isAnsweredByChoice(QaFormat format);

/// What an earlier start of the same evaluation found, by map and question.
using KnownAnswers = std::map<std::pair<std::string, std::string>, TaskAnswer>;

struct TaskHooks {
  /// A question, document or row counts once for each map.
  std::function<void(std::int64_t done, std::int64_t all)> onProgress;
  /// What one batch gave, as soon as it is there; what is known already does not come again.
  std::function<Result<void>(const std::vector<TaskAnswer>&)> onAnswers;
  /// Batches of which all is known are not computed. The others are computed whole: which bits an answer has depends on
  /// its batch.
  const KnownAnswers* known = nullptr;
  const std::atomic<bool>* cancel = nullptr;
  /// Asked before each batch and after each token of an answer; false cancels.
  std::function<bool()> goOn;
  /// That batches are shared with: all ranks call the same with the same data and what is known, and have the same
  /// results. Null: none.
  Communicator* ranks = nullptr;

  /// Error: cancellation.
  Result<void> check() const;
  /// nullptr: not known.
  const TaskAnswer* find(const std::string& map, const std::string& question) const;
};

struct TaskResult {
  std::string map;  // as the user named it
  SharingMap src = SharingMap::full(1);
  double retention = 1;
  /// nll always. f1 and em of questions (MS MARCO: of those with an answer); rouge_l, bleu_1 and answerable_f1 of MS
  /// MARCO, by its evaluator (marco_scores.h). subspan_em of Natural Questions: an accepted answer stands in what was
  /// said. acc of key-value pairs: the value stands in it. acc of choices: the right one is the likeliest; acc_norm of
  /// multiple choice: divided by its characters. LAMBADA: acc, the word is what greedy decoding says; perplexity, of a
  /// word.
  Metrics metrics;
  std::vector<double> f1;      // of each question that metrics["f1"] is the mean of
  std::int64_t tokens = 0;     // predicted
  std::int64_t n = 0;          // questions, documents or rows
  std::int64_t truncated = 0;  // questions whose passages lost their end, rows that were cut
  std::int64_t kvBytesPerToken = 0;
  double seconds = 0;
};

/// Text (.txt, or JSONL of {"text"}): each document in windows as scoring cuts them, but of textWindow() tokens. Prompt
/// and completion: rows of at most the model's context, their completions predicted. Broken and empty records are left
/// out, and too many broken ones refused, as in training (Dataset::open).
Result<std::vector<TaskResult>> evaluateNll(const Model& model, const std::vector<NamedMap>& maps,
                                            const std::filesystem::path& data, const TaskOptions& options,
                                            const TaskHooks& hooks = {});

std::int64_t textWindow(const Model& model, const TaskOptions& options);

/// The first `limit` (0: all) of the questions that can be scored, in an order drawn by the seed. Refused: data in
/// which no question can be.
Result<QuestionSet> sampleQuestions(QuestionSet data, int limit, std::uint64_t seed);

/// Greedy answers, at most 32 tokens (MS MARCO and key-value pairs: 64), stopped at a newline; scores by
/// question_rules.h. Questions with choices and last words (isAnsweredByChoice) are scored by the likelihood of each
/// choice, the answer of the model being the likeliest, or of the word.
/// `nll` is that of the answer in the data's words with a leading space ("unanswerable" or "No Answer Present." where
/// there is none), tokenised as completions are (encodePair), summed over all questions and divided by their tokens.
/// Where prompt and answer exceed the context, the passages lose their end (question_preparer.h). Questions whose
/// answer nobody knows are left out.
Result<std::vector<TaskResult>> evaluateQuestions(const std::shared_ptr<const Model>& model,
                                                  const std::vector<NamedMap>& maps, const QuestionSet& data,
                                                  const TaskOptions& options, const TaskHooks& hooks = {});
Result<std::vector<TaskResult>> evaluateChoices(const std::shared_ptr<const Model>& model,
                                                const std::vector<NamedMap>& maps, const QuestionSet& data,
                                                const TaskOptions& options, const TaskHooks& hooks = {});

/// What is known before anything is computed.
TaskResult resultOf(const NamedMap& map, const Model& model, std::int64_t n, std::int64_t truncated);

}  // namespace strata
