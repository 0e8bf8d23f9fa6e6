// Records of CSV and TSV files (RFC 4180): the first row names the columns, a field in quotes may hold delimiters, line
// breaks and doubled quotes. A record's value is an object of texts.

#include <algorithm>
#include <set>

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
};

class CsvReader {
 public:
  CsvReader(ByteReader bytes, char delimiter) : m_bytes(std::move(bytes)), m_delimiter(delimiter) {}

  /// The next row that is no blank line; false at the end.
  Result<bool> next(CsvRow& row) {
    while (m_bytes.peek() == '\n' || m_bytes.peek() == '\r') m_bytes.get();
    STRATA_CHECK(m_bytes.error());
    if (m_bytes.peek() == ByteReader::kEnd) return false;
    row = CsvRow();
    row.line = m_bytes.line();
    m_size = 0;
    while (field(row)) {
    }
    STRATA_CHECK(m_bytes.error());
    if (m_size > kMaxRecordBytes) complain(row, "the row is longer than 64 MiB; is a quote not closed?");
    return true;
  }

 private:
  static void complain(CsvRow& row, const char* what) {
    if (row.complaint.empty()) row.complaint = what;
  }

  void append(std::string& field, int byte) {
    if (++m_size <= kMaxRecordBytes) field.push_back(static_cast<char>(byte));
  }

  /// Reads one field and what ends it; whether another follows in this row.
  bool field(CsvRow& row) {
    std::string text;
    if (m_bytes.peek() == '"') {
      m_bytes.get();
      if (!quoted(text))
        complain(row, "a quote is opened in this row and never closed; close it, or double a quote that is text.");
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
      if (m_closed) complain(row, "there is text after a closing quote; put the whole field in quotes.");
      append(text, byte);
    }
    m_closed = false;
    if (row.fields.size() < kMostColumns) {
      row.fields.push_back(std::move(text));
    } else {
      complain(row, "the row has more than 10000 fields; is the delimiter right?");
    }
    return more;
  }

  /// After an opening quote, up to and with the closing one; false where there is none.
  bool quoted(std::string& text) {
    for (;;) {
      const int byte = m_bytes.get();
      if (byte == ByteReader::kEnd) return false;
      if (byte == '"') {
        if (m_bytes.peek() != '"') break;
        m_bytes.get();
      }
      append(text, byte);
    }
    m_closed = true;
    return true;
  }

  ByteReader m_bytes;
  int m_delimiter;
  std::size_t m_size = 0;  // bytes of the row so far
  bool m_closed = false;   // the field at hand had quotes, which are closed
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
  STRATA_TRY(const bool any, reader.next(header));
  if (!any) return {};
  STRATA_CHECK(checkHeader(header, file));
  for (;;) {
    STRATA_TRY(const bool more, reader.next(row));
    if (!more) return {};
    if (row.complaint.empty() && row.fields.size() != header.fields.size()) {
      row.complaint = "the row has " + std::to_string(row.fields.size()) + " fields and the first row names " +
                      std::to_string(header.fields.size()) + " columns; correct it.";
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
