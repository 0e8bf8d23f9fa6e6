// files/put: files of the window's machine, for an engine that runs on another.

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

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

/// RFC 4648, section 4, with padding and nothing between.
Result<std::string> decodeBase64(const std::string& text) {
  constexpr std::size_t kGroup = 4, kGroupBytes = 3;
  const auto broken = [] { return fail(ErrorCode::usage, "The piece's data are no base64; send it again.", "data"); };
  if (text.size() > (kMostBytes / kGroupBytes + 1) * kGroup) {
    return fail(ErrorCode::usage, "A piece has at most 4 MiB; send smaller ones.", "data");
  }
  // OpenSSL skips white space at both ends and takes padding anywhere.
  const std::size_t end = text.find_first_of("= \t\r\n");
  const std::size_t padding = end == std::string::npos ? 0 : text.size() - end;
  if (text.size() % kGroup != 0 || padding > 2 ||
      text.find_first_not_of('=', text.size() - padding) != std::string::npos) {
    return broken();
  }
  std::string bytes(text.size() / kGroup * kGroupBytes, '\0');
  const int made = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (made < 0) return broken();
  bytes.resize(static_cast<std::size_t>(made) - padding);
  return bytes;
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
  STRATA_TRY(const std::string bytes, decodeBase64(params.data));
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
