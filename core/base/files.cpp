#include "core/base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "core/base/file_errors.h"
#include "core/base/guarded_range.h"
#include "core/base/read_descriptor.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kPiece = 1 << 20;

struct OpenFile {
  int fd;
  struct stat status;
};

const char* kindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

Result<struct stat> regularOnly(const fs::path& path, int failed, const struct stat& status) {
  if (failed != 0) return systemFailure(errno, "open", path);
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::invalidData, path.string() + " is " + kindOf(status.st_mode) + "; give a regular file.",
                path.string());
  }
  return status;
}

/// Asks what the path is before opening it (opening a device can act on it) and again after (it may have been swapped);
/// O_NONBLOCK so that a FIFO swapped in cannot hold us.
Result<OpenFile> openRegular(const fs::path& path) {
  struct stat status {};
  STRATA_CHECK(regularOnly(path, ::stat(path.c_str(), &status), status));
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return systemFailure(errno, "open", path);
  const int failed = ::fstat(fd, &status);
  if (auto checked = regularOnly(path, failed, status); !checked) {
    ::close(fd);
    return tl::unexpected<Error>(std::move(checked).error());
  }
  return OpenFile{fd, status};
}

std::int64_t modifiedAt(const struct stat& status) {
  return static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
}

class Closer {
 public:
  explicit Closer(int fd) : m_fd(fd) {}
  ~Closer() { ::close(m_fd); }
  Closer(const Closer&) = delete;
  Closer& operator=(const Closer&) = delete;

 private:
  int m_fd;
};

}  // namespace

Result<std::string> readDescriptor(int fd, const fs::path& path, std::uint64_t maxBytes) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return systemFailure(errno, "read", path);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const auto tooLarge = [&] {
    return fail(
        ErrorCode::invalidData,
        path.string() + " is larger than the " + std::to_string(maxBytes) + " bytes allowed here; give a smaller file.",
        path.string());
  };
  if (size > maxBytes) return tooLarge();
  try {
    std::string bytes(size, '\0');
    std::size_t filled = 0;
    // The size is a hint: a file may grow or shrink while it is read, and those of /proc say 0.
    while (true) {
      if (filled == bytes.size()) {
        char more = 0;
        const ssize_t got = ::read(fd, &more, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return systemFailure(errno, "read", path);
        if (got == 0) break;
        if (filled + 1 > maxBytes) return tooLarge();
        bytes.resize(std::min<std::uint64_t>(filled + kPiece, maxBytes));
        bytes[filled++] = more;
        continue;
      }
      const ssize_t got = ::read(fd, bytes.data() + filled, bytes.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return systemFailure(errno, "read", path);
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory, path.string() + " does not fit into memory; give a smaller file.",
                path.string());
  }
}

Result<std::string> readFile(const fs::path& path, std::uint64_t maxBytes) {
  STRATA_TRY(const OpenFile file, openRegular(path));
  const Closer closer(file.fd);
  return readDescriptor(file.fd, path, maxBytes);
}

MappedFile::MappedFile(fs::path path, int fd) : m_path(std::move(path)), m_fd(fd) {}

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const fs::path& path) {
  STRATA_TRY(const OpenFile opened, openRegular(path));
  std::shared_ptr<MappedFile> file(new MappedFile(path, opened.fd));
  file->m_size = static_cast<std::size_t>(opened.status.st_size);
  file->m_device = opened.status.st_dev;
  file->m_inode = opened.status.st_ino;
  file->m_modified = modifiedAt(opened.status);
  if (file->m_size > 0) {  // mmap refuses a length of 0
    void* data = ::mmap(nullptr, file->m_size, PROT_READ, MAP_PRIVATE, opened.fd, 0);
    if (data == MAP_FAILED) return systemFailure(errno, "map", path);
    file->m_data = static_cast<const std::byte*>(data);
    file->m_guard = std::make_unique<GuardedRange>(file->m_data, file->m_size);
  }
  return std::shared_ptr<const MappedFile>(std::move(file));
}

Result<void> MappedFile::read(std::size_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t got = ::pread(m_fd, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return systemFailure(errno, "read", m_path);
    if (got == 0) {
      return fail(ErrorCode::invalidData,
                  m_path.string() + " was cut short while it was read; get the whole file and open it again.",
                  m_path.string());
    }
    offset += static_cast<std::size_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

void MappedFile::releasePages() const {
  if (m_data != nullptr && !m_guard->isBroken()) {
    ::madvise(const_cast<std::byte*>(m_data), m_size, MADV_DONTNEED);  // NOLINT: the pages are the file's
  }
}

Result<void> MappedFile::checkUnchanged() const {
  const auto changed = [&](const std::string& how) {
    return fail(ErrorCode::invalidData, m_path.string() + " was " + how + " after it was opened; open it again.",
                m_path.string());
  };
  struct stat status {};
  if (::fstat(m_fd, &status) != 0) return systemFailure(errno, "look at", m_path);
  if (static_cast<std::size_t>(status.st_size) < m_size || (m_guard && m_guard->isBroken())) {
    return changed("cut short");
  }
  if (static_cast<std::size_t>(status.st_size) != m_size || modifiedAt(status) != m_modified) {
    return changed("overwritten");
  }
  if (::stat(m_path.c_str(), &status) == 0 && (status.st_dev != m_device || status.st_ino != m_inode)) {
    return changed("replaced");
  }
  return {};
}

MappedFile::~MappedFile() {
  m_guard.reset();
  if (m_data != nullptr) ::munmap(const_cast<std::byte*>(m_data), m_size);
  ::close(m_fd);
}

}  // namespace strata
