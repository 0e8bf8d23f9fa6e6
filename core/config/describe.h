#pragma once
// A config as a list of described fields: what --help, the window's form, the list of differences and reports share.
//
//   for (const FieldInfo& field : changedFields(config)) print(field.meta.label, printField(field));
//   commandLine("strata train", config);   // strata train --model m --data d.txt --steps 200
//
// Where the type must not matter, as in a form, a config is held as an AnyConfig.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/config/visit.h"

namespace strata {

enum class FieldKind { flag, whole, real, text, list, pairs };

struct FieldInfo {
  std::string name;
  Meta meta;
  FieldKind kind = FieldKind::text;
  bool optional = false;  // null: open
  Json base;              // the default, or the value of what the config is compared with
  Json value;

  bool isChanged() const { return value != base; }
};

/// Every field in visiting order, compared with `base`.
template <class Config>
std::vector<FieldInfo> describe(Config config, Config base = {});

/// The fields whose values differ from the base's.
template <class Config>
std::vector<FieldInfo> changedFields(const Config& config, const Config& base = {});

/// A value as a person types it: "0.5", "a=b,c=d", a list as "one; two". An open value is "".
std::string fieldText(FieldKind kind, const Json& value);
/// The way back; nullopt: no value of this kind. An empty text is an open value of numbers alone where `optional`.
std::optional<Json> parseField(FieldKind kind, bool optional, const std::string& text);

/// What the command line needs to be told of these fields: only those that differ from the base.
std::vector<std::string> commandArguments(const std::vector<FieldInfo>& fields);
/// One argument as a POSIX shell reads it.
std::string shellQuoted(const std::string& argument);
std::string commandLine(const std::string& command, const std::vector<FieldInfo>& fields);
template <class Config>
std::string commandLine(const std::string& command, const Config& config) {
  return commandLine(command, describe(config));
}

/// A config whose type only its maker knows.
class AnyConfig {
 public:
  virtual ~AnyConfig() = default;
  /// Compared with the base: the defaults, or what setBase() was given.
  virtual std::vector<FieldInfo> fields() const = 0;
  virtual Json values() const = 0;
  /// The named values; on an error (see configFromJson) all stay as they are.
  virtual Result<void> set(const Json& values) = 0;
  virtual Result<void> setBase(const Json& values) = 0;
  /// The config's own check; Error::context names the field.
  virtual Result<void> check() const = 0;
  /// Compared with the defaults, whatever the base.
  virtual std::string commandLine() const = 0;
};

template <class Config>
std::unique_ptr<AnyConfig> anyConfig(std::string command, Config config,
                                     std::function<Result<void>(const Config&)> check);

}  // namespace strata

#include "core/config/describe_impl.h"
