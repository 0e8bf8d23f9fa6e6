#pragma once
// A text file line by line, without holding it.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/error.h"

namespace strata {

class LineReader {
 public:
  static constexpr std::size_t kMaxLineBytes = 64u << 20;

  static Result<LineReader> open(const std::filesystem::path& path);
  /// Fills `line` without its "\n" or "\r\n" (and, in the first line, without a byte order mark); false at the end of
  /// the file. A line over kMaxLineBytes is an error.
  Result<bool> next(std::string& line);
  /// 1-based number of the line that next() gave last.
  std::int64_t number() const { return m_number; }
  /// "file:line" of that line.
  std::string where() const;

 private:
  LineReader(std::filesystem::path path, std::ifstream file);
  bool fill();

  std::filesystem::path m_path;
  std::ifstream m_file;
  std::int64_t m_number = 0;
  std::string m_buffer;
  std::size_t m_at = 0;
};

/// Drops a UTF-8 byte order mark.
std::string_view withoutByteOrderMark(std::string_view text);

}  // namespace strata
