#include "core/service/scored_completion.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "core/model/kernel_calls.h"
#include "core/model/loss.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

constexpr std::size_t kStep = 512;       // tokens of a pass
constexpr std::int64_t kLogitRows = 64;  // positions whose logits are held at once

std::vector<TokenId> slice(const std::vector<TokenId>& ids, std::size_t begin, std::size_t end) {
  return {ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.begin() + static_cast<std::ptrdiff_t>(end)};
}

std::int64_t codePointsIn(std::string_view text) {
  std::int64_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += readUtf8(text.substr(at)).length) ++count;
  return count;
}

}  // namespace

ScoredCompletion::ScoredCompletion(std::shared_ptr<const Model> model, SharingMap map, std::vector<TokenId> prompt,
                                   const CompletionTask& task, GenerateHooks hooks)
    : m_model(std::move(model)),
      m_prompt(std::move(prompt)),
      m_sampling(task.sampling),
      m_generates(task.generates),
      m_echo(task.echo),
      m_alternatives(std::min<std::int64_t>(task.logprobs.value_or(0), m_model->config().vocab)),
      m_hooks(std::move(hooks)),
      m_session(m_model, std::move(map),
                {.capacity = capacity(), .prefillChunk = m_hooks.prefillChunk, .cancel = m_hooks.cancel}),
      m_text(*m_model->tokenizer()) {}

/// The last token of the answer is never fed.
std::int64_t ScoredCompletion::capacity() const {
  const auto size = static_cast<std::int64_t>(m_prompt.size());
  return m_generates ? std::min<std::int64_t>(m_model->context(), size + m_sampling.maxTokens) : size;
}

Result<void> ScoredCompletion::check() const {
  if (m_prompt.empty()) return fail(ErrorCode::usage, "There is no prompt; give at least one token.", "prompt");
  const auto size = static_cast<std::int64_t>(m_prompt.size());
  if (size + (m_generates ? 1 : 0) > m_model->context()) {
    return fail(ErrorCode::usage,
                "The prompt has " + std::to_string(size) + " tokens and the context is " +
                    std::to_string(m_model->context()) + "; shorten the prompt or use a longer context.",
                "--context");
  }
  for (const TokenId id : m_prompt) {
    if (id < 0 || id >= m_model->config().vocab) {
      return fail(ErrorCode::usage, "The token id " + std::to_string(id) + " is outside the vocabulary of " +
                                        std::to_string(m_model->config().vocab) + ".");
    }
  }
  return {};
}

std::string ScoredCompletion::textOf(TokenId id) const {
  TokenStream stream(*m_model->tokenizer());
  if (m_before) stream.push(*m_before);
  std::string text = stream.push(id);  // finish() begins anew
  return text += stream.finish();
}

/// The next token of the text, not scored yet.
void ScoredCompletion::addToken(TokenId id) {
  m_scores.push_back({textOf(id), m_offset, std::nullopt, {}});
  m_offset += codePointsIn(m_text.push(id));
  m_before = id;
}

/// Adds targets[i], which hidden[i] of [N, C] predicts.
Result<void> ScoredCompletion::score(const at::Tensor& hidden, const std::vector<TokenId>& targets) {
  const auto count = static_cast<std::int64_t>(targets.size());
  for (std::int64_t begin = 0; begin < count; begin += kLogitRows) {
    const std::int64_t rows = std::min(kLogitRows, count - begin);
    // As tokenLosses() has it.
    const at::Tensor logprobs = headLogits(hidden.narrow(0, begin, rows), m_model->weights().head)
                                    .to(at::kFloat)
                                    .log_softmax(-1)
                                    .cpu()
                                    .contiguous();
    const auto all = logprobs.accessor<float, 2>();
    const auto [values, ids] = logprobs.topk(std::max<std::int64_t>(1, m_alternatives));
    const auto value = values.accessor<float, 2>();
    const auto id = ids.accessor<std::int64_t, 2>();
    for (std::int64_t row = 0; row < rows; ++row) {
      const TokenId target = targets[static_cast<std::size_t>(begin + row)];
      std::vector<std::pair<std::string, double>> likeliest;
      bool listed = false;
      for (std::int64_t i = 0; i < m_alternatives; ++i) {
        likeliest.emplace_back(textOf(static_cast<TokenId>(id[row][i])), value[row][i]);
        listed = listed || id[row][i] == target;
      }
      const double logprob = all[row][target];
      if (!std::isfinite(logprob) || !std::isfinite(value[row][0])) {
        return fail(ErrorCode::invalidData, "The model's logits are not finite numbers; its weights may be damaged.",
                    "logits");
      }
      if (!listed) likeliest.emplace_back(textOf(target), logprob);
      addToken(target);
      m_scores.back().logprob = logprob;
      m_scores.back().likeliest = std::move(likeliest);
    }
  }
  return {};
}

Result<void> ScoredCompletion::readPrompt() {
  const std::size_t begin = m_read, end = std::min(m_prompt.size(), begin + kStep);
  const std::vector<TokenId> piece = slice(m_prompt, begin, end);
  STRATA_TRY(const at::Tensor states, m_session.read({piece}));
  const at::Tensor hidden = states[0];
  if (begin == 0 && m_echo) addToken(m_prompt.front());
  if (begin == 0 && !m_echo) {
    m_before = m_prompt.back();
    m_text.push(m_prompt.back());
  }
  if (m_echo) STRATA_CHECK(score(hidden, slice(m_prompt, begin + 1, std::min(m_prompt.size(), end + 1))));
  m_read = end;
  if (m_read == m_prompt.size()) m_lastHidden = hidden.narrow(0, hidden.size(0) - 1, 1).clone();
  return {};
}

/// The answer's tokens after the first, which the prompt predicts, are predicted by what is read here.
Result<void> ScoredCompletion::readAnswer() {
  const std::vector<TokenId>& ids = m_result.answers.front().ids;
  if (m_rescored == 0) {
    m_session.rewind(static_cast<std::int64_t>(m_prompt.size()));
    m_rescored = 1;
    return score(m_lastHidden, {ids.front()});
  }
  const std::size_t end = std::min(ids.size(), m_rescored + kStep);
  STRATA_TRY(const at::Tensor states, m_session.read({slice(ids, m_rescored - 1, end - 1)}));
  const std::vector<TokenId> targets = slice(ids, m_rescored, end);
  m_rescored = end;
  return score(states[0], targets);
}

Result<bool> ScoredCompletion::step() {
  const c10::InferenceMode inference;
  if (m_read < m_prompt.size()) {
    STRATA_CHECK(readPrompt());
    STRATA_CHECK(m_model->checkMapped());
    return m_generates || m_read < m_prompt.size();
  }
  if (!m_generation) {
    m_generation = std::make_unique<Generation>(
        *m_model, m_session, capacity(), calls::logits(m_lastHidden, m_model->weights().head), m_sampling, m_hooks);
  }
  if (!m_generated) {
    STRATA_TRY(const bool more, m_generation->step());
    if (more) return true;
    m_generated = true;
    m_result = m_generation->take();
    return m_result.answers.front().finish != Finish::cancel;
  }
  STRATA_CHECK(readAnswer());
  return m_rescored < m_result.answers.front().ids.size();
}

GenerateResult ScoredCompletion::takeResult() {
  if (!m_generates) m_result.answers.emplace_back();
  m_result.kvBytes = std::max(m_result.kvBytes, m_session.kvBytes());
  return std::move(m_result);
}

}  // namespace strata
