#pragma once
// Files in the user's own folders. Small JSON files in the cache: one that is lost or cannot be written costs time at
// the next start and nothing else.

#include <filesystem>
#include <string>

#include "core/base/json.h"

namespace strata {

/// $XDG_CACHE_HOME/strata/NAME, or that of ~/.cache; empty where neither is known.
std::filesystem::path userCacheFile(const std::string& name);
/// $XDG_CONFIG_HOME/strata/NAME, or that of ~/.config; likewise.
std::filesystem::path userConfigFile(const std::string& name);

/// The object in `file`; an empty one where there is no file, or something else in it, which is logged as no list of
/// `entries`.
Json readUserCache(const std::filesystem::path& file, const std::string& entries);

/// Makes the folder too.
void writeUserCache(const std::filesystem::path& file, const Json& object);

}  // namespace strata
