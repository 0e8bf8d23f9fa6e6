#pragma once
// A text file line by line, without holding it.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/data/input_file.h"

namespace strata {

/// No record is longer, so that a broken file cannot fill the memory.
inline constexpr std::size_t kMaxRecordBytes = 64u << 20;

class LineReader {
 public:
  static Result<LineReader> open(const std::filesystem::path& path);
  /// Fills `line` without its "\n" or "\r\n" (and, in the first line, without a byte order mark); false at the end of
  /// the file. A line over kMaxRecordBytes is skipped and an error of ErrorCode::invalidData, after which next() may be
  /// called again.
  Result<bool> next(std::string& line);
  /// 1-based number of the line that next() gave last.
  std::int64_t number() const { return m_number; }
  /// "file:line" of that line.
  std::string where() const;

 private:
  explicit LineReader(InputFile file) : m_file(std::move(file)) {}
  Result<bool> fill();

  InputFile m_file;
  std::int64_t m_number = 0;
  std::string m_buffer;
  std::size_t m_at = 0;
};

/// Drops a UTF-8 byte order mark.
std::string_view withoutByteOrderMark(std::string_view text);

/// Nothing but white space.
bool isBlank(std::string_view text);

}  // namespace strata
