#pragma once
// Generation for one or more prompts over one map.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/config/generate_config.h"
#include "core/model/session.h"

namespace strata {

enum class Finish { eos, length, stop, cancel };
const char* toString(Finish finish);

struct Generated {
  std::vector<TokenId> ids;  // new ones, the eos included where it ended the answer
  std::string text;          // decoded, cut before a stop string; empty without a tokenizer
  Finish finish = Finish::length;
};

struct GenerateResult {
  std::vector<Generated> answers;  // one per prompt
  std::int64_t kvBytes = 0;        // allocated, all sequences
  double prefillSeconds = 0;
  double decodeSeconds = 0;
};

struct GenerateHooks {
  std::function<void(std::size_t prompt, const std::string& piece)> onText = {};  // streamed text of one prompt
  const std::atomic<bool>* cancel = nullptr;
  std::int64_t context = 0;  // capacity at most; 0: the model's context
  std::int64_t prefillChunk = 512;
  std::vector<TokenId> alsoEndAt = {};  // ids that end an answer beside the model's own eos ids
  /// Stops an answer once this returns true for its text so far (evaluation: a newline).
  std::function<bool(const std::string& text)> stopWhen = {};
};

/// Prompts are token ids, taken as given. Refused: a prompt that leaves no room for one token.
Result<GenerateResult> generate(const std::shared_ptr<const Model>& model, const SharingMap& map,
                                const std::vector<std::vector<TokenId>>& prompts, const GenerateConfig& config,
                                const GenerateHooks& hooks = {});

/// Answers of one growing text (a chat): each prompt is whole, and what its beginning shares with the ids that the
/// cache holds is not computed again.
class ChatSession {
 public:
  /// `cancel` is looked at before every layer; it outlives this.
  ChatSession(std::shared_ptr<const Model> model, SharingMap map, const std::atomic<bool>* cancel = nullptr);
  /// As generate() answers one prompt, within the model's context; hooks.context and hooks.cancel are not looked at.
  Result<GenerateResult> answer(const std::vector<TokenId>& prompt, const GenerateConfig& config,
                                const GenerateHooks& hooks = {});

 private:
  std::shared_ptr<const Model> m_model;
  SharingMap m_map;
  const std::atomic<bool>* m_cancel;
  std::unique_ptr<InferenceSession> m_session;
  std::int64_t m_capacity = 0;  // of the session
};

}  // namespace strata
