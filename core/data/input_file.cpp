#include "core/data/input_file.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace strata {
namespace {

constexpr unsigned kGzipBufferBytes = 1u << 18;
constexpr std::uint64_t kFreeBytes = 64u << 20;  // however much they expand
constexpr std::uint64_t kMostExpansion = 200;    // gzip itself ends at about 1030

tl::unexpected<Error> cannot(const std::filesystem::path& path, const std::string& what) {
  return fail(ErrorCode::io, "Cannot read " + path.string() + ": " + what + ".", path.string());
}

}  // namespace

void InputFile::Close::operator()(gzFile_s* file) const {
  gzclose(file);
}

Result<InputFile> InputFile::open(const std::filesystem::path& path) {
  std::error_code missing;
  if (!std::filesystem::is_regular_file(path, missing)) {
    return fail(ErrorCode::notFound, path.string() + " is not a file; give a data file or a folder of them.",
                path.string());
  }
  gzFile_s* file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return cannot(path, std::strerror(errno));
  gzbuffer(file, kGzipBufferBytes);
  return InputFile(path, file);
}

Result<std::size_t> InputFile::read(char* to, std::size_t bytes) {
  constexpr std::size_t kMost = 1u << 30;
  const int got = gzread(m_file.get(), to, static_cast<unsigned>(std::min(bytes, kMost)));
  int code = Z_OK;
  const char* reason = gzerror(m_file.get(), &code);
  if (code == Z_ERRNO) return cannot(m_path, std::strerror(errno));
  if (code == Z_BUF_ERROR) return cannot(m_path, "the gzip data break off; the file is not whole");
  if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
    return cannot(m_path, std::string("the gzip data are broken (") + reason + ")");
  }
  m_read += static_cast<std::uint64_t>(got);
  if (m_read > kFreeBytes && gzdirect(m_file.get()) == 0) {
    const auto compressed = static_cast<std::uint64_t>(std::max<z_off_t>(gzoffset(m_file.get()), 1));
    if (m_read / compressed > kMostExpansion) {
      return fail(ErrorCode::invalidData,
                  m_path.string() + " expands more than " + std::to_string(kMostExpansion) +
                      " times, which data do not; decompress it and look at it.",
                  m_path.string());
    }
  }
  return static_cast<std::size_t>(got);
}

Result<std::string> readAll(const std::filesystem::path& path, std::uint64_t maxBytes) {
  STRATA_TRY(InputFile file, InputFile::open(path));
  std::string content;
  for (std::size_t piece = 1u << 16;; piece = std::min<std::size_t>(2 * piece, 1u << 26)) {
    const std::size_t before = content.size();
    content.resize(before + piece);
    STRATA_TRY(const std::size_t got, file.read(content.data() + before, piece));
    content.resize(before + got);
    if (got == 0) return content;
    if (content.size() > maxBytes) {
      return fail(ErrorCode::invalidData,
                  path.string() + " holds more than " + std::to_string(maxBytes >> 20) + " MiB; split it.",
                  path.string());
    }
  }
}

std::filesystem::path withoutGzip(const std::filesystem::path& path) {
  return path.extension() == ".gz" ? std::filesystem::path(path).replace_extension() : path;
}

}  // namespace strata
