#pragma once
// A file's bytes one by one, with the number of the line that the next one stands in. A byte order mark is skipped.

#include <cstdint>
#include <string>

#include "core/data/input_file.h"
#include "core/data/line_reader.h"

namespace strata {

class ByteReader {
 public:
  static constexpr int kEnd = -1;

  explicit ByteReader(InputFile file) : m_file(std::move(file)) {}

  /// The next byte (0-255) without taking it; kEnd at the end of the file, or where reading failed: see error().
  int peek() {
    if (m_at == m_buffer.size() && !fill()) return kEnd;
    return static_cast<unsigned char>(m_buffer[m_at]);
  }
  int get() {
    const int byte = peek();
    if (byte == kEnd) return kEnd;
    ++m_at;
    if (byte == '\n') ++m_line;
    return byte;
  }
  std::int64_t line() const { return m_line; }
  /// What ended the file early.
  Result<void> error() const {
    if (m_failed) return tl::unexpected(m_error);
    return {};
  }

 private:
  bool fill() {
    if (m_failed) return false;
    const bool first = m_buffer.empty();
    m_at = 0;
    m_buffer.resize(std::size_t{1} << 18);
    const Result<std::size_t> got = m_file.read(m_buffer.data(), m_buffer.size());
    if (!got) {
      m_failed = true;
      m_error = got.error();
    }
    m_buffer.resize(got.value_or(0));
    if (first) m_at = m_buffer.size() - withoutByteOrderMark(m_buffer).size();
    return m_at < m_buffer.size();
  }

  InputFile m_file;
  std::string m_buffer;
  std::size_t m_at = 0;
  std::int64_t m_line = 1;
  bool m_failed = false;
  Error m_error;
};

}  // namespace strata
