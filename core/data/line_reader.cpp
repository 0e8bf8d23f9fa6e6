#include "core/data/line_reader.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace strata {
namespace {
constexpr std::size_t kBufferBytes = 1u << 20;
}

LineReader::LineReader(std::filesystem::path path, std::ifstream file)
    : m_path(std::move(path)), m_file(std::move(file)) {}

Result<LineReader> LineReader::open(const std::filesystem::path& path) {
  std::error_code missing;
  if (!std::filesystem::is_regular_file(path, missing)) {
    return fail(ErrorCode::notFound, path.string() + " is not a file; give a .txt or .jsonl file.", path.string());
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail(ErrorCode::io, "Cannot open " + path.string() + ": " + std::strerror(errno) + ".", path.string());
  }
  return LineReader(path, std::move(file));
}

std::string LineReader::where() const {
  return m_path.string() + ":" + std::to_string(m_number);
}

// Refills an exhausted buffer; false at the end of the file or on an error.
bool LineReader::fill() {
  m_at = 0;
  m_buffer.resize(kBufferBytes);
  m_file.read(m_buffer.data(), static_cast<std::streamsize>(m_buffer.size()));
  m_buffer.resize(static_cast<std::size_t>(m_file.gcount()));
  return !m_buffer.empty();
}

Result<bool> LineReader::next(std::string& line) {
  line.clear();
  bool any = false;
  for (bool ended = false; !ended;) {
    if (m_at == m_buffer.size() && !fill()) {
      if (m_file.bad()) return fail(ErrorCode::io, "Reading " + m_path.string() + " failed.", m_path.string());
      if (!any) return false;
      break;
    }
    if (!std::exchange(any, true)) ++m_number;
    const std::size_t newline = m_buffer.find('\n', m_at);
    ended = newline != std::string::npos;
    const std::size_t end = ended ? newline : m_buffer.size();
    if (line.size() + (end - m_at) > kMaxLineBytes) {
      return fail(ErrorCode::invalidData, where() + ": the line is longer than 64 MiB; split it.", where());
    }
    line.append(m_buffer, m_at, end - m_at);
    m_at = ended ? end + 1 : end;
  }
  if (line.ends_with('\r')) line.pop_back();
  if (m_number == 1) line.erase(0, line.size() - withoutByteOrderMark(line).size());
  return true;
}

std::string_view withoutByteOrderMark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

}  // namespace strata
