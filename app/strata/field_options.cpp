#include "app/strata/field_options.h"

#include <charconv>

#include "core/routing/numbers.h"

namespace strata {

void FieldOptions::addField(const std::string& name, const char* help, Kind kind, const std::string& shownDefault) {
  Field& field = m_fields.emplace_back();
  field.name = name;
  field.kind = kind;
  switch (kind) {
    case Kind::flag:
      field.option = m_verb.add_flag("--" + name + ",!--no-" + name, field.flag, help);
      return;
    case Kind::list:
      field.option = m_verb.add_option("--" + name, field.list, help)->allow_extra_args(false)->type_name("TEXT");
      return;
    case Kind::text:
      field.option = m_verb.add_option("--" + name, field.text, help);
      break;
    case Kind::integer:
    case Kind::natural:
      field.option = m_verb.add_option("--" + name, field.text, help)->type_name("N");
      break;
    case Kind::real:
      field.option = m_verb.add_option("--" + name, field.text, help)->type_name("X");
      break;
  }
  if (!shownDefault.empty()) field.option->description(std::string(help) + " [" + shownDefault + "]");
}

void FieldOptions::joinRepeated(const std::string& name) {
  for (Field& field : m_fields) {
    if (field.name == name) field.option->delimiter(';')->multi_option_policy(CLI::MultiOptionPolicy::Join);
  }
}

Result<Json> FieldOptions::valueOf(const Field& field) {
  const auto refuse = [&](const char* wanted) {
    return fail(ErrorCode::usage,
                "The option --" + field.name + " was given " + strata::quoted(field.text) + "; give " + wanted + ".",
                "--" + field.name);
  };
  const auto whole = [&](auto value) -> Result<Json> {
    const char* end = field.text.data() + field.text.size();
    const auto [stop, error] = std::from_chars(field.text.data(), end, value);
    if (error != std::errc() || stop != end) return refuse("a whole number");
    return Json(value);
  };
  switch (field.kind) {
    case Kind::flag:
      return Json(field.flag);
    case Kind::list:
      return Json(field.list);
    case Kind::text:
      return Json(field.text);
    case Kind::integer:
      return whole(std::int64_t{0});
    case Kind::natural:
      return whole(std::uint64_t{0});
    case Kind::real:
      break;
  }
  const auto value = parseReal(field.text);
  if (!value) return refuse("a number");
  return Json(*value);
}

Result<Json> FieldOptions::given() const {
  Json json = Json::object();
  for (const Field& field : m_fields) {
    if (field.option->count() == 0) continue;
    STRATA_TRY(json[field.name], valueOf(field));
  }
  return json;
}

std::vector<std::string> FieldOptions::namesGiven() const {
  std::vector<std::string> names;
  for (const Field& field : m_fields) {
    if (field.option->count() > 0) names.push_back(field.name);
  }
  return names;
}

bool FieldOptions::isGiven(const std::string& name) const {
  for (const Field& field : m_fields) {
    if (field.name == name) return field.option->count() > 0;
  }
  return false;
}

}  // namespace strata
