#include "app/strata/field_options.h"

#include <algorithm>
#include <cctype>

#include "core/routing/numbers.h"

namespace strata {
namespace {

/// "learning rate over the run: cosine | linear | constant"
std::string helpOf(const FieldInfo& field) {
  std::string text = field.meta.help;
  if (!field.meta.choices.empty()) text += ": " + printChoices(field.meta.choices, " | ");
  return text;
}

/// What stands behind a number's option: its unit, else N or X.
std::string numberName(const FieldInfo& field) {
  std::string name = field.meta.unit;
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  if (name.empty()) name = field.kind == FieldKind::whole ? "N" : "X";
  return name;
}

}  // namespace

void FieldOptions::addField(FieldInfo info) {
  Field& field = m_fields.emplace_back();
  field.info = std::move(info);
  const std::string option = (field.info.meta.positional ? "" : "--") + field.info.name;
  std::string help = helpOf(field.info);
  const bool number = field.info.kind == FieldKind::whole || field.info.kind == FieldKind::real;
  if (number || field.info.kind == FieldKind::text) {
    const std::string shown = fieldText(field.info.kind, field.info.base);
    if (!shown.empty()) help += " [" + shown + "]";
  }
  if (field.info.kind == FieldKind::flag) {
    field.option = m_verb.add_flag(option + ",!--no-" + field.info.name, field.flag, help);
  } else if (field.info.kind == FieldKind::list) {
    field.option = m_verb.add_option(option, field.list, help)->allow_extra_args(false)->type_name("TEXT");
  } else {
    field.option = m_verb.add_option(option, field.text, help);
    if (number) field.option->type_name(numberName(field.info));
    if (field.info.meta.path) field.option->type_name("PATH");
  }
  if (*field.info.meta.group != '\0') field.option->group(field.info.meta.group);
}

void FieldOptions::joinRepeated(const std::string& name) {
  for (Field& field : m_fields) {
    if (field.info.name == name) field.option->delimiter(';')->multi_option_policy(CLI::MultiOptionPolicy::Join);
  }
}

Result<Json> FieldOptions::valueOf(const Field& field) {
  if (field.info.kind == FieldKind::flag) return Json(field.flag);
  if (field.info.kind == FieldKind::list) return Json(field.list);
  if (field.info.kind == FieldKind::pairs) return Json(field.text);  // configFromJson() takes the text apart
  const auto value = parseField(field.info.kind, false, field.text);
  if (value) return *value;
  return fail(ErrorCode::usage,
              "The option --" + field.info.name + " was given " + strata::quoted(field.text) + "; give " +
                  (field.info.kind == FieldKind::whole ? "a whole number" : "a number") + ".",
              "--" + field.info.name);
}

Result<Json> FieldOptions::given() const {
  Json json = Json::object();
  for (const Field& field : m_fields) {
    if (field.option->count() == 0) continue;
    STRATA_TRY(json[field.info.name], valueOf(field));
  }
  return json;
}

std::vector<std::string> FieldOptions::namesGiven() const {
  std::vector<std::string> names;
  for (const Field& field : m_fields) {
    if (field.option->count() > 0) names.push_back(field.info.name);
  }
  return names;
}

bool FieldOptions::isGiven(const std::string& name) const {
  for (const Field& field : m_fields) {
    if (field.info.name == name) return field.option->count() > 0;
  }
  return false;
}

void describeOptions(CLI::App& verb, const std::vector<FieldInfo>& fields) {
  for (const FieldInfo& field : fields) {
    CLI::Option* option = verb.get_option((field.meta.positional ? "" : "--") + field.name);
    option->description(helpOf(field));
    if (!field.meta.positional) option->group(field.meta.group);
  }
}

}  // namespace strata
