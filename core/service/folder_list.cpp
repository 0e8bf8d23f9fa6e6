// files/list: what the window's file dialogs show of the engine's machine.

#include <algorithm>
#include <cstdlib>

#include "core/base/file_errors.h"
#include "core/service/project_state.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostEntries = 2000;

std::string homeFolder() {
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? "/" : home;
}

fs::path wholePath(const std::string& path) {
  if (path.empty() || path == "~") return homeFolder();
  if (path.starts_with("~/")) return fs::path(homeFolder()) / path.substr(2);
  std::error_code ignored;
  return fs::absolute(path, ignored).lexically_normal();
}

}  // namespace

Result<protocol::ListFolder::Answer> listFolder(const std::string& path) {
  fs::path folder = wholePath(path);
  if (!folder.has_filename() && folder.has_relative_path()) folder = folder.parent_path();
  protocol::ListFolder::Answer answer;
  answer.path = folder.string();
  if (folder.has_relative_path()) answer.parent = folder.parent_path().string();
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    protocol::FolderEntry each;
    each.name = entry->path().filename().string();
    if (each.name.starts_with('.')) continue;
    std::error_code ignored;
    each.folder = entry->is_directory(ignored);
    if (each.folder) {
      each.model = fs::exists(entry->path() / "config.json", ignored);
      each.project = fs::exists(entry->path() / "strata.json", ignored);
    } else if (entry->is_regular_file(ignored)) {
      const auto bytes = entry->file_size(ignored);
      each.bytes = ignored ? 0 : static_cast<std::int64_t>(bytes);
    }
    answer.entries.push_back(std::move(each));
  }
  if (error) return systemFailure(error.value(), "list", folder);
  std::sort(answer.entries.begin(), answer.entries.end(),
            [](const auto& a, const auto& b) { return std::pair(!a.folder, a.name) < std::pair(!b.folder, b.name); });
  answer.more = answer.entries.size() > kMostEntries;
  if (answer.more) answer.entries.resize(kMostEntries);
  return answer;
}

}  // namespace strata
