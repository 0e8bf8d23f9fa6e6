#pragma once
// Files that are whole or not there: written to a sibling, fsynced, renamed, and the folder fsynced.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace strata {

/// The whole of a regular file. Refuses folders, FIFOs, devices and sockets without opening them for reading, and files
/// over `maxBytes`.
Result<std::string> readFile(const std::filesystem::path& path, std::uint64_t maxBytes = 1ull << 32);

/// Atomically replaces `path`; on any error (a full disk gives ErrorCode::diskFull) the old file stays and no temporary
/// is left behind.
Result<void> writeFile(const std::filesystem::path& path, std::string_view bytes);

/// fsync of a folder, so that a rename in it is durable.
Result<void> syncFolder(const std::filesystem::path& folder);

class GuardedRange;

/// A regular file mapped read-only and private; lives as long as the last copy of the pointer. Where the file is cut
/// short meanwhile, what is gone reads as zeros and checkUnchanged() says so.
class MappedFile {
 public:
  static Result<std::shared_ptr<const MappedFile>> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::span<const std::byte> bytes() const { return {m_data, m_size}; }
  const std::filesystem::path& path() const { return m_path; }
  /// Copies bytes of the file without touching the map, so that they are in memory once.
  Result<void> read(std::size_t offset, std::span<std::byte> to) const;
  /// The map's pages leave memory until they are read again.
  void releasePages() const;
  /// Refused where the file was overwritten or cut short since it was opened (by size and time), or another one has its
  /// name. One that was removed stays as it was.
  Result<void> checkUnchanged() const;

 private:
  MappedFile(std::filesystem::path path, int fd);
  std::filesystem::path m_path;
  int m_fd;
  const std::byte* m_data = nullptr;
  std::size_t m_size = 0;
  std::uint64_t m_device = 0, m_inode = 0;
  std::int64_t m_modified = 0;            // nanoseconds
  std::unique_ptr<GuardedRange> m_guard;  // none for an empty file
};

/// A file written in pieces beside its destination; appears under its name with commit(), else vanishes.
class FileWriter {
 public:
  static Result<FileWriter> create(const std::filesystem::path& destination);
  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;
  ~FileWriter();
  Result<void> write(std::span<const std::byte> bytes);
  Result<void> write(std::string_view text);
  Result<void> commit();

 private:
  FileWriter(std::filesystem::path destination, std::filesystem::path temporary, int fd);
  std::filesystem::path m_destination;
  std::filesystem::path m_temporary;
  int m_fd;
};

/// A folder filled beside its destination and renamed into place when whole; without commit() it is removed.
/// commit() refuses a destination that exists and is not an empty folder.
class StagedFolder {
 public:
  static Result<StagedFolder> create(const std::filesystem::path& destination);
  StagedFolder(StagedFolder&& other) noexcept;
  StagedFolder& operator=(StagedFolder&&) = delete;
  ~StagedFolder();
  const std::filesystem::path& path() const { return m_staging; }
  Result<void> commit();

 private:
  StagedFolder(std::filesystem::path destination, std::filesystem::path staging);
  std::filesystem::path m_destination;
  std::filesystem::path m_staging;
};

/// Hexadecimal SHA-256 (FIPS 180-4) of bytes, or of a file read in pieces.
std::string sha256(std::span<const std::byte> bytes);
Result<std::string> sha256OfFile(const std::filesystem::path& path);

}  // namespace strata
