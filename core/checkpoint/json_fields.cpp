#include "core/checkpoint/json_fields.h"

#include <cmath>
#include <utility>

namespace strata {

std::string shortDump(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  constexpr std::size_t kLongest = 60;
  const std::string text = dumpLine(value);
  return text.size() > kLongest ? text.substr(0, kLongest) + "…" : text;
}

JsonFields::JsonFields(const Json& object, std::string where, std::string path)
    : m_object(object), m_where(std::move(where)), m_path(std::move(path)) {}

const Json* JsonFields::find(const char* key) const {
  const auto found = m_object.find(key);
  return found == m_object.end() || found->is_null() ? nullptr : &*found;
}

tl::unexpected<Error> JsonFields::refuse(const std::string& key, const std::string& what, ErrorCode code) const {
  const std::string full = m_path.empty() ? key : m_path + "." + key;
  return fail(code, m_where + ": the key \"" + full + "\" " + what, m_where);
}

Result<std::int64_t> JsonFields::integer(const char* key, std::int64_t least, std::int64_t most,
                                         std::optional<std::int64_t> missing) const {
  const Json* value = find(key);
  if (value == nullptr) {
    if (missing) return *missing;
    return refuse(key, "is missing; it is needed.");
  }
  if (!value->is_number_integer()) return refuse(key, "must be a whole number, not " + shortDump(*value) + ".");
  const bool fits =
      !value->is_number_unsigned() || value->get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX);
  if (!fits || value->get<std::int64_t>() < least || value->get<std::int64_t>() > most) {
    return refuse(key, "is " + shortDump(*value) + "; it must lie between " + std::to_string(least) + " and " +
                           std::to_string(most) + ".");
  }
  return value->get<std::int64_t>();
}

Result<double> JsonFields::number(const char* key, std::optional<double> missing) const {
  const Json* value = find(key);
  if (value == nullptr) {
    if (missing) return *missing;
    return refuse(key, "is missing; it is needed.");
  }
  if (!value->is_number()) return refuse(key, "must be a number, not " + shortDump(*value) + ".");
  const double number = value->get<double>();
  if (!std::isfinite(number)) return refuse(key, "is " + shortDump(*value) + "; it must be finite.");
  return number;
}

Result<double> JsonFields::positive(const char* key, std::optional<double> missing) const {
  STRATA_TRY(const double value, number(key, missing));
  if (value <= 0 && has(key)) return refuse(key, "is " + shortDump(*find(key)) + "; it must be over zero.");
  return value;
}

Result<bool> JsonFields::boolean(const char* key, bool missing) const {
  const Json* value = find(key);
  if (value == nullptr) return missing;
  if (!value->is_boolean()) return refuse(key, "must be true or false, not " + shortDump(*value) + ".");
  return value->get<bool>();
}

Result<std::string> JsonFields::text(const char* key, std::optional<std::string> missing) const {
  const Json* value = find(key);
  if (value == nullptr) {
    if (missing) return *missing;
    return refuse(key, "is missing; it is needed.");
  }
  if (!value->is_string()) return refuse(key, "must be a text, not " + shortDump(*value) + ".");
  return value->get<std::string>();
}

Result<std::vector<std::int64_t>> readTokenIdList(const JsonFields& fields, const char* key,
                                                  std::vector<std::int64_t> missing) {
  if (fields.isMissing(key)) return missing;
  const Json* value = fields.find(key);
  std::vector<std::int64_t> ids;
  if (value == nullptr || *value == -1) return ids;  // -1: some configurations' word for none
  const auto add = [&](const Json& id) {
    const bool fits = id.is_number_integer() && id.get<std::int64_t>() >= 0 && id.get<std::int64_t>() <= INT32_MAX;
    if (fits) ids.push_back(id.get<std::int64_t>());
    return fits;
  };
  bool good = true;
  if (value->is_array()) {
    for (const Json& id : *value) good = good && add(id);
  } else {
    good = add(*value);
  }
  if (!good) return fields.refuse(key, "must be a token id, a list of token ids or null.");
  return ids;
}

}  // namespace strata
