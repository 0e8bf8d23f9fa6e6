// Tasks that are scored by the likelihood of given answers: multiple choice, yes or no, the last word of a text; as
// lm-evaluation-harness counts them.

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/distributed/dealing.h"
#include "core/evaluation/question_preparer.h"
#include "core/evaluation/tasks.h"
#include "core/routing/memory.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

/// A question with all that can be said to it: rows [first, first + choices.size()) of what is computed.
struct Asked {
  const Question* question = nullptr;
  std::vector<std::string> choices;
  std::size_t first = 0;
};

struct Prepared {
  std::vector<Asked> asked;
  std::vector<PreparedQuestion> rows;
  std::vector<std::size_t> ofRow;  // which question
  std::int64_t truncated = 0;
};

Result<Prepared> prepareAll(const Model& model, const TaskPrompt& prompt, const QuestionSet& data,
                            const std::vector<const Question*>& questions, const TaskHooks& hooks) {
  Prepared prepared;
  const QuestionPreparer preparer(model, prompt, data.format, 0);
  for (const Question* question : questions) {
    STRATA_CHECK(hooks.check());
    std::vector<std::string> choices = prompt.choices(*question);
    if (choices.empty()) choices.push_back(prompt.target(*question));
    bool cut = false;
    STRATA_TRY(std::vector<PreparedQuestion> rows, preparer.prepare(*question, prepared.asked.size(), choices, cut));
    prepared.ofRow.resize(prepared.ofRow.size() + rows.size(), prepared.asked.size());
    prepared.asked.push_back({question, std::move(choices), prepared.rows.size()});
    std::move(rows.begin(), rows.end(), std::back_inserter(prepared.rows));
    prepared.truncated += cut ? 1 : 0;
  }
  return prepared;
}

std::size_t charactersIn(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += readUtf8(std::string_view(text).substr(at)).length) ++count;
  return count;
}

/// The first of the most likely ones; by characters: the sum divided by how long the choice is.
std::size_t mostLikely(const Asked& asked, const std::vector<GoldOutcome>& outcomes, bool byCharacters) {
  std::size_t best = 0;
  double most = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < asked.choices.size(); ++i) {
    const double length =
        byCharacters ? static_cast<double>(std::max<std::size_t>(1, charactersIn(asked.choices[i]))) : 1;
    const double likelihood = -outcomes[asked.first + i].sum.sum / length;
    if (likelihood <= most) continue;
    most = likelihood;
    best = i;
  }
  return best;
}

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  return text;
}

/// One map's answers while the rows are computed.
class ChoiceAnswers {
 public:
  ChoiceAnswers(const NamedMap& map, const Model& model, const Prepared& data, QaFormat format, const TaskHooks& hooks)
      : m_map(map),
        m_model(model),
        m_data(data),
        m_format(format),
        m_outcomes(data.rows.size()),
        m_answers(data.asked.size()),
        m_left(data.asked.size(), 0),
        m_told(data.asked.size(), false) {
    for (const std::size_t question : data.ofRow) ++m_left[question];
    for (std::size_t i = 0; i < data.asked.size(); ++i) {
      const TaskAnswer* known = hooks.find(map.name, data.asked[i].question->id);
      if (known == nullptr) continue;
      m_answers[i] = *known;
      m_told[i] = true;
    }
  }

  bool wants(std::size_t row) const { return !m_told[m_data.ofRow[row]]; }

  /// The answers of which this was the last part.
  Result<std::vector<TaskAnswer>> add(const std::vector<std::size_t>& rows, std::vector<GoldOutcome> outcomes) {
    std::vector<TaskAnswer> whole;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t question = m_data.ofRow[rows[i]];
      m_outcomes[rows[i]] = std::move(outcomes[i]);
      if (--m_left[question] > 0 || m_told[question]) continue;
      STRATA_TRY(m_answers[question], answerTo(m_data.asked[question]));
      m_told[question] = true;
      whole.push_back(m_answers[question]);
    }
    return whole;
  }

  void sumUp(TaskResult& result) const {
    NllSum loss;
    Metrics sums;
    for (const TaskAnswer& answer : m_answers) {
      const auto score = [&](const char* name) {
        const auto found = answer.scores.find(name);
        return found == answer.scores.end() ? 0 : found->second;
      };
      loss += NllSum::of(score("nll"), static_cast<std::int64_t>(score("tokens")));
      for (const char* name : {"acc", "acc_norm"}) {
        if (answer.scores.contains(name)) sums[name] += score(name);
      }
    }
    for (const auto& [name, sum] : sums) result.metrics[name] = sum / static_cast<double>(m_answers.size());
    result.metrics["nll"] = loss.mean();
    result.tokens = loss.tokens;
    if (m_format == QaFormat::lastWord) {
      result.metrics["perplexity"] = std::exp(loss.sum / static_cast<double>(m_answers.size()));  // of a word
    }
  }

 private:
  Result<TaskAnswer> answerTo(const Asked& asked) const {
    const Question& question = *asked.question;
    const bool isWord = m_format == QaFormat::lastWord;
    const std::size_t row = asked.first + (isWord ? 0 : question.right);
    const PreparedQuestion& right = m_data.rows[row];
    TaskAnswer told;
    told.map = m_map.name;
    told.question = question.id;
    const NllSum& sum = m_outcomes[row].sum;
    told.scores["nll"] = sum.mean();
    told.scores["tokens"] = static_cast<double>(sum.tokens);
    if (isWord) {
      told.scores["acc"] = m_outcomes[row].likeliest == right.gold ? 1 : 0;
      STRATA_TRY(std::string said, m_model.tokenizer()->decode(m_outcomes[row].likeliest, true));
      told.answer = trimmed(std::move(said));
    } else {
      const std::size_t chosen = mostLikely(asked, m_outcomes, false);
      told.scores["acc"] = chosen == question.right ? 1 : 0;
      told.answer = question.choices[chosen];
      if (m_format == QaFormat::multipleChoice) {
        told.scores["acc_norm"] = mostLikely(asked, m_outcomes, true) == question.right ? 1 : 0;
      }
    }
    told.asked = {question.question, question.target,  right.passages,
                  question.group,    question.answers, question.answerable};
    return told;
  }

  const NamedMap& m_map;
  const Model& m_model;
  const Prepared& m_data;
  QaFormat m_format;
  std::vector<GoldOutcome> m_outcomes;
  std::vector<TaskAnswer> m_answers;
  std::vector<std::size_t> m_left;  // rows of each question to come
  std::vector<bool> m_told;
};

}  // namespace

Result<std::vector<TaskResult>> evaluateChoices(const std::shared_ptr<const Model>& model,
                                                const std::vector<NamedMap>& maps, const QuestionSet& data,
                                                const TaskOptions& options, const TaskHooks& hooks) {
  STRATA_CHECK(model->needTokenizer());
  STRATA_TRY(const std::vector<const Question*> questions, askedOf(data, options.limit));
  STRATA_TRY(const TaskPrompt prompt, TaskPrompt::make(data, options.ask));
  STRATA_TRY(const Prepared prepared, prepareAll(*model, prompt, data, questions, hooks));
  std::vector<TaskResult> results;
  std::vector<ChoiceAnswers> answers;
  for (const NamedMap& map : maps) {
    results.push_back(resultOf(map, *model, static_cast<std::int64_t>(questions.size()), prepared.truncated));
    answers.emplace_back(map, *model, prepared, data.format, hooks);
  }
  const auto all = static_cast<std::int64_t>(questions.size() * maps.size());
  const auto rows = static_cast<std::int64_t>(prepared.rows.size() * maps.size());
  struct Part {
    std::size_t map;
    std::vector<std::size_t> rows;
    const QuestionBatch* batch;
  };
  const std::vector<QuestionBatch> batches = planBatches(prepared.rows, batchLimits(*model, 0));
  std::int64_t done = 0;  // rows
  std::vector<Part> parts;
  for (const QuestionBatch& batch : batches) {
    const std::vector<std::size_t> inBatch = batch.questions();
    for (std::size_t m = 0; m < maps.size(); ++m) {
      if (std::any_of(inBatch.begin(), inBatch.end(), [&](std::size_t row) { return answers[m].wants(row); })) {
        parts.push_back({m, inBatch, &batch});
      } else {
        done += static_cast<std::int64_t>(inBatch.size());
      }
    }
  }
  using Timed = std::pair<double, std::vector<GoldOutcome>>;  // seconds
  const auto compute = [&](std::size_t i) -> Result<Timed> {
    const auto started = std::chrono::steady_clock::now();
    STRATA_TRY(auto outcomes, scoreBatch(model, maps[parts[i].map].map, prepared.rows, *parts[i].batch,
                                         data.format == QaFormat::lastWord, hooks));
    return Timed(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count(),
                 std::move(outcomes));
  };
  const auto take = [&](std::size_t i, Timed timed) -> Result<void> {
    const Part& part = parts[i];
    STRATA_TRY(const std::vector<TaskAnswer> told, answers[part.map].add(part.rows, std::move(timed.second)));
    if (hooks.onAnswers && !told.empty()) STRATA_CHECK(hooks.onAnswers(told));
    results[part.map].seconds += timed.first;
    done += static_cast<std::int64_t>(part.rows.size());
    if (hooks.onProgress) hooks.onProgress(done * all / rows, all);
    return {};
  };
  STRATA_CHECK(deal<Timed>(hooks.ranks, parts.size(), compute, take));
  for (std::size_t m = 0; m < maps.size(); ++m) answers[m].sumUp(results[m]);
  return results;
}

}  // namespace strata
