#pragma once
// How two models differ on one answer: both read it, and their predictions of each of its tokens are compared.
//
//   Comparison comparison(a, b, ids, 5, &cancelled);
//   queue.run([&] { return comparison.step(); }, shared);
//   protocol::Compare::Answer answer = comparison.take();
// Logits are held for a few positions at a time.

#include <ATen/core/Tensor.h>

#include <atomic>
#include <memory>
#include <vector>

#include "core/model/session.h"
#include "core/protocol/chat_messages.h"

namespace strata {

class Comparison {
 public:
  struct Reader {
    std::shared_ptr<const Model> model;
    SharingMap map;
    std::vector<TokenId> prompt;
  };
  /// Readers whose vocabularies are equal; A has a tokenizer.
  Comparison(Reader a, Reader b, std::vector<TokenId> ids, int alternatives, const std::atomic<bool>* cancelled);

  /// Refuses ids outside the vocabulary and what is longer than a context.
  Result<void> check() const;
  /// A piece of a prompt, or the comparison of some tokens; false once all are compared.
  Result<bool> step();
  protocol::Compare::Answer take() { return std::move(m_answer); }

 private:
  struct Reading {
    Reader reader;
    InferenceSession session;
    std::size_t read = 0;  // tokens of the prompt that are in the session
    Reading(Reader from, std::size_t answer, const std::atomic<bool>* cancelled);
    bool prompted() const { return read + 1 >= reader.prompt.size(); }
    Result<void> readPrompt();
    Result<at::Tensor> logits(const std::vector<TokenId>& answer, std::size_t begin, std::size_t end);
  };
  std::string textAt(std::size_t place, TokenId id) const;
  std::vector<protocol::Alternative> likeliest(const at::Tensor& probabilities, std::size_t place) const;

  Reading m_a, m_b;
  std::vector<TokenId> m_ids;
  int m_alternatives;
  std::size_t m_compared = 0;
  double m_sum = 0;
  TokenStream m_text;
  protocol::Compare::Answer m_answer;
};

}  // namespace strata
