#pragma once
// An answer with the log-probabilities of its tokens, and of the prompt's where that is echoed: the logarithm of the
// softmax of the model's logits, in float32, whatever the sampling is. The prompt is read once, in pieces; the answer
// is read again after it was made, so that all tokens are scored as tokenLosses() scores a given text.
//
//   ScoredCompletion completion(model, map, prompt, task, &cancelled);
//   STRATA_CHECK(completion.check());
//   queue.run([&] { return completion.step(); }, shared);
//   GenerateResult result = completion.take();

#include <ATen/core/Tensor.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/model/generate.h"
#include "core/service/completion.h"

namespace strata {

class ScoredCompletion {
 public:
  /// The model has a tokenizer; `hooks.cancel` outlives this.
  ScoredCompletion(std::shared_ptr<const Model> model, SharingMap map, std::vector<TokenId> prompt,
                   const CompletionTask& task, GenerateHooks hooks);

  /// Refuses a prompt that the context does not hold, and ids outside the vocabulary.
  Result<void> check() const;
  /// A piece of the prompt or of the answer, or one more token; false once all is done.
  Result<bool> step();
  /// The answer while it is made, or nullptr.
  Generation* generation() const { return m_generation.get(); }
  std::vector<TokenScore> takeScores() { return std::move(m_scores); }
  /// The answer; without one, no tokens and finish "length".
  GenerateResult takeResult();

 private:
  std::int64_t capacity() const;
  Result<void> readPrompt();
  Result<void> readAnswer();
  Result<void> score(const at::Tensor& hidden, const std::vector<TokenId>& targets);
  void addToken(TokenId id);
  std::string textOf(TokenId id) const;

  std::shared_ptr<const Model> m_model;
  std::vector<TokenId> m_prompt;
  GenerateConfig m_sampling;
  bool m_generates, m_echo;
  std::int64_t m_alternatives;
  GenerateHooks m_hooks;
  InferenceSession m_session;
  std::size_t m_read = 0;  // tokens of the prompt that are in the session
  std::unique_ptr<Generation> m_generation;
  GenerateResult m_result;
  bool m_generated = false;
  at::Tensor m_lastHidden;     // [1, C], which predicts the answer's first token
  std::size_t m_rescored = 0;  // tokens of the answer
  std::vector<TokenScore> m_scores;
  TokenStream m_text;
  std::optional<TokenId> m_before;  // the token before the next one
  std::int64_t m_offset = 0;        // code points so far
};

}  // namespace strata
