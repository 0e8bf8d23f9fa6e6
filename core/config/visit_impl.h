#pragma once
// How visit() becomes JSON and back. Included by visit.h alone.

#include <cmath>
#include <new>
#include <set>
#include <string_view>
#include <utility>

namespace strata {
namespace config_detail {

/// 0.5, 1e-08, 100.
std::string printNumber(double value);
Error outOfRange(const std::string& where, const char* name, const std::string& value, const Range& range);
Error noChoice(const std::string& where, const char* name, const std::string& value, std::span<const Choice> choices);
Error wrongType(const std::string& where, const char* name, const Json& value, const char* wanted);
Error unknownKey(const std::string& where, const std::string& key, const std::set<std::string>& known);

/// "a=b,c=d" into `values`, or {"a": "b", "c": "d"} for names and values that hold a comma; false where a part is no
/// assignment or a name comes twice.
bool parseAssignments(const std::string& text, std::map<std::string, std::string>& values);

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

struct AnyVisitor {
  template <class... Arguments>
  void operator()(Arguments&&...) {}
};
/// A struct with fields of its own.
template <class T>
concept Visited = requires(T& value, AnyVisitor& visitor) {
  value.visit(visitor);
};

template <class T>
constexpr bool kIsInteger = std::is_integral_v<T> && !std::is_same_v<T, bool>;
template <class T>
constexpr bool kIsNumber = kIsInteger<T> || std::is_floating_point_v<T>;

/// NaN lies in no range.
template <class T>
bool within(const T& value, const Range& range) {
  const auto number = static_cast<double>(value);
  return number >= range.min && number <= range.max;
}

template <class T>
std::string printValue(const T& value) {
  if constexpr (kIsInteger<T>) return std::to_string(value);
  return printNumber(static_cast<double>(value));
}

struct ToJson {
  Json json = Json::object();

  template <class T, class... Description>
  void operator()(const char* name, T& value, const Description&...) {
    json[name] = of(value);
  }

 private:
  template <class T>
  static Json of(T& value) {
    if constexpr (IsOptional<T>::value) {
      return value ? of(*value) : Json(nullptr);
    } else if constexpr (IsVector<T>::value) {
      Json list = Json::array();
      for (auto&& element : value) list.push_back(of(element));
      return list;
    } else if constexpr (Visited<T>) {
      ToJson visitor;
      value.visit(visitor);
      return std::move(visitor.json);
    } else {
      return Json(value);
    }
  }
};

/// The first value that is out of range or no choice.
struct RangeCheck {
  std::string where;
  std::optional<Error> error = std::nullopt;

  template <class T, class... Description>
  void operator()(const char* name, T& value, const Description&... description) {
    if (error) return;
    if constexpr (IsOptional<T>::value) {
      if (value) check(name, *value, metaOf(description...));
    } else {
      check(name, value, metaOf(description...));
    }
  }

 private:
  template <class T>
  void check(const char* name, const T& value, const Meta& meta) {
    if constexpr (kIsNumber<T>) {
      if (!within(value, meta.range)) error = outOfRange(where, name, printValue(value), meta.range);
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!meta.choices.empty() && !isChoice(value, meta.choices)) error = noChoice(where, name, value, meta.choices);
    }
  }
};

/// Fills the fields that the object has, and notes the first that does not fit.
struct FromJson {
  const Json& json;
  std::string where;
  UnknownKeys unknown = UnknownKeys::refuse;
  std::set<std::string> known = {};
  std::optional<Error> error = std::nullopt;

  template <class T, class... Description>
  void operator()(const char* name, T& value, const Description&... description) {
    known.insert(name);
    if (error) return;
    const auto found = json.find(name);
    if (found != json.end()) read(name, *found, value, metaOf(description...));
  }

 private:
  template <class T>
  void read(const char* name, const Json& given, std::optional<T>& value, const Meta& meta) {
    if (given.is_null()) {
      value.reset();
      return;
    }
    T filled{};
    read(name, given, filled, meta);
    value = std::move(filled);
  }

  void read(const char* name, const Json& given, bool& value, const Meta&) {
    if (!given.is_boolean()) return refuse(wrongType(where, name, given, "true or false"));
    value = given.get<bool>();
  }

  void read(const char* name, const Json& given, std::string& value, const Meta& meta) {
    if (!given.is_string()) return refuse(wrongType(where, name, given, "a text in quotes"));
    value = given.get<std::string>();
    if (!meta.choices.empty() && !isChoice(value, meta.choices)) refuse(noChoice(where, name, value, meta.choices));
  }

  void read(const char* /*name*/, const Json& given, Json& value, const Meta&) { value = given; }

  void read(const char* name, const Json& given, std::vector<std::string>& value, const Meta&) {
    if (!given.is_array()) return refuse(wrongType(where, name, given, "a list of texts"));
    value.clear();
    for (const Json& element : given) {
      if (!element.is_string()) return refuse(wrongType(where, name, element, "a list of texts"));
      value.push_back(element.get<std::string>());
    }
  }

  template <class T>
  void read(const char* name, const Json& given, std::vector<T>& value, const Meta& meta) {
    if (!given.is_array()) return refuse(wrongType(where, name, given, "a list"));
    value.clear();
    for (const Json& element : given) {
      T filled{};
      read(name, element, filled, meta);
      if (error) return;
      value.push_back(std::move(filled));
    }
  }

  template <Visited T>
  void read(const char* name, const Json& given, T& value, const Meta&) {
    const auto filled = configFromJson(given, where + ", \"" + name + "\"", value, unknown);
    if (!filled) refuse(filled.error());
  }

  void read(const char* name, const Json& given, std::map<std::string, std::string>& value, const Meta&) {
    constexpr const char* kWanted = "an object of names and texts, or a text such as \"prompt=q,completion=a\"";
    std::map<std::string, std::string> filled;
    if (given.is_string()) {
      if (!parseAssignments(given.get<std::string>(), filled)) return refuse(wrongType(where, name, given, kWanted));
    } else {
      if (!given.is_object()) return refuse(wrongType(where, name, given, kWanted));
      for (const auto& [key, element] : given.items()) {
        if (!element.is_string()) return refuse(wrongType(where, name, element, kWanted));
        filled[key] = element.template get<std::string>();
      }
    }
    value = std::move(filled);
  }

  void read(const char* name, const Json& given, double& value, const Meta& meta) {
    if (!given.is_number()) return refuse(wrongType(where, name, given, "a number"));
    value = given.get<double>();
    if (!within(value, meta.range)) refuse(outOfRange(where, name, printValue(value), meta.range));
  }

  template <class T>
  requires kIsInteger<T>
  void read(const char* name, const Json& given, T& value, const Meta& meta) {
    if (!given.is_number_integer()) return refuse(wrongType(where, name, given, "a whole number"));
    const bool fits = given.is_number_unsigned() ? std::in_range<T>(given.get<std::uint64_t>())
                                                 : std::in_range<T>(given.get<std::int64_t>());
    const Range limits{std::max(meta.range.min, static_cast<double>(std::numeric_limits<T>::min())),
                       std::min(meta.range.max, static_cast<double>(std::numeric_limits<T>::max()))};
    if (fits) value = given.get<T>();
    if (!fits || !within(value, meta.range)) refuse(outOfRange(where, name, given.dump(), limits));
  }

  void refuse(Error found) { error = std::move(found); }
};

}  // namespace config_detail

template <class Config>
Json configToJson(Config config) {
  config_detail::ToJson visitor;
  config.visit(visitor);
  return std::move(visitor.json);
}

template <class Config>
Result<void> configFromJson(const Json& json, const std::string& where, Config& config, UnknownKeys unknown) {
  if (!json.is_object()) {
    return fail(ErrorCode::invalidData, where + " is not a JSON object; write the options as {\"name\": value}.",
                where);
  }
  Config filled = config;  // the caller's stays as it is where anything is refused
  config_detail::FromJson visitor{json, where, unknown};
  filled.visit(visitor);
  for (const auto& member : json.items()) {
    if (unknown == UnknownKeys::refuse && !visitor.known.contains(member.key())) {
      return tl::unexpected<Error>(config_detail::unknownKey(where, member.key(), visitor.known));
    }
  }
  if (visitor.error) return tl::unexpected<Error>(*std::move(visitor.error));
  config = std::move(filled);
  return {};
}

template <class Config>
Result<void> checkRanges(Config config) {
  config_detail::RangeCheck visitor{"The configuration"};
  config.visit(visitor);
  if (visitor.error) return tl::unexpected<Error>(*std::move(visitor.error));
  return {};
}

}  // namespace strata
