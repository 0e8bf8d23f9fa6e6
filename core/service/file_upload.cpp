// files/put: files of the window's machine, for an engine that runs on another.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/base64.h"
#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/project/project_files.h"
#include "core/service/project_state.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = 4u << 20;  // of a piece
constexpr std::size_t kMostName = 200;        // bytes of a part of the name

/// "train.jsonl" or "my-model/config.json".
Result<fs::path> checkedName(const std::string& name) {
  const fs::path path(name);
  const auto plain = [](const fs::path& part) {
    const std::string text = part.string();
    return !text.empty() && text.size() <= kMostName && !text.starts_with('.') && text.find('\0') == std::string::npos;
  };
  constexpr int kParts = 2;
  if (path.is_relative() && std::distance(path.begin(), path.end()) <= kParts && !path.empty() &&
      std::all_of(path.begin(), path.end(), plain)) {
    return path;
  }
  return fail(ErrorCode::usage, "An upload cannot be called " + name + "; give a plain file name, or FOLDER/FILE.",
              "name");
}

Result<std::string> bytesOf(const std::string& base64) {
  if (base64.size() > (kMostBytes / 3 + 1) * 4) {
    return fail(ErrorCode::usage, "A piece has at most 4 MiB; send smaller ones.", "data");
  }
  auto bytes = decodeBase64(base64);
  if (!bytes) return fail(ErrorCode::usage, "The piece's data are no base64; send it again.", "data");
  return *std::move(bytes);
}

Result<void> writeAt(int file, std::string_view bytes, std::int64_t offset, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return systemFailure(errno, "write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
  return {};
}

}  // namespace

Result<protocol::PutFile::Answer> putFile(const protocol::PutFile::Params& params, const fs::path& project) {
  STRATA_TRY(const fs::path name, checkedName(params.name));
  STRATA_TRY(const std::string bytes, bytesOf(params.data));
  const fs::path whole = project / "uploads" / name;
  const fs::path part = whole.parent_path() / ("." + whole.filename().string() + ".part");
  std::error_code error;
  STRATA_CHECK(makeFolder({project, fs::path("uploads") / name.parent_path()}));
  const int begin = params.offset == 0 ? O_CREAT | O_TRUNC : 0;
  const int file = ::open(part.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | begin, 0666);
  if (file < 0 && errno == ENOENT) {
    return fail(ErrorCode::usage, "The upload of " + params.name + " has no beginning here; begin it again.", "offset");
  }
  if (file < 0) return systemFailure(errno, "write", part);
  Result<void> done;
  if (const off_t size = ::lseek(file, 0, SEEK_END); size != params.offset) {
    done = fail(ErrorCode::usage,
                "The piece begins at byte " + std::to_string(params.offset) + " and " + std::to_string(size) +
                    " have come; the pieces come in order.",
                "offset");
  } else {
    done = writeAt(file, bytes, params.offset, part);
  }
  if (done && params.last && ::fsync(file) != 0) done = systemFailure(errno, "write", part);
  ::close(file);
  STRATA_CHECK(done);
  if (params.last) {
    fs::rename(part, whole, error);
    if (error) return systemFailure(error.value(), "write", whole);
    STRATA_CHECK(syncFolder(whole.parent_path()));
  }
  return protocol::PutFile::Answer{whole.string(), params.offset + static_cast<std::int64_t>(bytes.size())};
}

}  // namespace strata
