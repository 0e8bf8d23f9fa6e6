// Records of JSON files. The text is first cut into the values of the list, by brackets and quotes alone, and each
// value is then parsed by itself: so a list of any size is read one record after another, a record that is not valid
// JSON does not cost those after it, and every record has a line.

#include <algorithm>
#include <optional>
#include <utility>

#include "core/data/byte_reader.h"
#include "core/data/raw_records.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxLoneObjectBytes = std::size_t{256} << 20;  // its values take several times that

bool isSpace(int byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/// Parses one value and hands it over; broken ones are dropped.
Result<void> pass(std::string_view text, const fs::path& file, std::int64_t line, const RecordSink& sink) {
  auto value = parseJson(text, "the record");
  if (value) return sink.take({std::move(*value), file.string(), line});
  if (value.error().code == ErrorCode::outOfMemory) return tl::unexpected(std::move(value).error());
  return sink.drop({line, std::move(value.error().message), file.string()});
}

DroppedRow tooLong(const fs::path& file, std::int64_t line, std::size_t limit = kMaxRecordBytes) {
  return {line, "the record is longer than " + std::to_string(limit >> 20) + " MiB; split it.", file.string()};
}

/// A member of an object whose value may hold the records.
struct Member {
  std::string key;
  bool recordList = false;  // a list of objects or lists
};

/// Cuts a file into values.
class JsonCutter {
 public:
  static Result<JsonCutter> open(const fs::path& file) {
    STRATA_TRY(InputFile input, InputFile::open(file));
    return JsonCutter(file, ByteReader(std::move(input)));
  }

  /// The next byte that is no white space, not taken.
  int peek() {
    while (isSpace(m_bytes.peek())) m_bytes.get();
    return m_bytes.peek();
  }
  int get() { return m_bytes.get(); }
  std::int64_t line() const { return m_bytes.line(); }
  Result<void> error() const { return m_bytes.error(); }

  tl::unexpected<Error> broken(const std::string& what) const {
    if (const auto failed = m_bytes.error(); !failed) return tl::unexpected(failed.error());
    const std::string where = placeOf(m_file.string(), line());
    return fail(ErrorCode::invalidData, where + ": " + what, where);
  }

  /// An object that is all of its file may be longer than a record: columns of a whole data set.
  void limitTo(std::size_t bytes) { m_limit = bytes; }

  enum class Cut { whole, tooLong };
  /// Takes one value, up to the bracket or quote that ends it, or to what cannot belong to a number or a word. Into
  /// `text`, where one is given.
  Result<Cut> value(std::string* text) {
    const int first = peek();
    if (text != nullptr) text->clear();
    m_text = text;
    m_length = 0;
    if (first == '"') {
      take();
      STRATA_CHECK(restOfString());
    } else if (first == '{' || first == '[') {
      STRATA_CHECK(brackets());
    } else {
      STRATA_CHECK(word());
    }
    return m_length > m_limit ? Cut::tooLong : Cut::whole;
  }

 private:
  JsonCutter(fs::path file, ByteReader bytes) : m_file(std::move(file)), m_bytes(std::move(bytes)) {}

  int take() {
    const int byte = m_bytes.get();
    if (byte == ByteReader::kEnd) return byte;
    if (++m_length <= m_limit && m_text != nullptr) m_text->push_back(static_cast<char>(byte));
    return byte;
  }

  Result<void> restOfString() {
    for (int byte = take(); byte != '"'; byte = take()) {
      if (byte == '\\') byte = take();
      if (byte == ByteReader::kEnd) return broken("the file ends inside a text in quotes; it is not whole.");
    }
    return {};
  }

  Result<void> brackets() {
    for (std::int64_t depth = 0;;) {
      const int byte = take();
      if (byte == ByteReader::kEnd) return broken("the file ends inside a record; it is not whole.");
      if (byte == '"') STRATA_CHECK(restOfString());
      if (byte == '{' || byte == '[') ++depth;
      if ((byte == '}' || byte == ']') && --depth == 0) return {};
    }
  }

  Result<void> word() {
    const auto ends = [](int byte) {
      return byte == ByteReader::kEnd || isSpace(byte) || byte == ',' || byte == ':' || byte == '"' || byte == '{' ||
             byte == '}' || byte == '[' || byte == ']';
    };
    if (ends(m_bytes.peek())) return broken("a value is missing here; correct the JSON.");
    while (!ends(m_bytes.peek())) take();
    return {};
  }

  fs::path m_file;
  ByteReader m_bytes;
  std::string* m_text = nullptr;
  std::size_t m_length = 0;
  std::size_t m_limit = kMaxRecordBytes;
};

/// Past the opening bracket: the elements, and the bracket that closes the list.
Result<void> readList(JsonCutter& cutter, const fs::path& file, const RecordSink& sink) {
  std::string text;
  cutter.get();
  for (bool first = true;; first = false) {
    const int next = cutter.peek();
    if (first && next == ']') break;
    const std::int64_t line = cutter.line();
    STRATA_TRY(const auto cut, cutter.value(&text));
    STRATA_CHECK(cut == JsonCutter::Cut::tooLong ? sink.drop(tooLong(file, line)) : pass(text, file, line, sink));
    const int after = cutter.peek();
    if (after == ']') break;
    if (after != ',') {
      return cutter.broken(after == ByteReader::kEnd
                               ? "the file ends inside its list; it is not whole."
                               : "after a record of the list there must be a comma or a bracket.");
    }
    cutter.get();
  }
  cutter.get();
  return cutter.error();
}

Result<std::string> readKey(JsonCutter& cutter) {
  if (cutter.peek() != '"') return cutter.broken("a key in quotes is missing here; correct the JSON.");
  std::string raw;
  STRATA_TRY(const auto cut, cutter.value(&raw));
  auto key = parseJson(raw, "the key");
  if (cut == JsonCutter::Cut::tooLong || !key || !key->is_string()) {
    return cutter.broken("the key before here is not valid JSON; correct it.");
  }
  if (cutter.peek() != ':') return cutter.broken("after a key there must be a colon; correct the JSON.");
  cutter.get();
  return key->get<std::string>();
}

/// The members of the file's first object without their values, up to `stopAt` (its value is next) or the end.
Result<std::vector<Member>> readMembers(JsonCutter& cutter, const std::string* stopAt) {
  std::vector<Member> members;
  cutter.get();
  for (bool first = true; !first || cutter.peek() != '}'; first = false) {
    STRATA_TRY(std::string key, readKey(cutter));
    if (stopAt != nullptr && key == *stopAt) return members;
    constexpr std::size_t kMostMembers = 100'000;
    if (members.size() == kMostMembers) return cutter.broken("the object has too many members to be data.");
    // A list is told from its first element, which is skipped like the rest.
    bool recordList = false;
    if (cutter.peek() == '[') {
      cutter.get();
      const int element = cutter.peek();
      recordList = element == '{' || element == '[';
      while (cutter.peek() != ']') {
        STRATA_CHECK(cutter.value(nullptr));
        if (cutter.peek() == ',') {
          cutter.get();
        } else if (cutter.peek() != ']') {
          return cutter.broken("after an element of a list there must be a comma or a bracket.");
        }
      }
      cutter.get();
    } else {
      STRATA_CHECK(cutter.value(nullptr));
    }
    members.push_back({std::move(key), recordList});
    const int after = cutter.peek();
    if (after == '}') break;
    if (after != ',') return cutter.broken("after a member there must be a comma or a brace; correct the JSON.");
    cutter.get();
  }
  cutter.get();
  return members;
}

/// The member of a wrapping object that holds the records: "data"; else, of what is no record itself, one with another
/// usual name or the first list of objects.
std::optional<std::string> listMember(const std::vector<Member>& members, const IsRecord& isRecord) {
  const auto named = [&](std::initializer_list<const char*> names) -> std::optional<std::string> {
    for (const char* name : names) {
      for (const Member& member : members) {
        if (member.key == name && member.recordList) return member.key;
      }
    }
    return std::nullopt;
  };
  if (auto data = named({"data", "Data"})) return data;
  std::vector<std::string> keys;
  keys.reserve(members.size());
  for (const Member& member : members) keys.push_back(member.key);
  if (isRecord && isRecord(keys)) return std::nullopt;
  if (auto usual = named({"rows", "examples", "train", "records", "items", "samples", "instances"})) return usual;
  for (const Member& member : members) {
    if (member.recordList) return member.key;
  }
  return std::nullopt;
}

/// Values one after another, whatever white space is between them.
Result<void> readSequence(const fs::path& file, std::size_t limit, const RecordSink& sink) {
  STRATA_TRY(JsonCutter cutter, JsonCutter::open(file));
  cutter.limitTo(limit);
  std::string text;
  while (cutter.peek() != ByteReader::kEnd) {
    const std::int64_t line = cutter.line();
    STRATA_TRY(const auto cut, cutter.value(&text));
    STRATA_CHECK(cut == JsonCutter::Cut::tooLong ? sink.drop(tooLong(file, line, limit))
                                                 : pass(text, file, line, sink));
  }
  return cutter.error();
}

}  // namespace

Result<void> readJsonFile(const fs::path& file, const IsRecord& isRecord, const RecordSink& sink) {
  STRATA_TRY(JsonCutter cutter, JsonCutter::open(file));
  if (cutter.peek() == '[') {
    STRATA_CHECK(readList(cutter, file, sink));
    if (cutter.peek() != ByteReader::kEnd) return cutter.broken("there is something after the list; remove it.");
    return cutter.error();
  }
  if (cutter.peek() != '{') return readSequence(file, kMaxRecordBytes, sink);
  const auto members = readMembers(cutter, nullptr);
  // A broken object is said to be so by what parses it, and those after it are read.
  if (!members) return readSequence(file, kMaxRecordBytes, sink);
  const bool alone = cutter.peek() == ByteReader::kEnd;
  STRATA_CHECK(cutter.error());
  const auto list = alone ? listMember(*members, isRecord) : std::nullopt;
  if (!list) return readSequence(file, alone ? kMaxLoneObjectBytes : kMaxRecordBytes, sink);
  STRATA_TRY(JsonCutter again, JsonCutter::open(file));
  again.peek();
  STRATA_CHECK(readMembers(again, &*list));
  again.peek();
  return readList(again, file, sink);
}

Result<void> readJsonLines(const fs::path& file, const IsRecord& isRecord, const RecordSink& sink) {
  STRATA_TRY(LineReader reader, LineReader::open(file));
  std::string line;
  for (bool first = true;;) {
    const Result<bool> more = reader.next(line);
    if (!more && more.error().code != ErrorCode::invalidData) return tl::unexpected(more.error());
    if (!more) {
      STRATA_CHECK(sink.drop(tooLong(file, reader.number())));
      continue;
    }
    if (!*more) return {};
    if (isBlank(line)) continue;
    // A list, or an object over several lines, under the name of JSON lines.
    const std::size_t begin = line.find_first_not_of(" \t\r\v\f");
    const bool opens = line[begin] == '[' || (line[begin] == '{' && isBlank(std::string_view(line).substr(begin + 1)));
    if (std::exchange(first, false) && opens && !parseJson(line, "the line")) {
      return readJsonFile(file, isRecord, sink);
    }
    STRATA_CHECK(pass(line, file, reader.number(), sink));
  }
}

}  // namespace strata
