#include "core/project/checkpoint_manifest.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <limits>
#include <mutex>
#include <vector>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/project/project_files.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "manifest.json";
constexpr const char* kManifestFormat = "strata-run-checkpoint";
constexpr int kManifestVersion = 1;
constexpr const char* kStepPrefix = "step-";
constexpr const char* kAdvice = "; use another checkpoint.";

bool isHash(const std::string& text) {
  constexpr std::size_t kDigits = 64;
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Of a file in the checkpoint: relative, plain, not the manifest itself.
bool isInside(const std::string& name) {
  const fs::path path(name);
  return !name.empty() && name.find('\0') == std::string::npos && path.is_relative() && path.has_filename() &&
         path.lexically_normal().generic_string() == name && *path.begin() != ".." && name != "." && name != kManifest;
}

ProjectPath pathInRun(const fs::path& checkpoint) {
  std::error_code ignored;
  fs::path whole = fs::absolute(checkpoint, ignored);
  if (!whole.has_filename()) whole = whole.parent_path();
  const fs::path checkpoints = whole.parent_path();
  return inRun(checkpoints.parent_path(), checkpoints.filename() / whole.filename());
}

/// What a file is known by: a changed one differs in its time of change, which no program can set.
struct Stamp {
  std::string name;
  dev_t device;
  ino_t inode;
  off_t size;
  std::int64_t modified, changed;  // ns since 1970
  bool operator==(const Stamp&) const = default;
};
using Stamps = std::vector<Stamp>;

std::int64_t nanoseconds(const timespec& time) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return time.tv_sec * kSecond + time.tv_nsec;
}

/// All files of a checkpoint by name. What is neither a file nor a folder is refused.
Result<Stamps> stampsOf(const fs::path& checkpoint) {
  Stamps stamps;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(checkpoint, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path& path = entry->path();
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return systemFailure(errno, "read", path);
    if (S_ISDIR(status.st_mode)) continue;
    if (!S_ISREG(status.st_mode)) {
      return fail(ErrorCode::invalidData,
                  "The checkpoint " + checkpoint.string() + " holds " + path.filename().string() +
                      ", which is no regular file" + kAdvice,
                  path.string());
    }
    stamps.push_back({path.lexically_relative(checkpoint).generic_string(), status.st_dev, status.st_ino,
                      status.st_size, nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)});
  }
  if (error) return systemFailure(error.value(), "list", checkpoint);
  std::sort(stamps.begin(), stamps.end(), [](const Stamp& a, const Stamp& b) { return a.name < b.name; });
  return stamps;
}

/// Checkpoints that this process verified, by their real path.
class VerifiedCheckpoints {
 public:
  bool contains(const fs::path& checkpoint, const Stamps& stamps) {
    const std::lock_guard guard(m_mutex);
    const auto found = m_stamps.find(checkpoint);
    return found != m_stamps.end() && found->second == stamps;
  }
  void add(const fs::path& checkpoint, Stamps stamps) {
    const std::lock_guard guard(m_mutex);
    m_stamps.insert_or_assign(checkpoint, std::move(stamps));
  }

 private:
  std::mutex m_mutex;
  std::map<fs::path, Stamps> m_stamps;
};
/// The files are the same for the whole process.
VerifiedCheckpoints& verified() {
  static VerifiedCheckpoints all;
  return all;
}

/// Whether a file that changes from now on gets other times than it has: clocks of file systems tick slowly, those
/// without parts of a second once in two seconds.
bool hasSettled(const Stamps& stamps) {
  constexpr std::int64_t kSecond = 1'000'000'000, kTick = 50'000'000, kSlowTick = 2 * kSecond;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::all_of(stamps.begin(), stamps.end(), [&](const Stamp& stamp) {
    const std::int64_t newest = std::max(stamp.modified, stamp.changed);
    return newest + (newest % kSecond == 0 ? kSlowTick : kTick) < nanoseconds(now);
  });
}

/// The manifest, compared with the folder's name and with the names and sizes of what it holds.
Result<CheckpointManifest> matchingManifest(const fs::path& checkpoint, const ProjectPath& place,
                                            const Stamps& stamps) {
  const ProjectPath file{place.root, place.inside / kManifest};
  STRATA_TRY(const std::string text, readInProject(file));
  STRATA_TRY(CheckpointManifest manifest, parseManifest(text, file.whole().string()));
  const std::string named = place.inside.filename().string();
  const auto refuse = [&](const std::string& what, const std::string& name) {
    return fail(ErrorCode::invalidData, "The checkpoint " + checkpoint.string() + " " + what + kAdvice,
                (checkpoint / name).string());
  };
  if (stepOfName(named) != manifest.step) {
    return refuse("is of step " + std::to_string(manifest.step) + " by its manifest, not of " + named, kManifest);
  }
  std::map<std::string, std::uint64_t> sizes;
  for (const Stamp& stamp : stamps) {
    if (stamp.name != kManifest) sizes[stamp.name] = static_cast<std::uint64_t>(stamp.size);
  }
  for (const auto& [name, expected] : manifest.files) {
    const auto found = sizes.find(name);
    if (found == sizes.end()) return refuse("lacks " + name + ", which its manifest lists", name);
    if (found->second != expected.bytes) {
      return refuse("is damaged: " + name + " has " + std::to_string(found->second) + " bytes instead of " +
                        std::to_string(expected.bytes),
                    name);
    }
  }
  for (const auto& [name, bytes] : sizes) {
    if (!manifest.files.contains(name)) return refuse("holds " + name + ", which its manifest does not list", name);
  }
  return manifest;
}

Result<void> compareContents(const fs::path& checkpoint, const CheckpointManifest& manifest) {
  for (const auto& [name, expected] : manifest.files) {
    const fs::path path = checkpoint / name;
    STRATA_TRY(const std::string hash, sha256OfFile(path));
    if (hash == expected.sha256) continue;
    return fail(ErrorCode::invalidData,
                "The checkpoint file " + path.string() + " is damaged: its SHA-256 is not the manifest's" + kAdvice,
                path.string());
  }
  return {};
}

/// checkpoints/step-<n> of a run's folder.
bool isOfRun(const fs::path& folder) {
  std::error_code ignored;
  const fs::path checkpoints = folder.parent_path();
  return stepOfName(folder.filename().string()) && checkpoints.filename() == "checkpoints" &&
         fs::exists(fs::symlink_status(checkpoints.parent_path() / "run.json", ignored));
}

}  // namespace

std::string checkpointName(std::int64_t step) {
  return kStepPrefix + std::to_string(step);
}

std::optional<std::int64_t> stepOfName(const std::string& name) {
  if (!name.starts_with(kStepPrefix)) return {};
  const char* first = name.data() + std::strlen(kStepPrefix);
  const char* last = name.data() + name.size();
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(first, last, step);
  if (error != std::errc() || end != last || step < 0 || name != checkpointName(step)) return {};
  return step;
}

Result<CheckpointManifest> parseManifest(std::string_view text, const std::string& where) {
  STRATA_TRY(const Json json, parseJson(text, where));
  const auto broken = [&](const std::string& what) {
    return fail(ErrorCode::invalidData, where + " is no manifest of a checkpoint: " + what + ".", where);
  };
  if (!json.is_object()) return broken("it is not an object");
  if (!json.contains("format") || json["format"] != kManifestFormat) {
    return broken(std::string("its \"format\" is not \"") + kManifestFormat + "\"");
  }
  if (!json.contains("version") || !json["version"].is_number_unsigned() || json["version"] == 0) {
    return broken("it has no \"version\"");
  }
  if (json["version"].get<std::uint64_t>() > kManifestVersion) {
    return fail(ErrorCode::unsupported,
                where + " was written by a newer Strata (version " + json["version"].dump() + "); use that one.",
                where);
  }
  if (!json.contains("step") || !json["step"].is_number_unsigned() ||
      json["step"].get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
    return broken("it has no \"step\"");
  }
  if (!json.contains("files") || !json["files"].is_object()) return broken("it has no \"files\"");
  if (json["files"].empty()) return broken("it lists no files");
  CheckpointManifest manifest;
  manifest.step = json["step"].get<std::int64_t>();
  for (const auto& [name, file] : json["files"].items()) {
    if (!isInside(name)) return broken("it names a file outside the checkpoint: " + name);
    if (!file.is_object() || !file.contains("bytes") || !file["bytes"].is_number_unsigned() ||
        !file.contains("sha256") || !file["sha256"].is_string() || !isHash(file["sha256"].get<std::string>())) {
      return broken("it gives no size and SHA-256 for " + name);
    }
    manifest.files[name] = {file["bytes"].get<std::uint64_t>(), file["sha256"].get<std::string>()};
  }
  return manifest;
}

std::string printManifest(const CheckpointManifest& manifest) {
  Json files = Json::object();
  for (const auto& [name, file] : manifest.files) files[name] = {{"bytes", file.bytes}, {"sha256", file.sha256}};
  const Json json = {
      {"format", kManifestFormat}, {"version", kManifestVersion}, {"step", manifest.step}, {"files", files}};
  return json.dump(1) + "\n";
}

Result<void> writeManifest(const fs::path& folder, std::int64_t step) {
  STRATA_TRY(const Stamps stamps, stampsOf(folder));
  CheckpointManifest manifest;
  manifest.step = step;
  for (const Stamp& stamp : stamps) {
    STRATA_TRY(const std::string hash, sha256OfFile(folder / stamp.name));
    manifest.files[stamp.name] = {static_cast<std::uint64_t>(stamp.size), hash};
  }
  return writeFile(folder / kManifest, printManifest(manifest));
}

Result<void> checkCheckpoint(const fs::path& checkpoint) {
  const ProjectPath place = pathInRun(checkpoint);
  STRATA_CHECK(requireFolder(place));
  STRATA_TRY(const Stamps stamps, stampsOf(checkpoint));
  return matchingManifest(checkpoint, place, stamps).map([](const CheckpointManifest&) {});
}

Result<void> verifyCheckpoint(const fs::path& checkpoint) {
  const ProjectPath place = pathInRun(checkpoint);
  STRATA_CHECK(requireFolder(place));
  std::error_code error;
  const fs::path real = fs::canonical(checkpoint, error);
  if (error) return systemFailure(error.value(), "open", checkpoint);
  STRATA_TRY(Stamps stamps, stampsOf(checkpoint));
  if (verified().contains(real, stamps)) return {};
  STRATA_TRY(const CheckpointManifest manifest, matchingManifest(checkpoint, place, stamps));
  STRATA_CHECK(compareContents(checkpoint, manifest));
  STRATA_TRY(const Stamps after, stampsOf(checkpoint));
  if (after != stamps) {
    return fail(ErrorCode::busy, "The checkpoint " + checkpoint.string() + " changed while it was read; try again.",
                checkpoint.string());
  }
  if (hasSettled(stamps)) verified().add(real, std::move(stamps));
  return {};
}

Result<void> verifyIfCheckpoint(const fs::path& folder) {
  std::error_code error;
  fs::path whole = fs::absolute(folder, error).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  if (isOfRun(whole)) return verifyCheckpoint(whole);
  const fs::path real = fs::canonical(folder, error);  // reached through a link of the user's own
  return !error && isOfRun(real) ? verifyCheckpoint(real) : Result<void>();
}

}  // namespace strata
