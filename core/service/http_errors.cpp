#include "core/service/http_errors.h"

namespace strata {

HttpProblem HttpProblem::badField(const std::string& param, const std::string& message) {
  return {400, message, "invalid_request_error", param, "invalid_value"};
}

HttpProblem HttpProblem::unsupportedField(const std::string& param, const std::string& message) {
  return {400, message, "invalid_request_error", param, "unsupported_parameter"};
}

HttpProblem HttpProblem::unknownModel(const std::string& message) {
  return {404, message, "invalid_request_error", "model", "model_not_found"};
}

HttpProblem HttpProblem::of(const Error& error) {
  switch (error.code) {
    case ErrorCode::usage:
    case ErrorCode::invalidData:
    case ErrorCode::unsupported:
      return {400, error.message, "invalid_request_error", {}, toString(error.code)};
    case ErrorCode::notFound:
      return {404, error.message, "invalid_request_error", {}, toString(error.code)};
    case ErrorCode::cancelled:
    case ErrorCode::busy:
    case ErrorCode::outOfMemory:
      return {503, error.message, "server_error", {}, toString(error.code)};
    case ErrorCode::io:
    case ErrorCode::diskFull:
    case ErrorCode::internal:
      break;
  }
  return {500, error.message, "server_error", {}, toString(error.code)};
}

Json problemToJson(const HttpProblem& problem) {
  const auto textOrNull = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  return {{"error",
           {{"message", problem.message},
            {"type", problem.type},
            {"param", textOrNull(problem.param)},
            {"code", textOrNull(problem.code)}}}};
}

}  // namespace strata
