#include "core/project/project_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/base/file_errors.h"
#include "core/base/read_descriptor.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> refuseLink(const fs::path& path) {
  return fail(ErrorCode::invalidData,
              path.string() +
                  " is a symbolic link, and nothing in a project is opened through one; put the file or folder itself "
                  "there.",
              path.string());
}

const char* kindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

Result<void> requireRegular(const struct stat& status, const fs::path& path) {
  if (S_ISREG(status.st_mode)) return {};
  if (S_ISLNK(status.st_mode)) return refuseLink(path);
  return fail(ErrorCode::invalidData, path.string() + " is " + kindOf(status.st_mode) + "; it must be a regular file.",
              path.string());
}

/// `inside` without "." and empty parts.
Result<std::vector<std::string>> partsOf(const ProjectPath& path) {
  std::vector<std::string> parts;
  for (const fs::path& part : path.inside) {
    if (part.empty() || part == ".") continue;
    if (part == ".." || part.is_absolute()) {
      return fail(ErrorCode::internal, path.inside.string() + " leaves the project.", path.whole().string());
    }
    parts.push_back(part.string());
  }
  return parts;
}

/// The root, opened as a place to start from.
Result<Descriptor> openRoot(const fs::path& root) {
  Descriptor folder(::open(root.empty() ? "." : root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return systemFailure(errno, "open", root);
  return folder;
}

/// A folder inside an open one. `path` names it in errors.
Result<Descriptor> openFolderIn(const Descriptor& folder, const std::string& name, const fs::path& path) {
  Descriptor next(::openat(folder.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (next.get() >= 0) return next;
  const int number = errno;
  struct stat status {};
  const bool link = ::fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
  if (link) return refuseLink(path);
  return systemFailure(number, "open", path);
}

/// A file's folder and its name in it.
struct Place {
  Descriptor folder;
  std::string name;
};

Result<Place> placeOf(const ProjectPath& file) {
  STRATA_TRY(std::vector<std::string> parts, partsOf(file));
  if (parts.empty()) return fail(ErrorCode::internal, file.whole().string() + " names no file.");
  STRATA_TRY(Descriptor folder, openRoot(file.root));
  Place place{std::move(folder), std::move(parts.back())};
  parts.pop_back();
  fs::path reached = file.root;
  for (const std::string& part : parts) {
    reached /= part;
    STRATA_TRY(place.folder, openFolderIn(place.folder, part, reached));
  }
  return place;
}

}  // namespace

Descriptor::~Descriptor() {
  if (m_fd >= 0) ::close(m_fd);
}

ProjectPath inRun(const fs::path& runFolder, const fs::path& name) {
  std::error_code ignored;
  fs::path whole = fs::absolute(runFolder, ignored);
  const bool goesUp = std::find(whole.begin(), whole.end(), "..") != whole.end();
  whole = goesUp ? fs::weakly_canonical(whole, ignored) : whole.lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  fs::path root = whole.parent_path();
  if (root.filename() == "runs" || root.filename() == "trash") root = root.parent_path();
  return {root, whole.lexically_relative(root) / name};
}

Result<Descriptor> openInProject(const ProjectPath& file, int flags) {
  const fs::path path = file.whole();
  STRATA_TRY(const Place place, placeOf(file));
  // Asked before, because opening a device can act on it, and after, because it may have been swapped.
  struct stat status {};
  if (::fstatat(place.folder.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    STRATA_CHECK(requireRegular(status, path));
  } else if (errno != ENOENT || (flags & O_CREAT) == 0) {
    return systemFailure(errno, "open", path);
  }
  constexpr int kAlways = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  Descriptor opened(::openat(place.folder.get(), place.name.c_str(), flags | kAlways, 0666));
  if (opened.get() < 0 && errno == ELOOP) return refuseLink(path);
  if (opened.get() < 0 || ::fstat(opened.get(), &status) != 0) return systemFailure(errno, "open", path);
  STRATA_CHECK(requireRegular(status, path));
  return opened;
}

std::chrono::system_clock::time_point changedAt(const struct stat& status) {
  const auto since = std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec);
  return std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(since));
}

Result<std::string> readInProject(const ProjectPath& file, std::uint64_t maxBytes) {
  STRATA_TRY(const Descriptor opened, openInProject(file, O_RDONLY));
  return readDescriptor(opened.get(), file.whole(), maxBytes);
}

Result<fs::path> plainPath(const ProjectPath& file) {
  STRATA_TRY(const Place place, placeOf(file));
  struct stat status {};
  if (::fstatat(place.folder.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    STRATA_CHECK(requireRegular(status, file.whole()));
  } else if (errno != ENOENT) {
    return systemFailure(errno, "open", file.whole());
  }
  std::error_code error;
  const fs::path root = fs::canonical(file.root.empty() ? fs::path(".") : file.root, error);
  if (error) return systemFailure(error.value(), "open", file.root);
  return (root / file.inside).lexically_normal();
}

Result<void> requireFolder(const ProjectPath& folder) {
  STRATA_TRY(const std::vector<std::string> parts, partsOf(folder));
  STRATA_TRY(Descriptor reached, openRoot(folder.root));
  fs::path path = folder.root;
  for (const std::string& part : parts) {
    path /= part;
    STRATA_TRY(reached, openFolderIn(reached, part, path));
  }
  return {};
}

Result<void> makeFolder(const ProjectPath& folder) {
  STRATA_TRY(const std::vector<std::string> parts, partsOf(folder));
  STRATA_TRY(Descriptor reached, openRoot(folder.root));
  fs::path path = folder.root;
  for (const std::string& part : parts) {
    path /= part;
    if (::mkdirat(reached.get(), part.c_str(), 0777) != 0 && errno != EEXIST) {
      return systemFailure(errno, "create", path);
    }
    STRATA_TRY(reached, openFolderIn(reached, part, path));
  }
  return {};
}

}  // namespace strata
