// Templates: no crash, no hang, and what is rendered is UTF-8.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/json.h"
#include "core/jinja/template.h"
#include "core/text/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const strata::Json kVariables = strata::Json::parse(R"({
    "messages": [{"role": "system", "content": "You are é."}, {"role": "user", "content": "Hi <b>"},
                 {"role": "assistant", "content": null, "tool_calls": [{"name": "f", "arguments": {"x": [1, 2.5, true]}}]}],
    "tools": [{"type": "function"}], "s": " a b ", "n": 3, "d": {"a": 1, "b": [1, 2]}, "l": [3, 1, 2], "bos_token": "<s>"})");
  strata::jinja::Limits limits;
  limits.steps = 50'000;  // many short runs find more than few long ones
  const std::string source(reinterpret_cast<const char*>(data), size);
  const auto parsed = strata::jinja::Template::parse(source, "input", limits);
  if (!parsed) return 0;
  for (const auto dialect : {strata::jinja::Dialect::python, strata::jinja::Dialect::javascript}) {
    strata::jinja::RenderOptions options;
    options.limits = limits;
    options.dialect = dialect;
    options.now = std::chrono::local_seconds(std::chrono::seconds(1752148800));
    const auto rendered = parsed->render(kVariables, options);
    if (rendered && strata::findInvalidUtf8(rendered->text)) std::abort();
  }
  return 0;
}
