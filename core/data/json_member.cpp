#include "core/data/json_member.h"

#include <utility>

namespace strata {

tl::unexpected<Error> JsonMember::broken(const std::string& what) const {
  const std::string place = m_path.empty() ? *m_source : *m_source + ": " + m_path;
  return fail(ErrorCode::invalidData, place + ": " + what + ".", place);
}

Result<void> JsonMember::mustBeObject() const {
  if (!m_value->is_object()) return broken("must be an object");
  return {};
}

Result<void> JsonMember::mustBeList() const {
  if (!m_value->is_array()) return broken("must be a list");
  return {};
}

Result<std::optional<JsonMember>> JsonMember::find(const char* key) const {
  STRATA_CHECK(mustBeObject());
  const auto found = m_value->find(key);
  if (found == m_value->end() || found->is_null()) return std::nullopt;
  return JsonMember(*found, *m_source, m_path.empty() ? key : m_path + "." + key);
}

Result<JsonMember> JsonMember::at(const char* key) const {
  STRATA_CHECK(mustBeObject());
  const auto found = m_value->find(key);
  const std::string path = m_path.empty() ? key : m_path + "." + key;
  if (found == m_value->end()) return JsonMember(*m_value, *m_source, path).broken("is missing");
  return JsonMember(*found, *m_source, path);
}

JsonMember JsonMember::element(std::size_t i) const {
  if (m_value->is_object()) {
    auto& [key, value] = *(m_value->get_ref<Json::object_t&>().begin() + static_cast<std::ptrdiff_t>(i));
    return {value, *m_source, m_path.empty() ? key : m_path + "." + key};
  }
  return {(*m_value)[i], *m_source, m_path + "[" + std::to_string(i) + "]"};
}

const std::string& JsonMember::keyOf(std::size_t i) const {
  return (m_value->get_ref<Json::object_t&>().begin() + static_cast<std::ptrdiff_t>(i))->first;
}

Result<std::string> JsonMember::takeText() const {
  if (!m_value->is_string()) return broken("must be a string");
  return std::move(m_value->get_ref<std::string&>());
}

Result<std::string> JsonMember::takeId() const {
  if (m_value->is_number_integer()) return m_value->dump();
  if (!m_value->is_string()) return broken("must be a string or a whole number");
  return takeText();
}

Result<std::vector<std::string>> JsonMember::takeTexts() const {
  std::vector<std::string> texts;
  STRATA_CHECK(forEach([&](const JsonMember& member) -> Result<void> {
    STRATA_TRY(std::string text, member.takeText());
    texts.push_back(std::move(text));
    return {};
  }));
  return texts;
}

}  // namespace strata
