#pragma once
// The records of a data set's files, before any tokeniser sees them.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace strata {

enum class DataFormat { text, promptCompletion };

/// "text", "prompt/completion"
const char* toString(DataFormat format);

struct DataRecord {
  DataFormat format = DataFormat::text;
  std::string text;  // a document
  std::string prompt, completion;
  std::string file;
  std::int64_t line = 0;  // 1-based; 0 for a document of a .txt file

  /// "file:line", or the file alone.
  std::string where() const;
};

/// The .txt and .jsonl files that `path` names: itself, or those directly in the folder, in name order.
Result<std::vector<std::filesystem::path>> dataFiles(const std::filesystem::path& path);

/// Calls `take` with each record of `path` in order, until it returns an error. Blank lines are skipped.
Result<void> readRecords(const std::filesystem::path& path, const std::function<Result<void>(DataRecord&&)>& take);

}  // namespace strata
