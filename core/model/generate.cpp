#include "core/model/generate.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <utility>

#include "core/model/device.h"
#include "core/model/sampling.h"

namespace strata {
namespace {

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Refused where the prompt leaves no room for one token.
Result<void> checkRoom(std::size_t promptTokens, std::int64_t context) {
  if (static_cast<std::int64_t>(promptTokens) < context) return {};
  return fail(ErrorCode::usage,
              "The prompt has " + std::to_string(promptTokens) + " tokens and the context is " +
                  std::to_string(context) + "; shorten the prompt or use a longer context.",
              "--context");
}

}  // namespace

const char* toString(Finish finish) {
  constexpr const char* kNames[] = {"eos", "length", "stop", "cancel"};
  return kNames[static_cast<std::size_t>(finish)];
}

/// One answer while it grows: ids, text and what of it may already be shown (a stop string may be half there).
class Generation::Answer {
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

Generation::Generation(const Model& model, InferenceSession& session, std::int64_t capacity,
                       std::vector<std::vector<TokenId>> prompts, GenerateConfig config, GenerateHooks hooks)
    : m_model(model),
      m_session(session),
      m_capacity(capacity),
      m_prompts(std::move(prompts)),
      m_config(std::move(config)),
      m_hooks(std::move(hooks)),
      m_live(m_prompts.size()) {
  m_answers.reserve(m_prompts.size());
  for (const auto& prompt : m_prompts) m_answers.emplace_back(m_model, m_config, prompt);
  std::iota(m_live.begin(), m_live.end(), 0);
  if (m_prompts.size() != 1 || m_session.ids().empty()) return;
  const std::vector<TokenId>& prompt = m_prompts.front();
  const std::vector<TokenId>& held = m_session.ids()[0];
  if (!m_session.isStale()) {
    const auto size = static_cast<std::int64_t>(prompt.size());
    const std::int64_t common =
        std::mismatch(held.begin(), held.end(), prompt.begin(), prompt.end()).first - held.begin();
    const std::int64_t read = m_session.promptSize(), fed = std::min(common, size - 1);
    if (common == size && read == size) {
      m_reused = size;  // the same prompt again, from the same logits
    } else if (read > 0 && fed >= read) {
      m_reused = fed;  // the chat goes on; the last token is always fed: its logits are what is wanted
    } else {
      m_reused = m_session.reusable(fed);  // another question: as a fresh start would answer it
    }
  }
  m_session.rewind(m_reused);
  m_read = static_cast<std::size_t>(m_reused);
}

Generation::Generation(const Model& model, InferenceSession& session, std::int64_t capacity, at::Tensor logits,
                       GenerateConfig config, GenerateHooks hooks)
    : m_model(model),
      m_session(session),
      m_capacity(capacity),
      m_prompts(session.ids()),
      m_config(std::move(config)),
      m_hooks(std::move(hooks)),
      m_live(m_prompts.size()),
      m_promptLogits(std::move(logits)) {
  m_answers.reserve(m_prompts.size());
  for (const auto& prompt : m_prompts) m_answers.emplace_back(m_model, m_config, prompt);
  std::iota(m_live.begin(), m_live.end(), 0);
  for (const auto& prompt : m_prompts) m_read = std::max(m_read, prompt.size());
}

Generation::~Generation() = default;

std::int64_t Generation::reusedTokens() const {
  return m_reused;
}

/// Of one prompt the next chunk, of several all; logits of the last tokens.
Result<at::Tensor> Generation::readPrompt() {
  if (m_promptLogits.defined()) return m_promptLogits;
  if (m_prompts.size() > 1) {
    for (const auto& prompt : m_prompts) m_read = std::max(m_read, prompt.size());
    return m_session.prefill(m_prompts);
  }
  const std::vector<TokenId>& prompt = m_prompts.front();
  if (m_read == prompt.size()) return m_session.promptLogits();
  const std::size_t end = std::min(prompt.size(), m_read + static_cast<std::size_t>(m_session.prefillChunk()));
  Result<at::Tensor> logits = m_session.extend(
      {prompt.begin() + static_cast<std::ptrdiff_t>(m_read), prompt.begin() + static_cast<std::ptrdiff_t>(end)});
  if (logits) m_read = end;
  if (logits && m_read == prompt.size()) m_session.keepPrompt(*logits);
  return logits;
}

Result<bool> Generation::step() {
  if (m_live.empty()) return false;
  const auto begun = std::chrono::steady_clock::now();
  const bool reading = m_index == 0;
  const Result<at::Tensor> logits = reading     ? readPrompt()
                                    : m_decoded ? *std::exchange(m_decoded, std::nullopt)
                                                : m_session.decode(m_next);
  if (reading) {
    if (logits) synchronize(logits->device());
    m_result.prefillSeconds += secondsSince(begun);
  }
  m_result.kvBytes = std::max(m_result.kvBytes, m_session.kvBytes());
  double& seconds = reading ? m_result.firstTokenSeconds : m_result.decodeSeconds;
  STRATA_CHECK(m_model.checkMapped());
  if (!logits) {
    if (logits.error().code != ErrorCode::cancelled) return tl::unexpected(logits.error());
    cancel();
  } else if (!reading || m_read >= m_prompts.front().size()) {
    STRATA_CHECK(choose(*logits));
  }
  seconds += secondsSince(begun);
  return !m_live.empty();
}

bool Generation::isDecoding() const {
  return m_index > 0 && !m_live.empty() && !m_decoded && !m_session.isStale();
}

void Generation::decodeTogether(const std::vector<Generation*>& generations) {
  const auto begun = std::chrono::steady_clock::now();
  std::vector<InferenceSession*> sessions;
  std::vector<const std::vector<TokenId>*> next;
  for (Generation* each : generations) {
    sessions.push_back(&each->m_session);
    next.push_back(&each->m_next);
  }
  std::vector<Result<at::Tensor>> logits = InferenceSession::decodeTogether(sessions, next);
  const double seconds = secondsSince(begun);
  for (std::size_t i = 0; i < generations.size(); ++i) {
    generations[i]->m_decoded = std::move(logits[i]);
    generations[i]->m_result.decodeSeconds += seconds;
  }
}

/// The next id of each answer that goes on.
Result<void> Generation::choose(const at::Tensor& logits) {
  STRATA_TRY(const std::vector<TokenId> chosen, m_session.chooseOnDevice(logits, m_config, m_index, m_live));
  const at::Tensor host = chosen.empty() ? logits.cpu().contiguous() : at::Tensor();
  const auto idOf = [&](std::size_t i) {
    if (!chosen.empty()) return chosen[i];
    const std::span<const float> row(host.const_data_ptr<float>() + static_cast<std::int64_t>(i) * host.size(1),
                                     static_cast<std::size_t>(host.size(1)));
    return sampleToken(row, m_config, m_answers[static_cast<std::size_t>(m_live[i])].history(), m_index,
                       static_cast<std::uint32_t>(m_live[i]));
  };
  m_next.clear();
  std::vector<std::int64_t> kept, keptRows;
  for (std::size_t i = 0; i < m_live.size(); ++i) {
    Answer& answer = m_answers[static_cast<std::size_t>(m_live[i])];
    const TokenId id = idOf(i);
    if (id < 0) {
      return fail(ErrorCode::invalidData, "The model's logits are not finite numbers; its weights may be damaged.",
                  "logits");
    }
    bool finished = false;
    std::string piece = answer.take(id, m_hooks, finished);
    if (!finished && static_cast<std::int64_t>(answer.history().size()) > m_capacity) {
      piece += answer.finish();  // the context is full
      finished = true;
    }
    if (m_hooks.onToken) m_hooks.onToken(static_cast<std::size_t>(m_live[i]), id, piece);
    if (!finished) {
      kept.push_back(m_live[i]);
      keptRows.push_back(static_cast<std::int64_t>(i));
      m_next.push_back(id);
    }
  }
  if (!kept.empty() && kept.size() < m_live.size()) m_session.keepRows(keptRows);
  m_live = std::move(kept);
  ++m_index;
  return {};
}

void Generation::cancel() {
  for (const std::int64_t row : m_live) m_answers[static_cast<std::size_t>(row)].result().finish = Finish::cancel;
  m_live.clear();
  m_decoded.reset();
}

Result<GenerateResult> Generation::finish() {
  while (true) {
    STRATA_TRY(const bool more, step());
    if (!more) return take();
  }
}

GenerateResult Generation::take() {
  for (Answer& answer : m_answers) m_result.answers.push_back(std::move(answer.result()));
  return std::move(m_result);
}

Result<GenerateResult> generate(const std::shared_ptr<const Model>& model, const SharingMap& map,
                                const std::vector<std::vector<TokenId>>& prompts, const GenerateConfig& config,
                                const GenerateHooks& hooks) {
  if (prompts.empty()) return fail(ErrorCode::usage, "There is no prompt; give at least one token.");
  std::size_t longest = 0;
  for (const auto& prompt : prompts) {
    if (prompt.empty()) return fail(ErrorCode::usage, "The prompt has no tokens; give at least one.");
    longest = std::max(longest, prompt.size());
  }
  STRATA_CHECK(model->checkFiles());
  const std::int64_t context = hooks.context > 0 ? hooks.context : model->context();
  STRATA_CHECK(checkRoom(longest, context));
  // The last token is sampled but never fed.
  const std::int64_t capacity = std::min<std::int64_t>(context, static_cast<std::int64_t>(longest) + config.maxTokens);

  InferenceSession session(model, map,
                           {.capacity = capacity, .prefillChunk = hooks.prefillChunk, .cancel = hooks.cancel});
  Generation generation(*model, session, capacity, prompts, config, hooks);
  return generation.finish();
}

ChatSession::ChatSession(std::shared_ptr<const Model> model, SharingMap map)
    : m_model(std::move(model)), m_map(std::move(map)) {}

void ChatSession::switchMap(const SharingMap& map) {
  m_map = map;
  if (m_session) m_session->switchMap(map);
}

Result<std::unique_ptr<Generation>> ChatSession::begin(const std::vector<TokenId>& prompt, const GenerateConfig& config,
                                                       const GenerateHooks& hooks) {
  constexpr std::int64_t kRoom = 1024;  // the cache grows by this, and not to the model's whole context at once
  if (prompt.empty()) return fail(ErrorCode::usage, "There is no prompt; give at least one token.");
  STRATA_CHECK(m_model->checkFiles());
  STRATA_CHECK(checkRoom(prompt.size(), m_model->context()));
  const std::int64_t needed =
      std::min<std::int64_t>(m_model->context(), static_cast<std::int64_t>(prompt.size()) + config.maxTokens);
  if (m_capacity < needed) {
    const std::int64_t capacity = std::min(m_model->context(), std::max(2 * m_capacity, (needed / kRoom + 1) * kRoom));
    if (m_session) {
      STRATA_CHECK(m_session->grow(capacity));
    } else {
      m_session = std::make_unique<InferenceSession>(
          m_model, m_map, SessionOptions{.capacity = capacity, .prefillChunk = hooks.prefillChunk});
    }
    m_capacity = capacity;
  }
  m_session->setCancel(hooks.cancel);
  return std::make_unique<Generation>(*m_model, *m_session, needed, std::vector<std::vector<TokenId>>{prompt}, config,
                                      hooks);
}

CacheUse ChatSession::use() const {
  if (!m_session) return {};
  const auto& ids = m_session->ids();
  return {ids.empty() ? 0 : static_cast<std::int64_t>(ids[0].size()), m_capacity, m_session->kvBytes()};
}

Result<GenerateResult> ChatSession::answer(const std::vector<TokenId>& prompt, const GenerateConfig& config,
                                           const GenerateHooks& hooks) {
  STRATA_TRY(const std::unique_ptr<Generation> generation, begin(prompt, config, hooks));
  return generation->finish();
}

}  // namespace strata
