#pragma once
// Jinja templates as chat templates use them: the language of Python's Jinja2 3.1 in its immutable sandbox, with
// trim_blocks and lstrip_blocks, break and continue, raise_exception, strftime_now, a plain tojson and
// {% generation %}, as transformers sets it up. No template reads a file or reaches anything but the values it is
// given.
//
//   STRATA_TRY(const jinja::Template hello, jinja::Template::parse("Hello {{ name }}!", "hello.jinja"));
//   STRATA_TRY(const jinja::Rendered answer, hello.render(Json{{"name", "World"}}, {}));
//
// A parsed template is immutable and may be rendered by several threads at once.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/jinja/limits.h"

namespace strata::jinja {

struct Program;

/// How values are printed and compared where the two implementations that templates are written for disagree.
enum class Dialect {
  python,      // transformers: True, None, ['a'], 1 == True, and 1 + 'a' is an error
  javascript,  // huggingface.js: true, null, ["a"], 1 != true, and 1 + 'a' is '1a'
};

struct RenderOptions {
  Dialect dialect = Dialect::python;
  std::optional<std::chrono::local_seconds> now;  // what strftime_now() prints; unset: the clock, in local time
  Limits limits;
};

/// Bytes [begin, end) of the rendered text.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const Span&) const = default;
};

struct Rendered {
  std::string text;
  std::vector<Span> generations;  // of the {% generation %} blocks, in the order in which they ended
  std::uint64_t steps = 0;        // of Limits::steps
  std::size_t peakBytes = 0;      // of Limits::bytes
};

class Template {
 public:
  /// `name` is what errors call the template. Refused: what is not UTF-8, wrong syntax, include, import and extends,
  /// and sources beyond `limits`. Errors have the context "name:line".
  static Result<Template> parse(std::string source, const std::string& name, const Limits& limits = {});

  /// `variables` is an object. The error of a template that calls raise_exception(text) ends with that text.
  Result<Rendered> render(const Json& variables, const RenderOptions& options) const;

  const std::string& name() const;

 private:
  explicit Template(std::shared_ptr<const Program> program);
  std::shared_ptr<const Program> m_program;
};

}  // namespace strata::jinja
