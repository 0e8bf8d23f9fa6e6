#include "core/config/presets.h"

#include <algorithm>
#include <utility>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/config/visit.h"

namespace strata {
namespace fs = std::filesystem;

Result<std::vector<Preset>> readPresets(const fs::path& folder) {
  std::vector<Preset> presets;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".json") continue;
    STRATA_TRY(const Json json, readJson(entry->path()));
    Preset preset;
    STRATA_CHECK(configFromJson(json, entry->path().string(), preset));
    preset.name = entry->path().stem().string();
    presets.push_back(std::move(preset));
  }
  if (error) return systemFailure(error.value(), "list", folder);
  std::sort(presets.begin(), presets.end(),
            [](const Preset& a, const Preset& b) { return std::pair(a.place, a.name) < std::pair(b.place, b.name); });
  return presets;
}

Result<Preset> findPreset(const fs::path& folder, const std::string& name) {
  STRATA_TRY(const std::vector<Preset> presets, readPresets(folder));
  std::string known;
  for (const Preset& preset : presets) {
    if (preset.name == name) return preset;
    known += (known.empty() ? "" : ", ") + preset.name;
  }
  return fail(ErrorCode::usage, "There is no preset \"" + name + "\"; give one of: " + known + ".", "--preset");
}

Json optionsIn(const Preset& preset, const fs::path& project) {
  Json options = preset.config;
  for (const char* file : {"data", "eval-data", "eval-questions"}) {
    if (options.contains(file)) options[file] = (project / options[file].get<std::string>()).string();
  }
  return options;
}

}  // namespace strata
