#include "core/project/launcher.h"

#include <charconv>
#include <iterator>
#include <sstream>
#include <string_view>
#include <vector>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/user_cache.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

fs::path launchersFile() {
  return userConfigFile("launchers.json");
}

/// One name for a folder, however it was reached.
std::string keyOf(const fs::path& project) {
  std::error_code failed;
  const fs::path whole = fs::weakly_canonical(fs::absolute(project, failed), failed);
  return (whole.has_filename() ? whole : whole.parent_path()).string();
}

Result<Json> launchersIn(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return Json::object();
  STRATA_TRY(Json json, readJson(file));
  if (!json.is_object()) {
    return fail(ErrorCode::invalidData, file.string() + " is no object of projects and launchers; remove it.",
                file.string());
  }
  return json;
}

std::optional<int> numberIn(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) return {};
  return number;
}

}  // namespace

Result<std::string> launcherOf(const fs::path& project) {
  const fs::path file = launchersFile();
  if (file.empty()) return std::string();
  STRATA_TRY(const Json launchers, launchersIn(file));
  const auto found = launchers.find(keyOf(project));
  if (found == launchers.end()) return std::string();
  if (!found->is_string()) {
    return fail(ErrorCode::invalidData,
                file.string() + " has a launcher that is not text, of " + found.key() + "; mend it.", file.string());
  }
  return found->get<std::string>();
}

Result<void> storeLauncher(const fs::path& project, const std::string& launcher) {
  constexpr std::size_t kMostBytes = 1000;
  if (launcher.size() > kMostBytes || launcher.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) {
    return fail(ErrorCode::usage, "The launcher must be one line of at most 1,000 bytes; give a shorter command.",
                "launcher");
  }
  const fs::path file = launchersFile();
  if (file.empty()) {
    return fail(ErrorCode::io, "A launcher needs a home folder to be kept in; set HOME or XDG_CONFIG_HOME.",
                "launcher");
  }
  STRATA_TRY(Json launchers, launchersIn(file));
  const bool had = launchers.erase(keyOf(project)) > 0;
  if (launcher.empty() && !had) return {};
  if (!launcher.empty()) launchers[keyOf(project)] = launcher;
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);  // writeFile() says what is wrong
  return writeFile(file, launchers.dump(2) + "\n");
}

std::optional<int> ranksOf(const std::string& launcher) {
  std::istringstream stream(launcher);
  const std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
  if (words.empty()) return 1;
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const std::string_view option : {"-np", "--np", "-n", "--n", "-c", "--ntasks"}) {
      if (words[i] == option) return i + 1 < words.size() ? numberIn(words[i + 1]) : std::nullopt;
    }
    for (const std::string_view option : {"--ntasks=", "-n"}) {
      if (words[i].rfind(option, 0) != 0) continue;
      if (const auto number = numberIn(std::string_view(words[i]).substr(option.size()))) return number;
    }
  }
  return {};
}

}  // namespace strata
