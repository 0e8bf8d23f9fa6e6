#include "core/model/decode_plan.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <map>
#include <utility>

#include "core/model/kernel_calls.h"
#include "core/model/memory.h"
#include "core/model/prefetch.h"
#include "core/model/threads.h"
#include "kernels/decode_attention.h"
#include "kernels/elements.h"
#include "kernels/kv_append.h"
#include "kernels/kv_codes.h"
#include "kernels/matvec.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "kernels/silu_mul.h"
#include "kernels/stream.h"

namespace strata {
namespace {

using kernels::Element;

/// This thread's place in the team that walks through a step.
struct Place {
  int member = 0, size = 1;
};
thread_local Place place;

/// A kernel's work, of which each member of the team does its own part: all call the kernel, and wait for each other
/// before what it wrote is read.
kernels::Stream ownPart(int threads) {
  kernels::Stream stream;
  stream.threads = threads;
  stream.parallelFor = [](std::int64_t tasks, std::int64_t grain, kernels::Stream::Body body, void* context) {
    const std::int64_t parts = std::clamp<std::int64_t>(tasks / std::max<std::int64_t>(1, grain), 1, place.size);
    const std::int64_t begin = tasks * place.member / parts, end = tasks * (place.member + 1) / parts;
    if (place.member < parts && begin < end) body(context, begin, end);
  };
  return stream;
}

constexpr kernels::Stream kAlone;  // the calling thread does everything

/// y[begin … end-1] += scale · x, rounded as LibTorch's add_() does.
template <class T>
void addScaled(T* y, const T* x, float scale, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i) {
    y[i] = kernels::fromFloat<T>(kernels::toFloat(y[i]) + scale * kernels::toFloat(x[i]));
  }
}

/// Nothing, or values that a kernel can read as they lie.
bool isPlain(const at::Tensor& tensor, at::ScalarType dtype, at::IntArrayRef shape) {
  return !tensor.defined() || (tensor.device().is_cpu() && tensor.scalar_type() == dtype && tensor.is_contiguous() &&
                               tensor.sizes() == shape);
}

bool isPlain(const Linear& linear, at::ScalarType dtype, std::int64_t outputs, std::int64_t inputs) {
  const std::int64_t rank = linear.loraA.defined() ? linear.loraA.size(0) : 0;
  return isPlain(linear.weight, dtype, {outputs, inputs}) && isPlain(linear.bias, dtype, {outputs}) &&
         isPlain(linear.loraA, dtype, {rank, inputs}) && isPlain(linear.loraB, dtype, {outputs, rank});
}

}  // namespace

class DecodePlan::Steps {
 public:
  explicit Steps(const Model& model)
      : m_config(model.config()),
        m_weights(model.weights()),
        m_rope(model.rope()),
        m_element(model.dtype() == at::kFloat ? Element::f32 : Element::bf16),
        m_scale(static_cast<float>(1 / std::sqrt(static_cast<double>(m_config.headDim)))) {
    for (const LayerWeights& layer : m_weights.layers) {
      for (const Linear* linear : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
        if (linear->loraA.defined()) m_rank = std::max(m_rank, linear->loraA.size(0));
      }
    }
    for (const std::int64_t window : m_config.traits.windows) m_attentions[window];
    // With fewer bytes of weights, waiting for another thread costs more than it brings.
    constexpr std::int64_t kBytesOfThread = std::int64_t{2} << 20;
    const std::int64_t bytes = m_config.shape().parameters * kernels::elementBytes(m_element);
    m_threads = static_cast<int>(std::clamp<std::int64_t>(bytes / kBytesOfThread, 1, 1 << 16));
    constexpr std::int64_t kMayBeCached = std::int64_t{64} << 20;
    if (bytes > kMayBeCached) tunePrefetch();
  }

  void step(std::vector<DecodeRow>& rows) {
    reserve(rows.size());
    begin(rows);
    runTeam(m_threads, [&](Team& team, int member) {
      place = {member, team.size()};
      walk(rows, team);
    });
  }

  const at::Tensor& logits() const { return m_logits; }

 private:
  /// A buffer of rows in the model's dtype.
  struct Rows {
    std::vector<std::byte> bytes;
    std::int64_t rowBytes = 0;
    void reserve(std::size_t rows, std::int64_t width, std::int64_t elementBytes) {
      rowBytes = width * elementBytes;
      bytes.resize(std::max(bytes.size(), rows * static_cast<std::size_t>(rowBytes)));
    }
    std::byte* row(std::size_t index) { return bytes.data() + index * static_cast<std::size_t>(rowBytes); }
    std::byte* data() { return bytes.data(); }
    void move(std::size_t from, std::size_t to) { std::memcpy(row(to), row(from), static_cast<std::size_t>(rowBytes)); }
  };
  struct Output {
    const Linear* linear;
    Rows* y;
  };

  void reserve(std::size_t rows) {
    const MemoryScope scope(MemoryPart::activations);
    const std::int64_t width = m_config.width, bytes = kernels::elementBytes(m_element);
    const std::int64_t heads = static_cast<std::int64_t>(m_config.heads) * m_config.headDim;
    const std::int64_t kvHeads = static_cast<std::int64_t>(m_config.kvHeads) * m_config.headDim;
    for (Rows* each : {&m_hidden, &m_delta, &m_normed, &m_own}) each->reserve(rows, width, bytes);
    for (Rows* each : {&m_q, &m_attention}) each->reserve(rows, heads, bytes);
    for (Rows* each : {&m_k, &m_v}) each->reserve(rows, kvHeads, bytes);
    for (Rows* each : {&m_gate, &m_up}) each->reserve(rows, m_config.ffn, bytes);
    if (m_rank > 0) {
      for (Rows& each : m_low) each.reserve(rows, m_rank, bytes);
      for (Rows& each : m_wide) each.reserve(rows, std::max({width, heads, std::int64_t{m_config.ffn}}), bytes);
    }
    const auto half = static_cast<std::size_t>(m_config.headDim / 2);
    m_rowCos.resize(rows * half);
    m_rowSin.resize(rows * half);
    m_live.reserve(rows);
    m_caches.reserve(rows);
    const std::int64_t vocabulary = m_config.vocab;
    if (!m_logits.defined() || m_logits.size(0) != static_cast<std::int64_t>(rows) ||
        m_logits.storage().use_count() > 1) {
      m_logits = at::empty({static_cast<std::int64_t>(rows), vocabulary}, at::kFloat);
    }
  }

  /// cos and sin of the positions that share a block.
  struct Angles {
    std::vector<float> cos, sin;  // [kAnglesOfBlock, D/2]
  };
  static constexpr std::int64_t kAnglesOfBlock = 128;
  static constexpr std::size_t kMostBlocks = 64;

  const Angles& anglesOf(std::int64_t block) {
    if (const auto found = m_angles.find(block); found != m_angles.end()) return found->second;
    if (m_angles.size() == kMostBlocks) m_angles.clear();
    const std::int64_t first = block * kAnglesOfBlock;
    const Rotation rotation = rotationOf(m_rope, at::arange(first, first + kAnglesOfBlock, at::kLong));
    const at::Tensor cos = rotation.cos.contiguous(), sin = rotation.sin.contiguous();
    Angles& angles = m_angles[block];
    angles.cos.assign(cos.const_data_ptr<float>(), cos.const_data_ptr<float>() + cos.numel());
    angles.sin.assign(sin.const_data_ptr<float>(), sin.const_data_ptr<float>() + sin.numel());
    return angles;
  }

  /// The rows' embeddings and angles.
  void begin(std::vector<DecodeRow>& rows) {
    m_live.clear();
    m_hasCancelled = false;
    const auto half = static_cast<std::size_t>(m_config.headDim / 2);
    const auto* table = static_cast<const std::byte*>(m_weights.embedding.const_data_ptr());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      m_live.push_back(r);
      std::memcpy(m_hidden.row(r), table + rows[r].id * m_hidden.rowBytes, static_cast<std::size_t>(m_hidden.rowBytes));
      const Angles& angles = anglesOf(rows[r].position / kAnglesOfBlock);
      const std::size_t at = static_cast<std::size_t>(rows[r].position % kAnglesOfBlock) * half;
      std::copy_n(angles.cos.data() + at, half, m_rowCos.data() + r * half);
      std::copy_n(angles.sin.data() + at, half, m_rowSin.data() + r * half);
    }
    cutAttention(rows);
  }

  void cutAttention(const std::vector<DecodeRow>& rows) {
    m_lengths.clear();
    for (const std::size_t r : m_live) m_lengths.push_back(rows[r].position + 1);
    for (auto& [window, attention] : m_attentions) {
      attention.cut(m_lengths.data(), window, static_cast<std::int64_t>(m_live.size()), m_config.heads,
                    m_config.kvHeads, m_config.headDim);
    }
  }

  /// Rows that were cancelled leave; the others move together.
  void dropCancelled(std::vector<DecodeRow>& rows) {
    const auto half = static_cast<std::size_t>(m_config.headDim / 2);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < m_live.size(); ++i) {
      if (rows[m_live[i]].isCancelled) continue;
      if (kept < i) {
        m_hidden.move(i, kept);
        m_delta.move(i, kept);
        std::copy_n(m_rowCos.data() + i * half, half, m_rowCos.data() + kept * half);
        std::copy_n(m_rowSin.data() + i * half, half, m_rowSin.data() + kept * half);
      }
      m_live[kept++] = m_live[i];
    }
    m_live.resize(kept);
    cutAttention(rows);
  }

  /// What member 0 finds out for all before they begin a layer.
  void lookForCancelled(std::vector<DecodeRow>& rows) {
    m_hasCancelled = false;
    for (const std::size_t r : m_live) {
      if (rows[r].cancel == nullptr || !rows[r].cancel->load(std::memory_order_relaxed)) continue;
      rows[r].isCancelled = true;
      m_hasCancelled = true;
    }
  }

  /// What every member does; between two waits nobody reads what another one writes.
  void walk(std::vector<DecodeRow>& rows, Team& team) {
    const kernels::Stream stream = ownPart(team.size());
    for (int l = 0; l < m_config.layers; ++l) {
      if (place.member == 0) lookForCancelled(rows);
      team.wait();
      if (m_hasCancelled) {
        if (place.member == 0) dropCancelled(rows);
        team.wait();
        if (m_live.empty()) return;
      }
      layer(l, rows, team, stream);
    }
    addAndNorm(m_weights.norm, stream, false);
    team.wait();
    // Rows that left would have kept their places: those that remain go to theirs.
    const bool isWhole = m_live.size() == rows.size();
    const kernels::MatvecTarget head = calls::targetOf(m_weights.head, m_logits.mutable_data_ptr());
    kernels::matvec(m_element, Element::f32, m_normed.data(), static_cast<std::int64_t>(m_live.size()), m_config.width,
                    &head, 1, stream);
    if (isWhole) return;
    team.wait();
    if (place.member != 0) return;
    auto* logits = m_logits.mutable_data_ptr<float>();
    for (std::size_t i = m_live.size(); i-- > 0;) {
      std::memmove(logits + static_cast<std::int64_t>(m_live[i]) * m_config.vocab,
                   logits + static_cast<std::int64_t>(i) * m_config.vocab,
                   static_cast<std::size_t>(m_config.vocab) * sizeof(float));
    }
  }

  /// normed = rmsNorm(hidden += delta).
  void addAndNorm(const at::Tensor& weight, const kernels::Stream& stream, bool isFirst) {
    const auto rows = static_cast<std::int64_t>(m_live.size());
    const auto eps = static_cast<float>(m_config.rmsNormEps);
    if (isFirst) {
      kernels::rmsNorm(m_element, m_hidden.data(), weight.const_data_ptr(), eps, m_normed.data(), rows, m_config.width,
                       stream);
    } else {
      kernels::addRmsNorm(m_element, m_hidden.data(), m_delta.data(), weight.const_data_ptr(), eps, m_normed.data(),
                          rows, m_config.width, stream);
    }
  }

  void layer(int l, std::vector<DecodeRow>& rows, Team& team, const kernels::Stream& stream) {
    const LayerWeights& weights = m_weights.layers[static_cast<std::size_t>(l)];
    const std::size_t live = m_live.size();
    addAndNorm(weights.inputNorm, stream, l == 0);
    team.wait();

    // Keys and values of the rows whose map has this layer as an owner.
    std::size_t makers = 0;
    for (const std::size_t r : m_live) makers += rows[r].map->owns(l) ? 1 : 0;
    if (makers == live) {
      products(m_normed, live, {{&weights.q, &m_q}, {&weights.k, &m_k}, {&weights.v, &m_v}}, team, stream);
    } else {
      products(m_normed, live, {{&weights.q, &m_q}}, team, stream);
      if (makers > 0) {
        if (place.member == 0) {
          std::size_t made = 0;
          for (std::size_t i = 0; i < live; ++i) {
            if (!rows[m_live[i]].map->owns(l)) continue;
            std::memcpy(m_own.row(made++), m_normed.row(i), static_cast<std::size_t>(m_normed.rowBytes));
          }
        }
        team.wait();
        products(m_own, makers, {{&weights.k, &m_k}, {&weights.v, &m_v}}, team, stream);
      }
    }
    team.wait();

    std::size_t made = 0;
    for (std::size_t i = 0; i < live; ++i) {
      const bool owns = rows[m_live[i]].map->owns(l);
      if (static_cast<int>(i) % place.size == place.member) turn(l, i, owns ? &rows[m_live[i]] : nullptr, made);
      if (owns) ++made;
    }
    if (place.member == 0) {
      m_caches.clear();
      for (const std::size_t r : m_live) m_caches.push_back(cacheOf(rows[r], (*rows[r].map)[l]));
    }
    team.wait();

    kernels::DecodeAttentionPlan& attention = m_attentions.at(m_config.traits.windows[static_cast<std::size_t>(l)]);
    attention.attend(m_element, m_q.data(), m_caches.data(), m_scale, stream);
    team.wait();
    attention.merge(m_element, m_attention.data(), stream);
    team.wait();
    products(m_attention, live, {{&weights.o, &m_delta}}, team, stream);
    team.wait();

    addAndNorm(weights.postNorm, stream, false);
    team.wait();
    products(m_normed, live, {{&weights.gate, &m_gate}, {&weights.up, &m_up}}, team, stream);
    team.wait();
    kernels::siluMul(m_element, m_gate.data(), m_up.data(), m_gate.data(),
                     static_cast<std::int64_t>(live) * m_config.ffn, stream);
    team.wait();
    products(m_gate, live, {{&weights.down, &m_delta}}, team, stream);
    team.wait();
  }

  /// Linear layers of one input, LoRA included; waits between their parts, not at the end.
  void products(Rows& x, std::size_t rows, std::initializer_list<Output> outputs, Team& team,
                const kernels::Stream& stream) {
    kernels::MatvecTarget targets[6];
    int count = 0, index = 0;
    for (const Output& output : outputs) targets[count++] = calls::targetOf(*output.linear, output.y->data());
    const int plain = count;
    for (const Output& output : outputs) {
      if (output.linear->loraA.defined()) {
        Rows& low = m_low[index];
        low.rowBytes = output.linear->loraA.size(0) * kernels::elementBytes(m_element);
        targets[count].weight = output.linear->loraA.const_data_ptr();
        targets[count].y = low.data();
        targets[count++].n = output.linear->loraA.size(0);
      }
      ++index;
    }
    const auto number = static_cast<std::int64_t>(rows);
    kernels::matvec(m_element, m_element, x.data(), number, outputs.begin()->linear->inputs(), targets, count, stream);
    if (count == plain) return;
    team.wait();
    index = 0;
    for (const Output& output : outputs) {
      const Linear& linear = *output.linear;
      if (linear.loraA.defined()) {
        kernels::MatvecTarget target;
        target.weight = linear.loraB.const_data_ptr();
        target.y = m_wide[index].data();
        target.n = linear.outputs();
        kernels::matvec(m_element, m_element, m_low[index].data(), number, linear.loraA.size(0), &target, 1, stream);
      }
      ++index;
    }
    team.wait();
    index = 0;
    for (const Output& output : outputs) {
      const Linear& linear = *output.linear;
      if (linear.loraA.defined()) {
        const std::int64_t size = number * linear.outputs();
        const std::int64_t begin = size * place.member / place.size, end = size * (place.member + 1) / place.size;
        kernels::withElement(m_element, [&](auto element) {
          using T = decltype(element);
          addScaled(reinterpret_cast<T*>(output.y->data()), reinterpret_cast<const T*>(m_wide[index].data()),
                    static_cast<float>(linear.loraScale), begin, end);
        });
      }
      ++index;
    }
  }

  /// Norms and rotates the heads of one live row; keys and values (row `made` of theirs) go to its cache.
  void turn(int l, std::size_t i, DecodeRow* keeper, std::size_t made) {
    const LayerWeights& layer = m_weights.layers[static_cast<std::size_t>(l)];
    const auto half = static_cast<std::size_t>(m_config.headDim / 2);
    const auto heads = [&](std::byte* x, std::int64_t count, const at::Tensor& norm) {
      if (norm.defined()) {
        kernels::rmsNorm(m_element, x, norm.const_data_ptr(), static_cast<float>(m_config.rmsNormEps), x, count,
                         m_config.headDim, kAlone);
      }
      kernels::rope(m_element, x, m_rowCos.data() + i * half, m_rowSin.data() + i * half, 1, count, m_config.headDim,
                    kAlone);
    };
    heads(m_q.row(i), m_config.heads, layer.qNorm);
    if (keeper == nullptr) return;
    heads(m_k.row(made), m_config.kvHeads, layer.kNorm);
    const kernels::SequenceCache cache = cacheOf(*keeper, l);
    const kernels::KvCodes to{const_cast<void*>(cache.k), const_cast<void*>(cache.v), const_cast<void*>(cache.kScales),
                              const_cast<void*>(cache.vScales)};
    if (cache.format == kernels::KvFormat::plain) {
      kernels::kvAppend(m_element, m_k.row(made), m_v.row(made), to.k, to.v, &keeper->position, 1, m_config.kvHeads,
                        cache.capacity, m_config.headDim, kAlone);
    } else {
      kernels::kvAppendCodes(cache.format, m_element, m_k.row(made), m_v.row(made), to, &keeper->position, 1, 1,
                             m_config.kvHeads, cache.capacity, m_config.headDim, kAlone);
    }
  }

  static kernels::SequenceCache cacheOf(const DecodeRow& row, int owner) {
    return calls::sequenceOf(row.cache->read(owner), row.sequence);
  }

  const ModelConfig& m_config;
  const Weights& m_weights;
  const Rope& m_rope;
  const Element m_element;
  const float m_scale;
  std::int64_t m_rank = 0;
  int m_threads = 1;  // at most
  at::Tensor m_logits;
  std::map<std::int64_t, Angles> m_angles;  // by block of positions
  Rows m_hidden, m_delta, m_normed, m_q, m_attention, m_gate, m_up;
  Rows m_own, m_k, m_v;      // of the rows that make keys and values in this layer
  Rows m_low[3], m_wide[3];  // of LoRA: A x, and B of it
  std::vector<float> m_rowCos, m_rowSin;
  std::vector<std::size_t> m_live;  // rows that are not cancelled
  std::vector<std::int64_t> m_lengths;
  std::map<std::int64_t, kernels::DecodeAttentionPlan> m_attentions;  // by window
  std::vector<kernels::SequenceCache> m_caches;                       // of the live rows, in this layer
  bool m_hasCancelled = false;
};

bool DecodePlan::supports(const Model& model) {
  const at::ScalarType dtype = model.dtype();
  const Weights& weights = model.weights();
  const ModelConfig& config = model.config();
  if (!model.device().is_cpu() || (dtype != at::kFloat && dtype != at::kBFloat16)) return false;
  const std::int64_t width = config.width, d = config.headDim, heads = config.heads * d, kvHeads = config.kvHeads * d;
  return isPlain(weights.embedding, dtype, {config.vocab, width}) && isPlain(weights.norm, dtype, {width}) &&
         isPlain(weights.head, dtype, config.vocab, width) &&
         std::all_of(weights.layers.begin(), weights.layers.end(), [&](const LayerWeights& layer) {
           return isPlain(layer.inputNorm, dtype, {width}) && isPlain(layer.postNorm, dtype, {width}) &&
                  isPlain(layer.qNorm, dtype, {d}) && isPlain(layer.kNorm, dtype, {d}) &&
                  isPlain(layer.q, dtype, heads, width) && isPlain(layer.k, dtype, kvHeads, width) &&
                  isPlain(layer.v, dtype, kvHeads, width) && isPlain(layer.o, dtype, width, heads) &&
                  isPlain(layer.gate, dtype, config.ffn, width) && isPlain(layer.up, dtype, config.ffn, width) &&
                  isPlain(layer.down, dtype, width, config.ffn);
         });
}

DecodePlan::DecodePlan(const Model& model) : m_steps(std::make_unique<Steps>(model)) {}

DecodePlan::~DecodePlan() = default;

void DecodePlan::step(std::vector<DecodeRow>& rows) {
  m_steps->step(rows);
}

const at::Tensor& DecodePlan::logits() const {
  return m_steps->logits();
}

}  // namespace strata
