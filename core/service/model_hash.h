#pragma once
// The hash of a model's weights, its adapter's included, computed once for each state of its files.
//
//   STRATA_TRY(const std::string hash, hashes.of(checkpoint, adapter));
// Known by path, sizes and times of the weight files; those of large models also from one engine to the next, in
// $XDG_CACHE_HOME/strata/hashes.json. Thread-safe.

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "core/base/error.h"
#include "core/base/user_cache.h"
#include "core/checkpoint/checkpoint.h"

namespace strata {

class ModelHashes {
 public:
  /// `file`: where hashes of large models are kept; empty: nowhere.
  explicit ModelHashes(std::filesystem::path file = userCacheFile("hashes.json")) : m_file(std::move(file)) {}
  /// Checkpoint::hash(); with an adapter's folder, SHA-256 over that and the adapter's two files. For `cancel` and
  /// `progress` see hashOf().
  Result<std::string> of(const Checkpoint& checkpoint, const std::filesystem::path& adapter = {},
                         const std::atomic<bool>* cancel = nullptr,
                         const std::function<void(std::int64_t done, std::int64_t total)>& progress = {});

 private:
  Result<std::string> ofBase(const Checkpoint& checkpoint, const std::atomic<bool>* cancel,
                             const std::function<void(std::int64_t done, std::int64_t total)>& progress);
  void keep(const std::string& key, const std::string& hash) const;

  std::filesystem::path m_file;
  std::mutex m_mutex;
  std::map<std::string, std::string> m_known;
};

}  // namespace strata
