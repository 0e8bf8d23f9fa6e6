// The SQuAD task: prompts that fit the context, greedy answers in batches of similar length, and the loss of gold
// answers.

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>

#include "core/evaluation/answer_metrics.h"
#include "core/evaluation/masked_nll.h"
#include "core/evaluation/tasks.h"
#include "core/model/generate.h"
#include "core/routing/memory.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

constexpr int kAnswerTokens = 32;
constexpr std::size_t kBatchPrompts = 16;
constexpr std::size_t kBatchTokens = 8192;  // prompts and answers, padding included
const std::string kNoAnswer = "unanswerable";

std::string_view trimmedLine(std::string_view text) {
  constexpr const char* kSpace = " \t\r\n\v\f";
  text = text.substr(0, text.find('\n'));
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// One question, tokenised.
struct Prepared {
  const SquadQuestion* question = nullptr;
  std::vector<TokenId> prompt;
  std::vector<TokenId> gold;
};

struct PreparedData {
  std::vector<Prepared> questions;
  std::int64_t truncated = 0;
};

class Preparer {
 public:
  Preparer(const Model& model, bool version2) : m_model(model), m_version2(version2) {}

  /// Cuts the passage's end, character by character, until prompt and answer fit; `cut` says whether it had to.
  Result<Prepared> prepare(const SquadQuestion& question, bool& cut) const {
    const std::string gold = " " + (question.answers.empty() ? kNoAnswer : question.answers.front());
    Prepared whole = pairOf(question, question.context, gold);
    const std::int64_t room = m_model.context() - std::max(kAnswerTokens, static_cast<int>(whole.gold.size()));
    const auto fits = [&](const std::vector<TokenId>& prompt) {
      return static_cast<std::int64_t>(prompt.size()) <= room;
    };
    cut = !fits(whole.prompt);
    if (!cut) return whole;
    if (!fits(promptIds(question, ""))) {
      return fail(ErrorCode::invalidData,
                  "The question " + question.id + " does not fit the context of " + std::to_string(m_model.context()) +
                      " even without its passage; raise --context.",
                  question.id);
    }
    const std::vector<std::size_t> ends = characterEnds(question.context);
    std::size_t kept = 0, tooMany = ends.size();  // characters
    while (tooMany - kept > 1) {
      const std::size_t middle = kept + (tooMany - kept) / 2;
      (fits(promptIds(question, question.context.substr(0, ends[middle]))) ? kept : tooMany) = middle;
    }
    return pairOf(question, question.context.substr(0, ends[kept]), gold);
  }

 private:
  std::vector<TokenId> promptIds(const SquadQuestion& question, const std::string& passage) const {
    const Tokenizer& tokenizer = *m_model.tokenizer();
    return tokenizer.withSpecials(tokenizer.encode(squadPrompt(question, passage, m_version2)));
  }

  Prepared pairOf(const SquadQuestion& question, const std::string& passage, const std::string& gold) const {
    const Tokenizer& tokenizer = *m_model.tokenizer();
    PromptAndCompletion pair = encodePair(tokenizer, squadPrompt(question, passage, m_version2), gold);
    return {&question, tokenizer.withSpecials(std::move(pair.prompt)), std::move(pair.completion)};
  }

  /// [i]: bytes of the first i characters.
  static std::vector<std::size_t> characterEnds(std::string_view text) {
    std::vector<std::size_t> ends{0};
    for (std::size_t at = 0; at < text.size();) {
      at += readUtf8(text.substr(at)).length;
      ends.push_back(at);
    }
    return ends;
  }

  const Model& m_model;
  bool m_version2;
};

Result<PreparedData> prepareAll(const Model& model, const SquadData& data, std::size_t count, const TaskHooks& hooks) {
  PreparedData prepared;
  const Preparer preparer(model, data.version2);
  for (std::size_t i = 0; i < count; ++i) {
    if (hooks.cancel != nullptr && hooks.cancel->load())
      return fail(ErrorCode::cancelled, "The evaluation was cancelled.");
    bool cut = false;
    STRATA_TRY(Prepared one, preparer.prepare(data.questions[i], cut));
    prepared.questions.push_back(std::move(one));
    prepared.truncated += cut ? 1 : 0;
  }
  return prepared;
}

/// Question id -> answer.
Result<std::map<std::string, std::string>> answerAll(const std::shared_ptr<const Model>& model, const NamedMap& map,
                                                     const PreparedData& data, bool version2, const TaskHooks& hooks) {
  const auto& questions = data.questions;
  std::vector<std::size_t> order(questions.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return questions[a].prompt.size() < questions[b].prompt.size();
  });
  GenerateConfig config;
  config.maxTokens = kAnswerTokens;
  GenerateHooks generation;
  generation.cancel = hooks.cancel;
  generation.stopWhen = [](const std::string& text) { return text.find('\n') != std::string::npos; };
  std::map<std::string, std::string> answers;
  for (std::size_t begin = 0; begin < order.size();) {
    std::vector<std::vector<TokenId>> prompts;
    const std::size_t first = begin;
    for (; begin < order.size() && prompts.size() < kBatchPrompts; ++begin) {
      const auto& prompt = questions[order[begin]].prompt;
      if (!prompts.empty() && (prompts.size() + 1) * (prompt.size() + kAnswerTokens) > kBatchTokens) break;
      prompts.push_back(prompt);
    }
    STRATA_TRY(const GenerateResult result, generate(model, map.map, prompts, config, generation));
    if (hooks.cancel != nullptr && hooks.cancel->load())
      return fail(ErrorCode::cancelled, "The evaluation was cancelled.");
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      answers[questions[order[first + i]].question->id] = squadAnswer(result.answers[i].text, version2);
    }
    if (hooks.onProgress)
      hooks.onProgress(map.name, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(order.size()));
  }
  return answers;
}

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

}  // namespace

std::string squadPrompt(const SquadQuestion& question, const std::string& passage, bool version2) {
  return "Context: " + passage + "\nQuestion: " + question.question + "\n" +
         (version2 ? "If there is no answer, say unanswerable.\n" : "") + "Answer:";
}

std::string squadAnswer(const std::string& generated, bool version2) {
  std::string answer(trimmedLine(generated));
  if (version2 && normalizeAnswer(answer) == kNoAnswer) answer.clear();
  return answer;
}

Result<std::vector<TaskResult>> evaluateSquad(const std::shared_ptr<const Model>& model,
                                              const std::vector<NamedMap>& maps, const SquadData& data,
                                              const TaskOptions& options, const TaskHooks& hooks) {
  if (model->tokenizer() == nullptr) {
    return fail(ErrorCode::notFound, "The model has no tokenizer.model, so questions cannot be asked.", "tokenizer");
  }
  const std::size_t count = options.limit > 0 ? std::min(data.questions.size(), static_cast<std::size_t>(options.limit))
                                              : data.questions.size();
  if (count == 0) return fail(ErrorCode::invalidData, "The data hold no questions.", "--data");
  STRATA_TRY(const PreparedData prepared, prepareAll(*model, data, count, hooks));
  const std::vector<ScoredRow> gold = goldRows(prepared);
  std::vector<TaskResult> results;
  for (const NamedMap& map : maps) {
    const auto started = std::chrono::steady_clock::now();
    STRATA_TRY(const auto answers, answerAll(model, map, prepared, data.version2, hooks));
    TaskResult result;
    double exact = 0, f1 = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const SquadQuestion& question = data.questions[i];
      const std::string& answer = answers.at(question.id);
      const AnswerScore score = scoreAnswer(answer, question.answers);
      exact += score.exact;
      f1 += score.f1;
      if (hooks.onAnswer) STRATA_CHECK(hooks.onAnswer({map.name, question.id, answer, score.exact, score.f1}));
    }
    TaskHooks quiet;
    quiet.cancel = hooks.cancel;
    STRATA_TRY(const NllSum sum, sumNll(*model, map, gold, quiet));
    result.map = map.name;
    result.src = map.map;
    result.retention = map.map.retention();
    result.exact = exact / static_cast<double>(count);
    result.f1 = f1 / static_cast<double>(count);
    result.nll = sum.tokens > 0 ? sum.sum / static_cast<double>(sum.tokens) : 0;
    result.tokens = sum.tokens;
    result.n = static_cast<std::int64_t>(count);
    result.truncated = prepared.truncated;
    result.kvBytesPerToken =
        kvBytes(map.map, model->config().shape(), 1, static_cast<int>(c10::elementSize(model->dtype())));
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace strata
