#include "core/evaluation/question_batches.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <numeric>

#include "core/model/generate.h"
#include "core/model/kernel_calls.h"
#include "core/model/loss.h"
#include "core/routing/memory.h"

namespace strata {
namespace {

constexpr std::int64_t kBatchRows = 32;
constexpr std::size_t kGroupTokens = 8192;  // that one pass over a group reads, padding included
constexpr std::size_t kLeastShared = 32;    // fewer ids are not worth a pass of their own

std::size_t commonLength(const std::vector<TokenId>& a, const std::vector<TokenId>& b) {
  const std::size_t most = std::min(a.size(), b.size());
  const auto end = a.begin() + static_cast<std::ptrdiff_t>(most);
  return static_cast<std::size_t>(std::mismatch(a.begin(), end, b.begin()).first - a.begin());
}

/// Positions of the cache that a question may take.
std::size_t neededBy(const PreparedQuestion& question, int answerTokens) {
  return question.prompt.size() + std::max<std::size_t>(static_cast<std::size_t>(answerTokens), question.gold.size());
}

/// Splits questions into groups: those in the order of their prompts' ids that share much, and the rest by length.
class Grouping {
 public:
  explicit Grouping(const std::vector<PreparedQuestion>& questions) : m_questions(questions) {}

  std::vector<PromptGroup> groups() {
    std::vector<std::size_t> order(m_questions.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [this](std::size_t a, std::size_t b) { return promptOf(a) < promptOf(b); });
    for (std::size_t begin = 0; begin < order.size();) begin = takeGroup(order, begin);
    std::stable_sort(m_alone.begin(), m_alone.end(),
                     [this](std::size_t a, std::size_t b) { return tokensOf(a) < tokensOf(b); });
    for (std::size_t begin = 0; begin < m_alone.size();) {
      PromptGroup group;
      while (begin < m_alone.size() && hasRoom(group, m_alone[begin])) group.questions.push_back(m_alone[begin++]);
      m_groups.push_back(std::move(group));
    }
    return std::move(m_groups);
  }

 private:
  const std::vector<TokenId>& promptOf(std::size_t question) const { return m_questions[question].prompt; }
  std::size_t tokensOf(std::size_t question) const {
    return promptOf(question).size() + m_questions[question].gold.size();
  }
  /// Whether a pass over the group would still be of a good size.
  bool hasRoom(const PromptGroup& group, std::size_t question) const {
    if (group.questions.empty()) return true;
    std::size_t longest = tokensOf(question);
    for (const std::size_t each : group.questions) longest = std::max(longest, tokensOf(each));
    return group.questions.size() < std::size_t{kBatchRows} &&
           (group.questions.size() + 1) * (longest - group.shared) <= kGroupTokens;
  }

  /// The group that begins at `begin` of the sorted questions, or that question alone; where it ends. What a group
  /// shares may only shrink a little with each that joins: else the next has more in common with those after it.
  std::size_t takeGroup(const std::vector<std::size_t>& order, std::size_t begin) {
    PromptGroup group{promptOf(order[begin]).size() - 1, {order[begin]}};
    std::size_t end = begin + 1;
    for (; end < order.size() && hasRoom(group, order[end]); ++end) {
      const std::vector<TokenId>& prompt = promptOf(order[end]);
      const std::size_t common = std::min(commonLength(promptOf(order[begin]), prompt), prompt.size() - 1);
      const std::size_t enough = group.questions.size() == 1 ? promptOf(order[begin]).size() / 2 : group.shared * 4 / 5;
      if (common < std::max(kLeastShared, enough)) break;
      group.shared = std::min(group.shared, common);
      group.questions.push_back(order[end]);
    }
    if (group.questions.size() > 1) {
      m_groups.push_back(std::move(group));
    } else {
      m_alone.push_back(order[begin]);
    }
    return end;
  }

  const std::vector<PreparedQuestion>& m_questions;
  std::vector<PromptGroup> m_groups;
  std::vector<std::size_t> m_alone;
};

/// What one pass over a group gives.
struct GroupStart {
  InferenceSession session;
  at::Tensor logits;  // [B, V] F32, after each prompt
  std::vector<NllSum> gold;
  std::vector<std::vector<TokenId>> likeliest;  // of the gold ids' places, where they are asked for
};

class BatchRun {
 public:
  BatchRun(const std::shared_ptr<const Model>& model, const SharingMap& map,
           const std::vector<PreparedQuestion>& questions, int answerTokens, const std::atomic<bool>* cancel)
      : m_model(model), m_map(map), m_questions(questions), m_answerTokens(answerTokens), m_cancel(cancel) {}

  std::int64_t capacityOf(const QuestionBatch& batch) const {
    std::size_t most = 0;
    for (const std::size_t at : batch.questions()) most = std::max(most, neededBy(m_questions[at], m_answerTokens));
    return static_cast<std::int64_t>(most);
  }

  void askForLikeliest() { m_likeliest = true; }

  Result<GroupStart> start(const PromptGroup& group, std::int64_t capacity) const {
    GroupStart start{InferenceSession(m_model, m_map, {.capacity = capacity, .cancel = m_cancel}), {}, {}, {}};
    const auto shared = static_cast<std::ptrdiff_t>(group.shared);
    if (shared > 0) {
      const std::vector<TokenId>& first = m_questions[group.questions.front()].prompt;
      STRATA_CHECK(start.session.extend({first.begin(), first.begin() + shared}));
      start.session.keepRows(std::vector<std::int64_t>(group.questions.size(), 0));
    }
    std::vector<std::vector<TokenId>> rows;
    std::vector<std::int64_t> prompts;
    for (const std::size_t at : group.questions) {
      const PreparedQuestion& each = m_questions[at];
      std::vector<TokenId> row(each.prompt.begin() + shared, each.prompt.end());
      if (!each.gold.empty())
        row.insert(row.end(), each.gold.begin(), each.gold.end() - 1);  // the last predicts nothing
      rows.push_back(std::move(row));
      prompts.push_back(static_cast<std::int64_t>(each.prompt.size()));
    }
    STRATA_TRY(const at::Tensor hidden, start.session.read(rows));
    try {
      predict(group, hidden, start);
      start.session.rewindRows(prompts);
    } catch (const std::exception& exception) {
      return tl::unexpected(errorFromException(exception));
    }
    for (const NllSum& each : start.gold) STRATA_CHECK(each.check());
    return start;
  }

 private:
  /// hidden [B, T, C] of the rows behind the shared ids.
  void predict(const PromptGroup& group, const at::Tensor& hidden, GroupStart& start) const {
    const c10::InferenceMode inference;
    const std::int64_t width = hidden.size(1);
    std::vector<std::int64_t> last, predicting, targets;
    for (std::size_t b = 0; b < group.questions.size(); ++b) {
      const PreparedQuestion& each = m_questions[group.questions[b]];
      const std::int64_t at =
          static_cast<std::int64_t>(b) * width + static_cast<std::int64_t>(each.prompt.size() - group.shared) - 1;
      last.push_back(at);
      for (std::size_t t = 0; t < each.gold.size(); ++t) {
        predicting.push_back(at + static_cast<std::int64_t>(t));
        targets.push_back(each.gold[t]);
      }
      start.gold.push_back({0, static_cast<std::int64_t>(each.gold.size())});
    }
    const auto device = hidden.device();
    const at::Tensor states = hidden.reshape({-1, hidden.size(-1)});
    const Linear& head = m_model->weights().head;
    start.logits = calls::logits(states.index_select(0, at::tensor(last, at::kLong).to(device)), head);
    if (targets.empty()) return;
    const at::Tensor losses = tokenLosses(states.index_select(0, at::tensor(predicting, at::kLong).to(device)), head,
                                          at::tensor(targets, at::kLong).to(device));
    const at::Tensor host = losses.to(at::kDouble).cpu().contiguous();
    const double* loss = host.const_data_ptr<double>();
    for (NllSum& each : start.gold) {
      each.sum = std::accumulate(loss, loss + each.tokens, 0.0);
      loss += each.tokens;
    }
    if (m_likeliest) start.likeliest = likeliest(group, states, predicting);
  }

  /// The ids with the highest logits at each gold id's place, in chunks of which the logits fit.
  std::vector<std::vector<TokenId>> likeliest(const PromptGroup& group, const at::Tensor& states,
                                              const std::vector<std::int64_t>& predicting) const {
    constexpr std::size_t kChunk = 128;
    std::vector<TokenId> ids;
    for (std::size_t begin = 0; begin < predicting.size(); begin += kChunk) {
      const auto first = predicting.begin() + static_cast<std::ptrdiff_t>(begin);
      const std::vector<std::int64_t> chunk(
          first, first + static_cast<std::ptrdiff_t>(std::min(kChunk, predicting.size() - begin)));
      const at::Tensor some = states.index_select(0, at::tensor(chunk, at::kLong).to(states.device()));
      const at::Tensor best = calls::logits(some, m_model->weights().head).argmax(-1).cpu().contiguous();
      const auto* each = best.const_data_ptr<std::int64_t>();
      for (std::size_t i = 0; i < chunk.size(); ++i) ids.push_back(static_cast<TokenId>(each[i]));
    }
    std::vector<std::vector<TokenId>> ofQuestions;
    auto next = ids.begin();
    for (const std::size_t at : group.questions) {
      const auto end = next + static_cast<std::ptrdiff_t>(m_questions[at].gold.size());
      ofQuestions.emplace_back(next, end);
      next = end;
    }
    return ofQuestions;
  }

  const std::shared_ptr<const Model>& m_model;
  const SharingMap& m_map;
  const std::vector<PreparedQuestion>& m_questions;
  int m_answerTokens;
  const std::atomic<bool>* m_cancel;
  bool m_likeliest = false;
};

}  // namespace

BatchLimits batchLimits(const Model& model, int answerTokens) {
  BatchLimits limits;
  limits.answerTokens = answerTokens;
  limits.bytesPerToken = kvBytes(SharingMap::full(model.config().layers), model.config().shape(), 1, model.kvStorage());
  return limits;
}

std::vector<std::size_t> QuestionBatch::questions() const {
  std::vector<std::size_t> all;
  for (const PromptGroup& group : groups) all.insert(all.end(), group.questions.begin(), group.questions.end());
  return all;
}

std::vector<QuestionBatch> planBatches(const std::vector<PreparedQuestion>& questions, const BatchLimits& limits) {
  const auto longestOf = [&](const PromptGroup& group) {
    std::size_t longest = 0;
    for (const std::size_t at : group.questions)
      longest = std::max(longest, neededBy(questions[at], limits.answerTokens));
    return static_cast<std::int64_t>(longest);
  };
  std::vector<QuestionBatch> batches;
  std::int64_t rows = 0, longest = 0;
  const auto add = [&](PromptGroup group) {
    const auto count = static_cast<std::int64_t>(group.questions.size());
    const std::int64_t tokens = std::max(longest, longestOf(group));
    const bool full = rows + count > kBatchRows || (rows + count) * tokens * limits.bytesPerToken > limits.cacheBytes;
    if (batches.empty() || full) {
      batches.emplace_back();
      rows = longest = 0;
    }
    rows += count;
    longest = std::max(longest, longestOf(group));
    batches.back().groups.push_back(std::move(group));
  };
  for (const PromptGroup& group : Grouping(questions).groups()) {
    // One that alone takes more memory than a batch may is cut.
    const std::int64_t each = longestOf(group) * std::max<std::int64_t>(1, limits.bytesPerToken);
    const std::int64_t most = std::max<std::int64_t>(1, limits.cacheBytes / each);
    for (auto begin = group.questions.begin(); begin != group.questions.end();) {
      const auto end = begin + std::min<std::int64_t>(most, group.questions.end() - begin);
      add({group.shared, {begin, end}});
      begin = end;
    }
  }
  return batches;
}

Result<std::vector<QuestionOutcome>> answerBatch(const std::shared_ptr<const Model>& model, const SharingMap& map,
                                                 const std::vector<PreparedQuestion>& questions,
                                                 const QuestionBatch& batch, int answerTokens, const TaskHooks& hooks,
                                                 const std::vector<TokenId>& alsoEndAt) {
  STRATA_CHECK(hooks.check());
  STRATA_CHECK(model->checkFiles());
  std::atomic<bool> stopped = false;
  const std::atomic<bool>* cancel = hooks.goOn ? &stopped : hooks.cancel;
  const BatchRun run(model, map, questions, answerTokens, cancel);
  const std::int64_t capacity = run.capacityOf(batch);
  std::vector<InferenceSession> sessions;
  std::vector<at::Tensor> logits;
  std::vector<QuestionOutcome> outcomes;
  for (const PromptGroup& group : batch.groups) {
    STRATA_CHECK(hooks.check());
    STRATA_TRY(GroupStart start, run.start(group, capacity));
    sessions.push_back(std::move(start.session));
    logits.push_back(std::move(start.logits));
    for (const NllSum& gold : start.gold) outcomes.push_back({{}, gold});
  }
  GenerateConfig config;
  config.maxTokens = answerTokens;
  GenerateHooks generation;
  generation.cancel = cancel;
  generation.alsoEndAt = alsoEndAt;
  if (hooks.goOn) {
    generation.onToken = [&](std::size_t, TokenId, const std::string&) { stopped = stopped || !hooks.check(); };
  }
  generation.stopWhen = [](const std::string& text) { return text.find('\n') != std::string::npos; };
  try {
    InferenceSession session = InferenceSession::joined(std::move(sessions));
    Generation answers(*model, session, capacity, at::cat(logits), config, generation);
    STRATA_TRY(GenerateResult result, answers.finish());
    if (cancel != nullptr && cancel->load()) return fail(ErrorCode::cancelled, "The evaluation was cancelled.");
    for (std::size_t i = 0; i < outcomes.size(); ++i) outcomes[i].text = std::move(result.answers[i].text);
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
  return outcomes;
}

Result<std::vector<GoldOutcome>> scoreBatch(const std::shared_ptr<const Model>& model, const SharingMap& map,
                                            const std::vector<PreparedQuestion>& questions, const QuestionBatch& batch,
                                            bool likeliest, const TaskHooks& hooks) {
  STRATA_CHECK(model->checkFiles());
  BatchRun run(model, map, questions, 0, hooks.cancel);
  if (likeliest) run.askForLikeliest();
  const std::int64_t capacity = run.capacityOf(batch);
  std::vector<GoldOutcome> outcomes;
  for (const PromptGroup& group : batch.groups) {
    STRATA_CHECK(hooks.check());
    STRATA_TRY(GroupStart start, run.start(group, capacity));
    for (std::size_t i = 0; i < start.gold.size(); ++i) {
      outcomes.push_back({start.gold[i], start.likeliest.empty() ? std::vector<TokenId>() : start.likeliest[i]});
    }
  }
  return outcomes;
}

}  // namespace strata
