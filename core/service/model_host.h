#pragma once
// The models that are open in an engine, and answers from them: one copy of the weights for each distinct ModelRef, one
// compute queue a device, on which answers that are made at the same time alternate token by token.
//
//   ModelHost host({.version = "0.4.0", .onChange = …});
//   STRATA_TRY(const protocol::LoadedModel loaded, host.load(ref, context));
//   STRATA_TRY(const protocol::Answer answer, host.generate(params, onTokens, cancelled));
// Used by the window's service and by the HTTP server. Thread-safe; calls wait for their result.

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/model/model.h"
#include "core/protocol/messages.h"
#include "core/service/completion.h"
#include "core/text/chat_template.h"

namespace strata {

class ModelHost {
 public:
  struct Options {
    std::string version;             // of the engine, for MadeBy
    std::function<void()> onChange;  // a model was opened or closed; any thread
  };
  using ProgressFunction = std::function<void(const std::string& stage, std::int64_t done, std::int64_t total)>;
  /// Text and tokens that became certain, in order, and the cache's bytes that hold tokens by then; called on the
  /// computing thread, must not wait.
  using TokensFunction =
      std::function<void(const std::string& text, const std::vector<int>& ids, std::int64_t kvBytesUsed)>;

  explicit ModelHost(Options options);
  ~ModelHost();

  /// A model's chat template changed in the project: those that are open take the one that stands there now.
  void renewTemplates();
  /// The project whose names and runs a ModelRef may use; nothing: paths alone.
  void setProject(const std::optional<std::filesystem::path>& folder);

  /// An open model with what is needed to chat. Holding it keeps it in memory.
  struct Open {
    protocol::LoadedModel info;
    std::shared_ptr<const Model> model;
    std::filesystem::path folder, adapter;
    std::string name;  // what answers say made them: the reference's, of RUN@latest RUN@STEP
    /// Or why there can be no conversation. Another one after renewTemplates().
    std::shared_ptr<const Result<ChatTemplate>> chatTemplate() const { return m_chat.load(); }

   protected:
    std::atomic<std::shared_ptr<const Result<ChatTemplate>>> m_chat;
  };
  Result<std::shared_ptr<const Open>> open(const protocol::ModelRef& ref, const ProgressFunction& progress,
                                           const std::atomic<bool>& cancelled);
  /// Ends the model's answers and frees it and its caches.
  void unload(const protocol::ModelRef& ref);
  std::vector<protocol::LoadedModel> loaded() const;
  /// Bytes of the open models' weights, those that several references share once.
  std::int64_t weightBytes() const;
  /// What each open model holds: its weights, the caches of its chats, and the most that a step took.
  std::vector<protocol::ModelMemory> memory() const;

  /// Answers a conversation (chat template) and keeps the cache under `params.stream` for its next turn; an empty
  /// stream keeps none. A cancelled answer is an answer with finish "cancel".
  Result<protocol::Answer> generate(const protocol::Generate::Params& params, const TokensFunction& onTokens,
                                    const ProgressFunction& progress, const std::atomic<bool>& cancelled);
  /// Goes on with a text (no template), or scores it, for /v1/completions. The answer's text is what it adds to the
  /// prompt's, the space between them included.
  Result<Completion> complete(const CompletionTask& task, const TokensFunction& onTokens,
                              const std::atomic<bool>& cancelled);
  /// The tokens of a conversation, and what to drop of one that does not fit.
  Result<protocol::CountPrompt::Answer> count(const protocol::CountPrompt::Params& params,
                                              const std::atomic<bool>& cancelled);
  Result<protocol::Compare::Answer> compare(const protocol::Compare::Params& params,
                                            const std::atomic<bool>& cancelled);
  /// Frees the caches of these streams (names that begin with `prefix`).
  void dropStreams(const std::string& prefix);

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace strata
