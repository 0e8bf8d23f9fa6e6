#pragma once
// The shipped configurations of training: a file NAME.json each,
// {"place": 1, "title": "…", "description": "…", "config": {options of strata train by their names}}.
//
//   STRATA_TRY(const std::vector<Preset> presets, readPresets(folder));

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

struct Preset {
  std::string name;         // of the file, without .json
  int place = 0;            // in the list of all
  std::string title;        // a few words, for a person
  std::string description;  // one sentence: what it is for
  Json config = Json::object();

  template <class V>
  void visit(V& v) {
    v("place", place, "");
    v("title", title, "");
    v("description", description, "");
    v("config", config, "");
  }
};

/// All of a folder, by place. A file that is none is an error.
Result<std::vector<Preset>> readPresets(const std::filesystem::path& folder);
/// The preset of this name; the error lists those there are.
Result<Preset> findPreset(const std::filesystem::path& folder, const std::string& name);
/// Its options, with the files that it names in a project's folder.
Json optionsIn(const Preset& preset, const std::filesystem::path& project);

}  // namespace strata
