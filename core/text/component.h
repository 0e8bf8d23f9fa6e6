#pragma once
// One part of a tokenizer.json (a normalizer, a decoder…): its fields, with errors that name the file and the key.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/text/pattern.h"

namespace strata {

class Component {
 public:
  /// `path` is where `value` stands in the file, e.g. "pre_tokenizer.pretokenizers[1]".
  Component(const Json& value, std::string file, std::string path)
      : m_value(value), m_file(std::move(file)), m_path(std::move(path)) {}

  const std::string& path() const { return m_path; }
  /// "FILE: PATH", for errors.
  std::string where() const { return m_path.empty() ? m_file : m_file + ": " + m_path; }
  bool isNull() const { return m_value.is_null(); }
  bool has(const char* key) const;

  Result<std::string> type() const;  // of "type"
  Result<std::string> text(const char* key) const;
  Result<char32_t> character(const char* key) const;
  Result<bool> flag(const char* key) const;
  Result<bool> flag(const char* key, bool byDefault) const;
  Result<std::int64_t> number(const char* key) const;  // 0 to 2^31 - 1
  Result<Component> child(const char* key) const;
  /// The elements of an array.
  Result<std::vector<Component>> children(const char* key) const;
  /// The same for a Sequence's parts. At most 256 parts in all of a component: they run inside one another.
  Result<std::vector<Component>> parts(const char* key) const;
  Result<std::vector<Component>> elements() const;
  /// {"String": …} or {"Regex": …}.
  Result<std::unique_ptr<Pattern>> pattern(const char* key) const;
  Result<SplitBehavior> behavior(const char* key) const;

  const Json& value() const { return m_value; }
  tl::unexpected<Error> refuse(const std::string& what) const;
  /// For a type that is not one of `known`.
  tl::unexpected<Error> unsupported(const std::string& type, const std::string& known) const;

 private:
  Result<const Json*> field(const char* key) const;
  tl::unexpected<Error> mustBe(const char* key, const std::string& what) const;

  const Json& m_value;
  std::string m_file, m_path;
  std::shared_ptr<int> m_parts = std::make_shared<int>(0);  // of the outermost component, so far
};

}  // namespace strata
