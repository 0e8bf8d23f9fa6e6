#include "core/data/columns.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace strata {
namespace {

constexpr std::array<std::string_view, 15> kRoles = {"text",     "prompt",      "completion", "messages", "tools",
                                                     "system",   "instruction", "input",      "output",   "history",
                                                     "question", "context",     "answers",    "choices",  "chosen"};
constexpr std::array<std::string_view, 2> kRowRoles = {"id", "group"};

bool isRole(std::string_view name) {
  return std::find(kRoles.begin(), kRoles.end(), name) != kRoles.end() ||
         std::find(kRowRoles.begin(), kRowRoles.end(), name) != kRowRoles.end();
}

std::string rolesInWords() {
  std::string words;
  for (const std::string_view role : kRoles) words.append(role).append(", ");
  return words + "id or group";
}

/// The value at a path; nullptr where there is none. A key that itself holds dots goes before its parts.
const Json* find(const Json& value, std::string_view path) {
  if (value.is_object()) {
    if (const auto whole = value.find(path); whole != value.end()) return &*whole;
  }
  const std::size_t dot = path.find('.');
  const std::string_view part = path.substr(0, dot);
  const Json* inner = nullptr;
  if (value.is_object()) {
    const auto found = value.find(part);
    if (found != value.end()) inner = &*found;
  } else if (value.is_array()) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    if (error == std::errc() && end == part.data() + part.size() && index < value.size()) inner = &value[index];
  }
  if (inner == nullptr || dot == std::string_view::npos) return inner;
  return find(*inner, path.substr(dot + 1));
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::string listKeys(const Json& object) {
  constexpr std::size_t kShown = 20, kLongest = 60;
  std::string words;
  std::size_t shown = 0;
  for (const auto& [key, value] : object.items()) {
    if (shown == kShown) return words + " and " + std::to_string(object.size() - kShown) + " more";
    if (shown++ > 0) words += ", ";
    words += key.size() <= kLongest ? key : key.substr(0, kLongest) + "…";
  }
  return words.empty() ? "none" : words;
}

Result<void> checkColumns(const Columns& columns) {
  for (const auto& [role, path] : columns) {
    if (!isRole(role)) {
      return fail(ErrorCode::usage,
                  "columns: \"" + role + "\" is not something a column can be; give " + rolesInWords() + ".",
                  "columns");
    }
    if (path.empty())
      return fail(ErrorCode::usage, "columns: no column is named for " + role + "; name one.", "columns");
  }
  return {};
}

Result<Columns> checkedColumns(const Columns& columns) {
  Columns checked;
  for (const auto& [role, path] : columns) {
    if (!checked.emplace(trimmed(role), path).second) {
      return fail(ErrorCode::usage, "columns: " + trimmed(role) + " is given twice; give it one column.", "columns");
    }
  }
  STRATA_CHECK(checkColumns(checked));
  return checked;
}

bool haveColumns(const std::vector<std::string>& keys, const Columns& columns) {
  return std::all_of(columns.begin(), columns.end(), [&](const auto& column) {
    const std::string first = column.second.substr(0, column.second.find('.'));
    return std::find(keys.begin(), keys.end(), first) != keys.end();
  });
}

Result<Json> mapColumns(const Json& record, const Columns& columns) {
  Json mapped = Json::object();
  for (const auto& [role, path] : columns) {
    const Json* value = find(record, path);
    if (value == nullptr) {
      std::string message = "the column \"";
      message.append(path).append("\" for ").append(role).append(" is missing; the keys here are ");
      message.append(listKeys(record)).append(".");
      return fail(ErrorCode::invalidData, message);
    }
    mapped[role] = *value;
  }
  return mapped;
}

}  // namespace strata
