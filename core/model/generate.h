#pragma once
// Generation for one or more prompts over one map.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
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
  double prefillSeconds = 0;       // computing the prompts
  double firstTokenSeconds = 0;    // these and choosing the first token
  double decodeSeconds = 0;        // the tokens after it
};

struct GenerateHooks {
  /// Each new id of one prompt's answer and the text that became certain with it (none without a tokenizer).
  std::function<void(std::size_t prompt, TokenId id, const std::string& piece)> onToken = {};
  const std::atomic<bool>* cancel = nullptr;  // looked at before every layer
  std::int64_t context = 0;                   // capacity at most; 0: the model's context
  std::int64_t prefillChunk = 512;            // of the session that is made
  std::vector<TokenId> alsoEndAt = {};        // ids that end an answer beside the model's own eos ids
  /// Stops an answer once this returns true for its text so far (evaluation: a newline).
  std::function<bool(const std::string& text)> stopWhen = {};
};

/// Answers while they are made, a step at a time, so that several can take turns on one device.
///
///   Generation generation(model, session, capacity, {prompt}, config, hooks);
///   while (true) { STRATA_TRY(const bool more, generation.step()); if (!more) break; }
///   const GenerateResult result = generation.take();
class Generation {
 public:
  /// `session` is new, or holds one sequence: then the whole chunks that its beginning shares with the one prompt are
  /// not computed again, and the answer is bit for bit that of a new one (InferenceSession::reusable()).
  /// `capacity`: ids that a prompt and its answer may have together. Model and session outlive this.
  Generation(const Model& model, InferenceSession& session, std::int64_t capacity,
             std::vector<std::vector<TokenId>> prompts, GenerateConfig config, GenerateHooks hooks);
  /// Answers to the prompts that the session holds, from the `logits` [B, V] after each.
  Generation(const Model& model, InferenceSession& session, std::int64_t capacity, at::Tensor logits,
             GenerateConfig config, GenerateHooks hooks);
  ~Generation();
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  /// The next chunk of the prompt (of several prompts: all), or one more token of each answer that
  /// goes on. False: all are finished, as after a cancellation.
  Result<bool> step();
  /// Whether its next step decodes a token of each answer, which decodeTogether() can do for it.
  bool isDecoding() const;
  const Model& model() const { return m_model; }
  /// What the next step() of each will need, with one reading of the weights: generations of one model that all
  /// isDecoding(). Nobody's answer depends on the others.
  static void decodeTogether(const std::vector<Generation*>& generations);
  /// Ends what is not finished as cancelled.
  void cancel();
  /// Tokens of the prompt that were in the session already.
  std::int64_t reusedTokens() const;
  /// Once step() answered false.
  GenerateResult take();
  /// All steps, and take().
  Result<GenerateResult> finish();

 private:
  class Answer;
  Result<at::Tensor> readPrompt();
  Result<void> choose(const at::Tensor& logits);

  const Model& m_model;
  InferenceSession& m_session;
  std::int64_t m_capacity;
  std::vector<std::vector<TokenId>> m_prompts;
  GenerateConfig m_config;
  GenerateHooks m_hooks;
  GenerateResult m_result;
  std::vector<Answer> m_answers;
  std::vector<std::int64_t> m_live;             // answers that go on
  std::vector<TokenId> m_next;                  // their newest ids, not fed yet
  at::Tensor m_promptLogits;                    // where the session holds the prompts
  std::optional<Result<at::Tensor>> m_decoded;  // of decodeTogether(), for the next step
  std::size_t m_read = 0;                       // tokens of the (longest) prompt in the session
  std::int64_t m_reused = 0;
  std::uint32_t m_index = 0;  // of the token to choose
};

/// Prompts are token ids, taken as given. Refused: a prompt that leaves no room for one token.
Result<GenerateResult> generate(const std::shared_ptr<const Model>& model, const SharingMap& map,
                                const std::vector<std::vector<TokenId>>& prompts, const GenerateConfig& config,
                                const GenerateHooks& hooks = {});

/// What the cache of a chat takes: all of `bytes` is allocated, for `capacity` tokens.
struct CacheUse {
  std::int64_t tokens = 0, capacity = 0, bytes = 0;
};

/// Answers of one growing text (a chat): each prompt is whole, and what its beginning shares with the ids that the
/// cache holds is not computed again. Bits: the same prompt again begins from the logits of before, so that the same
/// seed gives the same answer; another question in its place reuses whole chunks of a prefill alone, and gets what
/// generate() gives; only a chat that goes on also reuses its answers, whose keys and values the steps of decoding
/// made.
class ChatSession {
 public:
  ChatSession(std::shared_ptr<const Model> model, SharingMap map);

  /// Answers from now on are made under this map; what the cache holds stays where it is valid under it.
  void switchMap(const SharingMap& map);
  /// The answer to be made, within the model's context (hooks.context is not looked at); one at a time, and this
  /// outlives it.
  Result<std::unique_ptr<Generation>> begin(const std::vector<TokenId>& prompt, const GenerateConfig& config,
                                            const GenerateHooks& hooks = {});
  /// begin() and all its steps.
  Result<GenerateResult> answer(const std::vector<TokenId>& prompt, const GenerateConfig& config,
                                const GenerateHooks& hooks = {});
  const std::shared_ptr<const Model>& model() const { return m_model; }
  const SharingMap& map() const { return m_map; }
  CacheUse use() const;

 private:
  std::shared_ptr<const Model> m_model;
  SharingMap m_map;
  std::unique_ptr<InferenceSession> m_session;
  std::int64_t m_capacity = 0;  // of the session
};

}  // namespace strata
