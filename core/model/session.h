#pragma once
// Inference with a routed cache: prefill in chunks with the tail cut, then one token at a time (design.md section 2,
// inference).
//
//   InferenceSession session(model, map, {.capacity = 1024});
//   at::Tensor logits = *session.prefill({ids});      // [B, V] F32, of each sequence's last token
//   logits = *session.decode({next});
// One session belongs to one thread; the model it holds is shared. Errors: a full cache, cancellation, memory; a pass
// that fails leaves the session as it was.
//
// Which bits a product of N rows has depends on N. Passes therefore end at multiples of `prefillChunk`, and only whole
// chunks that were read as such count as what a fresh prefill computes (reusable()).

#include <ATen/core/Tensor.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/error.h"
#include "core/model/cuda_decode_plan.h"
#include "core/model/decode_plan.h"
#include "core/model/kv_cache.h"
#include "core/model/model.h"
#include "core/routing/sharing_map.h"
#include "core/text/tokenizer.h"

namespace strata {

struct SessionOptions {
  std::int64_t capacity = 0;                  // positions per sequence that the cache holds
  std::int64_t prefillChunk = 512;            // tokens a forward pass
  bool tailCut = true;                        // off only in tests
  const std::atomic<bool>* cancel = nullptr;  // looked at before every layer
};

class InferenceSession {
 public:
  InferenceSession(std::shared_ptr<const Model> model, SharingMap map, const SessionOptions& options);

  /// Starts over with these sequences (lengths may differ, each >= 1). Logits [B, V] F32 of each one's last token.
  Result<at::Tensor> prefill(const std::vector<std::vector<TokenId>>& prompts);
  /// Appends to the only sequence of the session (the next message of a chat).
  Result<at::Tensor> extend(const std::vector<TokenId>& ids);
  /// One more token per sequence. Logits [B, V] F32.
  Result<at::Tensor> decode(const std::vector<TokenId>& ids);
  /// decode(*ids[i]) of several sessions of one model, each under its own map, with one reading of the weights: what
  /// each would have given alone, bit for bit.
  static std::vector<Result<at::Tensor>> decodeTogether(const std::vector<InferenceSession*>& sessions,
                                                        const std::vector<const std::vector<TokenId>*>& ids);
  /// The next id of each row of `logits` [B, V] where they are on a GPU whose kernels choose in this way
  /// (CudaDecodePlan::choose()); else empty.
  Result<std::vector<TokenId>> chooseOnDevice(const at::Tensor& logits, const GenerateConfig& config,
                                              std::uint32_t index, const std::vector<std::int64_t>& answers);
  const std::shared_ptr<const Model>& model() const { return m_model; }
  /// Sequences that are not named leave; the rest keep this order. One that is named several times goes on in several
  /// ways from here.
  void keepRows(const std::vector<std::int64_t>& rows);
  /// Forgets all but the first `count` ids of a session of one sequence; the cache keeps what it holds of them.
  void rewind(std::int64_t count);
  /// The same of each sequence of several.
  void rewindRows(const std::vector<std::int64_t>& counts);
  /// One session of all sequences of several, which have one model, map and capacity; they are used up.
  static InferenceSession joined(std::vector<InferenceSession> parts);
  /// How many of the first `count` ids the cache holds bit for bit as a prefill of a longer prompt would write them.
  std::int64_t reusable(std::int64_t count) const;
  /// Keeps the logits [1, V] after the last id held, until one of these ids is forgotten or the map changes: an answer
  /// made again then begins with the same bits.
  void keepPrompt(const at::Tensor& logits);
  /// Ids of the prompt that was kept; 0: none.
  std::int64_t promptSize() const { return m_promptSize; }
  const at::Tensor& promptLogits() const { return m_promptLogits; }
  /// Room for `capacity` positions per sequence; what the cache holds is copied.
  Result<void> grow(std::int64_t capacity);
  /// Another map for the same ids. Where every owner l of it owned before and src[0..l-1] is unchanged, the cache stays
  /// valid; else the held ids are computed anew with the next extend() or decode().
  void switchMap(const SharingMap& map);
  /// Whether a map switch left the cache behind the ids.
  bool isStale() const { return m_stale; }
  /// Appends to each sequence, of which all hold the same number of ids (none: they begin here): final normed hidden
  /// states [B, T, C] of each of these ids, which all layers then run on; T of the longest, the rest is padding.
  Result<at::Tensor> read(const std::vector<std::vector<TokenId>>& ids);
  /// Looked at before every layer from now on, in place of the option.
  void setCancel(const std::atomic<bool>* cancel) { m_options.cancel = cancel; }

  const SharingMap& map() const { return m_map; }
  const std::vector<std::vector<TokenId>>& ids() const { return m_ids; }
  /// Bytes of K and V tensors allocated; 0 before the first prefill.
  std::int64_t kvBytes() const { return m_cache ? m_cache->bytes() : 0; }
  std::int64_t prefillChunk() const { return m_options.prefillChunk; }

 private:
  at::Tensor run(const std::vector<std::vector<TokenId>>& added, std::int64_t start);
  at::Tensor runChunk(const at::Tensor& ids, std::int64_t start, int layers);
  /// How a pass writes a layer's own keys and values to the cache, and attends to those that it reads there.
  struct CacheStep {
    c10::function_ref<void(int layer, const KeyValue& own)> append;
    c10::function_ref<at::Tensor(int layer, const at::Tensor& q, const calls::CachedKeyValue& read)> attend;
  };
  at::Tensor runLayers(at::Tensor hidden, int begin, int end, bool firstIsAppended, const LayerContext& context,
                       const CacheStep& step);
  at::Tensor lastTokens(at::Tensor hidden, int firstLayer, bool firstIsAppended);
  Result<at::Tensor> anew(const std::vector<std::vector<TokenId>>& added);
  Result<at::Tensor> guarded(const std::vector<std::vector<TokenId>>& added, const std::function<at::Tensor()>& pass);
  Result<at::Tensor> attempt(const std::vector<std::vector<TokenId>>& added, const std::function<at::Tensor()>& pass);
  Result<at::Tensor> decodeByOperators(const std::vector<std::vector<TokenId>>& added);
  CudaDecodePlan* cudaPlan();
  void takeBack(const std::vector<std::size_t>& lengths);
  Result<void> makeRoom(const std::vector<std::vector<TokenId>>& added);
  Result<void> checkStep(const std::vector<TokenId>& ids, std::vector<std::vector<TokenId>>& added) const;
  Result<void> check(const std::vector<TokenId>& ids, std::int64_t held) const;
  LayerContext contextAt(const at::Tensor& positions) const;
  std::int64_t windowOf(int layer) const { return m_model->config().traits.windows[static_cast<std::size_t>(layer)]; }
  void stopIfCancelled() const;

  std::shared_ptr<const Model> m_model;
  SharingMap m_map;
  SessionOptions m_options;
  std::unique_ptr<KvCache> m_cache;
  std::unique_ptr<DecodePlan> m_plan;  // made with the first step that has one
  std::unique_ptr<CudaDecodePlan> m_cudaPlan;
  bool m_hasCudaPlan = true;                // until it is known otherwise
  std::vector<std::vector<TokenId>> m_ids;  // per sequence, what the cache holds (or will, after a map switch)
  bool m_stale = false;                     // a map switch left the cache behind m_ids
  std::int64_t m_settled = 0;               // positions of the only sequence that were read as whole chunks
  std::int64_t m_promptSize = 0;
  at::Tensor m_promptLogits;  // [1, V]; of the id before m_promptSize
};

}  // namespace strata
