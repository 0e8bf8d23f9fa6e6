#pragma once
// A value inside a JSON file that remembers its path, so that every complaint names the member it is about. Strings are
// moved out of the value: a large file is not held twice.
//
//   STRATA_TRY(const JsonMember answers, question.at("answers"));
//   STRATA_CHECK(answers.forEach([&](const JsonMember& answer) -> Result<void> { … }));

#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

class JsonMember {
 public:
  /// `source` names the file (or file:line) and must outlive the member, as must `value`.
  JsonMember(Json& value, const std::string& source, std::string path = {})
      : m_value(&value), m_source(&source), m_path(std::move(path)) {}

  const Json& value() const { return *m_value; }

  /// The error "source: path: what."
  tl::unexpected<Error> broken(const std::string& what) const;

  /// A member of an object; missing is an error.
  Result<JsonMember> at(const char* key) const;
  /// A member that may be missing or null.
  Result<std::optional<JsonMember>> find(const char* key) const;
  /// The i-th element of a list, the i-th member's value of an object.
  JsonMember element(std::size_t i) const;
  /// The key of an object's i-th member.
  const std::string& keyOf(std::size_t i) const;

  Result<void> mustBeList() const;
  Result<void> mustBeObject() const;
  /// Moves the string out.
  Result<std::string> takeText() const;
  /// A string or a whole number, as text: data sets write ids in both ways.
  Result<std::string> takeId() const;
  /// A list of strings, moved out.
  Result<std::vector<std::string>> takeTexts() const;

  /// Calls `take` with each element of a list until it returns an error.
  template <class Take>
  Result<void> forEach(const Take& take) const {
    STRATA_CHECK(mustBeList());
    for (std::size_t i = 0; i < m_value->size(); ++i) STRATA_CHECK(take(element(i)));
    return {};
  }

 private:
  Json* m_value;
  const std::string* m_source;
  std::string m_path;
};

}  // namespace strata
