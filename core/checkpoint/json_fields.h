#pragma once
// Typed reading of a foreign JSON object's keys (config.json, adapter_config.json). A key that is missing or null has
// its default; a value of another type or out of range is refused naming the file and the key.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

class JsonFields {
 public:
  /// `object` must be a JSON object and outlive this; `path` is the place of the object in the file ("rope_scaling").
  JsonFields(const Json& object, std::string where, std::string path = {});

  /// nullptr where the key is missing or null.
  const Json* find(const char* key) const;
  bool has(const char* key) const { return find(key) != nullptr; }
  bool isMissing(const char* key) const { return !m_object.contains(key); }

  Result<std::int64_t> integer(const char* key, std::int64_t least, std::int64_t most,
                               std::optional<std::int64_t> missing = {}) const;
  /// Finite.
  Result<double> number(const char* key, std::optional<double> missing = {}) const;
  /// Finite and over zero.
  Result<double> positive(const char* key, std::optional<double> missing = {}) const;
  Result<bool> boolean(const char* key, bool missing) const;
  Result<std::string> text(const char* key, std::optional<std::string> missing = {}) const;

  /// "FILE: the key \"KEY\" WHAT" as an error.
  tl::unexpected<Error> refuse(const std::string& key, const std::string& what,
                               ErrorCode code = ErrorCode::invalidData) const;
  const std::string& where() const { return m_where; }

 private:
  const Json& m_object;
  std::string m_where;
  std::string m_path;
};

/// A token id, a list of them, or null for none; `missing` where the key is not there.
Result<std::vector<std::int64_t>> readTokenIdList(const JsonFields& fields, const char* key,
                                                  std::vector<std::int64_t> missing);

/// A value as it stands in the file, shortened for a message.
std::string shortDump(const Json& value);

}  // namespace strata
