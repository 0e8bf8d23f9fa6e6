#include "core/checkpoint/weight_files.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <system_error>

#include "core/checkpoint/gguf.h"
#include "core/checkpoint/json_fields.h"
#include "core/checkpoint/safetensors_header.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kLargestIndex = 64u << 20;

tl::unexpected<Error> refuseShard(const fs::path& index, const std::string& name, const std::string& what) {
  return fail(ErrorCode::invalidData, index.string() + ": the shard " + quotedName(name) + " " + what, index.string());
}

bool isPlainName(const std::string& name) {
  const bool control = std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 32; });
  return !name.empty() && name != "." && name != ".." && name.size() <= 255 && !control &&
         name.find('/') == std::string::npos && name.find('\\') == std::string::npos;
}

/// The folders that a link in `folder` may lead into, with every link on the way resolved.
std::vector<fs::path> allowedTargets(const fs::path& folder) {
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  if (error) return {};
  std::vector<fs::path> out = {real};
  if (real.parent_path().filename() == "snapshots") out.push_back(real.parent_path().parent_path() / "blobs");
  return out;
}

bool liesIn(const fs::path& target, const fs::path& folder) {
  const auto [end, ignored] = std::mismatch(folder.begin(), folder.end(), target.begin(), target.end());
  return end == folder.end();
}

/// What is wrong with a link of that name; empty where it is none, or one that stays inside.
std::string linkProblem(const fs::path& folder, const std::string& name) {
  std::error_code error;
  if (!fs::is_symlink(fs::symlink_status(folder / name, error))) return {};
  const fs::path target = fs::canonical(folder / name, error);
  if (error) return "is a symbolic link that leads nowhere.";
  const std::vector<fs::path> allowed = allowedTargets(folder);
  const bool inside =
      std::any_of(allowed.begin(), allowed.end(), [&](const fs::path& place) { return liesIn(target, place); });
  return inside ? "" : "is a symbolic link that leaves the folder; put the file itself there.";
}

Result<void> checkShard(const fs::path& folder, const fs::path& index, const std::string& name) {
  if (!isPlainName(name))
    return refuseShard(index, name, "is not a plain file name; a shard must lie beside its index.");
  std::error_code error;
  if (fs::symlink_status(folder / name, error).type() == fs::file_type::not_found)
    return refuseShard(index, name, "is missing from the folder; get it too.");
  const std::string problem = linkProblem(folder, name);
  if (!problem.empty()) return refuseShard(index, name, problem);
  return requireRegularFile(folder / name);
}

Result<WeightFiles> readIndex(const fs::path& folder) {
  const fs::path path = folder / kIndexFile;
  STRATA_CHECK(requireRegularFile(path));
  STRATA_TRY(const Json index, readJson(path, kLargestIndex));
  const auto refuse = [&](const std::string& what) {
    return fail(ErrorCode::invalidData, path.string() + ": " + what, path.string());
  };
  if (!index.is_object()) return refuse("the index must be a JSON object.");
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object() || map->empty()) {
    return refuse("the key \"weight_map\" must be an object that gives each tensor its file.");
  }
  WeightFiles files;
  std::set<std::string> names;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string()) {
      return refuse("\"weight_map\" has " + shortDump(file) + " as the file of tensor " + quotedName(tensor) + ".");
    }
    const std::string& name = file.get_ref<const std::string&>();
    if (names.insert(name).second) STRATA_CHECK(checkShard(folder, path, name));
    files.shardOf.emplace(tensor, name);
  }
  files.names.assign(names.begin(), names.end());
  return files;
}

/// The sentence for a folder without safetensors.
Result<WeightFiles> refuseFolder(const fs::path& folder) {
  std::error_code error;
  std::string pickle;
  std::string other;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (hasPickleName(name) && (pickle.empty() || name < pickle)) pickle = name;
    if (name.ends_with(".safetensors") && (other.empty() || name < other)) other = name;
  }
  const std::string start = folder.string() + " has no " + kSingleFile + " and no " + kIndexFile;
  if (!other.empty()) {
    return fail(ErrorCode::notFound, start + ", only " + quotedName(other) + "; get the missing files or rename it.",
                folder.string());
  }
  if (!pickle.empty()) {
    return fail(ErrorCode::unsupported,
                start + ", only " + quotedName(pickle) +
                    ": that is a pickle file, which can run code when it is opened; convert the model to safetensors.",
                folder.string());
  }
  return fail(ErrorCode::notFound, start + "; give a folder with a model's weights.", folder.string());
}

}  // namespace

bool hasPickleName(const fs::path& path) {
  static constexpr std::array<std::string_view, 8> kEndings = {".bin", ".pt",     ".pth", ".ckpt",
                                                               ".pkl", ".pickle", ".npz", ".npy"};
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

Result<void> requireOwnFile(const fs::path& folder, const std::string& name) {
  const std::string problem = linkProblem(folder, name);
  if (!problem.empty()) {
    return fail(ErrorCode::invalidData, (folder / name).string() + " " + problem, (folder / name).string());
  }
  return requireRegularFile(folder / name);
}

Result<void> requireRegularFile(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    const bool link = fs::is_symlink(fs::symlink_status(path, error));
    return fail(ErrorCode::notFound,
                path.string() + (link ? " is a symbolic link that leads nowhere." : " does not exist."), path.string());
  }
  if (status.type() == fs::file_type::none) {
    return fail(ErrorCode::invalidData, path.string() + " cannot be looked at: " + error.message() + ".",
                path.string());
  }
  if (!fs::is_regular_file(status)) {
    return fail(ErrorCode::invalidData,
                path.string() + (fs::is_directory(status) ? " is a folder" : " is a pipe, socket or device") +
                    " where a file is needed.",
                path.string());
  }
  return {};
}

Result<WeightFiles> findWeightFiles(const fs::path& folder) {
  std::error_code error;
  if (isGgufFile(folder)) return WeightFiles{{fs::absolute(folder, error).string()}, {}};
  const auto isThere = [&](const char* name) {
    return fs::symlink_status(folder / name, error).type() != fs::file_type::not_found;
  };
  if (isThere(kSingleFile)) {
    STRATA_CHECK(requireRegularFile(folder / kSingleFile));
    return WeightFiles{{kSingleFile}, {}};
  }
  if (isThere(kIndexFile)) return readIndex(folder);
  return refuseFolder(folder);
}

}  // namespace strata
