#pragma once
// One step of decoding on a GPU: the straight line of kernels/cuda/decode_step.h over a model's weights and the caches
// of one or more sessions. Ids and lengths stay on the device; buffers are made once. The second step over the same
// arrays is recorded as a CUDA graph, and that and the steps after it are one launch each; a cache that grows, another
// map or other sequences begin anew.
//
//   CudaDecodePlan plan(model);
//   plan.step(rows);
//   const auto ids = plan.choose(plan.logits(), config, index, answers);  // the next step's, already on the device

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/config/generate_config.h"
#include "core/model/decode_plan.h"

namespace strata {

class CudaDecodePlan {
 public:
  /// Of one step. With more, LibTorch's products are the better ones.
  static constexpr std::int64_t kMostRows = 32;
  /// Whether the module is loaded and this model's steps are made of kernels that it has.
  static bool supports(const Model& model);
  /// `model` outlives this.
  explicit CudaDecodePlan(const Model& model);
  ~CudaDecodePlan();
  CudaDecodePlan(const CudaDecodePlan&) = delete;
  CudaDecodePlan& operator=(const CudaDecodePlan&) = delete;

  /// Of each cache all sequences in their order, one after another, under one map. What a row gives does not depend on
  /// the other caches. Rows that are cancelled before the step begins are marked, and may be computed in vain. False: a
  /// kernel could not be started (logged once), so that this plan is of no use. Throws where memory is short.
  bool step(std::vector<DecodeRow>& rows);
  /// [rows, V] F32 of the last step. The next step makes another tensor only where this one is still held.
  const at::Tensor& logits() const;
  /// The next id of each row of `logits` [rows, V], as sampleToken() chooses it (a draw up to rounding); -1 where a
  /// logit is not finite. answers: sampleToken()'s row of each. Empty where the kernels do not choose in this way.
  std::vector<TokenId> choose(const at::Tensor& logits, const GenerateConfig& config, std::uint32_t index,
                              const std::vector<std::int64_t>& answers);

 private:
  class Steps;
  std::unique_ptr<Steps> m_steps;
};

}  // namespace strata
