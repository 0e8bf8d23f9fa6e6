#include "core/service/model_host.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "core/model/chat_prompt.h"
#include "core/model/memory.h"
#include "core/service/chat_streams.h"
#include "core/service/comparison.h"
#include "core/service/compute_queue.h"
#include "core/service/open_models.h"
#include "core/service/scored_completion.h"

namespace strata {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

Json messagesOf(const std::vector<protocol::Turn>& turns) {
  Json messages = Json::array();
  for (const protocol::Turn& turn : turns) messages.push_back({{"role", turn.role}, {"content", turn.content}});
  return messages;
}

Result<std::vector<TokenId>> promptOf(const OpenModel& open, const std::vector<protocol::Turn>& turns) {
  const auto chat = open.chatTemplate();
  if (!*chat) return tl::unexpected(chat->error());
  if (turns.empty()) return fail(ErrorCode::usage, "There is nothing to answer; give at least one turn.", "turns");
  return chatPrompt(*open.model, **chat, messagesOf(turns));
}

/// Of the cache's bytes, those that hold tokens.
std::int64_t usedBytes(const CacheUse& use) {
  return use.capacity > 0 ? use.bytes / use.capacity * use.tokens : 0;
}

/// A prompt's ids, and its text where that is asked for.
Result<std::vector<TokenId>> promptOf(const Tokenizer& tokenizer, const CompletionTask& task, std::string& text) {
  if (const auto* given = std::get_if<std::string>(&task.prompt)) {
    if (task.echo) text = *given;
    return tokenizer.withSpecials(tokenizer.encode(*given));
  }
  std::vector<TokenId> ids(std::get<std::vector<int>>(task.prompt));
  if (task.echo) {
    STRATA_TRY(text, tokenizer.decode(ids));
  }
  return ids;
}

/// What stands between a prompt and the text that is decoded from `first` on: the space that a tokenizer leaves out
/// before a text's first word.
std::string spaceBefore(const Tokenizer& tokenizer, TokenId last, TokenId first) {
  TokenStream alone(tokenizer), behind(tokenizer);
  behind.push(last);
  std::string text = alone.push(first), whole = behind.push(first);
  text += alone.finish();
  whole += behind.finish();
  return whole == " " + text ? " " : "";
}

void addSpace(const Tokenizer& tokenizer, TokenId last, protocol::Answer& answer) {
  if (!answer.text.empty()) answer.text.insert(0, spaceBefore(tokenizer, last, answer.ids.front()));
}

int questionsIn(const std::vector<protocol::Turn>& turns) {
  return static_cast<int>(
      std::count_if(turns.begin(), turns.end(), [](const auto& turn) { return turn.role == "user"; }));
}

/// The conversation without its first `questions` and what answered them; system messages stay.
std::vector<protocol::Turn> withoutOldest(const std::vector<protocol::Turn>& turns, int questions) {
  std::vector<protocol::Turn> kept;
  int seen = 0;
  for (const protocol::Turn& turn : turns) {
    seen += turn.role == "user" ? 1 : 0;
    if (turn.role == "system" || seen > questions) kept.push_back(turn);
  }
  return kept;
}

}  // namespace

struct ModelHost::State {
  Options options;
  OpenModels models;
  ChatStreams streams;
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<ComputeQueue>> queues;  // by device

  explicit State(Options given) : options(std::move(given)) {}

  ComputeQueue& queueOf(const Model& model) {
    const std::lock_guard lock(mutex);
    std::unique_ptr<ComputeQueue>& queue = queues[model.device().str()];
    if (!queue) queue = std::make_unique<ComputeQueue>(at::get_num_threads());
    return *queue;
  }

  Result<std::shared_ptr<OpenModel>> open(const protocol::ModelRef& ref, const ProgressFunction& progress,
                                          const std::atomic<bool>& cancelled) {
    bool opened = false;
    const auto noteProgress = [&](const std::string& stage, std::int64_t done, std::int64_t total) {
      opened = true;  // only who loads is told of it
      if (progress) progress(stage, done, total);
    };
    std::shared_ptr<OpenModel> before;
    Result<std::shared_ptr<OpenModel>> model = models.open(ref, noteProgress, cancelled, before);
    if (before) {
      streams.dropModel(*before->model);
      before.reset();
      trimMemory();
    }
    if (model && opened && options.onChange) options.onChange();
    return model;
  }

  void close(const protocol::ModelRef& ref) {
    const std::shared_ptr<OpenModel> model = models.close(ref);
    if (!model) return;
    streams.dropModel(*model->model);
    trimMemory();
    if (options.onChange) options.onChange();
  }

  protocol::MadeBy madeBy(const OpenModel& open, const NamedMap& map, const GenerateConfig& sampling) const {
    protocol::MadeBy made;
    made.model = open.name;
    made.folder = open.folder.string();
    made.hash = open.info.hash;
    made.adapter = open.adapter.string();
    made.map = map.name;
    made.src = map.map.src();
    made.dtype = open.info.dtype;
    made.device = open.info.device;
    made.version = options.version;
    made.sampling = sampling;
    return made;
  }

  struct Question {
    std::shared_ptr<OpenModel> open;
    NamedMap map;
    std::string stream;
    const GenerateConfig& sampling;
    std::vector<TokenId> prompt;
    std::vector<TokenId> alsoEndAt;
    Clock::time_point begun;
  };
  Result<protocol::Answer> answer(Question question, const TokensFunction& onTokens,
                                  const std::atomic<bool>& cancelled);
  Result<void> score(const OpenModel& open, const NamedMap& map, std::vector<TokenId> prompt,
                     const CompletionTask& task, const std::atomic<bool>& cancelled, Completion& completion);
};

/// What both ways of answering find out.
void noteResult(GenerateResult result, const SharingMap& map, protocol::Answer& answer) {
  answer.text = std::move(result.answers[0].text);
  answer.ids = {result.answers[0].ids.begin(), result.answers[0].ids.end()};
  answer.finish = toString(result.answers[0].finish);
  answer.kvBytes = result.kvBytes;
  answer.kvBytesFull = result.kvBytes / map.owners() * map.layers();
}

/// An answer with its tokens' log-probabilities; its cache is not kept.
Result<void> ModelHost::State::score(const OpenModel& open, const NamedMap& map, std::vector<TokenId> prompt,
                                     const CompletionTask& task, const std::atomic<bool>& cancelled,
                                     Completion& completion) {
  protocol::Answer& answer = completion.answer;
  answer.madeBy = madeBy(open, map, task.sampling);
  answer.promptTokens = static_cast<int>(prompt.size());
  answer.context = open.model->context();
  STRATA_CHECK(open.model->checkFiles());
  const TokenId last = prompt.empty() ? -1 : prompt.back();
  GenerateHooks hooks;
  hooks.cancel = &cancelled;
  ScoredCompletion scored(open.model, map.map, std::move(prompt), task, std::move(hooks));
  STRATA_CHECK(scored.check());
  const auto step = [&]() -> Result<bool> {
    if (cancelled || open.closing) return fail(ErrorCode::cancelled, "The answer was cancelled.");
    resetMemoryPeaks();
    Result<bool> more = scored.step();
    open.noteActivations(memoryUsage().part(MemoryPart::activations).peak);
    return more;
  };
  STRATA_CHECK(queueOf(*open.model).run(step, answer.shared, [&] { return scored.generation(); }));
  noteResult(scored.takeResult(), map.map, answer);
  addSpace(*open.model->tokenizer(), last, answer);
  completion.scores = scored.takeScores();
  return {};
}

Result<protocol::Answer> ModelHost::State::answer(Question question, const TokensFunction& onTokens,
                                                  const std::atomic<bool>& cancelled) {
  const OpenModel& open = *question.open;
  protocol::Answer answer;
  answer.madeBy = madeBy(open, question.map, question.sampling);
  answer.promptTokens = static_cast<int>(question.prompt.size());
  answer.context = open.model->context();
  std::unique_ptr<ChatCache> cache;
  GenerateHooks hooks;
  hooks.cancel = &cancelled;
  hooks.alsoEndAt = std::move(question.alsoEndAt);
  if (onTokens) {
    hooks.onToken = [&](std::size_t, TokenId id, const std::string& piece) {
      onTokens(piece, {id}, usedBytes(cache->session.use()));
    };
  }
  cache = streams.take(question.stream, open.model);
  if (cache) {
    cache->session.switchMap(question.map.map);
  } else {
    cache = streams.make(open.model, question.map.map);
  }
  STRATA_TRY(const std::unique_ptr<Generation> generation,
             cache->session.begin(question.prompt, question.sampling, hooks));
  answer.cachedTokens = static_cast<int>(generation->reusedTokens());
  const double preparing = secondsSince(question.begun);
  const auto step = [&]() -> Result<bool> {
    if (cancelled || open.closing) {
      generation->cancel();
      return false;
    }
    resetMemoryPeaks();
    Result<bool> more = generation->step();
    open.noteActivations(memoryUsage().part(MemoryPart::activations).peak);
    streams.note(*cache, open.info.ref);
    return more;
  };
  if (const Result<void> done = queueOf(*open.model).run(step, answer.shared, [&] { return generation.get(); });
      !done) {
    if (done.error().code == ErrorCode::outOfMemory) {  // what is kept for later turns may be what is missing
      cache.reset();
      streams.drop("");
      trimMemory();
    }
    return tl::unexpected(done.error());
  }
  GenerateResult result = generation->take();
  answer.kvBytesUsed = usedBytes(cache->session.use());
  answer.prefillSeconds = result.prefillSeconds;
  answer.firstTokenSeconds = preparing + result.firstTokenSeconds;
  answer.decodeSeconds = result.decodeSeconds;
  noteResult(std::move(result), question.map.map, answer);
  streams.put(question.stream, std::move(cache));
  if (open.closing || open.replaced) {
    streams.dropModel(*open.model);
    trimMemory();
  }
  return answer;
}

ModelHost::ModelHost(Options options) : m_state(std::make_unique<State>(std::move(options))) {}

ModelHost::~ModelHost() = default;

void ModelHost::setProject(const std::optional<std::filesystem::path>& folder) {
  m_state->models.setProject(folder);
  for (const protocol::ModelRef& ref : m_state->models.strangers()) m_state->close(ref);
  renewTemplates();
}

void ModelHost::renewTemplates() {
  m_state->models.renewTemplates();
}

Result<std::shared_ptr<const ModelHost::Open>> ModelHost::open(const protocol::ModelRef& ref,
                                                               const ProgressFunction& progress,
                                                               const std::atomic<bool>& cancelled) {
  STRATA_TRY(std::shared_ptr<OpenModel> model, m_state->open(ref, progress, cancelled));
  if (!model->model->checkFiles()) {  // its files are others now, and these are wanted
    m_state->close(ref);
    STRATA_TRY(model, m_state->open(ref, progress, cancelled));
  }
  return std::shared_ptr<const Open>(std::move(model));
}

void ModelHost::unload(const protocol::ModelRef& ref) {
  m_state->close(ref);
}

std::vector<protocol::LoadedModel> ModelHost::loaded() const {
  return m_state->models.loaded();
}

std::int64_t ModelHost::weightBytes() const {
  return m_state->models.weightBytes();
}

Result<protocol::Answer> ModelHost::generate(const protocol::Generate::Params& params, const TokensFunction& onTokens,
                                             const ProgressFunction& progress, const std::atomic<bool>& cancelled) {
  STRATA_CHECK(checkRanges(params.sampling));
  STRATA_TRY(const std::shared_ptr<OpenModel> open, m_state->open(params.side.ref, progress, cancelled));
  const auto begun = Clock::now();
  STRATA_TRY(NamedMap map, chooseMap(params.side.map, *open->model));
  STRATA_TRY(std::vector<TokenId> prompt, promptOf(*open, params.turns));
  return m_state->answer(
      {open, std::move(map), params.stream, params.sampling, std::move(prompt), chatEndIds(*open->model), begun},
      onTokens, cancelled);
}

Result<Completion> ModelHost::complete(const CompletionTask& task, const TokensFunction& onTokens,
                                       const std::atomic<bool>& cancelled) {
  STRATA_CHECK(checkRanges(task.sampling));
  STRATA_TRY(const std::shared_ptr<OpenModel> open, m_state->open(task.side.ref, nullptr, cancelled));
  const auto begun = Clock::now();
  STRATA_TRY(NamedMap map, chooseMap(task.side.map, *open->model));
  STRATA_TRY(const Tokenizer* tokenizer, open->model->needTokenizer());
  Completion completion;
  STRATA_TRY(std::vector<TokenId> ids, promptOf(*tokenizer, task, completion.prompt));
  if (task.logprobs || !task.generates) {
    STRATA_CHECK(m_state->score(*open, map, std::move(ids), task, cancelled, completion));
    return completion;
  }
  const TokenId last = ids.empty() ? -1 : ids.back();
  std::optional<std::string> space;  // known with the first token, told with the first text
  const auto tell = [&](const std::string& text, const std::vector<int>& added, std::int64_t bytes) {
    if (!space) space = spaceBefore(*tokenizer, last, added.front());
    onTokens(text.empty() ? text : std::exchange(*space, {}) + text, added, bytes);
  };
  STRATA_TRY(completion.answer, m_state->answer({open, std::move(map), "", task.sampling, std::move(ids), {}, begun},
                                                onTokens ? TokensFunction(tell) : nullptr, cancelled));
  addSpace(*tokenizer, last, completion.answer);
  return completion;
}

Result<protocol::CountPrompt::Answer> ModelHost::count(const protocol::CountPrompt::Params& params,
                                                       const std::atomic<bool>& cancelled) {
  STRATA_TRY(const std::shared_ptr<OpenModel> open, m_state->open(params.ref, nullptr, cancelled));
  STRATA_TRY(const std::vector<TokenId> prompt, promptOf(*open, params.turns));
  protocol::CountPrompt::Answer answer;
  answer.tokens = static_cast<std::int64_t>(prompt.size());
  answer.context = open->model->context();
  if (answer.tokens < answer.context) return answer;
  const std::int64_t room =
      std::clamp<std::int64_t>(params.answerTokens, 1, std::max<std::int64_t>(1, answer.context / 4));
  // Fewest questions to drop, by bisection: each that is dropped makes the prompt shorter.
  int few = 0, many = std::max(questionsIn(params.turns) - 1, 0);
  STRATA_TRY(const std::vector<TokenId> last, promptOf(*open, withoutOldest(params.turns, many)));
  answer.drop = static_cast<std::int64_t>(last.size()) < answer.context ? many : -1;
  if (answer.drop < 0) return answer;
  while (many - few > 1) {
    const int middle = (few + many) / 2;
    STRATA_TRY(const std::vector<TokenId> shorter, promptOf(*open, withoutOldest(params.turns, middle)));
    const bool fits = static_cast<std::int64_t>(shorter.size()) + room <= answer.context;
    (fits ? many : few) = middle;
  }
  answer.drop = many;
  return answer;
}

Result<protocol::Compare::Answer> ModelHost::compare(const protocol::Compare::Params& params,
                                                     const std::atomic<bool>& cancelled) {
  STRATA_TRY(const std::shared_ptr<OpenModel> a, m_state->open(params.a.ref, nullptr, cancelled));
  STRATA_TRY(const std::shared_ptr<OpenModel> b, m_state->open(params.b.ref, nullptr, cancelled));
  STRATA_TRY(NamedMap mapOfA, chooseMap(params.a.map, *a->model));
  STRATA_TRY(NamedMap mapOfB, chooseMap(params.b.map, *b->model));
  STRATA_TRY(std::vector<TokenId> promptOfA, promptOf(*a, params.turns));
  STRATA_TRY(std::vector<TokenId> promptOfB, promptOf(*b, params.turns));
  if (a->model != b->model &&
      (a->model->config().vocab != b->model->config().vocab || a->vocabulary() != b->vocabulary())) {
    return fail(ErrorCode::unsupported,
                "The models " + a->info.name + " and " + b->info.name +
                    " have different vocabularies, so their predictions cannot be compared token by token.",
                "vocabulary");
  }
  STRATA_CHECK(a->model->checkFiles());
  STRATA_CHECK(b->model->checkFiles());
  Comparison comparison({a->model, mapOfA.map, std::move(promptOfA)}, {b->model, mapOfB.map, std::move(promptOfB)},
                        {params.ids.begin(), params.ids.end()}, params.alternatives, &cancelled);
  STRATA_CHECK(comparison.check());
  bool shared = false;
  const auto step = [&]() -> Result<bool> {
    if (cancelled || a->closing || b->closing) return fail(ErrorCode::cancelled, "The comparison was cancelled.");
    return comparison.step();
  };
  STRATA_CHECK(m_state->queueOf(*a->model).run(step, shared));
  return comparison.take();
}

std::vector<protocol::ModelMemory> ModelHost::memory() const {
  std::vector<protocol::ModelMemory> models = m_state->models.memory();
  for (const CacheRecord& record : m_state->streams.records()) {
    for (protocol::ModelMemory& model : models) {
      if (model.ref == record.ref) model.caches.push_back(record.memory);
    }
  }
  return models;
}

void ModelHost::dropStreams(const std::string& prefix) {
  m_state->streams.drop(prefix);
}

}  // namespace strata
