#pragma once
// The models of a ModelHost: one for each reference, loaded once however many ask for it at the same time. References
// that mean the same files share the weights.
//
//   STRATA_TRY(const std::shared_ptr<OpenModel> open, models.open(ref, progress, cancelled));
// Thread-safe.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/model/model.h"
#include "core/project/model_name.h"
#include "core/service/model_hash.h"
#include "core/service/model_host.h"

namespace strata {

struct OpenModel : ModelHost::Open {
  std::atomic<bool> closing{false};   // its answers are to end
  std::atomic<bool> replaced{false};  // its reference means a newer checkpoint now; its answers go on
  /// SHA-256 over the tokens' texts; computed when first asked for.
  const std::string& vocabulary() const;
  /// The bytes of activations at the peak of a step of an answer; the most of all steps is kept.
  void noteActivations(std::int64_t bytes) const {
    std::int64_t seen = m_activationsPeak;
    while (bytes > seen && !m_activationsPeak.compare_exchange_weak(seen, bytes)) {
    }
  }
  std::int64_t activationsPeak() const { return m_activationsPeak; }
  void setChatTemplate(Result<ChatTemplate> chat) {
    m_chat = std::make_shared<const Result<ChatTemplate>>(std::move(chat));
  }

 private:
  mutable std::once_flag m_once;
  mutable std::string m_vocabulary;
  mutable std::atomic<std::int64_t> m_activationsPeak{0};
};

class OpenModels {
 public:
  void setProject(const std::optional<std::filesystem::path>& folder);
  void renewTemplates();
  /// Waits where another call loads it. RUN@latest is loaded anew once the run has a newer checkpoint; `before` is then
  /// what it was.
  Result<std::shared_ptr<OpenModel>> open(const protocol::ModelRef& ref, const ModelHost::ProgressFunction& progress,
                                          const std::atomic<bool>& cancelled, std::shared_ptr<OpenModel>& before);
  /// The model that is no longer listed, `closing` set; nullptr where there was none.
  std::shared_ptr<OpenModel> close(const protocol::ModelRef& ref);
  /// The references whose names mean something else in the project that was set.
  std::vector<protocol::ModelRef> strangers() const;
  std::vector<protocol::LoadedModel> loaded() const;
  /// Of each, without the caches of its chats.
  std::vector<protocol::ModelMemory> memory() const;
  /// Bytes of weights, those that several share once.
  std::int64_t weightBytes() const;

 private:
  struct Slot {
    protocol::ModelRef ref;
    std::shared_ptr<OpenModel> model = nullptr;  // none while it is being loaded
    bool dropped = false;                        // closed while it was being loaded
  };
  Result<std::shared_ptr<OpenModel>> load(const protocol::ModelRef& ref, const ModelHost::ProgressFunction& progress,
                                          const std::atomic<bool>& cancelled);
  std::vector<std::shared_ptr<OpenModel>> all() const;
  Result<ModelLocation> locate(const protocol::ModelRef& ref, Locate how) const;
  static Result<OpenOptions> optionsOf(const protocol::ModelRef& ref, const ModelLocation& location);
  /// Whether the reference still means the files that the model was opened from.
  bool isCurrent(const OpenModel& model) const;
  std::shared_ptr<OpenModel> sameFiles(const protocol::ModelRef& ref, const OpenOptions& options) const;

  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  std::optional<std::filesystem::path> m_project;
  std::list<std::shared_ptr<Slot>> m_slots;
  ModelHashes m_hashes;
};

}  // namespace strata
