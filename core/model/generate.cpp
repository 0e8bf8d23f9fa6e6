#include "core/model/generate.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>

#include "core/model/sampling.h"

namespace strata {
namespace {

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// One answer while it grows: ids, text and what of it may already be shown (a stop string may be half there).
class Answer {
 public:
  Answer(const Model& model, const GenerateConfig& config, std::vector<TokenId> prompt)
      : m_model(model), m_config(config), m_history(std::move(prompt)) {
    if (model.tokenizer() != nullptr) m_stream.emplace(*model.tokenizer());
  }

  const std::vector<TokenId>& history() const { return m_history; }
  Generated& result() { return m_result; }

  /// Returns the text that became certain; sets `finished`.
  std::string take(TokenId id, const GenerateHooks& hooks, bool& finished) {
    m_history.push_back(id);
    m_result.ids.push_back(id);
    const auto& eos = m_model.eosIds();
    if (!m_config.ignoreEos && std::find(eos.begin(), eos.end(), id) != eos.end()) {
      m_result.finish = Finish::eos;
      finished = true;
      return finish();
    }
    if (m_stream) m_result.text += m_stream->push(id);
    std::size_t cut = std::string::npos;
    for (const std::string& stop : m_config.stop) {
      if (!stop.empty())
        cut = std::min(cut, m_result.text.find(stop, m_searched > stop.size() ? m_searched - stop.size() : 0));
    }
    m_searched = m_result.text.size();
    if (cut != std::string::npos) {
      m_result.text.resize(cut);
      m_result.finish = Finish::stop;
      finished = true;
      return show(m_result.text.size());
    }
    if (hooks.stopWhen && hooks.stopWhen(m_result.text)) {
      m_result.finish = Finish::stop;
      finished = true;
      return show(m_result.text.size());
    }
    if (static_cast<int>(m_result.ids.size()) >= m_config.maxTokens) {
      m_result.finish = Finish::length;
      finished = true;
      return finish();
    }
    return show(m_result.text.size() - heldBack());
  }

  std::string finish() {
    if (m_stream) m_result.text += m_stream->finish();
    return show(m_result.text.size());
  }

 private:
  /// Length of the longest end of the text that may become a stop string.
  std::size_t heldBack() const {
    std::size_t held = 0;
    for (const std::string& stop : m_config.stop) {
      for (std::size_t n = std::min(stop.size(), m_result.text.size()); n > held; --n) {
        if (m_result.text.compare(m_result.text.size() - n, n, stop, 0, n) == 0) held = n;
      }
    }
    return held;
  }
  std::string show(std::size_t end) {
    if (end <= m_shown) return {};
    std::string piece = m_result.text.substr(m_shown, end - m_shown);
    m_shown = end;
    return piece;
  }

  const Model& m_model;
  const GenerateConfig& m_config;
  std::vector<TokenId> m_history;
  Generated m_result;
  std::optional<TokenStream> m_stream;
  std::size_t m_searched = 0, m_shown = 0;
};

}  // namespace

const char* toString(Finish finish) {
  constexpr const char* kNames[] = {"eos", "length", "stop", "cancel"};
  return kNames[static_cast<std::size_t>(finish)];
}

Result<GenerateResult> generate(const std::shared_ptr<const Model>& model, const SharingMap& map,
                                const std::vector<std::vector<TokenId>>& prompts, const GenerateConfig& config,
                                const GenerateHooks& hooks) {
  if (prompts.empty()) return fail(ErrorCode::usage, "There is no prompt; give at least one token.");
  std::size_t longest = 0;
  for (const auto& prompt : prompts) longest = std::max(longest, prompt.size());
  const std::int64_t context = hooks.context > 0 ? hooks.context : model->context();
  if (static_cast<std::int64_t>(longest) >= context) {
    return fail(ErrorCode::usage,
                "The prompt has " + std::to_string(longest) + " tokens and the context is " + std::to_string(context) +
                    "; shorten the prompt or raise --context.",
                "--context");
  }
  // The last token is sampled but never fed.
  const std::int64_t capacity = std::min<std::int64_t>(context, static_cast<std::int64_t>(longest) + config.maxTokens);

  GenerateResult result;
  std::vector<Answer> answers;
  answers.reserve(prompts.size());
  for (const auto& prompt : prompts) answers.emplace_back(*model, config, prompt);
  std::vector<std::int64_t> live(prompts.size());
  std::iota(live.begin(), live.end(), 0);

  InferenceSession session(model, map,
                           {.capacity = capacity, .prefillChunk = hooks.prefillChunk, .cancel = hooks.cancel});
  const auto cancelled = [&](const Error& error) { return error.code == ErrorCode::cancelled; };
  const auto started = std::chrono::steady_clock::now();
  Result<at::Tensor> logits = session.prefill(prompts);
  result.prefillSeconds = secondsSince(started);
  result.kvBytes = session.kvBytes();
  const auto decoding = std::chrono::steady_clock::now();
  for (std::uint32_t index = 0; !live.empty(); ++index) {
    if (!logits) {
      if (!cancelled(logits.error())) return tl::unexpected(logits.error());
      for (const std::int64_t row : live) answers[static_cast<std::size_t>(row)].result().finish = Finish::cancel;
      break;
    }
    const at::Tensor host = logits->cpu().contiguous();
    std::vector<TokenId> next;
    std::vector<std::int64_t> kept, keptRows;
    for (std::size_t i = 0; i < live.size(); ++i) {
      Answer& answer = answers[static_cast<std::size_t>(live[i])];
      const std::span<const float> row(host.const_data_ptr<float>() + static_cast<std::int64_t>(i) * host.size(1),
                                       static_cast<std::size_t>(host.size(1)));
      const TokenId id = sampleToken(row, config, answer.history(), index, static_cast<std::uint32_t>(live[i]));
      if (id < 0) {
        return fail(
            ErrorCode::invalidData,
            "The model's logits are not finite numbers; look for broken weights with strata inspect MODEL --check.",
            "logits");
      }
      bool finished = false;
      const std::string piece = answer.take(id, hooks, finished);
      if (hooks.onText && !piece.empty()) hooks.onText(static_cast<std::size_t>(live[i]), piece);
      if (!finished && static_cast<std::int64_t>(answer.history().size()) > capacity) {
        const std::string rest = answer.finish();  // the context is full
        if (hooks.onText && !rest.empty()) hooks.onText(static_cast<std::size_t>(live[i]), rest);
        finished = true;
      }
      if (!finished) {
        kept.push_back(live[i]);
        keptRows.push_back(static_cast<std::int64_t>(i));
        next.push_back(id);
      }
    }
    if (kept.empty()) break;
    if (kept.size() < live.size()) session.keepRows(keptRows);
    live = std::move(kept);
    logits = session.decode(next);
  }
  result.decodeSeconds = secondsSince(decoding);
  for (Answer& answer : answers) result.answers.push_back(std::move(answer.result()));
  return result;
}

}  // namespace strata
