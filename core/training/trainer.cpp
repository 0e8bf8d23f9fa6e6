#include "core/training/trainer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "core/distributed/dealing.h"
#include "core/model/kernel_calls.h"
#include "core/model/loss.h"
#include "core/model/memory.h"
#include "core/model/model.h"
#include "core/training/schedule.h"

namespace strata {
namespace {

/// The masters of a full fine-tune, or the LoRA pairs alone; everything else loses its gradient.
std::vector<NamedParameter> makeTrainable(Weights& weights, const ModelConfig& model, bool lora) {
  const MemoryScope scope(MemoryPart::weights);
  std::vector<NamedParameter> parameters;
  visitParameters(weights, model.tied, [&](const std::string& name, at::Tensor& tensor) {
    const bool trains = !lora || name.find(".lora_") != std::string::npos;
    if (!trains) {
      tensor = tensor.detach();
      return;
    }
    tensor = tensor.detach().to(at::kFloat, false, true).requires_grad_(true);  // a copy: mapped files are read-only
    parameters.push_back({name, tensor, tensor.dim() >= 2});
  });
  return parameters;
}

RoutingSampler samplerOf(const TrainConfig& config) {
  return RoutingSampler::parse(config.sampler).value();
}

}  // namespace

TrainConfig resolved(TrainConfig config) {
  const int micro = effectiveMicroBatch(config), groups = effectiveRoutingGroups(config);
  config.microBatch = micro;
  config.routingGroups = groups;
  if (!config.pCross) config.pCross = samplerOf(config).defaultPCross();
  config.weightDecay = effectiveWeightDecay(config);
  return config;
}

Trainer::Trainer(const TrainConfig& config, const ModelConfig& model, Weights weights, const Dataset& data,
                 c10::Device device, RoutingScript script, Communicator* ranks)
    : m_config(resolved(config)),
      m_model(model),
      m_sampler(samplerOf(config)),
      m_script(std::move(script)),
      m_device(device),
      m_compute(config.dtype == "bfloat16" ? at::kBFloat16 : at::kFloat),
      m_weights(std::move(weights)),
      m_rope(makeRope(model, model.maxPositions, device)),
      m_data(data),
      m_reader(std::in_place, data, config.seed, Cursor(), config.packWindow),
      m_parameters(makeTrainable(m_weights, m_model, m_config.lora > 0)) {
  if (ranks != nullptr && ranks->ranks() > 1) shard(ranks);
  std::vector<NamedParameter> updated;
  if (m_sharded) {
    for (const auto& piece : m_pieces) {
      const NamedParameter& whole = m_parameters[piece.parameter];
      updated.push_back({whole.name, piece.value, whole.decays});
    }
  } else {
    updated = m_parameters;
    for (std::size_t i = 0; i < m_parameters.size(); ++i)
      m_pieces.push_back({i, 0, m_parameters[i].value.numel(), m_parameters[i].value, {}});
  }
  m_optimizer = std::make_unique<AdamW>(
      std::move(updated), AdamWSettings{m_config.beta1, m_config.beta2, m_config.epsilon, *m_config.weightDecay});
}

void Trainer::setCursor(Cursor cursor) {
  m_reader.emplace(m_data, m_config.seed, std::move(cursor), m_config.packWindow);
}

bool Trainer::drawAgain() {
  if (!m_script.empty()) return false;
  order(Order::drawAgain);
  ++m_attempt;
  return true;
}

void Trainer::leaveOutSequences() {
  order(Order::leaveOut);
  for (int i = 0; i < m_config.batch; ++i) (void)m_reader->next();
}

bool Trainer::hasFiniteWeights() const {
  const c10::NoGradGuard guard;
  const auto isFinite = [](const NamedParameter& parameter) {
    const auto [least, most] = parameter.value.aminmax();  // NaN where there is one; no memory as isfinite() takes
    return std::isfinite(least.item<double>()) && std::isfinite(most.item<double>());
  };
  return std::all_of(m_parameters.begin(), m_parameters.end(), isFinite);
}

std::uint64_t Trainer::dataFingerprint() const {
  constexpr std::uint64_t kOffset = 0xcbf29ce484222325, kPrime = 0x100000001b3;
  std::uint64_t hash = kOffset;
  for (const Row& row : m_data.rows()) {
    for (std::size_t i = 0; i < row.ids.size(); ++i) {
      hash = (hash ^ (2 * static_cast<std::uint64_t>(row.ids[i]) + (row.trained[i] ? 1 : 0))) * kPrime;
    }
    hash = (hash ^ ~std::uint64_t{0}) * kPrime;  // the end of a row
  }
  return hash;
}

SharingMap Trainer::routingOf(int group, double pCross) const {
  if (!m_script.empty()) return m_script[static_cast<std::size_t>(m_step)][static_cast<std::size_t>(group)];
  return m_sampler.draw(m_model.layers, pCross, m_config.seed, static_cast<std::uint32_t>(m_step),
                        static_cast<std::uint32_t>(group), m_attempt);
}

LayerContext Trainer::contextOf(const Batch& batch) const {
  LayerContext context;
  context.config = &m_model;
  context.rotation = rotationOf(m_rope, batch.positions);
  context.first = batch.first;
  return context;
}

at::Tensor Trainer::predictingStates(const Batch& batch, const SharingMap& routing, const LayerContext& context,
                                     bool gradients) const {
  const c10::AutoGradMode mode(gradients);
  const at::Tensor hidden = forwardHidden(m_weights, m_compute, batch.ids, routing, context,
                                          {.checkpointing = gradients && m_config.checkpointing});
  return calls::selectRows(hidden.view({-1, m_model.width}), batch.predicting);
}

at::Tensor Trainer::microBatchLoss(const std::vector<PackedSequence>& sequences, std::size_t begin, std::size_t end,
                                   const SharingMap& routing, std::int64_t trained) {
  const Batch batch = makeBatch(sequences, begin, end, m_device);
  if (batch.targets.numel() == 0) return at::zeros({}, at::TensorOptions(at::kFloat).device(m_device));
  LayerContext context = contextOf(batch);
  context.dropout = {
      m_config.loraDropout, m_config.seed, static_cast<std::uint32_t>(m_step), static_cast<std::uint32_t>(begin), 0, 0};
  const at::Tensor states = predictingStates(batch, routing, context, true);
  at::Tensor full;
  if (m_config.distill)
    full = predictingStates(batch, SharingMap::full(m_model.layers), context, m_config.distillMu > 0);
  const at::Tensor loss =
      vocabularyLoss(states, full, m_weights.head.weight, batch.targets, 1.0 / static_cast<double>(trained),
                     {m_config.distillLambda, m_config.distillTau, m_config.distillMu});
  const MemoryScope scope(MemoryPart::gradients);
  torch::autograd::backward({loss}, {});
  return loss.detach();
}

Result<StepResult> Trainer::step() {
  order(Order::step);
  const Cursor before = cursor();
  Result<StepResult> result = tryStep();
  for (NamedParameter& parameter : m_parameters) parameter.value.mutable_grad() = at::Tensor();
  if (!result) setCursor(before);
  return result;
}

at::Tensor Trainer::accumulate(const std::vector<PackedSequence>& sequences, const std::vector<SharingMap>& routings,
                               std::int64_t trained) {
  at::Tensor loss = at::zeros({}, at::TensorOptions(at::kFloat).device(m_device));
  if (trained == 0) return loss;
  const auto batch = static_cast<std::int64_t>(sequences.size());
  const Share own = m_ranks == nullptr ? Share{0, batch} : shareOf(batch, m_ranks->rank(), m_ranks->ranks());
  const std::int64_t groupSize = batch / m_config.routingGroups;
  for (std::int64_t begin = own.first, end = 0; begin < own.last; begin = end) {
    const std::int64_t group = begin / groupSize;
    end = std::min({own.last, (group + 1) * groupSize, begin + m_config.microBatch});
    const SharingMap& routing = routings[static_cast<std::size_t>(group)];
    const bool sends = m_sharded && (end == own.last || m_rounds > 1);
    if (sends) m_sharded->arm(reachedBy(routing));
    loss += microBatchLoss(sequences, static_cast<std::size_t>(begin), static_cast<std::size_t>(end), routing, trained);
    if (sends && m_rounds > 1) m_sharded->reduce();
  }
  return loss;
}

std::pair<double, double> Trainer::lossAndNorm(const at::Tensor& loss) {
  const at::Tensor norm = m_sharded ? m_sharded->gradientNorm() : m_optimizer->gradientNorm();
  const at::Tensor host = at::stack({loss, norm.to(loss.device())}).cpu();  // the step's one host read
  std::pair<double, double> values(host.const_data_ptr<float>()[0], host.const_data_ptr<float>()[1]);
  if (m_sharded) sumOverRanks(values.first, values.second);
  return values;
}

Result<StepResult> Trainer::tryStep() {
  try {
    const auto batch = static_cast<std::size_t>(m_config.batch);
    std::vector<PackedSequence> sequences;
    for (std::size_t i = 0; i < batch; ++i) sequences.push_back(m_reader->next());

    StepResult result;
    result.step = m_step;
    result.learningRate = learningRate(m_config, m_step);
    result.pCross = warmedPCross(*m_config.pCross, static_cast<std::uint32_t>(m_step),
                                 static_cast<std::uint32_t>(m_config.pCrossWarmup));
    result.trained = trainedTokens(sequences, 0, batch);
    result.tokens = static_cast<std::int64_t>(batch) * m_config.length;
    result.padding = paddingTokens(sequences);

    std::vector<SharingMap> routings;
    std::int64_t borrowing = 0;
    for (int group = 0; group < m_config.routingGroups; ++group) {
      routings.push_back(routingOf(group, result.pCross));
      borrowing += m_model.layers - routings.back().owners();
    }
    const std::int64_t reads = std::int64_t{m_model.layers - 1} * m_config.routingGroups;
    result.borrowed =
        reads == 0 || result.trained == 0 ? 0 : static_cast<double>(borrowing) / static_cast<double>(reads);

    const std::int64_t sentBefore = m_ranks == nullptr ? 0 : m_ranks->bytesSent();
    at::Tensor loss;
    if (m_sharded) m_sharded->begin();
    Result<void> own;
    try {
      loss = accumulate(sequences, routings, result.trained);
    } catch (const std::exception& exception) {
      own = tl::unexpected(errorFromException(exception));
    }
    if (m_sharded) m_sharded->finish(m_rounds);
    STRATA_CHECK(agree(m_ranks, own));
    std::tie(result.loss, result.gradNorm) = lossAndNorm(loss);
    if (!std::isfinite(result.loss) || !std::isfinite(result.gradNorm)) {
      return fail(ErrorCode::invalidData,
                  "The loss or its gradient is no longer a finite number at step " + std::to_string(m_step) +
                      "; lower the learning rate or raise the warm-up.",
                  "step " + std::to_string(m_step));
    }
    try {
      m_optimizer->makeMoments();
    } catch (const std::exception& exception) {
      own = tl::unexpected(errorFromException(exception));
    }
    STRATA_CHECK(agree(m_ranks, own));
    m_optimizer->step(result.learningRate, AdamW::clipFactor(result.gradNorm, m_config.clip));
    if (m_sharded) {
      m_sharded->gather();
      result.sent = m_ranks->bytesSent() - sentBefore;
    }
    ++m_step;
    m_attempt = 0;
    return result;
  } catch (const std::exception& exception) {
    giveUp(exception);
    return tl::unexpected(errorFromException(exception));
  }
}

Result<double> Trainer::evaluate(const SharingMap& map, const std::vector<PackedSequence>& sequences,
                                 const std::function<bool()>& goOn) {
  orderEvaluation(map, sequences.size());
  try {
    const auto micro = static_cast<std::size_t>(m_config.microBatch);
    NllSum total;
    const auto compute = [&](std::size_t number) -> Result<NllSum> {
      if (goOn && !goOn()) return fail(ErrorCode::cancelled, "The evaluation was stopped.");
      try {
        return lossOf(map, sequences, number * micro, std::min(sequences.size(), (number + 1) * micro));
      } catch (const std::exception& exception) {
        return tl::unexpected(errorFromException(exception));
      }
    };
    const auto take = [&](std::size_t, const NllSum& sum) -> Result<void> {
      total += sum;
      return {};
    };
    STRATA_CHECK(deal<NllSum>(m_ranks, (sequences.size() + micro - 1) / micro, compute, take));
    return total.mean();
  } catch (const std::exception& exception) {
    giveUp(exception);
    return tl::unexpected(errorFromException(exception));
  }
}

NllSum Trainer::lossOf(const SharingMap& map, const std::vector<PackedSequence>& sequences, std::size_t begin,
                       std::size_t end) const {
  const Batch batch = makeBatch(sequences, begin, end, m_device);
  if (batch.targets.numel() == 0) return {};
  const at::Tensor states = predictingStates(batch, map, contextOf(batch), false);
  return {tokenLosses(states, m_weights.head, batch.targets).to(at::kDouble).sum().item<double>(),
          batch.targets.numel()};
}

}  // namespace strata
