#pragma once
// Rendering in one call, for tests.

#include <gtest/gtest.h>

#include <string>

#include "core/jinja/template.h"

namespace strata::jinja::testing {

/// 2025-07-10T12:00
inline std::chrono::local_seconds fixedClock() {
  using namespace std::chrono;
  return local_days(July / 10 / 2025) + hours(12);
}

inline Result<Rendered> tryRender(const std::string& source, const Json& variables = Json::object(),
                                  Dialect dialect = Dialect::python) {
  STRATA_TRY(const Template parsed, Template::parse(source, "t.jinja"));
  RenderOptions options;
  options.now = fixedClock();
  options.dialect = dialect;
  return parsed.render(variables, options);
}

inline std::string render(const std::string& source, const Json& variables = Json::object()) {
  const Result<Rendered> rendered = tryRender(source, variables);
  return rendered ? rendered->text : "error: " + rendered.error().message;
}

inline Error errorOf(const std::string& source, const Json& variables = Json::object()) {
  const Result<Rendered> rendered = tryRender(source, variables);
  return rendered ? Error{ErrorCode::internal, "no error, but: " + rendered->text, ""} : rendered.error();
}

}  // namespace strata::jinja::testing
