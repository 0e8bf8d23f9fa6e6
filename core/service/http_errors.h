#pragma once
// What is wrong with an HTTP request, in OpenAI's shape: {"error": {"message", "type", "param", "code"}}.

#include <string>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

struct HttpProblem {
  int status = 400;
  std::string message;
  std::string type = "invalid_request_error";
  std::string param;  // the field; empty: null
  std::string code;   // for machines; empty: null

  static HttpProblem badField(const std::string& param, const std::string& message);
  static HttpProblem unsupportedField(const std::string& param, const std::string& message);
  static HttpProblem unknownModel(const std::string& message);
  /// The status that fits the error's code; what the caller can change is 400, what only the engine can, 500 or 503.
  static HttpProblem of(const Error& error);
};

template <class T>
using HttpResult = tl::expected<T, HttpProblem>;

Json problemToJson(const HttpProblem& problem);

}  // namespace strata
