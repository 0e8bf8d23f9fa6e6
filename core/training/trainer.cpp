#include "core/training/trainer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <utility>

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
    parameters.push_back({name, tensor});
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
                 c10::Device device, RoutingScript script)
    : m_config(resolved(config)),
      m_model(model),
      m_sampler(samplerOf(config)),
      m_script(std::move(script)),
      m_device(device),
      m_compute(config.dtype == "bfloat16" ? at::kBFloat16 : at::kFloat),
      m_weights(std::move(weights)),
      m_rope(makeRope(model, model.maxPositions, device)),
      m_data(data),
      m_reader(std::in_place, data, config.seed, Cursor(), config.packWindow) {
  m_optimizer =
      std::make_unique<AdamW>(makeTrainable(m_weights, m_model, m_config.lora > 0),
                              AdamWSettings{m_config.beta1, m_config.beta2, m_config.epsilon, *m_config.weightDecay});
}

void Trainer::setCursor(Cursor cursor) {
  m_reader.emplace(m_data, m_config.seed, std::move(cursor), m_config.packWindow);
}

bool Trainer::drawAgain() {
  if (!m_script.empty()) return false;
  ++m_attempt;
  return true;
}

void Trainer::leaveOutSequences() {
  for (int i = 0; i < m_config.batch; ++i) (void)m_reader->next();
}

bool Trainer::hasFiniteWeights() const {
  const c10::NoGradGuard guard;
  const auto isFinite = [](const NamedParameter& parameter) {
    const auto [least, most] = parameter.value.aminmax();  // NaN where there is one; no memory as isfinite() takes
    return std::isfinite(least.item<double>()) && std::isfinite(most.item<double>());
  };
  return std::all_of(m_optimizer->parameters().begin(), m_optimizer->parameters().end(), isFinite);
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
  const Cursor before = cursor();
  Result<StepResult> result = tryStep();
  m_optimizer->zeroGradients();
  if (!result) setCursor(before);
  return result;
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

    at::Tensor loss = at::zeros({}, at::TensorOptions(at::kFloat).device(m_device));
    const std::size_t groupSize = batch / static_cast<std::size_t>(m_config.routingGroups);
    std::int64_t borrowing = 0;
    for (int group = 0; group < m_config.routingGroups && result.trained > 0; ++group) {
      const SharingMap routing = routingOf(group, result.pCross);
      borrowing += m_model.layers - routing.owners();
      const std::size_t groupEnd = static_cast<std::size_t>(group + 1) * groupSize;
      for (std::size_t begin = groupEnd - groupSize; begin < groupEnd;
           begin += static_cast<std::size_t>(m_config.microBatch)) {
        const std::size_t end = std::min(groupEnd, begin + static_cast<std::size_t>(m_config.microBatch));
        loss += microBatchLoss(sequences, begin, end, routing, result.trained);
      }
    }
    const std::int64_t reads = std::int64_t{m_model.layers - 1} * m_config.routingGroups;
    result.borrowed = reads == 0 ? 0 : static_cast<double>(borrowing) / static_cast<double>(reads);
    const at::Tensor norm = m_optimizer->gradientNorm();
    const at::Tensor host = at::stack({loss, norm.to(loss.device())}).cpu();  // the step's one host read
    result.loss = host.const_data_ptr<float>()[0];
    result.gradNorm = host.const_data_ptr<float>()[1];
    if (!std::isfinite(result.loss) || !std::isfinite(result.gradNorm)) {
      return fail(ErrorCode::invalidData,
                  "The loss or its gradient is no longer a finite number at step " + std::to_string(m_step) +
                      "; lower the learning rate or raise the warm-up.",
                  "step " + std::to_string(m_step));
    }
    m_optimizer->step(result.learningRate, AdamW::clipFactor(result.gradNorm, m_config.clip));
    ++m_step;
    m_attempt = 0;
    return result;
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
}

Result<double> Trainer::evaluate(const SharingMap& map, const std::vector<PackedSequence>& sequences,
                                 const std::function<bool()>& goOn) {
  try {
    const auto micro = static_cast<std::size_t>(m_config.microBatch);
    double sum = 0;
    std::int64_t count = 0;
    for (std::size_t begin = 0; begin < sequences.size(); begin += micro) {
      if (goOn && !goOn()) return fail(ErrorCode::cancelled, "The evaluation was stopped.");
      const Batch batch = makeBatch(sequences, begin, std::min(sequences.size(), begin + micro), m_device);
      if (batch.targets.numel() == 0) continue;
      const at::Tensor states = predictingStates(batch, map, contextOf(batch), false);
      sum += tokenLosses(states, m_weights.head, batch.targets).to(at::kDouble).sum().item<double>();
      count += batch.targets.numel();
    }
    return count > 0 ? sum / static_cast<double>(count) : 0.0;
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
}

}  // namespace strata
