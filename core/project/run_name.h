#pragma once
// What a run is called: of its kind, model and method, so that a list of runs can be read.
//
//   plainRunName(project, "train", config)   // "LoRA of base, p 0.5"
//   freeRunName(project, "LoRA of base, p 0.5")   // "LoRA of base, p 0.5 (2)" where a run has that name already

#include <string>

#include "core/base/json.h"
#include "core/project/project.h"

namespace strata {

/// Without a number; `config` as told.
std::string plainRunName(const Project& project, const std::string& kind, const Json& config);

/// The first of "name", "name (2)", "name (3)", … that no run of runs/ and trash/ was made with.
std::string freeRunName(const Project& project, const std::string& name);

}  // namespace strata
