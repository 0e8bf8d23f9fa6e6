#include "core/config/visit.h"

#include <cmath>
#include <cstdio>

#include "core/routing/numbers.h"

namespace strata {

bool isChoice(const std::string& text, std::span<const Choice> choices) {
  const bool open = std::any_of(choices.begin(), choices.end(), [](const Choice& c) { return *c.pattern != '\0'; });
  const std::string_view word = open ? trimmed(text) : std::string_view(text);  // as the parsers of patterns do
  return std::any_of(choices.begin(), choices.end(), [&](const Choice& choice) {
    if (word == choice.value) return true;
    const std::string_view pattern = choice.pattern;
    if (pattern.empty() || word.empty()) return false;
    const std::size_t colon = pattern.find(':');
    return colon == std::string_view::npos || word.starts_with(pattern.substr(0, colon + 1));
  });
}

std::string printChoices(std::span<const Choice> choices, const char* separator) {
  std::string text;
  for (const Choice& choice : choices) {
    if (*choice.value == '\0') continue;
    if (!text.empty()) text += separator;
    text += *choice.pattern != '\0' ? choice.pattern : choice.value;
  }
  return text;
}

std::string printRange(const Range& range) {
  using config_detail::printNumber;
  if (std::isfinite(range.min) && std::isfinite(range.max)) {
    return printNumber(range.min) + " … " + printNumber(range.max);
  }
  if (std::isfinite(range.min)) return printNumber(range.min) + " or more";
  if (std::isfinite(range.max)) return "at most " + printNumber(range.max);
  return "a finite number";
}

}  // namespace strata

namespace strata::config_detail {
namespace {

constexpr std::size_t kShown = 60;

std::string shortened(std::string text) {
  if (text.size() <= kShown) return text;
  return text.substr(0, kShown) + "…";
}

/// Edits (insert, delete, replace) from one word to another, for naming what may have been meant.
std::size_t editDistance(const std::string& from, const std::string& to) {
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t column = 0; column <= to.size(); ++column) row[column] = column;
  for (std::size_t line = 1; line <= from.size(); ++line) {
    std::size_t diagonal = row[0];
    row[0] = line;
    for (std::size_t column = 1; column <= to.size(); ++column) {
      const std::size_t replaced = diagonal + (from[line - 1] == to[column - 1] ? 0 : 1);
      diagonal = row[column];
      row[column] = std::min({replaced, row[column] + 1, row[column - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string printNumber(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.10g", value);
  return text;
}

bool parseAssignments(const std::string& text, std::map<std::string, std::string>& values) {
  if (text.starts_with("{\"")) {
    const auto json = parseJson(text, "the text");
    if (!json) return false;
    for (const auto& [key, value] : json->items()) {
      if (!value.is_string()) return false;
      values[key] = value.get<std::string>();
    }
    return true;
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::size_t equals = text.find('=', at);
    if (equals >= end || equals == at || equals + 1 == end) return false;
    if (!values.emplace(text.substr(at, equals - at), text.substr(equals + 1, end - equals - 1)).second) return false;
    at = end + 1;
  }
  return true;
}

Error outOfRange(const std::string& where, const char* name, const std::string& value, const Range& range) {
  return {ErrorCode::usage, where + " has " + name + " " + shortened(value) + "; allowed is " + printRange(range) + ".",
          name};
}

Error noChoice(const std::string& where, const char* name, const std::string& value, std::span<const Choice> choices) {
  return {ErrorCode::usage,
          where + " has " + name + " \"" + shortened(value) + "\"; give one of: " + printChoices(choices) + ".", name};
}

Error wrongType(const std::string& where, const char* name, const Json& value, const char* wanted) {
  return {ErrorCode::usage, where + " has " + shortened(dumpLine(value)) + " for " + name + "; give " + wanted + ".",
          name};
}

Error unknownKey(const std::string& where, const std::string& key, const std::set<std::string>& known) {
  std::string advice = "remove it or correct its name";
  std::size_t nearest = 3;  // more edits than this are no slip of the hand
  for (const std::string& name : known) {
    if (key.size() > kShown) break;
    const std::size_t distance = editDistance(key, name);
    if (distance >= nearest) continue;
    nearest = distance;
    advice = "did you mean \"" + name + "\"?";
  }
  std::string message = where + " has the unknown option \"" + shortened(key) + "\"; " + advice;
  if (message.back() != '?') message += '.';
  return {ErrorCode::usage, message, key};
}

}  // namespace strata::config_detail
