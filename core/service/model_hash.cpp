#include "core/service/model_hash.h"

#include <span>

#include "core/checkpoint/checkpoint_hash.h"
#include "core/checkpoint/weight_files.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kLargeBytes = 64 << 20;  // hashing less takes no noticeable time
constexpr std::size_t kMostKept = 1000;

/// Differs whenever a weight file was replaced or written to.
Result<std::string> keyOf(const Checkpoint& checkpoint) {
  std::error_code failed;
  const fs::path folder = fs::canonical(checkpoint.folder(), failed);
  if (failed) return fail(ErrorCode::io, "The folder " + checkpoint.folder().string() + " cannot be read.");
  STRATA_TRY(const WeightFiles files, findWeightFiles(folder));
  std::string key = folder.string();
  for (const std::string& name : files.names) {
    const auto bytes = fs::file_size(folder / name, failed);
    const auto written = failed ? fs::file_time_type() : fs::last_write_time(folder / name, failed);
    if (failed) return fail(ErrorCode::io, "The file " + (folder / name).string() + " cannot be read.");
    key += "|" + name + "|" + std::to_string(bytes) + "|" + std::to_string(written.time_since_epoch().count());
  }
  return key;
}

}  // namespace

/// Adapters are small, and hashed each time.
Result<std::string> ModelHashes::of(const Checkpoint& checkpoint, const fs::path& adapter,
                                    const std::atomic<bool>* cancel,
                                    const std::function<void(std::int64_t done, std::int64_t total)>& progress) {
  STRATA_TRY(const std::string base, ofBase(checkpoint, cancel, progress));
  if (adapter.empty()) return base;
  std::string list = base + "\n";
  for (const char* name : {"adapter_config.json", "adapter_model.safetensors"}) {
    STRATA_TRY(const std::string hash, sha256OfFile(adapter / name));
    list += std::string(name) + " " + hash + "\n";
  }
  return sha256(std::as_bytes(std::span(list)));
}

Result<std::string> ModelHashes::ofBase(const Checkpoint& checkpoint, const std::atomic<bool>* cancel,
                                        const std::function<void(std::int64_t done, std::int64_t total)>& progress) {
  STRATA_TRY(const std::string key, keyOf(checkpoint));
  const bool large = checkpoint.bytesOnDisk() >= kLargeBytes && !m_file.empty();
  {
    const std::lock_guard lock(m_mutex);
    if (const auto known = m_known.find(key); known != m_known.end()) return known->second;
    if (large) {
      const Json kept = readUserCache(m_file, "hashes");
      if (const auto found = kept.find(key); found != kept.end() && found->is_string()) {
        return m_known[key] = found->get<std::string>();
      }
    }
  }
  STRATA_TRY(const std::string hash, hashOf(checkpoint, cancel, progress));
  const std::lock_guard lock(m_mutex);
  m_known[key] = hash;
  if (large) keep(key, hash);
  return hash;
}

void ModelHashes::keep(const std::string& key, const std::string& hash) const {
  Json kept = readUserCache(m_file, "hashes");
  while (kept.size() >= kMostKept) kept.erase(kept.begin());
  kept[key] = hash;
  writeUserCache(m_file, kept);
}

}  // namespace strata
