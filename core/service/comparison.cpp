#include "core/service/comparison.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "core/model/loss.h"

namespace strata {
namespace {

constexpr std::size_t kPromptStep = 512;
constexpr std::size_t kAnswerStep = 32;  // tokens whose logits are held at once

std::vector<TokenId> slice(const std::vector<TokenId>& ids, std::size_t begin, std::size_t end) {
  return {ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace

Comparison::Reading::Reading(Reader from, std::size_t answer, const std::atomic<bool>* cancelled)
    : reader(std::move(from)),
      session(reader.model, reader.map,
              {.capacity = static_cast<std::int64_t>(reader.prompt.size() + answer), .cancel = cancelled}) {}

/// All but its last token, whose prediction is wanted.
Result<void> Comparison::Reading::readPrompt() {
  const std::size_t end = std::min(reader.prompt.size() - 1, read + kPromptStep);
  STRATA_CHECK(session.extend(slice(reader.prompt, read, end)));
  read = end;
  return {};
}

/// [end - begin, V] F64: what predicts answer[begin … end-1].
Result<at::Tensor> Comparison::Reading::logits(const std::vector<TokenId>& answer, std::size_t begin, std::size_t end) {
  std::vector<TokenId> before = begin > 0 ? std::vector{answer[begin - 1]} : std::vector{reader.prompt.back()};
  before.insert(before.end(), answer.begin() + static_cast<std::ptrdiff_t>(begin),
                answer.begin() + static_cast<std::ptrdiff_t>(end - 1));
  STRATA_TRY(const at::Tensor hidden, session.read({before}));
  return headLogits(hidden[0], reader.model->weights().head).to(at::kDouble).cpu();
}

Comparison::Comparison(Reader a, Reader b, std::vector<TokenId> ids, int alternatives,
                       const std::atomic<bool>* cancelled)
    : m_a(std::move(a), ids.size(), cancelled),
      m_b(std::move(b), ids.size(), cancelled),
      m_ids(std::move(ids)),
      m_alternatives(alternatives),
      m_text(*m_a.reader.model->tokenizer()) {}

Result<void> Comparison::check() const {
  for (const Reading* reading : {&m_a, &m_b}) {
    const std::size_t tokens = reading->reader.prompt.size() + m_ids.size();
    if (static_cast<std::int64_t>(tokens) > reading->reader.model->context() + 1) {
      return fail(ErrorCode::usage, "The conversation and the answer have " + std::to_string(tokens) +
                                        " tokens, more than a context of " +
                                        std::to_string(reading->reader.model->context()) + " holds.");
    }
  }
  for (const TokenId id : m_ids) {
    if (id < 0 || id >= m_a.reader.model->config().vocab) {
      return fail(ErrorCode::usage, "The token id " + std::to_string(id) + " is outside the vocabulary of " +
                                        std::to_string(m_a.reader.model->config().vocab) + ".");
    }
  }
  return {};
}

/// The text that `id` would add as the answer's token number `place`.
std::string Comparison::textAt(std::size_t place, TokenId id) const {
  const TokenId before = place > 0 ? m_ids[place - 1] : m_a.reader.prompt.back();
  TokenStream stream(*m_a.reader.model->tokenizer());
  stream.push(before);
  std::string text = stream.push(id);  // finish() begins anew
  return text += stream.finish();
}

std::vector<protocol::Alternative> Comparison::likeliest(const at::Tensor& probabilities, std::size_t place) const {
  std::vector<protocol::Alternative> list;
  const auto [values, ids] = probabilities.topk(std::min<std::int64_t>(m_alternatives, probabilities.size(0)));
  const auto value = values.accessor<double, 1>();
  const auto id = ids.accessor<std::int64_t, 1>();
  for (std::int64_t i = 0; i < values.size(0); ++i) {
    list.push_back({textAt(place, static_cast<TokenId>(id[i])), value[i]});
  }
  return list;
}

Result<bool> Comparison::step() {
  const c10::InferenceMode inference;
  for (Reading* reading : {&m_a, &m_b}) {
    if (reading->prompted()) continue;
    STRATA_CHECK(reading->readPrompt());
    return true;
  }
  const std::size_t end = std::min(m_ids.size(), m_compared + kAnswerStep);
  if (end == m_compared) return false;
  STRATA_TRY(const at::Tensor logitsOfA, m_a.logits(m_ids, m_compared, end));
  STRATA_TRY(const at::Tensor logitsOfB, m_b.logits(m_ids, m_compared, end));
  const at::Tensor logA = logitsOfA.log_softmax(1), logB = logitsOfB.log_softmax(1);
  const at::Tensor pA = logA.exp(), pB = logB.exp();
  const at::Tensor kl = (pA * (logA - logB)).sum(1).contiguous();
  for (std::size_t i = m_compared; i < end; ++i) {
    const auto row = static_cast<std::int64_t>(i - m_compared);
    protocol::TokenDifference difference;
    difference.text = m_text.push(m_ids[i]);
    if (i + 1 == m_ids.size()) difference.text += m_text.finish();
    difference.kl = std::max(0.0, kl[row].item<double>());  // rounding may leave a negative zero
    if (!std::isfinite(difference.kl)) {
      return fail(ErrorCode::invalidData, "A model's logits are not finite numbers; its weights may be damaged.",
                  "logits");
    }
    difference.a = likeliest(pA[row], i);
    difference.b = likeliest(pB[row], i);
    m_sum += difference.kl;
    m_answer.tokens.push_back(std::move(difference));
  }
  m_compared = end;
  m_answer.meanKl = m_sum / static_cast<double>(m_compared);
  return m_compared < m_ids.size();
}

}  // namespace strata
