#include "core/text/tokenizer_file.h"

#include <algorithm>
#include <limits>
#include <new>

#include "core/text/utf8.h"

namespace strata {
namespace {

constexpr std::size_t kMaxDepth = 128;
constexpr std::size_t kMaxFileBytes = 256u << 20;
constexpr std::int64_t kIdsBeyondTokens = 1 << 20;  // how far ids may lie beyond the number of tokens

class Reader final : public nlohmann::json_sax<Json> {
 public:
  explicit Reader(TokenizerFile& file) : m_file(file) {}
  const std::string& complaint() const { return m_complaint; }
  std::size_t errorPosition() const { return m_errorPosition; }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return number(value, value); }
  bool number_unsigned(number_unsigned_t value) override {
    constexpr auto kMost = static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max());
    return number(static_cast<std::int64_t>(std::min(value, kMost)), value);
  }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool binary(binary_t&) override { return stop("holds binary data"); }

  bool string(string_t& value) override {
    if (m_place == Place::merges) return joinedMerge(value);
    if (m_place == Place::merge) return mergePart(value);
    return add(std::move(value));
  }

  bool key(string_t& name) override {
    if (m_place == Place::vocabulary) {
      m_key = std::move(name);
      return true;
    }
    Open& open = m_open.back();
    if (std::find(open.keys.begin(), open.keys.end(), name) != open.keys.end()) {
      return stop("has the key \"" + name.substr(0, 80) + "\" twice");
    }
    if (open.keys.size() >= kMaxKeys) return stop("has an object of more than 4096 keys beside model.vocab");
    open.keys.push_back(name);
    m_key = std::move(name);
    return true;
  }

  bool start_object(std::size_t) override {
    if (m_place == Place::json && atModel() && m_key == "vocab") {
      m_place = Place::vocabulary;
      m_file.hasVocabulary = true;
      return true;
    }
    return open(Json::object());
  }
  bool end_object() override {
    if (m_place == Place::vocabulary) {
      m_place = Place::json;
      return true;
    }
    return close();
  }

  bool start_array(std::size_t) override {
    if (m_place == Place::merges) {
      m_place = Place::merge;
      m_parts = 0;
      return true;
    }
    if (m_place == Place::json && atModel() && m_key == "merges") {
      m_place = Place::merges;
      m_file.hasMerges = true;
      return true;
    }
    return open(Json::array());
  }
  bool end_array() override {
    if (m_place == Place::merge) {
      m_place = Place::merges;
      return m_parts == 2 ? true : stop(thisMerge() + " must have two parts");
    }
    if (m_place == Place::merges) {
      m_place = Place::json;
      return true;
    }
    return close();
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    m_errorPosition = position;
    const std::string message = error.what();
    const std::size_t start = message.find("syntax error");
    m_complaint = "is not valid JSON: " + (start == std::string::npos
                                               ? "a number is out of range"
                                               : message.substr(start, message.find("; last read") - start));
    return false;
  }

 private:
  enum class Place { json, vocabulary, merges, merge };
  static constexpr std::size_t kMaxKeys = 4096;
  struct Open {
    Json* value;
    std::vector<std::string> keys;
  };

  bool stop(std::string complaint) {
    m_complaint = std::move(complaint);
    return false;
  }

  /// Whether the innermost open value is the file's "model".
  bool atModel() const {
    return m_open.size() == 2 && m_open[0].value->is_object() && m_open[0].keys.back() == "model" &&
           m_open[1].value->is_object();
  }

  std::string thisMerge() const { return "model.merges[" + std::to_string(m_file.mergeEnds.size()) + "]"; }

  bool number(std::int64_t id, const Json& value) {
    if (m_place != Place::vocabulary) return add(Json(value));
    if (id < 0 || id > std::numeric_limits<TokenId>::max()) return badToken("must have an id from 0 to 2147483647");
    if (!m_file.vocabulary.add(m_key, static_cast<TokenId>(id))) return badToken("is given twice");
    return true;
  }

  bool badToken(const std::string& what) {
    return stop("model.vocab: the token \"" + m_key.substr(0, 80) + "\" " + what);
  }

  bool joinedMerge(const std::string& merge) {
    if (merge.starts_with("#version")) return true;  // merges.txt's first line
    const std::size_t space = merge.find(' ');
    if (space == std::string::npos || merge.find(' ', space + 1) != std::string::npos) {
      return stop(thisMerge() + " must be two tokens with a space between them");
    }
    m_parts = 0;
    return mergePart(std::string_view(merge).substr(0, space)) && mergePart(std::string_view(merge).substr(space + 1));
  }

  bool mergePart(std::string_view part) {
    m_file.mergeText += part;
    const auto end = static_cast<std::uint32_t>(m_file.mergeText.size());
    if (m_parts == 0) m_left = end;
    if (m_parts == 1) m_file.mergeEnds.emplace_back(m_left, end);
    return ++m_parts <= 2 ? true : stop("a merge of model.merges has more than two parts");
  }

  bool add(Json&& value) {
    if (m_place == Place::vocabulary) return badToken("must have a whole number as its id");
    if (m_place != Place::json) return stop(thisMerge() + " must be \"a b\" or [\"a\", \"b\"]");
    place(std::move(value));
    return true;
  }

  Json* place(Json&& value) {
    if (m_open.empty()) {
      m_file.rest = std::move(value);
      return &m_file.rest;
    }
    Json& parent = *m_open.back().value;
    if (parent.is_array()) {
      auto& elements = parent.get_ref<Json::array_t&>();
      elements.push_back(std::move(value));
      return &elements.back();
    }
    auto& members = parent.get_ref<Json::object_t&>();
    members.emplace_back(m_key, std::move(value));
    return &members.back().second;
  }

  bool open(Json&& value) {
    if (m_place == Place::vocabulary) return badToken("must have a whole number as its id");
    if (m_place != Place::json) return stop(thisMerge() + " must be \"a b\" or [\"a\", \"b\"]");
    if (m_open.size() >= kMaxDepth) return stop("is nested deeper than 128 levels");
    m_open.push_back({place(std::move(value)), {}});
    return true;
  }

  bool close() {
    m_open.pop_back();
    return true;
  }

  TokenizerFile& m_file;
  Place m_place = Place::json;
  std::vector<Open> m_open;
  std::string m_key;
  int m_parts = 0;  // of the merge at hand
  std::uint32_t m_left = 0;
  std::string m_complaint;
  std::size_t m_errorPosition = 0;
};

}  // namespace

std::vector<std::pair<std::string_view, std::string_view>> TokenizerFile::merges() const {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  pairs.reserve(mergeEnds.size());
  const std::string_view text = mergeText;
  std::size_t start = 0;
  for (const auto& [left, right] : mergeEnds) {
    pairs.emplace_back(text.substr(start, left - start), text.substr(left, right - left));
    start = right;
  }
  return pairs;
}

Result<TokenizerFile> parseTokenizerFile(std::string_view text, const std::string& name) {
  const auto refuse = [&](const std::string& complaint) {
    return fail(ErrorCode::invalidData, name + " " + complaint + "; get the file again from its source.", name);
  };
  if (text.size() > kMaxFileBytes) return refuse("is larger than 256 MiB");
  // nlohmann takes a zero byte for the end of its input and would ignore what follows.
  if (text.find('\0') != std::string_view::npos) return refuse("is not valid JSON: it holds a zero byte");
  TokenizerFile file;
  Reader reader(file);
  try {
    if (!Json::sax_parse(text.begin(), text.end(), &reader)) {
      std::string where;
      if (reader.errorPosition() > 0) {
        const auto before = text.substr(0, std::min(reader.errorPosition(), text.size()));
        where = ", at line " + std::to_string(std::count(before.begin(), before.end(), '\n') + 1) + ", byte " +
                std::to_string(before.size());
      }
      return refuse(toValidUtf8(reader.complaint()) + where);
    }
  } catch (const nlohmann::json::exception& error) {
    return refuse(std::string("cannot be read as JSON: ") + error.what());
  }
  if (!file.rest.is_object()) return refuse("must hold a JSON object");
  const auto tokens = static_cast<std::int64_t>(file.vocabulary.size());
  if (file.vocabulary.maxId() > 4 * tokens + kIdsBeyondTokens) {
    return refuse("has a token with the id " + std::to_string(file.vocabulary.maxId()) + " among only " +
                  std::to_string(tokens) + " tokens");
  }
  file.vocabulary.finish();
  return file;
}

}  // namespace strata
