#pragma once
// The fields of a config (core/config: visit()) as command-line options: each is --name, its group, choices, unit and
// default stand in --help, and what was given becomes JSON that goes over a file's or a stored run's values.
//
//   FieldOptions fields(verb);
//   fields.add(TrainConfig());
//   … parse …
//   STRATA_CHECK(fields.applyTo(config));

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/config/describe.h"

namespace strata {

class FieldOptions {
 public:
  explicit FieldOptions(CLI::App& verb) : m_verb(verb) {}
  FieldOptions(const FieldOptions&) = delete;
  FieldOptions& operator=(const FieldOptions&) = delete;

  /// All fields but those that the verb has by itself.
  template <class Config>
  void add(const Config& defaults, const std::vector<std::string>& without = {}) {
    for (FieldInfo& field : describe(defaults)) {
      if (std::find(without.begin(), without.end(), field.name) == without.end()) addField(std::move(field));
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
  struct Field {
    FieldInfo info;
    CLI::Option* option = nullptr;
    bool flag = false;
    std::string text;
    std::vector<std::string> list;
  };
  void addField(FieldInfo info);
  static Result<Json> valueOf(const Field& field);

  CLI::App& m_verb;
  std::deque<Field> m_fields;  // addresses stay: CLI11 writes into them
};

/// Help and group of options that a verb has added by itself, from the fields of the same names.
void describeOptions(CLI::App& verb, const std::vector<FieldInfo>& fields);

}  // namespace strata
