#include "core/data/template_renderer.h"

namespace strata {
namespace {

ChatInput inputOf(const Json& messages, const Json& tools, bool addGenerationPrompt) {
  ChatInput input;
  input.messages = messages;
  input.tools = tools;
  input.addGenerationPrompt = addGenerationPrompt;
  input.now = std::chrono::local_days(std::chrono::year(2024) / 7 / 26);
  return input;
}

}  // namespace

Result<std::string> TemplateRenderer::render(const Json& messages, const Json& tools, bool addGenerationPrompt) const {
  return m_template.render(inputOf(messages, tools, addGenerationPrompt));
}

Result<std::optional<std::vector<TextSpan>>> TemplateRenderer::generatedSpans(const Json& messages,
                                                                              const Json& tools) const {
  STRATA_TRY(const RenderedChat rendered, m_template.renderWithSpans(inputOf(messages, tools, false)));
  if (rendered.generations.empty()) return std::nullopt;
  std::vector<TextSpan> spans;
  for (const auto& span : rendered.generations) spans.push_back({span.begin, span.end});
  return spans;
}

}  // namespace strata
