// Writing: everything goes to a sibling named ".<name>.tmp-<pid>-<n>" first.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/base/file_errors.h"
#include "core/base/files.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxNamePart = 200;  // leaves room for the prefix and the numbers in the 255 bytes of a file name
constexpr int kMaxAttempts = 10000;

/// "out/" names the same folder as "out".
fs::path withoutTrailingSlash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

fs::path folderOf(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

Result<void> checkNamed(const fs::path& destination) {
  const fs::path name = destination.filename();
  if (name.empty() || name == "." || name == "..") {
    return fail(ErrorCode::usage, destination.string() + " has no file name at its end; give a name to write to.",
                destination.string());
  }
  return {};
}

/// Calls make(path) with names of temporaries until one did not exist; make returns a value >= 0, or -1 with errno.
template <class Make>
Result<std::pair<fs::path, int>> makeSibling(const fs::path& destination, Make make) {
  STRATA_CHECK(checkNamed(destination));
  std::string stem = ".";
  stem += destination.filename().string().substr(0, kMaxNamePart);
  stem += ".tmp-" + std::to_string(::getpid()) + "-";
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    const fs::path sibling = folderOf(destination) / (stem + std::to_string(attempt));
    const int made = make(sibling);
    if (made >= 0) return std::pair(sibling, made);
    if (errno != EEXIST) return systemFailure(errno, "create", destination);
  }
  return fail(ErrorCode::io, "Cannot create " + destination.string() + ": too many temporary files are left beside it.",
              destination.string());
}

Result<void> syncFile(const fs::path& path, int flags) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (fd < 0) return systemFailure(errno, "open", path);
  const int failed = ::fsync(fd);
  const int number = errno;
  ::close(fd);
  // Some file systems cannot sync a folder and say so.
  if (failed != 0 && number != EINVAL && number != ENOTSUP) return systemFailure(number, "sync", path);
  return {};
}

/// Syncs what lies in a folder and the folder itself.
Result<void> syncTree(const fs::path& folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const fs::file_status status = entry->symlink_status(error);
    if (error) break;
    if (fs::is_regular_file(status)) STRATA_CHECK(syncFile(entry->path(), O_NOFOLLOW));
    if (fs::is_directory(status)) STRATA_CHECK(syncFolder(entry->path()));
  }
  if (error) return systemFailure(error.value(), "list", folder);
  return syncFolder(folder);
}

}  // namespace

Result<void> syncFolder(const fs::path& folder) {
  return syncFile(folder.empty() ? fs::path(".") : folder, O_DIRECTORY);
}

Result<void> writeFile(const fs::path& path, std::string_view bytes) {
  STRATA_TRY(FileWriter writer, FileWriter::create(path));
  STRATA_CHECK(writer.write(bytes));
  return writer.commit();
}

FileWriter::FileWriter(fs::path destination, fs::path temporary, int fd)
    : m_destination(std::move(destination)), m_temporary(std::move(temporary)), m_fd(fd) {}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : m_destination(std::move(other.m_destination)),
      m_temporary(std::exchange(other.m_temporary, {})),
      m_fd(std::exchange(other.m_fd, -1)) {}

FileWriter::~FileWriter() {
  if (m_fd >= 0) ::close(m_fd);
  if (!m_temporary.empty()) ::unlink(m_temporary.c_str());
}

Result<FileWriter> FileWriter::create(const fs::path& destination) {
  STRATA_TRY(auto made, makeSibling(destination, [](const fs::path& sibling) {
               return ::open(sibling.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
             }));
  return FileWriter(destination, std::move(made.first), made.second);
}

Result<void> FileWriter::write(std::string_view text) {
  if (m_fd < 0) return fail(ErrorCode::internal, m_destination.string() + " was written to after it was finished.");
  while (!text.empty()) {
    const ssize_t written = ::write(m_fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return systemFailure(errno, "write", m_destination);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> FileWriter::write(std::span<const std::byte> bytes) {
  return write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

Result<void> FileWriter::commit() {
  if (m_fd < 0) return fail(ErrorCode::internal, m_destination.string() + " was finished twice.");
  if (::fsync(m_fd) != 0) return systemFailure(errno, "write", m_destination);
  // A file system over the network may report a full disk only here.
  if (::close(std::exchange(m_fd, -1)) != 0) return systemFailure(errno, "write", m_destination);
  if (::rename(m_temporary.c_str(), m_destination.c_str()) != 0) return systemFailure(errno, "replace", m_destination);
  m_temporary.clear();
  return syncFolder(folderOf(m_destination));
}

StagedFolder::StagedFolder(fs::path destination, fs::path staging)
    : m_destination(std::move(destination)), m_staging(std::move(staging)) {}

StagedFolder::StagedFolder(StagedFolder&& other) noexcept
    : m_destination(std::move(other.m_destination)), m_staging(std::exchange(other.m_staging, {})) {}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  if (!m_staging.empty()) fs::remove_all(m_staging, ignored);
}

Result<StagedFolder> StagedFolder::create(const fs::path& destination) {
  const fs::path named = withoutTrailingSlash(destination);
  STRATA_TRY(auto made, makeSibling(named, [](const fs::path& sibling) { return ::mkdir(sibling.c_str(), 0777); }));
  return StagedFolder(named, std::move(made.first));
}

Result<void> StagedFolder::commit() {
  if (m_staging.empty()) return fail(ErrorCode::internal, m_destination.string() + " was finished twice.");
  STRATA_CHECK(syncTree(m_staging));
  // rename(2) itself refuses a destination that is a file or a folder with something in it.
  if (::rename(m_staging.c_str(), m_destination.c_str()) != 0) return systemFailure(errno, "create", m_destination);
  m_staging.clear();
  return syncFolder(folderOf(m_destination));
}

}  // namespace strata
