#include "core/model/generate.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <functional>
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
    const auto ends = [&](const auto& ids) { return std::find(ids.begin(), ids.end(), id) != ids.end(); };
    if (!m_config.ignoreEos && (ends(m_model.eosIds()) || ends(hooks.alsoEndAt))) {
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

/// Answers all prompts with a session; `begin` computes the logits of their last tokens.
Result<GenerateResult> answerAll(const Model& model, InferenceSession& session, std::int64_t capacity,
                                 const std::vector<std::vector<TokenId>>& prompts,
                                 const std::function<Result<at::Tensor>()>& begin, const GenerateConfig& config,
                                 const GenerateHooks& hooks) {
  GenerateResult result;
  std::vector<Answer> answers;
  answers.reserve(prompts.size());
  for (const auto& prompt : prompts) answers.emplace_back(model, config, prompt);
  std::vector<std::int64_t> live(prompts.size());
  std::iota(live.begin(), live.end(), 0);

  const auto cancelled = [&](const Error& error) { return error.code == ErrorCode::cancelled; };
  const auto started = std::chrono::steady_clock::now();
  Result<at::Tensor> logits = begin();
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

/// Refused where the prompt leaves no room for one token.
Result<void> checkRoom(std::size_t promptTokens, std::int64_t context) {
  if (static_cast<std::int64_t>(promptTokens) < context) return {};
  return fail(ErrorCode::usage,
              "The prompt has " + std::to_string(promptTokens) + " tokens and the context is " +
                  std::to_string(context) + "; shorten the prompt or raise --context.",
              "--context");
}

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
  STRATA_CHECK(checkRoom(longest, context));
  // The last token is sampled but never fed.
  const std::int64_t capacity = std::min<std::int64_t>(context, static_cast<std::int64_t>(longest) + config.maxTokens);

  InferenceSession session(model, map,
                           {.capacity = capacity, .prefillChunk = hooks.prefillChunk, .cancel = hooks.cancel});
  return answerAll(
      *model, session, capacity, prompts, [&] { return session.prefill(prompts); }, config, hooks);
}

ChatSession::ChatSession(std::shared_ptr<const Model> model, SharingMap map, const std::atomic<bool>* cancel)
    : m_model(std::move(model)), m_map(std::move(map)), m_cancel(cancel) {}

Result<GenerateResult> ChatSession::answer(const std::vector<TokenId>& prompt, const GenerateConfig& config,
                                           const GenerateHooks& hooks) {
  constexpr std::int64_t kRoom = 1024;  // the cache grows by this, anew, and not to the model's whole context at once
  if (prompt.empty()) return fail(ErrorCode::usage, "There is no prompt; give at least one token.");
  STRATA_CHECK(checkRoom(prompt.size(), m_model->context()));
  const std::int64_t needed =
      std::min<std::int64_t>(m_model->context(), static_cast<std::int64_t>(prompt.size()) + config.maxTokens);
  if (!m_session || m_capacity < needed) {
    m_capacity = std::min(m_model->context(), std::max(2 * m_capacity, (needed / kRoom + 1) * kRoom));
    m_session = std::make_unique<InferenceSession>(
        m_model, m_map, SessionOptions{.capacity = m_capacity, .prefillChunk = hooks.prefillChunk, .cancel = m_cancel});
  }
  const auto begin = [&]() -> Result<at::Tensor> {
    if (m_session->ids().empty()) return m_session->prefill({prompt});
    const std::vector<TokenId>& held = m_session->ids()[0];
    const auto shared = std::mismatch(held.begin(), held.end(), prompt.begin(), prompt.end() - 1).first - held.begin();
    m_session->rewind(shared);
    return m_session->extend({prompt.begin() + shared, prompt.end()});
  };
  return answerAll(*m_model, *m_session, needed, {prompt}, begin, config, hooks);
}

}  // namespace strata
