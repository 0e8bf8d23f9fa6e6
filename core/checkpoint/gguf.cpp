#include "core/checkpoint/gguf.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <new>
#include <optional>
#include <set>

#include "core/checkpoint/safetensors_header.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint64_t kDefaultAlignment = 32, kMostAlignment = 1 << 20;
constexpr std::uint64_t kMostKeys = 1 << 16, kMostTensors = 1 << 20;
constexpr std::uint64_t kLongestKey = 65535, kLongestName = 1024;
constexpr std::uint64_t kMostTextBytes = 64u << 20;  // of the values that are no arrays
constexpr std::uint32_t kMostDimensions = 4;
constexpr std::int64_t kLargestExtent = std::int64_t{1} << 40;

struct ValueType {
  enum : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64, count };
};
constexpr std::array<std::uint64_t, ValueType::count> kValueBytes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/// ggml's tensor types by number; "" for numbers that it gave up.
constexpr std::array<const char*, 42> kTensorTypes = {
    "F32",   "F16",    "Q4_0",  "Q4_1", "",     "",        "Q5_0",   "Q5_1",    "Q8_0",  "Q8_1",   "Q2_K",
    "Q3_K",  "Q4_K",   "Q5_K",  "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S",
    "IQ2_S", "IQ4_XS", "I8",    "I16",  "I32",  "I64",     "F64",    "IQ1_M",   "BF16",  "",       "",
    "",      "TQ1_0",  "TQ2_0", "",     "",     "",        "MXFP4",  "NVFP4",   "Q1_0"};

struct ElementType {
  const char* name;
  DType dtype;  // what blocks are read as
  Blocks blocks;
};
constexpr std::array<ElementType, 9> kElementTypes = {{{"F32", DType::f32, Blocks::none},
                                                       {"F16", DType::f16, Blocks::none},
                                                       {"BF16", DType::bf16, Blocks::none},
                                                       {"Q8_0", DType::bf16, Blocks::q8_0},
                                                       {"Q4_0", DType::bf16, Blocks::q4_0},
                                                       {"Q5_0", DType::bf16, Blocks::q5_0},
                                                       {"Q4_K", DType::bf16, Blocks::q4_k},
                                                       {"Q5_K", DType::bf16, Blocks::q5_k},
                                                       {"Q6_K", DType::bf16, Blocks::q6_k}}};

/// Takes values off the front of bytes; false where these do not suffice.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : m_bytes(bytes) {}

  template <class T>
  bool take(T& value) {
    if (left() < sizeof(T)) return false;
    std::memcpy(&value, m_bytes.data() + m_at, sizeof(T));
    m_at += sizeof(T);
    return true;
  }
  bool take(std::uint64_t count, std::span<const std::byte>& bytes) {
    if (count > left()) return false;
    bytes = m_bytes.subspan(m_at, count);
    m_at += count;
    return true;
  }
  bool takeText(std::string_view& text) {
    std::uint64_t length = 0;
    std::span<const std::byte> bytes;
    if (!take(length) || !take(length, bytes)) return false;
    text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    return true;
  }
  std::uint64_t left() const { return m_bytes.size() - m_at; }
  std::uint64_t at() const { return m_at; }

 private:
  std::span<const std::byte> m_bytes;
  std::size_t m_at = 0;
};

/// The shortest decimal that a float stands for: 1e-05, not 9.999999747378752e-06.
double asWritten(float value) {
  if (!std::isfinite(value)) return value;
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double number = value;
  std::from_chars(text.data(), end, number);
  return number;
}

template <class T>
std::optional<Json> takeNumber(Cursor& cursor) {
  T value{};
  if (!cursor.take(value)) return std::nullopt;
  if constexpr (std::is_same_v<T, float>) {
    return Json(asWritten(value));
  } else {
    return Json(value);
  }
}

/// A value that is neither text nor array; nothing where the bytes end.
std::optional<Json> takeScalar(Cursor& cursor, std::uint32_t type) {
  switch (type) {
    case ValueType::u8:
      return takeNumber<std::uint8_t>(cursor);
    case ValueType::i8:
      return takeNumber<std::int8_t>(cursor);
    case ValueType::u16:
      return takeNumber<std::uint16_t>(cursor);
    case ValueType::i16:
      return takeNumber<std::int16_t>(cursor);
    case ValueType::u32:
      return takeNumber<std::uint32_t>(cursor);
    case ValueType::i32:
      return takeNumber<std::int32_t>(cursor);
    case ValueType::f32:
      return takeNumber<float>(cursor);
    case ValueType::u64:
      return takeNumber<std::uint64_t>(cursor);
    case ValueType::i64:
      return takeNumber<std::int64_t>(cursor);
    case ValueType::f64:
      return takeNumber<double>(cursor);
    default: {  // ValueType::boolean
      std::uint8_t value = 0;
      if (!cursor.take(value)) return std::nullopt;
      return Json(value != 0);
    }
  }
}

bool isUtf8(std::string_view text) {
  try {
    (void)Json(text).dump();
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

std::string typeName(std::uint32_t type) {
  const bool known = type < kTensorTypes.size() && *kTensorTypes.at(type) != '\0';
  return known ? kTensorTypes.at(type) : "number " + std::to_string(type);
}

}  // namespace

class GgufReader {
 public:
  GgufReader(std::span<const std::byte> bytes, Gguf& gguf) : m_bytes(bytes), m_cursor(bytes), m_gguf(gguf) {}

  Result<void> read() {
    STRATA_CHECK(readHeader());
    for (std::uint64_t i = 0; i < m_keys; ++i) STRATA_CHECK(readValue());
    std::uint64_t alignment = kDefaultAlignment;
    STRATA_CHECK(readAlignment(alignment));
    std::vector<Entry> entries;
    for (std::uint64_t i = 0; i < m_tensors; ++i) STRATA_CHECK(readEntry(entries));
    const std::uint64_t begin = (m_cursor.at() + alignment - 1) / alignment * alignment;
    return placeTensors(entries, begin, alignment);
  }

 private:
  struct Entry {
    std::string name;
    TensorView view;
    std::uint64_t offset = 0, bytes = 0;
  };

  tl::unexpected<Error> refuse(const std::string& what, ErrorCode code = ErrorCode::invalidData) const {
    return fail(code, m_gguf.m_where + ": " + what, m_gguf.m_where);
  }
  tl::unexpected<Error> cutShort() const {
    return refuse("the file is cut short within its " + std::string(m_inTensors ? "table of tensors" : "metadata") +
                  ", or a length in it is wrong; get it again.");
  }

  Result<void> readHeader() {
    std::span<const std::byte> magic;
    std::uint32_t version = 0;
    if (m_bytes.empty()) return refuse("the file is empty; get it again.");
    if (!m_cursor.take(kMagic.size(), magic) || std::memcmp(magic.data(), kMagic.data(), kMagic.size()) != 0) {
      return refuse("the file is no GGUF: it does not begin with these letters; give another file.");
    }
    if (!m_cursor.take(version)) return cutShort();
    if (version != 0 && (version & 0xFFFFu) == 0) {
      return refuse("the file is big-endian, which is not supported; get the little-endian one.",
                    ErrorCode::unsupported);
    }
    if (version != 2 && version != 3) {
      return refuse("the file is GGUF of version " + std::to_string(version) +
                        "; supported are 2 and 3: convert the model again.",
                    ErrorCode::unsupported);
    }
    if (!m_cursor.take(m_tensors) || !m_cursor.take(m_keys)) return cutShort();
    if (m_keys > kMostKeys || m_tensors > kMostTensors) {
      return refuse("the file claims " + std::to_string(m_keys) + " metadata values and " + std::to_string(m_tensors) +
                    " tensors, more than any model has; it is damaged, get it again.");
    }
    return {};
  }

  Result<void> readValue() {
    std::string_view key;
    std::uint32_t type = 0;
    if (!m_cursor.takeText(key)) return cutShort();
    if (key.empty() || key.size() > kLongestKey || !isUtf8(key)) {
      return refuse("a key of the metadata is empty, over 65535 bytes long or not UTF-8; the file is damaged.");
    }
    if (!m_cursor.take(type)) return cutShort();
    if (!m_seen.insert(std::string(key)).second) {
      return refuse("the key " + quotedName(key) + " stands twice in the metadata; the file is damaged.");
    }
    if (type >= ValueType::count) return unknownType(key, type);
    if (type == ValueType::array) return readArray(key);
    auto& values = m_gguf.m_values.get_ref<Json::object_t&>();
    if (type != ValueType::text) {
      std::optional<Json> value = takeScalar(m_cursor, type);
      if (!value) return cutShort();
      values.emplace_back(std::string(key), std::move(*value));
      return {};
    }
    std::string_view text;
    if (!m_cursor.takeText(text)) return cutShort();
    m_textBytes += text.size();
    if (m_textBytes > kMostTextBytes) return refuse("the texts of the metadata have over 64 MiB; the file is damaged.");
    if (!isUtf8(text)) return refuse("the value of the key " + quotedName(key) + " is not UTF-8; the file is damaged.");
    values.emplace_back(std::string(key), text);
    return {};
  }

  tl::unexpected<Error> unknownType(std::string_view key, std::uint32_t type) const {
    return refuse("the value of the key " + quotedName(key) + " has the unknown type " + std::to_string(type) +
                  "; the file is damaged or newer than this program.");
  }

  Result<void> readArray(std::string_view key) {
    Gguf::Array array;
    if (!m_cursor.take(array.type) || !m_cursor.take(array.count)) return cutShort();
    if (array.type >= ValueType::count) return unknownType(key, array.type);
    if (array.type == ValueType::array) {
      return refuse("the key " + quotedName(key) + " holds an array of arrays, which is not supported.",
                    ErrorCode::unsupported);
    }
    const std::uint64_t begin = m_cursor.at();
    if (array.type == ValueType::text) {
      for (std::uint64_t i = 0; i < array.count; ++i) {
        std::string_view text;
        if (!m_cursor.takeText(text)) return cutShort();
      }
    } else {
      const std::uint64_t each = kValueBytes.at(array.type);
      std::span<const std::byte> ignored;
      if (array.count > m_cursor.left() / each || !m_cursor.take(array.count * each, ignored)) return cutShort();
    }
    array.bytes = m_bytes.subspan(begin, m_cursor.at() - begin);
    m_gguf.m_arrays.emplace(std::string(key), array);
    return {};
  }

  Result<void> readAlignment(std::uint64_t& alignment) const {
    const JsonFields fields = m_gguf.fields();
    constexpr const char* kKey = "general.alignment";
    STRATA_TRY(const std::int64_t given, fields.integer(kKey, 1, kMostAlignment, kDefaultAlignment));
    if ((given & (given - 1)) != 0) return fields.refuse(kKey, "must be a power of two; the file is damaged.");
    alignment = static_cast<std::uint64_t>(given);
    return {};
  }

  Result<void> readEntry(std::vector<Entry>& entries) {
    m_inTensors = true;
    std::string_view name;
    std::uint32_t dimensions = 0, type = 0;
    if (!m_cursor.takeText(name)) return cutShort();
    if (name.empty() || name.size() > kLongestName) {
      return refuse("the name of a tensor is empty or over 1024 bytes long; the file is damaged.");
    }
    const auto wrong = [&](const std::string& what, ErrorCode code = ErrorCode::invalidData) {
      return refuse("tensor " + quotedName(name) + " " + what, code);
    };
    if (!m_names.insert(std::string(name)).second) return wrong("stands twice in the table; the file is damaged.");
    if (!m_cursor.take(dimensions)) return cutShort();
    if (dimensions == 0 || dimensions > kMostDimensions) {
      return wrong("has " + std::to_string(dimensions) + " dimensions where 1 to 4 are possible; the file is damaged.");
    }
    Entry entry;
    entry.name = name;
    std::int64_t elements = 1;
    for (std::uint32_t i = 0; i < dimensions; ++i) {
      std::uint64_t extent = 0;
      if (!m_cursor.take(extent)) return cutShort();
      if (extent == 0 || extent > static_cast<std::uint64_t>(kLargestExtent) ||
          __builtin_mul_overflow(elements, static_cast<std::int64_t>(extent), &elements)) {
        return wrong("has an impossible size; the file is damaged.");
      }
      entry.view.shape.insert(entry.view.shape.begin(), static_cast<std::int64_t>(extent));
    }
    if (!m_cursor.take(type) || !m_cursor.take(entry.offset)) return cutShort();
    const std::string named = typeName(type);
    const auto known = std::find_if(kElementTypes.begin(), kElementTypes.end(),
                                    [&](const ElementType& each) { return named == each.name; });
    if (known == kElementTypes.end()) {
      std::string all;
      for (const ElementType& each : kElementTypes) all += (all.empty() ? "" : ", ") + std::string(each.name);
      return wrong("has the type " + named + "; supported are " + all + ": get or convert the model in one of these.",
                   ErrorCode::unsupported);
    }
    entry.view.dtype = known->dtype;
    entry.view.blocks = known->blocks;
    const bool blocks = known->blocks != Blocks::none;
    const auto perBlock = static_cast<std::int64_t>(blocks ? layoutOf(known->blocks).elements : 1);
    const auto blockBytes = static_cast<std::int64_t>(blocks ? layoutOf(known->blocks).bytes : bytesOf(known->dtype));
    std::int64_t bytes = 0;
    if (entry.view.shape.back() % perBlock != 0) {
      return wrong("has rows of " + std::to_string(entry.view.shape.back()) +
                   " elements, which are no whole blocks of " + named + "; the file is damaged.");
    }
    if (__builtin_mul_overflow(elements / perBlock, blockBytes, &bytes)) {
      return wrong("has an impossible size; the file is damaged.");
    }
    entry.bytes = static_cast<std::uint64_t>(bytes);
    entries.push_back(std::move(entry));
    return {};
  }

  Result<void> placeTensors(std::vector<Entry>& entries, std::uint64_t begin, std::uint64_t alignment) {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.offset < b.offset; });
    std::uint64_t reached = 0;
    for (Entry& entry : entries) {
      const std::string tensor = "tensor " + quotedName(entry.name) + " ";
      if (entry.offset % alignment != 0) {
        return refuse(tensor + "begins at byte " + std::to_string(entry.offset) +
                      " of the data, which is no multiple of " + std::to_string(alignment) + "; the file is damaged.");
      }
      if (entry.offset < reached) return refuse(tensor + "overlaps another one; the file is damaged.");
      const std::uint64_t room = begin < m_bytes.size() ? m_bytes.size() - begin : 0;
      if (entry.offset > room || entry.bytes > room - entry.offset) {
        return refuse("the file is cut short: " + tensor + "needs " + std::to_string(entry.bytes) +
                      " bytes that are not all there; get it again.");
      }
      reached = entry.offset + entry.bytes;
      entry.view.bytes = m_bytes.subspan(begin + entry.offset, entry.bytes);
      entry.view.file = m_gguf.m_file;
      m_gguf.m_tensors.emplace(std::move(entry.name), std::move(entry.view));
    }
    return {};
  }

  std::span<const std::byte> m_bytes;
  Cursor m_cursor;
  Gguf& m_gguf;
  std::uint64_t m_keys = 0, m_tensors = 0, m_textBytes = 0;
  bool m_inTensors = false;
  std::set<std::string> m_seen, m_names;
};

bool isGgufFile(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  if (ending == ".gguf") return true;
  std::array<char, 4> begin{};
  std::ifstream file(path, std::ios::binary);
  return file.read(begin.data(), begin.size()) && std::string_view(begin.data(), begin.size()) == kMagic;
}

Result<Gguf> Gguf::open(const fs::path& path) {
  STRATA_TRY(std::shared_ptr<const MappedFile> file, MappedFile::open(path));
  try {
    Gguf gguf;
    gguf.m_where = path.string();
    gguf.m_file = file;
    STRATA_CHECK(GgufReader(file->bytes(), gguf).read());
    return gguf;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory,
                path.string() + ": not enough memory to read it; close something and try again.", path.string());
  }
}

Result<Gguf> Gguf::parse(std::span<const std::byte> bytes, const std::string& where) {
  Gguf gguf;
  gguf.m_where = where;
  STRATA_CHECK(GgufReader(bytes, gguf).read());
  return gguf;
}

tl::unexpected<Error> Gguf::refuse(const std::string& key, const std::string& what) const {
  return fail(ErrorCode::invalidData, m_where + ": the key " + quotedName(key) + " " + what, m_where);
}

Result<const Gguf::Array*> Gguf::array(const std::string& key) const {
  const auto found = m_arrays.find(key);
  if (found != m_arrays.end()) return &found->second;
  return refuse(key, m_values.contains(key) ? "must be an array." : "is missing; it is needed.");
}

// The file may change while it is mapped, so that lengths are looked at again.

Result<std::vector<std::string_view>> Gguf::texts(const std::string& key) const {
  STRATA_TRY(const Array* found, array(key));
  if (found->type != ValueType::text) return refuse(key, "must be an array of texts.");
  std::vector<std::string_view> texts;
  Cursor cursor(found->bytes);
  for (std::uint64_t i = 0; i < found->count; ++i) {
    std::string_view text;
    if (!cursor.takeText(text)) return refuse(key, "changed while it was read.");
    texts.push_back(text);
  }
  return texts;
}

Result<std::vector<std::int64_t>> Gguf::integers(const std::string& key) const {
  STRATA_TRY(const Array* found, array(key));
  if (found->type == ValueType::text || found->type == ValueType::boolean || found->type == ValueType::f32 ||
      found->type == ValueType::f64) {
    return refuse(key, "must be an array of whole numbers.");
  }
  std::vector<std::int64_t> integers;
  Cursor cursor(found->bytes);
  for (std::uint64_t i = 0; i < found->count; ++i) {
    const std::optional<Json> value = takeScalar(cursor, found->type);
    if (!value) return refuse(key, "changed while it was read.");
    integers.push_back(value->get<std::int64_t>());
  }
  return integers;
}

Result<std::vector<double>> Gguf::numbers(const std::string& key) const {
  STRATA_TRY(const Array* found, array(key));
  if (found->type == ValueType::text || found->type == ValueType::boolean)
    return refuse(key, "must be an array of numbers.");
  std::vector<double> numbers;
  Cursor cursor(found->bytes);
  for (std::uint64_t i = 0; i < found->count; ++i) {
    const std::optional<Json> value = takeScalar(cursor, found->type);
    if (!value) return refuse(key, "changed while it was read.");
    numbers.push_back(value->get<double>());
  }
  return numbers;
}

}  // namespace strata
