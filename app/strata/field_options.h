#pragma once
// The fields of a config (core/config: visit()) as command-line options: each is --name, and what was given becomes
// JSON that goes over a file's or a stored run's values.
//
//   FieldOptions fields(verb);
//   fields.add(TrainConfig());
//   … parse …
//   STRATA_CHECK(fields.applyTo(config));

#include <CLI/CLI.hpp>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/base/error.h"
#include "core/config/visit.h"

namespace strata {

class FieldOptions {
 public:
  explicit FieldOptions(CLI::App& verb) : m_verb(verb) {}
  FieldOptions(const FieldOptions&) = delete;
  FieldOptions& operator=(const FieldOptions&) = delete;

  template <class Config>
  void add(Config defaults) {
    defaults.visit(*this);
  }

  /// Visitor: one field.
  template <class T>
  void operator()(const char* name, T& value, const char* help, const Range& /*range*/ = {}) {
    if constexpr (std::is_same_v<T, bool>) {
      addField(name, help, Kind::flag, "");
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      addField(name, help, Kind::list, "");
    } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
      addField(name, help, Kind::text, "");  // configFromJson() takes the text apart
    } else if constexpr (std::is_same_v<T, std::string>) {
      addField(name, help, Kind::text, value);
    } else if constexpr (std::is_integral_v<T>) {
      addField(name, help, std::is_signed_v<T> ? Kind::integer : Kind::natural, std::to_string(value));
    } else if constexpr (std::is_floating_point_v<T>) {
      addField(name, help, Kind::real, config_detail::printNumber(value));
    } else {
      addField(name, help, Kind::real, "");  // std::optional<double>
    }
  }

  /// A text field that may be given several times; the values are joined by ';'.
  void joinRepeated(const std::string& name);

  /// The fields that the command line names, as JSON.
  Result<Json> given() const;
  /// Names of those fields, in visiting order.
  std::vector<std::string> namesGiven() const;
  bool isGiven(const std::string& name) const;

  template <class Config>
  Result<void> applyTo(Config& config) const {
    STRATA_TRY(const Json json, given());
    return configFromJson(json, "The command line", config);
  }

 private:
  enum class Kind { flag, text, integer, natural, real, list };
  struct Field {
    std::string name;
    Kind kind = Kind::text;
    CLI::Option* option = nullptr;
    bool flag = false;
    std::string text;
    std::vector<std::string> list;
  };
  void addField(const std::string& name, const char* help, Kind kind, const std::string& shownDefault);
  static Result<Json> valueOf(const Field& field);

  CLI::App& m_verb;
  std::deque<Field> m_fields;  // addresses stay: CLI11 writes into them
};

}  // namespace strata
