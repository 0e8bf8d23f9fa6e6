// Records of CSV and TSV files (RFC 4180): the first row names the columns, a field in quotes may hold delimiters, line
// breaks and doubled quotes. A record's value is an object of texts. A stray quote costs its own row alone, not those
// up to the next quote.

#include <algorithm>
#include <set>
#include <string_view>

#include "core/data/byte_reader.h"
#include "core/data/raw_records.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostColumns = 10'000;

/// One row as it was read.
struct CsvRow {
  std::vector<std::string> fields;
  std::int64_t line = 0;
  std::string complaint;  // why it cannot be used; empty where it can
  bool stray = false;  // it goes over line breaks because of a quote that is none: what it took are rows of their own
};

/// A file's bytes, of which those read since a mark can be read again.
class RewindableBytes {
 public:
  explicit RewindableBytes(ByteReader bytes) : m_bytes(std::move(bytes)) {}

  int peek() { return m_at < m_held.size() ? static_cast<unsigned char>(m_held[m_at]) : m_bytes.peek(); }
  int get() {
    const bool held = m_at < m_held.size();
    const int byte = held ? static_cast<unsigned char>(m_held[m_at++]) : m_bytes.get();
    if (byte == ByteReader::kEnd) return byte;
    if (byte == '\n') ++m_line;
    if (!held) {
      ++m_read;
      if (m_marked) m_held.push_back(static_cast<char>(byte));
      m_at = m_held.size();
    }
    return byte;
  }
  std::int64_t line() const { return m_line; }
  Result<void> error() const { return m_bytes.error(); }

  /// From here on bytes are kept.
  void mark() {
    if (m_at > m_held.size() / 2) {  // what lies before is no longer wanted; by halves, so that all moves are few
      m_held.erase(0, m_at);
      m_at = 0;
    }
    m_marked = true;
    m_mark = m_at;
    m_markLine = m_line;
  }
  bool marked() const { return m_marked; }
  std::string_view sinceMark() const { return std::string_view(m_held).substr(m_mark, m_at - m_mark); }
  void unmark() {
    m_marked = false;
    if (m_at == m_held.size()) {
      m_held.clear();
      m_at = 0;
    }
  }
  /// Back to the mark; false where so much was read again that the file must be made to waste time.
  bool rewind() {
    constexpr std::size_t kFree = std::size_t{256} << 20, kTimes = 8;
    m_readAgain += m_at - m_mark;
    m_at = m_mark;
    m_line = m_markLine;
    m_marked = false;
    return m_readAgain <= kFree + kTimes * m_read;
  }

 private:
  ByteReader m_bytes;
  std::string m_held;  // bytes that were kept; those from m_at on are read again
  std::size_t m_at = 0, m_mark = 0;
  bool m_marked = false;
  std::int64_t m_line = 1, m_markLine = 1;
  std::size_t m_read = 0, m_readAgain = 0;
};

class CsvReader {
 public:
  CsvReader(ByteReader bytes, char delimiter) : m_bytes(std::move(bytes)), m_delimiter(delimiter) {}

  /// The next row that is no blank line, of `columns` fields (0: not known yet); false at the end. After a row with a
  /// stray quote, the next one is read from the line after the one where that row began.
  Result<bool> next(CsvRow& row, std::size_t columns) {
    while (m_bytes.peek() == '\n' || m_bytes.peek() == '\r') m_bytes.get();
    STRATA_CHECK(m_bytes.error());
    if (m_bytes.peek() == ByteReader::kEnd) return false;
    row = CsvRow();
    row.line = m_bytes.line();
    m_size = 0;
    while (field(row) && !row.stray) {
    }
    STRATA_CHECK(m_bytes.error());
    if (!row.stray && m_size > kMaxRecordBytes) complain(row, "the row is longer than 64 MiB; is a quote not closed?");
    if (row.complaint.empty() && columns != 0 && row.fields.size() != columns) {
      row.complaint = "the row has " + std::to_string(row.fields.size()) + " fields and the first row names " +
                      std::to_string(columns) + " columns; correct it.";
      row.stray = m_bytes.marked() && mostLinesAreRows(m_bytes.sinceMark(), columns);
    }
    m_wasteful = row.stray && m_bytes.marked() && !m_bytes.rewind();
    m_bytes.unmark();
    return true;
  }
  /// Whether stray quotes made so much be read again that the file cannot be read on.
  bool wasteful() const { return m_wasteful; }

 private:
  static void complain(CsvRow& row, const char* what) {
    if (row.complaint.empty()) row.complaint = what;
  }

  /// Whether the lines that a row took are rather rows that a stray quote joined, than a text of many lines.
  bool mostLinesAreRows(std::string_view lines, std::size_t columns) const {
    std::size_t rows = 0, all = 0;
    while (!lines.empty()) {
      const std::size_t end = std::min(lines.find('\n'), lines.size());
      const std::string_view line = lines.substr(0, end);
      lines.remove_prefix(std::min(end + 1, lines.size()));
      if (isBlank(line)) continue;
      ++all;
      if (static_cast<std::size_t>(std::count(line.begin(), line.end(), static_cast<char>(m_delimiter))) + 1 == columns)
        ++rows;
    }
    return 2 * rows > all;
  }

  void append(std::string& field, int byte) {
    if (++m_size <= kMaxRecordBytes) field.push_back(static_cast<char>(byte));
  }

  /// Reads one field and what ends it; whether another follows in this row.
  bool field(CsvRow& row) {
    std::string text;
    const bool isQuoted = m_bytes.peek() == '"';
    bool ofManyLines = false;
    if (isQuoted) {
      m_bytes.get();
      if (!quoted(text, ofManyLines)) {
        complain(row, "a quote is opened in this row and never closed; close it, or double a quote that is text.");
        row.stray = true;
        return false;
      }
    }
    bool more = false;
    for (;;) {
      const int byte = m_bytes.get();
      if (byte == m_delimiter) {
        more = true;
        break;
      }
      if (byte == '\r' && m_bytes.peek() == '\n') continue;
      if (byte == '\n' || byte == ByteReader::kEnd || byte == '\r') break;
      if (ofManyLines || tooManyKept()) {
        complain(row,
                 "a quote is opened in this row and closed in a later one, with text after it; close it, or double a "
                 "quote that is text.");
        row.stray = true;
        return false;
      }
      if (isQuoted) complain(row, "there is text after a closing quote; put the whole field in quotes.");
      append(text, byte);
    }
    if (row.fields.size() < kMostColumns) {
      row.fields.push_back(std::move(text));
    } else {
      complain(row, "the row has more than 10000 fields; is the delimiter right?");
    }
    return more;
  }

  bool tooManyKept() const { return m_bytes.marked() && m_bytes.sinceMark().size() > kMaxRecordBytes; }

  /// After an opening quote, up to and with the closing one; false where there is none, or none within a row's size.
  bool quoted(std::string& text, bool& ofManyLines) {
    for (;;) {
      const int byte = m_bytes.get();
      if (byte == ByteReader::kEnd) return false;
      if (byte == '"') {
        if (m_bytes.peek() != '"') return true;
        m_bytes.get();
      }
      append(text, byte);
      if (byte == '\n' || byte == '\r') {
        ofManyLines = true;
        if (!m_bytes.marked()) m_bytes.mark();
      }
      if (tooManyKept()) return false;
    }
  }

  RewindableBytes m_bytes;
  int m_delimiter;
  std::size_t m_size = 0;  // bytes of the row so far
  bool m_wasteful = false;
};

/// The delimiter that the first line has most of outside quotes; a comma where there is none.
Result<char> sniffDelimiter(const fs::path& file) {
  STRATA_TRY(InputFile input, InputFile::open(file));
  ByteReader bytes(std::move(input));
  constexpr char kDelimiters[] = {',', ';', '\t'};
  std::int64_t counts[3] = {};
  bool quoted = false;
  constexpr std::size_t kMostBytes = 1u << 20;
  for (std::size_t at = 0; at < kMostBytes; ++at) {
    const int byte = bytes.get();
    if (byte == ByteReader::kEnd || (byte == '\n' && !quoted)) break;
    if (byte == '"') quoted = !quoted;
    for (int i = 0; i < 3 && !quoted; ++i) counts[i] += byte == kDelimiters[i] ? 1 : 0;
  }
  STRATA_CHECK(bytes.error());
  return kDelimiters[std::max_element(counts, counts + 3) - counts];
}

Result<void> checkHeader(const CsvRow& header, const fs::path& file) {
  const auto refuse = [&](const std::string& what) {
    const std::string where = placeOf(file.string(), header.line);
    return fail(ErrorCode::invalidData, where + ": " + what, where);
  };
  if (!header.complaint.empty()) return refuse(header.complaint);
  std::set<std::string> names;
  for (const std::string& name : header.fields) {
    if (findInvalidUtf8(name)) return refuse("the column names are not UTF-8; convert the file.");
    if (!names.insert(name).second) return refuse("the column \"" + name + "\" comes twice; rename one.");
  }
  return {};
}

}  // namespace

Result<void> readCsv(const fs::path& file, char delimiter, const RecordSink& sink) {
  if (delimiter == 0) {
    STRATA_TRY(delimiter, sniffDelimiter(file));
  }
  STRATA_TRY(InputFile input, InputFile::open(file));
  CsvReader reader(ByteReader(std::move(input)), delimiter);
  CsvRow header, row;
  STRATA_TRY(const bool any, reader.next(header, 0));
  if (!any) return {};
  STRATA_CHECK(checkHeader(header, file));
  for (;;) {
    STRATA_TRY(const bool more, reader.next(row, header.fields.size()));
    if (!more) return {};
    if (reader.wasteful()) {
      const std::string where = placeOf(file.string(), row.line);
      return fail(ErrorCode::invalidData,
                  where + ": quotes are opened in too many rows and not closed; double each quote that is text.",
                  where);
    }
    if (row.complaint.empty() && std::any_of(row.fields.begin(), row.fields.end(), [](const std::string& field) {
          return findInvalidUtf8(field).has_value();
        })) {
      row.complaint = "the text is not UTF-8; convert the file.";
    }
    if (!row.complaint.empty()) {
      STRATA_CHECK(sink.drop({row.line, std::move(row.complaint), file.string()}));
      continue;
    }
    Json value = Json::object();
    auto& members = value.get_ref<Json::object_t&>();
    members.reserve(row.fields.size());
    for (std::size_t i = 0; i < row.fields.size(); ++i)
      members.emplace_back(header.fields[i], std::move(row.fields[i]));
    STRATA_CHECK(sink.take({std::move(value), file.string(), row.line}));
  }
}

}  // namespace strata
