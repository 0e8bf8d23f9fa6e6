#include "core/base/user_cache.h"

#include <cstdlib>

#include "core/base/files.h"
#include "core/base/log.h"

namespace strata {
namespace fs = std::filesystem;

namespace {

/// Of the folder that `variable` names, or of `usual` in the home folder (XDG Base Directory Specification).
fs::path userFile(const char* variable, const char* usual, const std::string& name) {
  if (const char* given = std::getenv(variable); given != nullptr && *given == '/') {
    return fs::path(given) / "strata" / name;
  }
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? fs::path(home) / usual / "strata" / name : fs::path();
}

}  // namespace

fs::path userCacheFile(const std::string& name) {
  return userFile("XDG_CACHE_HOME", ".cache", name);
}

fs::path userConfigFile(const std::string& name) {
  return userFile("XDG_CONFIG_HOME", ".config", name);
}

Json readUserCache(const fs::path& file, const std::string& entries) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return Json::object();
  const Result<Json> json = readJson(file);
  if (json && json->is_object()) return *json;
  logWarning("The file " + file.string() + " is not a list of " + entries + "; it is written anew.");
  return Json::object();
}

void writeUserCache(const fs::path& file, const Json& object) {
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  if (const Result<void> written = writeFile(file, dumpLine(object)); !written) logWarning(written.error().message);
}

}  // namespace strata
