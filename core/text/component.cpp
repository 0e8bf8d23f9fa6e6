#include "core/text/component.h"

#include "core/text/utf8.h"

namespace strata {

bool Component::has(const char* key) const {
  return m_value.is_object() && m_value.contains(key) && !m_value[key].is_null();
}

tl::unexpected<Error> Component::refuse(const std::string& what) const {
  return fail(ErrorCode::invalidData, where() + " " + what + "; get the file again from its source.", m_file);
}

tl::unexpected<Error> Component::unsupported(const std::string& type, const std::string& known) const {
  return fail(ErrorCode::unsupported,
              where() + " has the type \"" + toValidUtf8(type.substr(0, 80)) +
                  "\", which is not supported; supported are " + known + ".",
              m_file);
}

tl::unexpected<Error> Component::mustBe(const char* key, const std::string& what) const {
  return refuse("must have " + what + " as \"" + key + "\"");
}

Result<const Json*> Component::field(const char* key) const {
  if (!m_value.is_object()) return refuse("must be an object");
  const auto found = m_value.find(key);
  if (found == m_value.end()) return refuse(std::string("lacks \"") + key + "\"");
  return &*found;
}

Result<std::string> Component::type() const {
  return text("type");
}

Result<std::string> Component::text(const char* key) const {
  STRATA_TRY(const Json* value, field(key));
  if (!value->is_string()) return mustBe(key, "a string");
  return value->get<std::string>();
}

Result<char32_t> Component::character(const char* key) const {
  STRATA_TRY(const std::string value, text(key));
  if (value.empty() || readUtf8(value).length != value.size()) return mustBe(key, "one character");
  return readUtf8(value).codePoint;
}

Result<bool> Component::flag(const char* key) const {
  STRATA_TRY(const Json* value, field(key));
  if (!value->is_boolean()) return mustBe(key, "true or false");
  return value->get<bool>();
}

Result<bool> Component::flag(const char* key, bool byDefault) const {
  if (!has(key)) return byDefault;
  return flag(key);
}

Result<std::int64_t> Component::number(const char* key) const {
  STRATA_TRY(const Json* value, field(key));
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > INT32_MAX)
    return mustBe(key, "a whole number from 0");
  return value->get<std::int64_t>();
}

Result<Component> Component::child(const char* key) const {
  STRATA_TRY(const Json* value, field(key));
  return Component(*value, m_file, m_path.empty() ? key : m_path + "." + key);
}

Result<std::vector<Component>> Component::children(const char* key) const {
  STRATA_TRY(const Component list, child(key));
  return list.elements();
}

Result<std::vector<Component>> Component::parts(const char* key) const {
  constexpr int kMostParts = 256;
  STRATA_TRY(std::vector<Component> list, children(key));
  for (Component& part : list) {
    part.m_parts = m_parts;
    if (++*m_parts > kMostParts) return refuse("has more than 256 parts");
  }
  return list;
}

Result<std::vector<Component>> Component::elements() const {
  if (!m_value.is_array()) return refuse("must be an array");
  std::vector<Component> parts;
  for (const Json& element : m_value)
    parts.emplace_back(element, m_file, m_path + "[" + std::to_string(parts.size()) + "]");
  return parts;
}

Result<std::unique_ptr<Pattern>> Component::pattern(const char* key) const {
  STRATA_TRY(const Component value, child(key));
  if (value.has("String")) {
    STRATA_TRY(std::string content, value.text("String"));
    return stringPattern(std::move(content));
  }
  if (!value.has("Regex")) return mustBe(key, "{\"String\": \"…\"} or {\"Regex\": \"…\"}");
  STRATA_TRY(const std::string expression, value.text("Regex"));
  return regexPattern(expression, value.where());
}

Result<SplitBehavior> Component::behavior(const char* key) const {
  STRATA_TRY(const std::string name, text(key));
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "MergedWithPrevious") return SplitBehavior::mergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::mergedWithNext;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  return mustBe(key, "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

}  // namespace strata
