#pragma once
// Errors that meet the outside (files, JSON, user input, devices) travel as values.
//
//   Result<int> parseCount(const std::string& text) {
//     if (text.empty()) return fail(ErrorCode::usage, "The count is empty; give a number of 1 or more.");
//     ...
//   }
//   STRATA_TRY(const int count, parseCount(text));   // returns the error to the caller

#include <map>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace strata {

enum class ErrorCode {
  usage,
  notFound,
  invalidData,
  io,
  diskFull,
  outOfMemory,
  unsupported,
  cancelled,
  busy,
  internal
};

/// The name that `--json` answers give a code, e.g. "invalid_data".
const char* toString(ErrorCode code);

/// One sentence for a person: what is wrong, where, and what to do. `context` names the place for machines:
/// a file, "file:line", a tensor, an option. Errors that people meet often also have a name and arguments, from which
/// the window makes the sentence in its own language (widgets/client/error_words.h).
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::string context;
  std::string name = {};                              // "model_not_found"; empty: only the message says what is wrong
  std::map<std::string, std::string> arguments = {};  // {"model": "base"}
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string context = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(context)});
}

/// Gives an error its name and arguments: return namedError("model_not_found", {{"model", text}}, fail(…));
inline tl::unexpected<Error> namedError(const char* name, std::map<std::string, std::string> arguments,
                                        tl::unexpected<Error> error) {
  error.value().name = name;
  error.value().arguments = std::move(arguments);
  return error;
}

#define STRATA_CONCAT_INNER(a, b) a##b
#define STRATA_CONCAT(a, b) STRATA_CONCAT_INNER(a, b)

/// STRATA_TRY(declaration, expression of type Result<T>): declares and fills, or returns the error.
#define STRATA_TRY(declaration, expression)                                                     \
  auto STRATA_CONCAT(tried_, __LINE__) = (expression);                                          \
  if (!STRATA_CONCAT(tried_, __LINE__)) {                                                       \
    return tl::unexpected<::strata::Error>(std::move(STRATA_CONCAT(tried_, __LINE__)).error()); \
  }                                                                                             \
  declaration = std::move(*STRATA_CONCAT(tried_, __LINE__))

/// The same for Result<void>.
#define STRATA_CHECK(expression)                                                    \
  do {                                                                              \
    auto tried_ = (expression);                                                     \
    if (!tried_) return tl::unexpected<::strata::Error>(std::move(tried_).error()); \
  } while (false)

}  // namespace strata
