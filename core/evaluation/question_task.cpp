// Tasks of questions: prompts that fit the context, greedy answers batch by batch under all maps, and their scores.

#include <algorithm>
#include <chrono>

#include "core/data/dataset.h"
#include "core/distributed/dealing.h"
#include "core/evaluation/question_batches.h"
#include "core/evaluation/question_preparer.h"
#include "core/evaluation/question_rules.h"
#include "core/evaluation/tasks.h"
#include "core/metrics/english_words.h"
#include "core/metrics/marco_scores.h"
#include "core/model/chat_prompt.h"

namespace strata {
namespace {

double secondsSince(std::chrono::steady_clock::time_point started) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

struct PreparedData {
  std::vector<PreparedQuestion> questions;
  std::int64_t truncated = 0;
  std::vector<TokenId> endIds;  // of a chat's turns
};

Result<PreparedData> prepareAll(const Model& model, const QuestionTask& task, const QuestionSet& data,
                                const std::vector<const Question*>& asked, const TaskOptions& options,
                                const TaskHooks& hooks) {
  STRATA_TRY(const TaskPrompt prompt, TaskPrompt::make(data, options.ask));
  const QuestionPreparer preparer(model, prompt, data.format, task.answerTokens());
  PreparedData prepared;
  if (prompt.isChat()) prepared.endIds = chatEndIds(model);
  for (const Question* question : asked) {
    STRATA_CHECK(hooks.check());
    bool cut = false;
    STRATA_TRY(std::vector<PreparedQuestion> one,
               preparer.prepare(*question, prepared.questions.size(), {prompt.target(*question)}, cut));
    prepared.questions.push_back(std::move(one.front()));
    prepared.truncated += cut ? 1 : 0;
  }
  return prepared;
}

/// What a long answer says, as a candidate of MS MARCO's evaluator.
Question candidateOf(const Question& question, const std::string& answer) {
  Question candidate;
  candidate.id = question.id;
  candidate.answerable = !answer.empty();
  if (candidate.answerable) candidate.answers.push_back(answer);
  return candidate;
}

double rougeLOf(const Question& question, const std::string& answer) {
  std::vector<MarcoTokens> references;
  for (const std::string& reference : question.answers) references.push_back(englishWords(reference));
  return marcoRougeL(englishWords(answer), references);
}

TaskAnswer answerOf(const NamedMap& map, const QuestionTask& task, const PreparedQuestion& asked,
                    const QuestionOutcome& outcome) {
  const Question& question = *asked.question;
  TaskAnswer told;
  told.map = map.name;
  told.question = question.id;
  told.answer = task.readAnswer(outcome.text);
  told.scores = task.scores(told.answer, question);
  if (outcome.gold.tokens > 0) {
    told.scores["nll"] = outcome.gold.mean();
    told.scores["tokens"] = static_cast<double>(outcome.gold.tokens);
  }
  if (task.hasLongAnswers() && question.answerable) told.scores["rouge_l"] = rougeLOf(question, told.answer);
  told.asked = {question.question, task.targetOf(question), asked.passages,
                question.group,    question.answers,        question.answerable};
  return told;
}

/// Scores of all answers under one map; answers[i] is that to asked[i].
Result<void> sumUp(const QuestionTask& task, const std::vector<const Question*>& asked,
                   const std::vector<TaskAnswer>& answers, TaskResult& result) {
  QuestionSet references, candidates;
  Metrics sums;
  std::int64_t counted = 0;  // MS MARCO: those with an answer
  NllSum loss;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const Question& question = *asked[i];
    const Metrics& scores = answers[i].scores;
    const auto score = [&](const char* name) { return scores.contains(name) ? scores.at(name) : 0; };
    loss += NllSum::of(score("nll"), static_cast<std::int64_t>(score("tokens")));
    if (task.hasLongAnswers()) {
      references.questions.push_back(question);
      candidates.questions.push_back(candidateOf(question, answers[i].answer));
    }
    if (task.hasLongAnswers() && !question.answerable) continue;
    ++counted;
    for (const char* name : {"em", "f1", "subspan_em", "acc"}) {
      if (scores.contains(name)) sums[name] += score(name);
    }
    if (scores.contains("f1")) result.f1.push_back(score("f1"));
  }
  result.metrics["nll"] = loss.mean();
  result.tokens = loss.tokens;
  for (const auto& [name, sum] : sums) result.metrics[name] = sum / static_cast<double>(counted);
  if (!task.hasLongAnswers()) return {};
  STRATA_TRY(const MarcoScores scores, scoreMarco(references, candidates));
  result.metrics["answerable_f1"] = scores.answerableF1;
  if (counted == 0) return {};
  result.metrics["rouge_l"] = scores.rougeL;
  result.metrics["bleu_1"] = scores.bleu[0];
  return {};
}

/// One batch under one map.
struct Part {
  std::size_t map = 0;
  const QuestionBatch* batch = nullptr;
  std::vector<std::size_t> unknown;  // of its questions
};

/// Takes what is known of a batch; what is left to compute.
std::vector<std::size_t> takeKnown(const NamedMap& map, const PreparedData& data, const QuestionBatch& batch,
                                   const TaskHooks& hooks, std::vector<TaskAnswer>& answers) {
  std::vector<std::size_t> unknown;
  for (const std::size_t at : batch.questions()) {
    const TaskAnswer* known = hooks.find(map.name, data.questions[at].question->id);
    if (known != nullptr) {
      answers[at] = *known;
    } else {
      unknown.push_back(at);
    }
  }
  return unknown;
}

/// Answers that a batch gave: noted, and told.
Result<void> takeOutcomes(const NamedMap& map, const QuestionTask& task, const PreparedData& data, const Part& part,
                          const std::vector<QuestionOutcome>& outcomes, const TaskHooks& hooks,
                          std::vector<TaskAnswer>& answers) {
  const std::vector<std::size_t> questions = part.batch->questions();
  std::vector<TaskAnswer> told;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const std::size_t at = questions[i];
    if (std::find(part.unknown.begin(), part.unknown.end(), at) == part.unknown.end()) continue;
    answers[at] = answerOf(map, task, data.questions[at], outcomes[i]);
    told.push_back(answers[at]);
  }
  return hooks.onAnswers ? hooks.onAnswers(told) : Result<void>();
}

}  // namespace

Result<QuestionSet> sampleQuestions(QuestionSet data, int limit, std::uint64_t seed) {
  constexpr std::uint64_t kNoEpoch = ~std::uint64_t{0};  // of training, whose order is drawn in the same way
  std::vector<Question>& all = data.questions;
  const auto cannotBeScored = [](const Question& each) { return each.answerable && each.answers.empty(); };
  all.erase(std::remove_if(all.begin(), all.end(), cannotBeScored), all.end());
  if (all.empty()) return fail(ErrorCode::invalidData, "The data hold no questions with known answers.", "--data");
  std::vector<Question> sample;
  for (const std::uint32_t i : permutation(seed, kNoEpoch, static_cast<std::uint32_t>(all.size()))) {
    if (limit > 0 && sample.size() == static_cast<std::size_t>(limit)) break;
    sample.push_back(std::move(all[i]));
  }
  all = std::move(sample);
  return data;
}

Result<std::vector<TaskResult>> evaluateQuestions(const std::shared_ptr<const Model>& model,
                                                  const std::vector<NamedMap>& maps, const QuestionSet& data,
                                                  const TaskOptions& options, const TaskHooks& hooks) {
  if (isAnsweredByChoice(data.format)) return evaluateChoices(model, maps, data, options, hooks);
  STRATA_CHECK(model->needTokenizer());
  STRATA_TRY(const std::vector<const Question*> asked, askedOf(data, options.limit));
  if (std::all_of(asked.begin(), asked.end(), [](const Question* question) { return question->question.empty(); })) {
    return fail(ErrorCode::invalidData, "The data hold answers but no text of questions; give the data set itself.",
                "--data");
  }
  const QuestionTask task(data);
  STRATA_TRY(const PreparedData prepared, prepareAll(*model, task, data, asked, options, hooks));
  std::vector<TaskResult> results;
  for (const NamedMap& map : maps) {
    results.push_back(resultOf(map, *model, static_cast<std::int64_t>(asked.size()), prepared.truncated));
  }
  const BatchLimits limits = batchLimits(*model, task.answerTokens());
  std::vector<std::vector<TaskAnswer>> answers(maps.size(), std::vector<TaskAnswer>(asked.size()));
  const auto all = static_cast<std::int64_t>(asked.size() * maps.size());
  const std::vector<QuestionBatch> batches = planBatches(prepared.questions, limits);
  std::int64_t done = 0;
  std::vector<Part> parts;  // to compute
  for (const QuestionBatch& batch : batches) {
    for (std::size_t m = 0; m < maps.size(); ++m) {
      Part part{m, &batch, takeKnown(maps[m], prepared, batch, hooks, answers[m])};
      if (part.unknown.empty()) {
        done += static_cast<std::int64_t>(batch.questions().size());
      } else {
        parts.push_back(std::move(part));
      }
    }
  }
  if (done > 0 && hooks.onProgress) hooks.onProgress(done, all);
  using Timed = std::pair<double, std::vector<QuestionOutcome>>;  // seconds
  const auto compute = [&](std::size_t i) -> Result<Timed> {
    const auto started = std::chrono::steady_clock::now();
    STRATA_TRY(auto outcomes, answerBatch(model, maps[parts[i].map].map, prepared.questions, *parts[i].batch,
                                          task.answerTokens(), hooks, prepared.endIds));
    return Timed(secondsSince(started), std::move(outcomes));
  };
  const auto take = [&](std::size_t i, const Timed& timed) -> Result<void> {
    const Part& part = parts[i];
    STRATA_CHECK(takeOutcomes(maps[part.map], task, prepared, part, timed.second, hooks, answers[part.map]));
    results[part.map].seconds += timed.first;
    done += static_cast<std::int64_t>(part.batch->questions().size());
    if (hooks.onProgress) hooks.onProgress(done, all);
    return {};
  };
  STRATA_CHECK(deal<Timed>(hooks.ranks, parts.size(), compute, take));
  for (std::size_t m = 0; m < maps.size(); ++m) STRATA_CHECK(sumUp(task, asked, answers[m], results[m]));
  return results;
}

}  // namespace strata
