#include "core/base/json.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <new>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/base/files.h"

template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace strata {
namespace {

constexpr std::size_t kMaxDepth = 128;

/// Walks the text and leaves a note of how far the parser has read: nlohmann tells its handlers no position.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** reached) : m_at(at), m_reached(reached) {}
  reference operator*() const { return *m_at; }
  CountingIterator& operator++() {
    *m_reached = ++m_at;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return m_at == other.m_at; }
  bool operator!=(const CountingIterator& other) const { return m_at != other.m_at; }

 private:
  const char* m_at;
  const char** m_reached;
};

/// "line 3, column 7" of the byte before `reached`, both counted from 1; columns are bytes. A text of one line (a line
/// of a JSONL file, whose own number is in the error's `where`) has columns alone.
std::string placeOf(std::string_view text, std::size_t reached) {
  const std::string_view before = text.substr(0, std::min(reached == 0 ? 0 : reached - 1, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t lineStart = before.rfind('\n') + 1;  // npos + 1 == 0
  const std::string column = "column " + std::to_string(before.size() - lineStart + 1);
  return text.find('\n') == std::string_view::npos ? column : "line " + std::to_string(line) + ", " + column;
}

/// Builds the value and stops at what nlohmann would let pass.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Json takeValue() { return std::move(m_root); }
  /// Why the handler stopped; empty where it did not.
  const std::string& complaint() const { return m_complaint; }
  /// Bytes read where nlohmann found the error.
  std::size_t errorPosition() const { return m_errorPosition; }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return stop("holds binary data"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (!m_open.back().keys.insert(name).second) return stop("has the key \"" + shortened(name) + "\" twice");
    m_key = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    m_errorPosition = position;
    m_complaint = "is not valid JSON: " + reasonOf(error.what());
    return false;
  }

 private:
  struct OpenValue {
    Json* value;
    std::unordered_set<std::string> keys;  // those of an object so far
  };

  static std::string shortened(const std::string& name) {
    constexpr std::size_t kShown = 80;
    return name.size() <= kShown ? name : name.substr(0, kShown) + "…";
  }

  /// The part of nlohmann's message that is about the text, without its position and the bytes last read.
  static std::string reasonOf(const std::string& message) {
    std::size_t start = message.find("syntax error");
    if (start == std::string::npos) return "a number is out of range";
    return message.substr(start, message.find("; last read") - start);
  }

  bool stop(std::string complaint) {
    m_complaint = std::move(complaint);
    return false;
  }

  /// Appends to the innermost open value. An object's members go straight to its vector: looking each key up first, as
  /// operator[] does, takes quadratic time on a vocabulary.
  Json* place(Json&& value) {
    if (m_open.empty()) {
      m_root = std::move(value);
      return &m_root;
    }
    Json& parent = *m_open.back().value;
    if (parent.is_array()) {
      auto& elements = parent.get_ref<Json::array_t&>();
      elements.push_back(std::move(value));
      return &elements.back();
    }
    auto& members = parent.get_ref<Json::object_t&>();
    members.emplace_back(std::move(m_key), std::move(value));
    return &members.back().second;
  }

  bool add(Json&& value) {
    place(std::move(value));
    return true;
  }

  bool open(Json&& value) {
    if (m_open.size() >= kMaxDepth) {
      return stop("is nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    m_open.push_back({place(std::move(value)), {}});
    return true;
  }

  bool close() {
    m_open.pop_back();
    return true;
  }

  Json m_root;
  std::vector<OpenValue> m_open;
  std::string m_key;
  std::string m_complaint;
  std::size_t m_errorPosition = 0;
};

}  // namespace

Result<Json> parseJson(std::string_view text, const std::string& where) {
  const auto refuse = [&](const std::string& complaint, std::size_t reached) {
    return fail(ErrorCode::invalidData,
                where + " " + complaint + ", at " + placeOf(text, reached) + "; correct it there.", where);
  };
  // nlohmann takes a zero byte for the end of its input and would ignore what follows.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    return refuse("is not valid JSON: it holds a zero byte", zero + 1);
  }
  try {
    const char* reached = text.data();
    Builder builder;
    const CountingIterator first(text.data(), &reached);
    const CountingIterator last(text.data() + text.size(), &reached);
    if (Json::sax_parse(first, last, &builder)) return builder.takeValue();
    const std::size_t position =
        builder.errorPosition() > 0 ? builder.errorPosition() : static_cast<std::size_t>(reached - text.data());
    return refuse(builder.complaint(), position);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory,
                where +
                    " needs more memory to parse than there is; close something or use a "
                    "smaller file.",
                where);
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::invalidData, where + " cannot be read as JSON: " + error.what(), where);
  }
}

Result<Json> readJson(const std::filesystem::path& path, std::uint64_t maxBytes) {
  STRATA_TRY(const std::string text, readFile(path, maxBytes));
  return parseJson(text, path.string());
}

std::string dumpLine(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace strata
