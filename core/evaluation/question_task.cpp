// Tasks of questions: prompts that fit the context, greedy answers in batches of similar length, and the loss of gold
// answers.

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>

#include "core/data/dataset.h"
#include "core/evaluation/masked_nll.h"
#include "core/evaluation/question_rules.h"
#include "core/evaluation/tasks.h"
#include "core/metrics/english_words.h"
#include "core/metrics/marco_scores.h"
#include "core/model/generate.h"
#include "core/routing/memory.h"

namespace strata {
namespace {

constexpr std::size_t kBatchPrompts = 16;
constexpr std::size_t kQuestionBatchTokens = 8192;  // prompts and answers, padding included

/// One question, tokenised.
struct Prepared {
  const Question* question = nullptr;
  std::vector<TokenId> prompt;
  std::vector<TokenId> gold;  // empty where no answer is known
};

struct PreparedData {
  std::vector<Prepared> questions;
  std::int64_t truncated = 0;
};

class Preparer {
 public:
  Preparer(const Model& model, const QuestionTask& task) : m_model(model), m_task(task) {}

  /// Cuts the passages' end, character by character, until prompt and answer fit; `cut` says whether it had to.
  Result<Prepared> prepare(const Question& question, bool& cut) const {
    QuestionPrompt prompt = m_task.promptOf(question);
    const std::string target = m_task.targetOf(question);
    Prepared whole = pairOf(question, prompt, target);
    const std::int64_t room = m_model.context() - std::max(m_task.answerTokens(), static_cast<int>(whole.gold.size()));
    const auto fits = [&](const std::vector<TokenId>& ids) { return static_cast<std::int64_t>(ids.size()) <= room; };
    cut = !fits(whole.prompt);
    if (!cut) return whole;
    if (!fits(promptIds(prompt, ""))) {
      return fail(ErrorCode::invalidData,
                  "The question " + question.id + " does not fit the context of " + std::to_string(m_model.context()) +
                      " even without its passages; use a longer context.",
                  question.id);
    }
    prompt.passages =
        longestThatFits(prompt.passages, [&](const std::string& part) { return fits(promptIds(prompt, part)); });
    return pairOf(question, prompt, target);
  }

 private:
  std::vector<TokenId> promptIds(const QuestionPrompt& prompt, const std::string& passages) const {
    const Tokenizer& tokenizer = *m_model.tokenizer();
    return tokenizer.withSpecials(tokenizer.encode(prompt.with(passages)));
  }

  Prepared pairOf(const Question& question, const QuestionPrompt& prompt, const std::string& target) const {
    const Tokenizer& tokenizer = *m_model.tokenizer();
    if (target.empty()) return {&question, promptIds(prompt, prompt.passages), {}};
    PromptAndCompletion pair = encodePair(tokenizer, prompt.whole(), " " + target);
    return {&question, tokenizer.withSpecials(std::move(pair.prompt)), std::move(pair.completion)};
  }

  const Model& m_model;
  const QuestionTask& m_task;
};

bool canBeScored(const Question& question) {
  return !question.answerable || !question.answers.empty();
}

/// Those that can be scored, at most `limit` of them (0: all).
std::vector<const Question*> askedOf(const QuestionSet& data, int limit) {
  std::vector<const Question*> asked;
  for (const Question& question : data.questions) {
    if (limit > 0 && asked.size() == static_cast<std::size_t>(limit)) break;
    if (canBeScored(question)) asked.push_back(&question);
  }
  return asked;
}

Result<PreparedData> prepareAll(const Model& model, const QuestionTask& task, const std::vector<const Question*>& asked,
                                const TaskHooks& hooks) {
  PreparedData prepared;
  const Preparer preparer(model, task);
  for (const Question* question : asked) {
    STRATA_CHECK(hooks.check());
    bool cut = false;
    STRATA_TRY(Prepared one, preparer.prepare(*question, cut));
    prepared.questions.push_back(std::move(one));
    prepared.truncated += cut ? 1 : 0;
  }
  return prepared;
}

/// Question id -> answer.
Result<std::map<std::string, std::string>> answerAll(const std::shared_ptr<const Model>& model, const NamedMap& map,
                                                     const PreparedData& data, const QuestionTask& task,
                                                     const TaskHooks& hooks) {
  const auto& questions = data.questions;
  const auto answerTokens = static_cast<std::size_t>(task.answerTokens());
  std::vector<std::size_t> order(questions.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return questions[a].prompt.size() < questions[b].prompt.size();
  });
  GenerateConfig config;
  config.maxTokens = task.answerTokens();
  std::atomic<bool> stopped = false;
  GenerateHooks generation;
  generation.cancel = hooks.goOn ? &stopped : hooks.cancel;
  if (hooks.goOn) {
    generation.onToken = [&](std::size_t, TokenId, const std::string&) { stopped = stopped || !hooks.check(); };
  }
  generation.stopWhen = [](const std::string& text) { return text.find('\n') != std::string::npos; };
  std::map<std::string, std::string> answers;
  for (std::size_t begin = 0; begin < order.size();) {
    STRATA_CHECK(hooks.check());
    std::vector<std::vector<TokenId>> prompts;
    const std::size_t first = begin;
    for (; begin < order.size() && prompts.size() < kBatchPrompts; ++begin) {
      const auto& prompt = questions[order[begin]].prompt;
      if (!prompts.empty() && (prompts.size() + 1) * (prompt.size() + answerTokens) > kQuestionBatchTokens) break;
      prompts.push_back(prompt);
    }
    STRATA_TRY(const GenerateResult result, generate(model, map.map, prompts, config, generation));
    const bool isCut = generation.cancel != nullptr && generation.cancel->load();
    if (isCut) return fail(ErrorCode::cancelled, "The evaluation was cancelled.");
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      answers[questions[order[first + i]].question->id] = task.readAnswer(result.answers[i].text);
    }
    if (hooks.onProgress)
      hooks.onProgress(map.name, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(order.size()));
  }
  return answers;
}

/// A row for each question; where no answer is known nothing of it is predicted.
std::vector<ScoredRow> goldRows(const PreparedData& data) {
  std::vector<ScoredRow> rows;
  for (const Prepared& one : data.questions) {
    ScoredRow row{one.prompt, std::vector<bool>(one.prompt.size(), false)};
    row.ids.insert(row.ids.end(), one.gold.begin(), one.gold.end());
    row.predicted.resize(row.ids.size(), true);
    rows.push_back(std::move(row));
  }
  return rows;
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

/// Scores of all answers under one map.
Result<void> scoreAll(const NamedMap& map, const QuestionTask& task, const std::vector<const Question*>& asked,
                      const std::map<std::string, std::string>& answers, const std::vector<NllSum>& losses,
                      const TaskHooks& hooks, TaskResult& result) {
  QuestionSet references, candidates;
  AnswerScore sum;
  NllSum loss;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const Question* question = asked[i];
    const std::string& answer = answers.at(question->id);
    const AnswerScore score = task.score(answer, *question);
    TaskAnswer told{map.name,
                    question->id,
                    answer,
                    {{"em", score.exact}, {"f1", score.f1}},
                    question->question,
                    task.targetOf(*question)};
    loss += losses[i];
    if (losses[i].tokens > 0) {
      told.scores["nll"] = losses[i].mean();
      told.scores["tokens"] = static_cast<double>(losses[i].tokens);
    }
    if (task.hasLongAnswers()) {
      references.questions.push_back(*question);
      candidates.questions.push_back(candidateOf(*question, answer));
      if (question->answerable) told.scores["rouge_l"] = rougeLOf(*question, answer);
    }
    if (!task.hasLongAnswers() || question->answerable) {
      sum += score;
      result.f1.push_back(score.f1);
    }
    if (hooks.onAnswer) STRATA_CHECK(hooks.onAnswer(told));
  }
  result.metrics["nll"] = loss.mean();
  result.tokens = loss.tokens;
  if (!result.f1.empty()) {
    const AnswerScore mean = sum / static_cast<double>(result.f1.size());
    result.metrics["em"] = mean.exact;
    result.metrics["f1"] = mean.f1;
  }
  if (!task.hasLongAnswers()) return {};
  STRATA_TRY(const MarcoScores scores, scoreMarco(references, candidates));
  result.metrics["answerable_f1"] = scores.answerableF1;
  if (result.f1.empty()) return {};
  result.metrics["rouge_l"] = scores.rougeL;
  result.metrics["bleu_1"] = scores.bleu[0];
  return {};
}

}  // namespace

Result<QuestionSet> sampleQuestions(QuestionSet data, int limit, std::uint64_t seed) {
  constexpr std::uint64_t kNoEpoch = ~std::uint64_t{0};  // of training, whose order is drawn in the same way
  std::vector<Question>& all = data.questions;
  all.erase(std::remove_if(all.begin(), all.end(), [](const Question& each) { return !canBeScored(each); }), all.end());
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
  STRATA_CHECK(model->needTokenizer());
  const std::vector<const Question*> asked = askedOf(data, options.limit);
  if (asked.empty()) return fail(ErrorCode::invalidData, "The data hold no questions with known answers.", "--data");
  if (std::all_of(asked.begin(), asked.end(), [](const Question* question) { return question->question.empty(); })) {
    return fail(ErrorCode::invalidData, "The data hold answers but no text of questions; give the data set itself.",
                "--data");
  }
  const QuestionTask task(data);
  STRATA_TRY(const PreparedData prepared, prepareAll(*model, task, asked, hooks));
  const std::vector<ScoredRow> gold = goldRows(prepared);
  std::vector<TaskResult> results;
  for (const NamedMap& map : maps) {
    const auto started = std::chrono::steady_clock::now();
    STRATA_TRY(const auto answers, answerAll(model, map, prepared, task, hooks));
    TaskHooks quiet;
    quiet.cancel = hooks.cancel;
    quiet.goOn = hooks.goOn;
    STRATA_TRY(const std::vector<NllSum> losses, sumNll(*model, map, gold, quiet));
    TaskResult result;
    STRATA_CHECK(scoreAll(map, task, asked, answers, losses, hooks, result));
    result.map = map.name;
    result.src = map.map;
    result.retention = map.map.retention();
    result.n = static_cast<std::int64_t>(asked.size());
    result.truncated = prepared.truncated;
    result.kvBytesPerToken =
        kvBytes(map.map, model->config().shape(), 1, static_cast<int>(c10::elementSize(model->dtype())));
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace strata
