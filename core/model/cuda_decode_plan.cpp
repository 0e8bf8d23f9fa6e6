#include "core/model/cuda_decode_plan.h"

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/base/log.h"
#include "core/model/cuda_calls.h"
#include "core/model/device.h"
#include "core/model/kernel_calls.h"
#include "core/model/memory.h"
#include "kernels/cuda/decode_step.h"

namespace strata {
namespace {

using kernels::cuda::DecodeStep;
using kernels::cuda::StepLayer;
using kernels::cuda::StepLinear;
using kernels::cuda::StepPart;
using kernels::cuda::StepSource;

template <class Entry>
Entry* moduleEntry(Entry*, const char* name) {
  return reinterpret_cast<Entry*>(cudaKernel(name));
}
#define STRATA_ENTRY(name) moduleEntry(static_cast<decltype(&(name))>(nullptr), #name)

/// What the module has for steps of decoding; null where it is not loaded.
struct StepModule {
  kernels::cuda::StepEntries step;
  decltype(&strata_cuda_argmax) argmax = STRATA_ENTRY(strata_cuda_argmax);
  decltype(&strata_cuda_argmax_workspace) argmaxWorkspace = STRATA_ENTRY(strata_cuda_argmax_workspace);
  decltype(&strata_cuda_sample) sample = STRATA_ENTRY(strata_cuda_sample);
  decltype(&strata_cuda_graph_begin) graphBegin = STRATA_ENTRY(strata_cuda_graph_begin);
  decltype(&strata_cuda_graph_end) graphEnd = STRATA_ENTRY(strata_cuda_graph_end);
  decltype(&strata_cuda_graph_launch) graphLaunch = STRATA_ENTRY(strata_cuda_graph_launch);
  decltype(&strata_cuda_graph_release) graphRelease = STRATA_ENTRY(strata_cuda_graph_release);
  decltype(&strata_cuda_set_apart_l2) setApartL2 = STRATA_ENTRY(strata_cuda_set_apart_l2);

  StepModule() { STRATA_FIND_STEP_ENTRIES(step); }
  bool isComplete() const {
    return step.isComplete() && argmax != nullptr && argmaxWorkspace != nullptr && sample != nullptr &&
           graphBegin != nullptr && graphEnd != nullptr && graphLaunch != nullptr && graphRelease != nullptr &&
           setApartL2 != nullptr;
  }
};

const StepModule& stepModule() {
  static const StepModule module;
  return module;
}

/// Nothing, or an array that a device kernel can read as it is.
bool isReadable(const at::Tensor& tensor, at::ScalarType dtype) {
  return !tensor.defined() || (tensor.scalar_type() == dtype && tensor.is_contiguous());
}
bool isReadable(const Linear& linear, at::ScalarType dtype) {
  const bool weight = linear.quantized
                          ? linear.quantized->codes.is_contiguous() && linear.quantized->scales.is_contiguous()
                          : isReadable(linear.weight, dtype);
  return weight && isReadable(linear.bias, dtype) && isReadable(linear.loraA, dtype) && isReadable(linear.loraB, dtype);
}

const void* addressOf(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr() : nullptr;
}

StepLinear stepLinear(const Linear& linear) {
  StepLinear result;
  if (!linear.loaded()) return result;  // of a follower
  result.target = calls::targetOf(linear, nullptr);
  if (!linear.loraA.defined()) return result;
  result.loraA = linear.loraA.const_data_ptr();
  result.loraB = linear.loraB.const_data_ptr();
  result.rank = linear.loraA.size(0);
  result.loraScale = static_cast<float>(linear.loraScale);
  return result;
}

bool canKeepInL2(c10::Device device) {
  const c10::DeviceGuard guard(device);
  return stepModule().setApartL2() > 0;
}

/// One stretch of memory with both, where they are neighbours (as an allocator that is asked for both in turn places
/// them), else the keys alone.
void keepInL2(StepSource& source, std::int64_t bytes) {
  constexpr std::int64_t kGap = std::int64_t{2} << 20;
  const auto *k = static_cast<const char*>(source.k), *v = static_cast<const char*>(source.v);
  const std::int64_t distance = std::max(k, v) - std::min(k, v);
  const bool areNeighbours = distance <= bytes + kGap;
  source.kept = areNeighbours ? std::min(k, v) : k;
  source.keptBytes = areNeighbours ? distance + bytes : bytes;
}

}  // namespace

class CudaDecodePlan::Steps {
 public:
  explicit Steps(const Model& model)
      : m_config(model.config()),
        m_rope(model.rope()),
        m_options(at::TensorOptions(model.dtype()).device(model.device())),
        m_keepsInL2(canKeepInL2(model.device())) {
    const Weights& weights = model.weights();
    m_step.element = model.dtype() == at::kFloat ? 0 : 1;
    m_step.c = m_config.width;
    m_step.h = m_config.heads;
    m_step.hkv = m_config.kvHeads;
    m_step.d = m_config.headDim;
    m_step.f = m_config.ffn;
    m_step.vocab = m_config.vocab;
    m_step.eps = static_cast<float>(m_config.rmsNormEps);
    m_step.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(m_config.headDim)));
    m_step.embedding = weights.embedding.const_data_ptr();
    m_step.norm = weights.norm.const_data_ptr();
    m_step.head = calls::targetOf(weights.head, nullptr);
    for (std::size_t l = 0; l < weights.layers.size(); ++l) {
      const LayerWeights& from = weights.layers[l];
      StepLayer layer;
      layer.inputNorm = from.inputNorm.const_data_ptr();
      layer.postNorm = from.postNorm.const_data_ptr();
      layer.qNorm = addressOf(from.qNorm);
      layer.kNorm = addressOf(from.kNorm);
      layer.window = m_config.traits.windows[l];
      const std::pair<StepLinear*, const Linear*> linears[] = {
          {&layer.q, &from.q},       {&layer.k, &from.k},   {&layer.v, &from.v},      {&layer.o, &from.o},
          {&layer.gate, &from.gate}, {&layer.up, &from.up}, {&layer.down, &from.down}};
      for (const auto& [to, linear] : linears) {
        *to = stepLinear(*linear);
        m_rank = std::max(m_rank, to->rank);
      }
      m_step.layers.push_back(layer);
    }
  }
  ~Steps() { forgetGraphs(); }
  Steps(const Steps&) = delete;
  Steps& operator=(const Steps&) = delete;

  bool step(std::vector<DecodeRow>& rows) {
    bool isWanted = false;
    for (DecodeRow& row : rows) {
      row.isCancelled = row.cancel != nullptr && row.cancel->load(std::memory_order_relaxed);
      isWanted = isWanted || !row.isCancelled;
    }
    if (!isWanted) return true;
    const c10::DeviceGuard guard(m_options.device());
    layOut(static_cast<std::int64_t>(rows.size()), partsOf(rows));
    tell(rows);
    return start();
  }

  const at::Tensor& logits() const { return m_output->logits; }

  std::vector<TokenId> choose(const at::Tensor& logits, const GenerateConfig& config, std::uint32_t index,
                              const std::vector<std::int64_t>& answers) {
    if (config.repeatPenalty != 1 || logits.scalar_type() != at::kFloat || !logits.is_contiguous()) return {};
    const c10::DeviceGuard guard(m_options.device());
    const StepModule& module = stepModule();
    const std::int64_t rows = logits.size(0), vocab = logits.size(1);
    const at::Tensor& own = m_output->logits;
    const bool isOfStep = own.defined() && logits.const_data_ptr() == own.const_data_ptr() &&
                          rows == m_step.b;  // then the ids are the next step's
    at::Tensor chosen = isOfStep ? m_ids : at::empty({rows}, m_options.dtype(at::kLong));
    std::int64_t* const lengths = isOfStep ? m_lengths.mutable_data_ptr<std::int64_t>() : nullptr;
    void* const stream = calls::cuda::streamOf(logits);
    int status = 0;
    if (config.temperature <= 0) {
      const std::int64_t bytes = module.argmaxWorkspace(rows, vocab);
      if (!m_partial.defined() || m_partial.numel() < bytes) m_partial = at::empty({bytes}, m_options.dtype(at::kByte));
      status = module.argmax(logits.const_data_ptr<float>(), chosen.mutable_data_ptr<std::int64_t>(), lengths, rows,
                             vocab, m_partial.mutable_data_ptr(), m_partial.numel(), stream);
    } else {
      if (answers != m_knownAnswers) {
        m_answers = at::tensor(answers, at::kLong).to(m_options.device());
        m_knownAnswers = answers;
      }
      const kernels::cuda::Sampling sampling{config.temperature, config.topK, config.topP,
                                             config.minP,        config.seed, index};
      status = module.sample(logits.const_data_ptr<float>(), chosen.mutable_data_ptr<std::int64_t>(), lengths,
                             m_answers.const_data_ptr<std::int64_t>(), &sampling, rows, vocab, stream);
    }
    if (status != 0) return {};
    const at::Tensor host = chosen.cpu();
    const auto* ids = host.const_data_ptr<std::int64_t>();
    for (std::int64_t row = 0; isOfStep && row < rows; ++row) {
      auto& [id, length] = m_known[static_cast<std::size_t>(row)];
      id = ids[row];
      ++length;
    }
    return {ids, ids + rows};
  }

 private:
  /// Where a step leaves its logits. There are two, since a caller may hold the last step's while the next runs.
  struct Output {
    at::Tensor logits;      // [rows, V]
    void* graph = nullptr;  // of a step that ends here
    std::int64_t steps = 0;
    bool isFree() const { return logits.defined() && logits.use_count() == 1 && logits.storage().use_count() == 1; }
    void forgetGraph() {
      if (graph != nullptr) stepModule().graphRelease(graph);
      graph = nullptr;
      steps = 0;
    }
  };
  void forgetGraphs() {
    for (Output& output : m_outputs) output.forgetGraph();
  }

  /// Rows that are the sequences of one cache, and the keys and values that each layer reads there.
  std::vector<StepPart> partsOf(const std::vector<DecodeRow>& rows) const {
    std::vector<StepPart> parts;
    for (std::size_t r = 0; r < rows.size(); r += static_cast<std::size_t>(parts.back().rows)) {
      const KvCache& cache = *rows[r].cache;
      const SharingMap& map = *rows[r].map;
      StepPart part;
      part.begin = static_cast<std::int64_t>(r);
      part.rows = cache.batch();
      part.capacity = cache.capacity();
      TORCH_INTERNAL_ASSERT(r + static_cast<std::size_t>(part.rows) <= rows.size());
      for (std::size_t b = 0; b < static_cast<std::size_t>(part.rows); ++b) {
        TORCH_INTERNAL_ASSERT(rows[r + b].cache == &cache && rows[r + b].sequence == static_cast<std::int64_t>(b));
      }
      std::vector<int> readers(m_step.layers.size(), 0);
      for (int l = 0; l < map.layers(); ++l) ++readers[static_cast<std::size_t>(map[l])];
      for (int l = 0; l < map.layers(); ++l) {
        const at::Tensor &keys = cache.keys(map[l]), &values = cache.values(map[l]);
        TORCH_INTERNAL_ASSERT(keys.is_contiguous() && values.is_contiguous() &&
                              keys.scalar_type() == m_options.dtype().toScalarType());
        StepSource source;
        source.k = keys.mutable_data_ptr();
        source.v = values.mutable_data_ptr();
        source.isOwn = map.owns(l);
        if (m_keepsInL2 && readers[static_cast<std::size_t>(map[l])] > 1) {
          keepInL2(source, static_cast<std::int64_t>(keys.nbytes()));
        }
        part.sources.push_back(source);
      }
      parts.push_back(std::move(part));
    }
    return parts;
  }

  /// Where everything is for these rows; another place than before needs another graph.
  void layOut(std::int64_t rows, std::vector<StepPart> parts) {
    const MemoryScope scope(MemoryPart::activations);
    if (parts != m_step.parts) {
      forgetGraphs();
      m_step.parts = std::move(parts);
      makeAngles();
      const std::int64_t workspaceBytes = stepModule().step.workspaceBytes(m_step);
      if (m_step.b != rows || m_step.workspaceBytes < workspaceBytes) {
        m_step.b = rows;
        m_step.workspaceBytes = workspaceBytes;
        m_ids = at::empty({rows}, m_options.dtype(at::kLong));
        m_lengths = at::empty({rows}, m_options.dtype(at::kLong));
        m_step.ids = m_ids.const_data_ptr<std::int64_t>();
        m_step.lengths = m_lengths.const_data_ptr<std::int64_t>();
        m_known.clear();
        m_buffers = at::empty({placeBuffers(nullptr)}, m_options.dtype(at::kByte));
        placeBuffers(static_cast<char*>(m_buffers.mutable_data_ptr()));
        for (Output& output : m_outputs) output.logits = at::Tensor();
      }
    }
    if (m_output->logits.defined() && !m_output->isFree()) m_output = m_output == m_outputs ? m_outputs + 1 : m_outputs;
    if (!m_output->isFree()) {
      m_output->forgetGraph();
      m_output->logits = at::empty({rows, m_step.vocab}, m_options.dtype(at::kFloat));
    }
    m_step.logits = m_output->logits.mutable_data_ptr<float>();
  }

  /// cos and sin of all positions that a cache has.
  void makeAngles() {
    std::int64_t positions = 0;
    for (const StepPart& part : m_step.parts) positions = std::max(positions, part.capacity);
    if (m_cos.defined() && m_cos.size(0) >= positions) return;
    const Rotation rotation =
        rotationOf(m_rope, at::arange(positions, at::TensorOptions(at::kLong).device(m_options.device())));
    m_cos = rotation.cos.contiguous();
    m_sin = rotation.sin.contiguous();
    m_step.cos = m_cos.const_data_ptr<float>();
    m_step.sin = m_sin.const_data_ptr<float>();
  }

  /// Bytes of the buffers, which begin at `base`.
  std::int64_t placeBuffers(char* base) {
    constexpr std::int64_t kAlignment = 256;
    std::int64_t at = 0;
    const auto next = [&](std::int64_t bytes) {
      char* const buffer = base == nullptr ? nullptr : base + at;
      at += (bytes + kAlignment - 1) / kAlignment * kAlignment;
      return static_cast<void*>(buffer);
    };
    const std::int64_t bytes = m_step.b * static_cast<std::int64_t>(m_options.dtype().itemsize());
    const std::int64_t heads = m_step.h * m_step.d, kvHeads = m_step.hkv * m_step.d;
    for (void** each : {&m_step.hidden, &m_step.normed, &m_step.delta}) *each = next(bytes * m_step.c);
    for (void** each : {&m_step.q, &m_step.attention}) *each = next(bytes * heads);
    for (void** each : {&m_step.k, &m_step.v}) *each = next(bytes * kvHeads);
    for (void** each : {&m_step.gate, &m_step.up}) *each = next(bytes * m_step.f);
    if (m_rank > 0) {
      for (void*& each : m_step.low) each = next(bytes * m_rank);
      m_step.wide = next(bytes * std::max({m_step.c, m_step.f, heads}));
    }
    m_step.workspace = next(m_step.workspaceBytes);
    return at;
  }

  /// Ids and lengths, where the device does not have them from the step before.
  void tell(const std::vector<DecodeRow>& rows) {
    bool isKnown = m_known.size() == rows.size();
    for (std::size_t b = 0; isKnown && b < rows.size(); ++b) {
      isKnown = m_known[b] == std::pair<std::int64_t, std::int64_t>(rows[b].id, rows[b].position + 1);
    }
    if (isKnown) return;
    std::vector<std::int64_t> ids, lengths;
    m_known.clear();
    for (std::size_t b = 0; b < rows.size(); ++b) {
      ids.push_back(rows[b].id);
      lengths.push_back(rows[b].position + 1);
      m_known.emplace_back(ids[b], lengths[b]);
    }
    m_ids.copy_(at::tensor(ids, at::kLong));
    m_lengths.copy_(at::tensor(lengths, at::kLong));
  }

  bool start() {
    const StepModule& module = stepModule();
    if (m_output->graph == nullptr && m_output->steps > 0 && m_records) record();
    void* const stream = calls::cuda::streamOf(m_output->logits);
    const int status =
        m_output->graph != nullptr
            ? module.graphLaunch(m_output->graph, stream)
            : runDecodeStep(kernels::cuda::DeviceOperations{module.step, m_step.element, stream}, m_step);
    ++m_output->steps;
    return launched("decode_step", status);
  }

  void record() {
    const StepModule& module = stepModule();
    void* stream = nullptr;
    int status = module.graphBegin(&stream);
    if (status == 0) {
      const int recorded = runDecodeStep(kernels::cuda::DeviceOperations{module.step, m_step.element, stream}, m_step);
      const int ended = module.graphEnd(stream, &m_output->graph);
      status = recorded != 0 ? recorded : ended;
    }
    if (status == 0) return;
    m_output->forgetGraph();
    m_records = false;
    logWarning("A decoding step could not be recorded as a CUDA graph (CUDA error " + std::to_string(status) +
               "); its kernels are started one by one, more slowly.");
  }

  const ModelConfig& m_config;
  const Rope& m_rope;
  const at::TensorOptions m_options;  // the model's dtype and device
  const bool m_keepsInL2;
  DecodeStep m_step;
  std::int64_t m_rank = 0;  // the highest of LoRA
  at::Tensor m_cos, m_sin, m_ids, m_lengths, m_buffers;
  Output m_outputs[2];
  Output* m_output = m_outputs;                                // of the last step
  std::vector<std::pair<std::int64_t, std::int64_t>> m_known;  // id and length of each sequence on the device
  at::Tensor m_partial, m_answers;                             // of choose()
  std::vector<std::int64_t> m_knownAnswers;
  bool m_records = true;
};

bool CudaDecodePlan::supports(const Model& model) {
  const at::ScalarType dtype = model.dtype();
  const Weights& weights = model.weights();
  const ModelConfig& config = model.config();
  if ((dtype != at::kFloat && dtype != at::kBFloat16) || config.headDim > kernels::cuda::kMostHeadSize ||
      config.headDim % 2 != 0 || !stepModule().isComplete()) {
    return false;
  }
  return isReadable(weights.embedding, dtype) && isReadable(weights.norm, dtype) && isReadable(weights.head, dtype) &&
         std::all_of(weights.layers.begin(), weights.layers.end(), [&](const LayerWeights& layer) {
           return isReadable(layer.inputNorm, dtype) && isReadable(layer.postNorm, dtype) &&
                  isReadable(layer.qNorm, dtype) && isReadable(layer.kNorm, dtype) && isReadable(layer.q, dtype) &&
                  isReadable(layer.k, dtype) && isReadable(layer.v, dtype) && isReadable(layer.o, dtype) &&
                  isReadable(layer.gate, dtype) && isReadable(layer.up, dtype) && isReadable(layer.down, dtype);
         });
}

CudaDecodePlan::CudaDecodePlan(const Model& model) : m_steps(std::make_unique<Steps>(model)) {}

CudaDecodePlan::~CudaDecodePlan() = default;

bool CudaDecodePlan::step(std::vector<DecodeRow>& rows) {
  return m_steps->step(rows);
}

const at::Tensor& CudaDecodePlan::logits() const {
  return m_steps->logits();
}

std::vector<TokenId> CudaDecodePlan::choose(const at::Tensor& logits, const GenerateConfig& config, std::uint32_t index,
                                            const std::vector<std::int64_t>& answers) {
  return m_steps->choose(logits, config, index, answers);
}

}  // namespace strata
