#pragma once
// The bytes of a data file from first to last, decompressed where it is gzip (RFC 1952).
//
//   STRATA_TRY(InputFile file, InputFile::open(path));
//   STRATA_TRY(const std::size_t got, file.read(buffer, sizeof buffer));   // 0: the end
// Memory: one buffer, whatever the file expands to.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/base/error.h"

struct gzFile_s;

namespace strata {

class InputFile {
 public:
  /// A regular file; gzip is known by its first bytes, not its name.
  static Result<InputFile> open(const std::filesystem::path& path);
  /// Fills up to `bytes` bytes and says how many; 0 at the end of the file. A gzip file that breaks off is an error,
  /// and so is one that expands beyond what data do (a "zip bomb").
  Result<std::size_t> read(char* to, std::size_t bytes);
  const std::filesystem::path& path() const { return m_path; }

 private:
  struct Close {
    void operator()(gzFile_s* file) const;
  };
  InputFile(std::filesystem::path path, gzFile_s* file) : m_path(std::move(path)), m_file(file) {}

  std::filesystem::path m_path;
  std::unique_ptr<gzFile_s, Close> m_file;
  std::uint64_t m_read = 0;  // bytes given out
};

/// The whole of a file, at most `maxBytes` once decompressed.
Result<std::string> readAll(const std::filesystem::path& path, std::uint64_t maxBytes = 1ull << 32);

/// "data.jsonl" of "data.jsonl.gz": what the name says of the content.
std::filesystem::path withoutGzip(const std::filesystem::path& path);

}  // namespace strata
