#pragma once
// One optimiser step of routed training (design.md section 2): groups, routings, micro-batches, loss, clipping, AdamW.
//
//   Trainer trainer(config, modelConfig, weights, dataset, device);
//   StepResult r = *trainer.step();
// A Trainer is the mutable state of a run: weights, moments, step and data cursor. One thread.
//
// Several ranks share a step's sequences: each computes those that are its own, the gradients are summed, and each
// updates its share of the parameters. Rank 0 is told what to do as a single process is, and tells the others, which
// follow():
//   if (ranks.leads()) { while (…) trainer.step(); } else { trainer.follow(held, saveOf(setup)); }
// Routings and data order are those of one process.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/config/train_config.h"
#include "core/data/dataset.h"
#include "core/distributed/sharded_parameters.h"
#include "core/evaluation/masked_nll.h"
#include "core/model/decoder.h"
#include "core/model/weights.h"
#include "core/routing/sampler.h"
#include "core/training/batch.h"
#include "core/training/optimizer.h"

namespace strata {

struct StepResult {
  std::int64_t step = 0;  // 0-based
  double loss = 0;        // nats per trained token (with distillation: the whole loss)
  double gradNorm = 0;    // before clipping
  double learningRate = 0;
  double pCross = 0;
  double borrowed = 0;      // share of the reads of layers 1 … L-1 that went to another layer, over all groups
  std::int64_t tokens = 0;  // ids that went through the model, padding included
  std::int64_t padding = 0;
  std::int64_t trained = 0;  // tokens in the loss
  std::int64_t sent = 0;     // bytes that this rank sent to others; 0 without any
};

/// Routings to replay: [step][group][L].
using RoutingScript = std::vector<std::vector<SharingMap>>;
Result<RoutingScript> readRoutings(const std::filesystem::path& path, int layers, int groups, int steps);

class Trainer {
 public:
  /// Weights become fp32 masters in our own memory (full fine-tune), or stay as they are beside fp32 LoRA pairs.
  /// What `config` leaves
  /// open is filled by resolved().
  Trainer(const TrainConfig& config, const ModelConfig& model, Weights weights, const Dataset& data, c10::Device device,
          RoutingScript script = {}, Communicator* ranks = nullptr);
  ~Trainer();

  /// Errors: a loss that is not finite (isNotFinite), memory. After an error weights and cursor are those of before.
  Result<StepResult> step();
  static bool isNotFinite(const Error& error) { return error.code == ErrorCode::invalidData; }
  /// After a step that failed: its routings are drawn again at the next try. False under a script, which is replayed.
  bool drawAgain();
  /// Goes past the sequences of the next step.
  void leaveOutSequences();
  /// Whether no trained parameter holds an infinity or NaN.
  bool hasFiniteWeights() const;

  std::int64_t nextStep() const { return m_step; }
  void setNextStep(std::int64_t step) { m_step = step; }
  /// How often the next step's routings were given up.
  std::uint32_t attempt() const { return m_attempt; }
  void setAttempt(std::uint32_t attempt) { m_attempt = attempt; }
  Cursor cursor() const { return m_reader->cursor(); }
  void setCursor(Cursor cursor);

  /// A number that changes with any id of the data or with what is trained on (64-bit FNV-1a over the rows).
  std::uint64_t dataFingerprint() const;

  const TrainConfig& config() const { return m_config; }
  const ModelConfig& model() const { return m_model; }
  c10::Device device() const { return m_device; }
  Weights& weights() { return m_weights; }
  /// All that is trained, in the order of the forward pass.
  const std::vector<NamedParameter>& parameters() const { return m_parameters; }
  AdamW& optimizer() { return *m_optimizer; }
  /// What this process updates; optimizer().states()[i] belongs to pieces()[i]. All of every parameter, without ranks.
  const std::vector<ShardedParameters::Piece>& pieces() const { return m_pieces; }
  Communicator* ranks() const { return m_ranks; }
  /// Bytes that each rank sends in a step; 0 without others.
  std::int64_t bytesPerStep() const { return m_sharded ? m_sharded->bytesPerStep() * m_rounds : 0; }
  at::ScalarType computeType() const { return m_compute; }

  /// Mean NLL (nats per trained token) of held-out sequences under a map, without gradients. `goOn` is asked before
  /// each batch; where it says no: ErrorCode::cancelled.
  Result<double> evaluate(const SharingMap& map, const std::vector<PackedSequence>& sequences,
                          const std::function<bool()>& goOn = {});

  /// Writes this process's part of a checkpoint.
  using Save = std::function<Result<void>(const std::filesystem::path& folder)>;
  /// Calls `save` on every rank.
  Result<void> saveWith(const Save& save, const std::filesystem::path& folder);
  /// On a rank that does not lead: does what rank 0's trainer does, until that one is gone. `sequences` are those that
  /// rank 0 evaluates.
  void follow(const std::vector<PackedSequence>& sequences, const Save& save);

 private:
  enum class Order : std::int64_t { end, step, drawAgain, leaveOut, evaluate, save };
  /// Tells the others what rank 0 does now.
  void order(Order what, std::vector<std::int64_t> with = {});
  void orderEvaluation(const SharingMap& map, std::size_t sequences);
  /// After this rank alone met what it cannot go on after: the others wait for it.
  void giveUp(const std::exception& exception);
  void shard(Communicator* ranks);
  /// A step's, of the rank that has the most.
  int microBatches() const;
  Result<StepResult> tryStep();
  /// Forward and backward over this rank's sequences; the part of the loss that is theirs.
  at::Tensor accumulate(const std::vector<PackedSequence>& sequences, const std::vector<SharingMap>& routings,
                        std::int64_t trained);
  /// The loss and the gradient's norm, of all ranks, on the host.
  std::pair<double, double> lossAndNorm(const at::Tensor& loss);
  void sumOverRanks(double& loss, double& norm);
  /// Of each parameter, whether a backward pass under this routing gives it a gradient.
  std::vector<bool> reachedBy(const SharingMap& routing) const;
  /// Of sequences begin … end-1.
  NllSum lossOf(const SharingMap& map, const std::vector<PackedSequence>& sequences, std::size_t begin,
                std::size_t end) const;
  at::Tensor microBatchLoss(const std::vector<PackedSequence>& sequences, std::size_t begin, std::size_t end,
                            const SharingMap& routing, std::int64_t trained);
  SharingMap routingOf(int group, double pCross) const;
  at::Tensor predictingStates(const Batch& batch, const SharingMap& routing, const LayerContext& context,
                              bool gradients) const;
  LayerContext contextOf(const Batch& batch) const;

  TrainConfig m_config;
  ModelConfig m_model;
  RoutingSampler m_sampler;
  RoutingScript m_script;
  c10::Device m_device;
  at::ScalarType m_compute;
  Weights m_weights;
  Rope m_rope;
  const Dataset& m_data;
  std::optional<SequenceReader> m_reader;
  Communicator* m_ranks = nullptr;  // null: one process
  std::vector<NamedParameter> m_parameters;
  std::optional<ShardedParameters> m_sharded;
  std::vector<ShardedParameters::Piece> m_pieces;
  int m_rounds = 1;  // sums of gradients in a step: one, or one for each micro-batch
  std::unique_ptr<AdamW> m_optimizer;
  std::int64_t m_step = 0;
  std::uint32_t m_attempt = 0;
};

/// Fills microBatch, routingGroups, pCross and weightDecay where the config leaves them open.
TrainConfig resolved(TrainConfig config);

/// LoRA pairs on the linear layers named by `targets` ("all-linear" or "q_proj,v_proj"): A uniform in ±1/sqrt(in)
/// (Philox), B zero.
Result<void> addLora(Weights& weights, const TrainConfig& config);

}  // namespace strata
