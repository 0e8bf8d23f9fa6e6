#include "core/checkpoint/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace strata {
namespace {

constexpr std::size_t kMostDimensions = 64;

/// Follows {name: {"dtype": text, "shape": [n, …], "data_offsets": [begin, end]}, "__metadata__": {text: text}}.
/// A method that returns false stops the parser; m_problem then says why.
class HeaderHandler final : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<SafetensorsEntry> entries;
  const std::string& problem() const { return m_problem; }

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_float(double, const std::string& text) override {
    return unexpected("the number " + text.substr(0, 40) + ", which is not a whole number that fits");
  }
  bool binary(nlohmann::json::binary_t&) override { return unexpected("binary data"); }

  bool number_integer(std::int64_t value) override {  // negative numbers only
    return unexpected("the negative number " + std::to_string(value));
  }

  bool number_unsigned(std::uint64_t value) override {
    if (m_place == Place::shape) {
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return stop("has a dimension of " + std::to_string(value) + ", which is too large");
      }
      if (entry().shape.size() == kMostDimensions) return stop("has more than 64 dimensions");
      entry().shape.push_back(static_cast<std::int64_t>(value));
      return true;
    }
    if (m_place == Place::offsets) {
      if (m_offsets == 2) return stop("has more than two data_offsets");
      (m_offsets == 0 ? entry().begin : entry().end) = value;
      ++m_offsets;
      return true;
    }
    return unexpected("the number " + std::to_string(value));
  }

  bool string(std::string& value) override {
    if (m_place == Place::metadata) return true;
    if (m_place == Place::entry && m_key == "dtype") {
      entry().dtype = std::move(value);
      return true;
    }
    return unexpected("the text " + quotedName(value));
  }

  bool start_object(std::size_t) override {
    if (m_place == Place::outside) {
      m_place = Place::top;
      return true;
    }
    if (m_place != Place::top) return unexpected("an object");
    m_seen.clear();
    if (m_key == "__metadata__") {
      m_place = Place::metadata;
    } else {
      m_place = Place::entry;
      entries.push_back({.name = m_key, .dtype = {}, .shape = {}, .begin = 0, .end = 0});
      m_offsets = 0;
    }
    return true;
  }

  bool key(std::string& value) override {
    const bool top = m_place == Place::top;
    if (!(top ? m_names : m_seen).insert(value).second) {
      return top ? stopAt("names the tensor " + quotedName(value) + " twice")
                 : stop("has the key " + quotedName(value) + " twice");
    }
    if (m_place == Place::entry && value != "dtype" && value != "shape" && value != "data_offsets") {
      return stop("has the unknown key " + quotedName(value));
    }
    m_key = std::move(value);
    return true;
  }

  bool end_object() override {
    if (m_place == Place::entry) {
      for (const char* needed : {"dtype", "shape", "data_offsets"}) {
        if (!m_seen.contains(needed)) return stop(std::string("lacks the key ") + needed);
      }
    }
    m_place = m_place == Place::top ? Place::outside : Place::top;
    return true;
  }

  bool start_array(std::size_t) override {
    if (m_place == Place::entry && m_key == "shape") {
      m_place = Place::shape;
    } else if (m_place == Place::entry && m_key == "data_offsets") {
      m_place = Place::offsets;
    } else {
      return unexpected("a list");
    }
    return true;
  }

  bool end_array() override {
    if (m_place == Place::offsets && m_offsets != 2) return stop("needs two data_offsets");
    m_place = Place::entry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    m_problem = "is not valid JSON at byte " + std::to_string(position);
    return false;
  }

 private:
  enum class Place { outside, top, metadata, entry, shape, offsets };

  SafetensorsEntry& entry() { return entries.back(); }

  bool stopAt(std::string problem) {
    m_problem = std::move(problem);
    return false;
  }
  bool stop(const std::string& problem) {
    const bool metadata = m_place == Place::metadata || entries.empty();
    return stopAt("is wrong: " + (metadata ? "__metadata__" : "tensor " + quotedName(entry().name)) + " " + problem);
  }
  bool unexpected(const std::string& what) {
    switch (m_place) {
      case Place::outside:
        return stopAt("is not a JSON object");
      case Place::top:
        return stopAt("has " + what + " for " + quotedName(m_key) + " where an object is needed");
      case Place::metadata:
        return stop("has " + what + " where a text is needed");
      case Place::shape:
        return stop("has " + what + " in its shape");
      case Place::offsets:
        return stop("has " + what + " in its data_offsets");
      case Place::entry:
        break;
    }
    return stop("has " + what + " for " + quotedName(m_key));
  }

  Place m_place = Place::outside;
  std::string m_key;
  int m_offsets = 0;
  std::unordered_set<std::string> m_names;  // of tensors
  std::unordered_set<std::string> m_seen;   // keys of the object being read
  std::string m_problem;
};

}  // namespace

std::string quotedName(std::string_view name) {
  constexpr std::size_t kLongest = 120;
  std::size_t shown = std::min(name.size(), kLongest);
  // Not in the middle of a UTF-8 character.
  while (shown < name.size() && shown > 0 && (static_cast<unsigned char>(name[shown]) & 0xc0) == 0x80) --shown;
  std::string out = "'";
  for (const char c : name.substr(0, shown)) {
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return out + (name.size() > shown ? "…'" : "'");
}

std::string printShape(const std::vector<std::int64_t>& shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return out + "]";
}

Result<std::vector<SafetensorsEntry>> parseSafetensorsHeader(std::string_view json, const std::string& where) {
  // nlohmann takes a NUL for the end of the text, and would not look at what follows.
  if (const auto nul = json.find('\0'); nul != std::string_view::npos) {
    return fail(ErrorCode::invalidData,
                where + ": the safetensors header is not valid JSON at byte " + std::to_string(nul) + ".", where);
  }
  HeaderHandler handler;
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &handler)) {
    return fail(ErrorCode::invalidData, where + ": the safetensors header " + handler.problem() + ".", where);
  }
  return std::move(handler.entries);
}

}  // namespace strata
