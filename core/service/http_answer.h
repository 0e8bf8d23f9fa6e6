#pragma once
// Answers in OpenAI's shapes, whole or as chunks of a stream; "strata" holds what made them.

#include <optional>
#include <string>
#include <vector>

#include "core/service/http_models.h"
#include "core/service/http_request.h"

namespace strata {

class HttpAnswer {
 public:
  HttpAnswer(const CompletionRequest& request, const ServedSide& side);

  /// chat.completion or text_completion, a choice for each prompt.
  Json whole(const std::vector<Completion>& completions) const;

  /// The events of a stream, each with its "data: " and the empty line.
  std::string begin() const;
  std::string text(const std::string& piece) const;
  /// The last chunk, the usage where it was asked for, and [DONE].
  std::string end(const protocol::Answer& answer) const;
  /// An error after the stream began.
  static std::string failure(const HttpProblem& problem);

 private:
  Json envelope(const char* object) const;
  Json chunk(const Json& delta, const Json& finish) const;
  Json madeBy(const protocol::Answer& answer) const;

  bool m_chat, m_includeUsage, m_withScores;
  std::string m_id, m_model, m_fingerprint;
  std::int64_t m_created;
};

}  // namespace strata
