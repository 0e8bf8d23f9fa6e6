#pragma once
// A model's chat template as what writes conversations of a data set. The clock stands still (2024-07-26, the date that
// the Llama 3 templates fall back to), so that the same data give the same rows whenever a run is resumed.

#include <utility>

#include "core/data/chat_rows.h"
#include "core/text/chat_template.h"

namespace strata {

class TemplateRenderer : public ChatRenderer {
 public:
  explicit TemplateRenderer(ChatTemplate chatTemplate) : m_template(std::move(chatTemplate)) {}
  Result<std::string> render(const Json& messages, const Json& tools, bool addGenerationPrompt) const override;
  Result<std::optional<std::vector<TextSpan>>> generatedSpans(const Json& messages, const Json& tools) const override;

 private:
  ChatTemplate m_template;
};

}  // namespace strata
