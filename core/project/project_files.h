#pragma once
// Files of a project. A project may come from a stranger: below its folder nothing is opened through a symbolic link,
// and what is opened is a regular file.
//
//   STRATA_TRY(const Descriptor log, openInProject(inRun(runFolder, "log"), O_WRONLY | O_CREAT | O_APPEND));
//   STRATA_CHECK(requireFolder({project, "trash"}));

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "core/base/error.h"

namespace strata {

/// An open file descriptor; closed with the object.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : m_fd(fd) {}
  Descriptor(Descriptor&& other) noexcept : m_fd(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(m_fd, other.m_fd);
    return *this;
  }
  ~Descriptor();
  int get() const { return m_fd; }
  int release() { return std::exchange(m_fd, -1); }

 private:
  int m_fd;
};

struct ProjectPath {
  std::filesystem::path root;    // chosen by the user: links in it are followed
  std::filesystem::path inside;  // relative, without "..": links in it are refused
  std::filesystem::path whole() const { return root / inside; }
};

/// A file of a run. The run's folder, and the folder runs or trash that holds it, may be no links either.
ProjectPath inRun(const std::filesystem::path& runFolder, const std::filesystem::path& name = {});

/// open(2) of a regular file; O_CLOEXEC is added. ErrorCode::notFound where it or a folder on the way is missing.
Result<Descriptor> openInProject(const ProjectPath& file, int flags);

/// When a file was last written.
std::chrono::system_clock::time_point changedAt(const struct stat& status);

/// The whole of a file of at most `maxBytes`.
Result<std::string> readInProject(const ProjectPath& file, std::uint64_t maxBytes = 64u << 20);

/// The path of a file for a library that opens it by name: the root's real path and `inside`. The file may be missing.
Result<std::filesystem::path> plainPath(const ProjectPath& file);

/// ErrorCode::notFound where it is missing.
Result<void> requireFolder(const ProjectPath& folder);
/// Makes what is missing of `inside`.
Result<void> makeFolder(const ProjectPath& folder);

}  // namespace strata
