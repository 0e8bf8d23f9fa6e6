#pragma once
// Map files of this machine: JSON in and out, without the engine.

#include <QString>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

/// Whether a file says that it is a map, by its first bytes.
bool looksLikeMap(const QString& path);
Result<Json> readMapFile(const QString& path);
Result<void> writeMapFile(const QString& path, const Json& map);

}  // namespace strata
