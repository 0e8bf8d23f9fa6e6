#include "core/config/describe.h"

#include <algorithm>
#include <charconv>

#include "core/routing/numbers.h"

namespace strata {
namespace {

/// "one; two": a semicolon or a backslash inside a text has a backslash before it, a line break is \n.
std::string printList(const Json& list) {
  std::string text;
  for (const Json& element : list) {
    if (!text.empty()) text += ' ';
    for (const char c : element.get<std::string>()) {
      if (c == ';' || c == '\\') text += '\\';
      c == '\n' ? text += "\\n" : text += c;
    }
    text += ';';
  }
  const bool lastIsEmpty = !list.empty() && list.back().get<std::string>().empty();
  if (!text.empty() && !lastIsEmpty) text.pop_back();
  return text;
}

Json parseList(const std::string& text) {
  Json list = Json::array();
  std::string element;
  bool begun = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ';') {
      list.push_back(std::exchange(element, {}));
      begun = false;
      if (i + 1 < text.size() && text[i + 1] == ' ') ++i;
      continue;
    }
    begun = true;
    if (text[i] != '\\' || i + 1 == text.size()) {
      element += text[i];
    } else {
      ++i;
      element += text[i] == 'n' ? '\n' : text[i];
    }
  }
  if (begun) list.push_back(std::move(element));
  return list;
}

std::string printPairs(const Json& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs.items())
    text += (text.empty() ? "" : ",") + name + "=" + value.get<std::string>();
  std::map<std::string, std::string> back;
  if (config_detail::parseAssignments(text, back) && Json(back) == pairs) return text;
  return pairs.empty() ? "" : dumpLine(pairs);  // a name or value holds a comma
}

/// As people write it where that is exact: 0.0005, not 5e-04.
std::string printShort(double value) {
  const std::string text = config_detail::printNumber(value);
  return parseReal(text) == value ? text : printReal(value);
}

template <class Number>
std::optional<Json> parseWhole(const std::string& text) {
  Number value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return Json(value);
}

}  // namespace

std::string fieldText(FieldKind kind, const Json& value) {
  if (value.is_null()) return {};
  switch (kind) {
    case FieldKind::text:
      return value.get<std::string>();
    case FieldKind::list:
      return printList(value);
    case FieldKind::pairs:
      return printPairs(value);
    case FieldKind::real:
      return printShort(value.get<double>());
    case FieldKind::flag:
    case FieldKind::whole:
      break;
  }
  return value.dump();
}

std::optional<Json> parseField(FieldKind kind, bool optional, const std::string& text) {
  if (optional && text.empty()) return Json(nullptr);
  switch (kind) {
    case FieldKind::flag:
      if (text == "true" || text == "false") return Json(text == "true");
      return std::nullopt;
    case FieldKind::whole: {
      const auto value = parseWhole<std::int64_t>(text);
      return value ? value : parseWhole<std::uint64_t>(text);
    }
    case FieldKind::real: {
      const auto value = parseReal(text);
      return value ? std::optional<Json>(*value) : std::nullopt;
    }
    case FieldKind::text:
      break;
    case FieldKind::list:
      return parseList(text);
    case FieldKind::pairs: {
      std::map<std::string, std::string> pairs;
      if (!config_detail::parseAssignments(text, pairs)) return std::nullopt;
      return Json(pairs);
    }
  }
  return Json(text);
}

std::vector<std::string> commandArguments(const std::vector<FieldInfo>& fields) {
  std::vector<std::string> arguments, last;
  for (const FieldInfo& field : fields) {
    if (!field.isChanged()) continue;
    const std::string option = "--" + field.name;
    if (field.kind == FieldKind::flag) {
      arguments.push_back(field.value.get<bool>() ? option : "--no-" + field.name);
    } else if (field.kind == FieldKind::list) {
      for (const Json& element : field.value) arguments.insert(arguments.end(), {option, element.get<std::string>()});
    } else if (!field.meta.positional) {
      arguments.insert(arguments.end(), {option, fieldText(field.kind, field.value)});
    } else if (const auto text = field.value.get<std::string>(); text.starts_with("-")) {
      last = {"--", text};
    } else {
      arguments.insert(arguments.begin(), text);
    }
  }
  arguments.insert(arguments.end(), last.begin(), last.end());
  return arguments;
}

std::string shellQuoted(const std::string& argument) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) return argument;
  std::string quoted = "'";
  for (const char c : argument) c == '\'' ? quoted += "'\\''" : quoted += c;
  return quoted + "'";
}

std::string commandLine(const std::string& command, const std::vector<FieldInfo>& fields) {
  std::string line = command;
  for (const std::string& argument : commandArguments(fields)) line += " " + shellQuoted(argument);
  return line;
}

}  // namespace strata
