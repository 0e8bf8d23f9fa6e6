#include "core/model/session.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <exception>
#include <iterator>

#include "core/model/kernel_calls.h"

namespace strata {
namespace {

struct Cancelled : std::exception {};

/// [B, width] int64 on `device`: row b is ids[b][begin …], padded with 0.
at::Tensor idBlock(const std::vector<std::vector<TokenId>>& rows, std::int64_t begin, std::int64_t width,
                   c10::Device device) {
  at::Tensor block = at::zeros({static_cast<std::int64_t>(rows.size()), width}, at::kLong);
  auto values = block.accessor<std::int64_t, 2>();
  for (std::int64_t b = 0; b < block.size(0); ++b) {
    const auto& row = rows[static_cast<std::size_t>(b)];
    const std::int64_t end = std::min<std::int64_t>(begin + width, static_cast<std::int64_t>(row.size()));
    for (std::int64_t t = begin; t < end; ++t) values[b][t - begin] = row[static_cast<std::size_t>(t)];
  }
  return block.to(device);
}

std::int64_t longest(const std::vector<std::vector<TokenId>>& rows) {
  std::size_t result = 0;
  for (const auto& row : rows) result = std::max(result, row.size());
  return static_cast<std::int64_t>(result);
}

}  // namespace

InferenceSession::InferenceSession(std::shared_ptr<const Model> model, SharingMap map, const SessionOptions& options)
    : m_model(std::move(model)), m_map(std::move(map)), m_options(options) {}

Result<at::Tensor> InferenceSession::prefill(const std::vector<std::vector<TokenId>>& prompts) {
  if (prompts.empty()) return fail(ErrorCode::usage, "There is no prompt; give at least one token.");
  for (int l = 0; l < m_map.layers(); ++l) {
    if (m_map.owns(l) && !m_model->weights().layers[static_cast<std::size_t>(l)].k.loaded()) {
      return fail(ErrorCode::usage,
                  "The model was opened for another map, under which layer " + std::to_string(l) +
                      " is a follower; open it anew.",
                  "--map");
    }
  }
  for (const auto& prompt : prompts) STRATA_CHECK(check(prompt, 0));
  m_ids.assign(prompts.size(), {});
  m_stale = false;
  m_settled = m_promptSize = 0;
  return guarded(prompts, [&] { return run(prompts, 0); });
}

Result<at::Tensor> InferenceSession::extend(const std::vector<TokenId>& ids) {
  if (m_ids.empty() || m_ids[0].empty()) return prefill({ids});
  if (m_ids.size() != 1) return fail(ErrorCode::internal, "Only a session of one sequence can be extended.");
  const auto held = static_cast<std::int64_t>(m_ids[0].size());
  STRATA_CHECK(check(ids, held));
  if (m_stale) return anew({ids});
  const std::vector<std::vector<TokenId>> added{ids};
  return guarded(added, [&] { return run(added, held); });
}

Result<at::Tensor> InferenceSession::read(const std::vector<std::vector<TokenId>>& added) {
  if (m_ids.empty()) m_ids.resize(added.size());
  const std::size_t held = m_ids.empty() ? 0 : m_ids[0].size();
  const bool even = std::all_of(m_ids.begin(), m_ids.end(), [&](const auto& ids) { return ids.size() == held; });
  if (m_ids.empty() || m_ids.size() != added.size() || !even || m_stale) {
    return fail(ErrorCode::internal, "Only sequences of one length, held as their map says, can be read on together.");
  }
  const auto start = static_cast<std::int64_t>(held);
  for (const auto& ids : added) STRATA_CHECK(check(ids, start));
  return guarded(added, [&] {
    const std::int64_t total = longest(added);
    std::vector<at::Tensor> parts;
    for (std::int64_t begin = 0; begin < total; begin += m_options.prefillChunk) {
      const std::int64_t count = std::min(m_options.prefillChunk, total - begin);
      parts.push_back(runChunk(idBlock(added, begin, count, m_model->device()), start + begin, m_map.layers()));
    }
    return rmsNorm(at::cat(parts, 1), m_model->weights().norm, m_model->config().rmsNormEps);
  });
}

Result<at::Tensor> InferenceSession::decode(const std::vector<TokenId>& ids) {
  return std::move(decodeTogether({this}, {&ids}).front());
}

std::vector<Result<at::Tensor>> InferenceSession::decodeTogether(const std::vector<InferenceSession*>& sessions,
                                                                 const std::vector<const std::vector<TokenId>*>& ids) {
  std::vector<Result<at::Tensor>> results(sessions.size(), at::Tensor());
  std::vector<DecodeRow> rows;
  struct Part {
    std::size_t session, row;          // its first
    std::vector<std::size_t> lengths;  // before the step
  };
  std::vector<Part> parts;
  InferenceSession& first = *sessions.front();
  if (!first.m_plan && DecodePlan::supports(*first.m_model))
    first.m_plan = std::make_unique<DecodePlan>(*first.m_model);
  std::size_t count = 0;
  for (const std::vector<TokenId>* each : ids) count += each->size();
  const bool isMany = !first.m_plan && static_cast<std::int64_t>(count) > CudaDecodePlan::kMostRows;
  if (isMany && sessions.size() > 1) {
    for (std::size_t i = 0; i < sessions.size(); ++i) results[i] = sessions[i]->decode(*ids[i]);
    return results;
  }
  CudaDecodePlan* const gpuPlan = first.m_plan || isMany ? nullptr : first.cudaPlan();
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    InferenceSession& session = *sessions[i];
    TORCH_INTERNAL_ASSERT(session.m_model == sessions.front()->m_model);
    std::vector<std::vector<TokenId>> added;
    if (const Result<void> fits = session.checkStep(*ids[i], added); !fits) {
      results[i] = tl::unexpected(fits.error());
    } else if (session.m_stale) {
      results[i] = session.anew(added);
    } else if (!first.m_plan && gpuPlan == nullptr) {
      results[i] = session.decodeByOperators(added);
    } else if (const Result<void> room = session.makeRoom(added); !room) {
      results[i] = tl::unexpected(room.error());
    } else {
      Part part{i, rows.size(), {}};
      for (std::size_t b = 0; b < added.size(); ++b) {
        const std::size_t length = session.m_ids[b].size() - 1;
        part.lengths.push_back(length);
        rows.push_back({added[b].front(), static_cast<std::int64_t>(length), &session.m_map, session.m_cache.get(),
                        static_cast<std::int64_t>(b), session.m_options.cancel});
      }
      parts.push_back(std::move(part));
    }
  }
  if (parts.empty()) return results;
  Result<void> done;
  bool isStarted = true;
  try {
    const c10::InferenceMode inference;
    if (gpuPlan != nullptr) {
      isStarted = gpuPlan->step(rows);
    } else {
      first.m_plan->step(rows);
    }
  } catch (const std::exception& exception) {
    done = tl::unexpected(errorFromException(exception));
  }
  for (const Part& part : parts) {
    InferenceSession& session = *sessions[part.session];
    if (done && isStarted && !rows[part.row].isCancelled) {
      const at::Tensor& logits = gpuPlan != nullptr ? gpuPlan->logits() : first.m_plan->logits();
      results[part.session] =
          logits.narrow(0, static_cast<std::int64_t>(part.row), static_cast<std::int64_t>(part.lengths.size()));
      continue;
    }
    session.takeBack(part.lengths);
    if (!done) {
      results[part.session] = tl::unexpected(done.error());
    } else if (!isStarted) {
      std::vector<std::vector<TokenId>> added;
      for (const TokenId id : *ids[part.session]) added.push_back({id});
      results[part.session] = session.decodeByOperators(added);
    } else {
      results[part.session] = fail(ErrorCode::cancelled, "The computation was cancelled.");
    }
  }
  if (!isStarted) {
    first.m_cudaPlan.reset();
    first.m_hasCudaPlan = false;
  }
  return results;
}

/// One id for each sequence, as what is added to each.
Result<void> InferenceSession::checkStep(const std::vector<TokenId>& ids,
                                         std::vector<std::vector<TokenId>>& added) const {
  if (ids.size() != m_ids.size() || ids.empty()) {
    return fail(ErrorCode::internal, "A decoding step needs one token for each sequence of the session.");
  }
  for (std::size_t b = 0; b < ids.size(); ++b) {
    added.push_back({ids[b]});
    STRATA_CHECK(check(added[b], static_cast<std::int64_t>(m_ids[b].size())));
  }
  return {};
}

/// On a device that has no plan.
Result<at::Tensor> InferenceSession::decodeByOperators(const std::vector<std::vector<TokenId>>& added) {
  return guarded(added, [&] {
    return lastTokens(calls::selectRows(m_model->weights().embedding, idBlock(added, 0, 1, m_model->device())), 0,
                      false);
  });
}

/// Null where this model's steps have none.
CudaDecodePlan* InferenceSession::cudaPlan() {
  if (!m_cudaPlan && m_hasCudaPlan) {
    m_hasCudaPlan = m_model->device().is_cuda() && CudaDecodePlan::supports(*m_model);
    if (m_hasCudaPlan) m_cudaPlan = std::make_unique<CudaDecodePlan>(*m_model);
  }
  return m_cudaPlan.get();
}

Result<std::vector<TokenId>> InferenceSession::chooseOnDevice(const at::Tensor& logits, const GenerateConfig& config,
                                                              std::uint32_t index,
                                                              const std::vector<std::int64_t>& answers) {
  CudaDecodePlan* const plan = cudaPlan();
  if (plan == nullptr) return std::vector<TokenId>();
  try {
    const c10::InferenceMode inference;
    return plan->choose(logits, config, index, answers);
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
}

/// After a map switch: what the session held and what is added, in one pass from the start.
Result<at::Tensor> InferenceSession::anew(const std::vector<std::vector<TokenId>>& added) {
  const auto held = m_ids;
  auto all = held;
  for (std::size_t b = 0; b < added.size(); ++b) all[b].insert(all[b].end(), added[b].begin(), added[b].end());
  Result<at::Tensor> logits = prefill(all);
  if (!logits) {
    m_ids = held;
    m_stale = true;
  }
  return logits;
}

void InferenceSession::keepRows(const std::vector<std::int64_t>& rows) {
  const c10::InferenceMode inference;
  std::vector<std::vector<TokenId>> kept;
  kept.reserve(rows.size());
  for (const std::int64_t row : rows) kept.push_back(m_ids[static_cast<std::size_t>(row)]);
  m_ids = std::move(kept);
  m_promptSize = 0;
  if (m_cache && !rows.empty()) m_cache->keepRows(rows);
}

void InferenceSession::rewind(std::int64_t count) {
  TORCH_INTERNAL_ASSERT(m_ids.size() == 1 && count <= static_cast<std::int64_t>(m_ids[0].size()));
  m_ids[0].resize(static_cast<std::size_t>(count));
  m_settled = reusable(count);
  if (count < m_promptSize) m_promptSize = 0;
}

void InferenceSession::rewindRows(const std::vector<std::int64_t>& counts) {
  TORCH_INTERNAL_ASSERT(counts.size() == m_ids.size());
  for (std::size_t b = 0; b < counts.size(); ++b) {
    TORCH_INTERNAL_ASSERT(counts[b] <= static_cast<std::int64_t>(m_ids[b].size()));
    m_ids[b].resize(static_cast<std::size_t>(counts[b]));
  }
  m_settled = m_promptSize = 0;
}

InferenceSession InferenceSession::joined(std::vector<InferenceSession> parts) {
  TORCH_INTERNAL_ASSERT(!parts.empty());
  InferenceSession whole = std::move(parts.front());
  if (parts.size() == 1) return whole;
  const c10::InferenceMode inference;
  std::vector<std::unique_ptr<KvCache>> caches;
  caches.push_back(std::move(whole.m_cache));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    TORCH_INTERNAL_ASSERT(parts[i].m_map == whole.m_map && !parts[i].m_stale && !whole.m_stale);
    std::move(parts[i].m_ids.begin(), parts[i].m_ids.end(), std::back_inserter(whole.m_ids));
    caches.push_back(std::move(parts[i].m_cache));
  }
  whole.m_cache = std::make_unique<KvCache>(KvCache::joined(std::move(caches)));
  whole.m_settled = whole.m_promptSize = 0;
  return whole;
}

void InferenceSession::keepPrompt(const at::Tensor& logits) {
  TORCH_INTERNAL_ASSERT(m_ids.size() == 1 && logits.size(0) == 1);
  m_promptSize = static_cast<std::int64_t>(m_ids[0].size());
  m_promptLogits = logits.clone();
}

std::int64_t InferenceSession::reusable(std::int64_t count) const {
  return std::min(m_settled, count) / m_options.prefillChunk * m_options.prefillChunk;
}

Result<void> InferenceSession::grow(std::int64_t capacity) {
  try {
    const c10::InferenceMode inference;
    if (m_cache) m_cache->grow(capacity, longest(m_ids));
    m_options.capacity = capacity;
    return {};
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
}

void InferenceSession::switchMap(const SharingMap& map) {
  TORCH_INTERNAL_ASSERT(map.layers() == m_map.layers());
  bool samePrefix = true;  // src[0..l-1] unchanged
  for (int l = 0; l < map.layers(); ++l) {
    if (map.owns(l) && !(samePrefix && m_map.owns(l))) m_stale = true;
    samePrefix = samePrefix && map[l] == m_map[l];
  }
  if (map != m_map) m_promptSize = 0;
  m_map = map;
}

Result<void> InferenceSession::check(const std::vector<TokenId>& ids, std::int64_t held) const {
  if (ids.empty()) return fail(ErrorCode::usage, "The prompt has no tokens; give at least one.");
  const auto count = static_cast<std::int64_t>(ids.size());
  if (held + count > m_options.capacity) {
    const std::string holds = std::to_string(m_options.capacity), needs = std::to_string(held + count);
    return namedError("context_full", {{"holds", holds}, {"needs", needs}},
                      fail(ErrorCode::usage,
                           "The session holds " + holds + " tokens and would need " + needs +
                               "; shorten the prompt or use a longer context.",
                           "--context"));
  }
  for (const TokenId id : ids) {
    if (id < 0 || id >= m_model->config().vocab) {
      return fail(ErrorCode::usage, "The token id " + std::to_string(id) + " is outside the vocabulary of " +
                                        std::to_string(m_model->config().vocab) + ".");
    }
  }
  return {};
}

/// Runs a pass over the added ids; one that fails leaves the session as it was (the cache beyond its ids is never
/// read).
Result<at::Tensor> InferenceSession::guarded(const std::vector<std::vector<TokenId>>& added,
                                             const std::function<at::Tensor()>& pass) {
  std::vector<std::size_t> lengths;
  for (const auto& ids : m_ids) lengths.push_back(ids.size());
  Result<at::Tensor> logits = attempt(added, pass);
  if (!logits) takeBack(lengths);
  return logits;
}

/// The ids of a pass that failed are forgotten.
void InferenceSession::takeBack(const std::vector<std::size_t>& lengths) {
  for (std::size_t b = 0; b < lengths.size(); ++b) m_ids[b].resize(lengths[b]);
  m_settled = reusable(static_cast<std::int64_t>(lengths[0]));
}

/// Notes the ids that a pass is about to read, with a cache for them.
Result<void> InferenceSession::makeRoom(const std::vector<std::vector<TokenId>>& added) {
  try {
    const c10::InferenceMode inference;
    const auto batch = static_cast<std::int64_t>(added.size());
    if (!m_cache || m_cache->batch() != batch) {
      m_cache.reset();
      m_cache = std::make_unique<KvCache>(m_model->config(), m_map, batch, m_options.capacity, m_model->dtype(),
                                          m_model->device(), m_model->kvFormat());
    }
    m_cache->setOwners(m_map);
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
  for (std::size_t b = 0; b < added.size(); ++b) m_ids[b].insert(m_ids[b].end(), added[b].begin(), added[b].end());
  return {};
}

Result<at::Tensor> InferenceSession::attempt(const std::vector<std::vector<TokenId>>& added,
                                             const std::function<at::Tensor()>& pass) {
  STRATA_CHECK(makeRoom(added));
  try {
    const c10::InferenceMode inference;
    return pass();
  } catch (const Cancelled&) {
    return fail(ErrorCode::cancelled, "The computation was cancelled.");
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
}

LayerContext InferenceSession::contextAt(const at::Tensor& positions) const {
  LayerContext context;
  context.config = &m_model->config();
  context.rotation = rotationOf(m_model->rope(), positions.to(m_model->device()));
  return context;
}

void InferenceSession::stopIfCancelled() const {
  if (m_options.cancel != nullptr && m_options.cancel->load(std::memory_order_relaxed)) throw Cancelled();
}

/// All added positions in chunks that end at multiples of prefillChunk. With the tail cut, layers before the last owner
/// run on every position, the last owner makes K,V for every position, and what follows runs on each sequence's own
/// last position.
at::Tensor InferenceSession::run(const std::vector<std::vector<TokenId>>& added, std::int64_t start) {
  const int layers = m_options.tailCut ? m_map.lastOwner() : m_map.layers();
  const std::int64_t total = longest(added);
  const auto batch = static_cast<std::int64_t>(added.size());
  at::Tensor last =
      at::empty({batch, 1, m_model->config().width}, m_model->weights().embedding.options().dtype(m_model->dtype()));
  const std::int64_t chunk = m_options.prefillChunk;
  for (std::int64_t begin = 0, count = 0; begin < total; begin += count) {
    count = std::min(chunk - (start + begin) % chunk, total - begin);
    const at::Tensor hidden = runChunk(idBlock(added, begin, count, m_model->device()), start + begin, layers);
    if (batch == 1 && start + begin == m_settled && count == chunk) m_settled += chunk;
    for (std::int64_t b = 0; b < batch; ++b) {
      const std::int64_t at = static_cast<std::int64_t>(added[static_cast<std::size_t>(b)].size()) - 1 - begin;
      if (at >= 0 && at < count) last.select(0, b).copy_(hidden.select(0, b).narrow(0, at, 1));
    }
  }
  return lastTokens(last, layers, true);
}

/// Layers `begin` to `end` - 1 over the cache; `firstIsAppended`: the first one's own keys and values are there
/// already.
at::Tensor InferenceSession::runLayers(at::Tensor hidden, int begin, int end, bool firstIsAppended,
                                       const LayerContext& context, const CacheStep& step) {
  for (int l = begin; l < end; ++l) {
    stopIfCancelled();
    const bool appends = m_map.owns(l) && !(l == begin && firstIsAppended);
    const auto attention = [&](const Projected& projected) {
      if (appends) step.append(l, projected.own);
      return step.attend(l, projected.q, m_cache->read(m_map[l]));
    };
    hidden = layerForward(m_model->weights().layers[static_cast<std::size_t>(l)], hidden,
                          appends ? Projection::all : Projection::query, context, attention);
  }
  return hidden;
}

/// Hidden states [B, T, C] after `layers` layers; K,V of every owner among them, and of layer `layers` itself, go into
/// the cache.
at::Tensor InferenceSession::runChunk(const at::Tensor& ids, std::int64_t start, int layers) {
  const Weights& weights = m_model->weights();
  const LayerContext context = contextAt(at::arange(start, start + ids.size(1), at::kLong));
  const auto append = [&](int l, const KeyValue& own) { m_cache->append(l, own, start); };
  const auto attend = [&](int l, const at::Tensor& q, const calls::CachedKeyValue& read) {
    return calls::cacheAttention(q, read, start, windowOf(l));
  };
  const at::Tensor x =
      runLayers(calls::selectRows(weights.embedding, ids), 0, layers, false, context, {append, attend});
  if (layers < m_map.layers()) {
    stopIfCancelled();
    const LayerWeights& layer = weights.layers[static_cast<std::size_t>(layers)];
    const at::Tensor normed = rmsNorm(x, layer.inputNorm, m_model->config().rmsNormEps);
    append(layers, project(layer, normed, Projection::keyValue, context).own);
  }
  return x;
}

/// hidden [B, 1, C], the input of `firstLayer` at each sequence's last position -> logits [B, V] F32.
at::Tensor InferenceSession::lastTokens(at::Tensor hidden, int firstLayer, bool firstIsAppended) {
  const Weights& weights = m_model->weights();
  std::vector<std::int64_t> lengths, positions;
  for (const auto& ids : m_ids) {
    lengths.push_back(static_cast<std::int64_t>(ids.size()));
    positions.push_back(lengths.back() - 1);
  }
  const LayerContext context = contextAt(at::tensor(positions, at::kLong).unsqueeze(1));
  const auto append = [&](int l, const KeyValue& own) { m_cache->appendOne(l, own, positions); };
  const auto attend = [&](int l, const at::Tensor& q, const calls::CachedKeyValue& read) {
    return calls::decodeAttention(q, read, lengths, windowOf(l));
  };
  hidden = runLayers(std::move(hidden), firstLayer, m_map.layers(), firstIsAppended, context, {append, attend});
  return calls::logits(rmsNorm(hidden.squeeze(1), weights.norm, m_model->config().rmsNormEps), weights.head);
}

}  // namespace strata
