#include "core/data/line_reader.h"

#include <utility>

namespace strata {
namespace {
constexpr std::size_t kLineBufferBytes = 1u << 20;
}

Result<LineReader> LineReader::open(const std::filesystem::path& path) {
  STRATA_TRY(InputFile file, InputFile::open(path));
  return LineReader(std::move(file));
}

std::string LineReader::where() const {
  return m_file.path().string() + ":" + std::to_string(m_number);
}

// Refills an exhausted buffer; false at the end of the file.
Result<bool> LineReader::fill() {
  m_at = 0;
  m_buffer.resize(kLineBufferBytes);
  STRATA_TRY(const std::size_t got, m_file.read(m_buffer.data(), m_buffer.size()));
  m_buffer.resize(got);
  return got > 0;
}

Result<bool> LineReader::next(std::string& line) {
  line.clear();
  bool any = false, tooLong = false;
  for (bool ended = false; !ended;) {
    if (m_at == m_buffer.size()) {
      STRATA_TRY(const bool more, fill());
      if (!more && !any) return false;
      if (!more) break;
    }
    if (!std::exchange(any, true)) ++m_number;
    const std::size_t newline = m_buffer.find('\n', m_at);
    ended = newline != std::string::npos;
    const std::size_t end = ended ? newline : m_buffer.size();
    tooLong = tooLong || line.size() + (end - m_at) > kMaxRecordBytes;
    if (!tooLong) line.append(m_buffer, m_at, end - m_at);
    m_at = ended ? end + 1 : end;
  }
  if (tooLong) {
    line.clear();
    return fail(ErrorCode::invalidData, where() + ": the line is longer than 64 MiB; split it.", where());
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

bool isBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\v\f\n") == std::string_view::npos;
}

}  // namespace strata
