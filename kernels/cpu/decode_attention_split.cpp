// Cuts decode attention into tasks of about equal numbers of keys and merges what they gathered.

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/decode_attention_part.h"
#include "kernels/decode_attention.h"
#include "kernels/elements.h"
#include "kernels/parallel.h"

namespace strata::kernels {
namespace {

constexpr std::int64_t kTasksWanted = 64;   // of a sequence: enough for the cores of one machine
constexpr std::int64_t kKeysAtLeast = 256;  // a task's keys: below, the merge costs more than it brings

/// out [D] of one query head: the sums of its ranges, each scaled to the largest score of all. `width`: from one
/// range's row to the next one's.
void mergeHead(Element element, const float* rows, std::size_t ranges, std::size_t width, std::size_t d, void* out,
               std::int64_t at) {
  float largest = -std::numeric_limits<float>::infinity();
  for (std::size_t r = 0; r < ranges; ++r) largest = std::max(largest, rows[r * width]);
  const auto factorOf = [&](const float* row) {
    return row[1] > 0 && largest > row[0] ? std::exp(row[0] - largest) : 1.0f;
  };
  float total = 0;
  for (std::size_t r = 0; r < ranges; ++r) total += factorOf(rows + r * width) * rows[r * width + 1];
  constexpr std::size_t kPiece = 64;
  for (std::size_t begin = 0; begin < d; begin += kPiece) {
    const std::size_t count = std::min(kPiece, d - begin);
    float sum[kPiece] = {};
    for (std::size_t r = 0; r < ranges; ++r) {
      const float* row = rows + r * width;
      const float factor = factorOf(row);
      for (std::size_t i = 0; i < count; ++i) sum[i] += factor * row[2 + begin + i];
    }
    for (std::size_t i = 0; i < count; ++i) {
      storeElement(element, out, at + static_cast<std::int64_t>(begin + i), sum[i] / total);
    }
  }
}

}  // namespace

DecodeAttentionPlan::DecodeAttentionPlan() = default;
DecodeAttentionPlan::~DecodeAttentionPlan() = default;
DecodeAttentionPlan::DecodeAttentionPlan(DecodeAttentionPlan&&) noexcept = default;
DecodeAttentionPlan& DecodeAttentionPlan::operator=(DecodeAttentionPlan&&) noexcept = default;

void DecodeAttentionPlan::cut(const std::int64_t* lengths, std::int64_t window, std::int64_t b, std::int64_t h,
                              std::int64_t hkv, std::int64_t d) {
  m_h = h;
  m_hkv = hkv;
  m_d = d;
  m_keys = 0;
  m_tasks.clear();
  m_firstTask.clear();
  std::size_t rows = 0;
  const auto groupSize = static_cast<std::size_t>(h / hkv);
  const std::size_t parts = (groupSize + cpu::kMaxHeadsAtOnce - 1) / cpu::kMaxHeadsAtOnce;
  for (std::int64_t sequence = 0; sequence < b; ++sequence) {
    const auto first = static_cast<std::size_t>(firstKeySeen(lengths[sequence], window));
    const std::size_t length = static_cast<std::size_t>(lengths[sequence]) - first;
    const std::int64_t keys = static_cast<std::int64_t>(length) * hkv;
    const std::int64_t keysPerTask = std::max(kKeysAtLeast, (keys + kTasksWanted - 1) / kTasksWanted);
    m_keys += keys;
    const std::size_t ranges = std::max<std::size_t>(1, length / static_cast<std::size_t>(keysPerTask));
    for (std::size_t kvHead = 0; kvHead < static_cast<std::size_t>(hkv); ++kvHead) {
      for (std::size_t part = 0; part < parts; ++part) {
        m_firstTask.push_back(m_tasks.size());
        for (std::size_t range = 0; range < ranges; ++range) {
          cpu::KeyRange task;
          task.sequence = static_cast<std::size_t>(sequence);
          task.kvHead = kvHead;
          task.headBegin = kvHead * groupSize + part * groupSize / parts;
          task.headEnd = kvHead * groupSize + (part + 1) * groupSize / parts;
          task.begin = first + range * length / ranges;
          task.end = first + (range + 1) * length / ranges;
          task.partial = rows;
          rows += task.headEnd - task.headBegin;
          m_tasks.push_back(task);
        }
      }
    }
  }
  m_firstTask.push_back(m_tasks.size());
  m_partial.resize(rows * static_cast<std::size_t>(d + 2));
}

void DecodeAttentionPlan::attend(Element element, const void* q, const SequenceCache* caches, float scale,
                                 const Stream& stream) {
  cpu::DecodeAttentionWork work;
  work.element = element;
  work.q = q;
  work.caches = caches;
  work.scale = scale;
  work.h = static_cast<std::size_t>(m_h);
  work.d = static_cast<std::size_t>(m_d);
  work.tasks = m_tasks.data();
  work.partial = m_partial.data();
  const auto tasks = static_cast<std::int64_t>(m_tasks.size());
  const std::int64_t bytesPerTask = 2 * m_keys * m_d * elementBytes(element) / std::max<std::int64_t>(1, tasks);
  forEachPart(stream, tasks, grainOf(bytesPerTask),
              [&](std::int64_t begin, std::int64_t end) { cpu::attend(work, begin, end); });
}

void DecodeAttentionPlan::merge(Element element, void* out, const Stream& stream) const {
  const auto groups = static_cast<std::int64_t>(m_firstTask.size()) - 1;
  const std::int64_t mergedBytes =
      static_cast<std::int64_t>(m_partial.size() * sizeof(float)) / std::max<std::int64_t>(1, groups);
  forEachPart(stream, groups, grainOf(mergedBytes, 256 * 1024), [&](std::int64_t begin, std::int64_t end) {
    const auto d = static_cast<std::size_t>(m_d);
    for (auto group = static_cast<std::size_t>(begin); group < static_cast<std::size_t>(end); ++group) {
      const cpu::KeyRange& task = m_tasks[m_firstTask[group]];
      const std::size_t heads = task.headEnd - task.headBegin, ranges = m_firstTask[group + 1] - m_firstTask[group];
      for (std::size_t head = 0; head < heads; ++head) {
        const auto at =
            static_cast<std::int64_t>((task.sequence * static_cast<std::size_t>(m_h) + task.headBegin + head) * d);
        if (task.end == task.begin) {
          for (std::int64_t i = 0; i < m_d; ++i) storeElement(element, out, at + i, 0);
        } else {
          mergeHead(element, m_partial.data() + (task.partial + head) * (d + 2), ranges, heads * (d + 2), d, out, at);
        }
      }
    }
  });
}

void decodeAttention(Element element, const void* q, const void* kCache, const void* vCache,
                     const std::int64_t* lengths, std::int64_t window, float scale, void* out, std::int64_t b,
                     std::int64_t h, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream& stream) {
  DecodeAttentionPlan plan;
  plan.cut(lengths, window, b, h, hkv, d);
  std::vector<SequenceCache> caches;
  for (std::int64_t sequence = 0; sequence < b; ++sequence) {
    const std::int64_t begin = sequence * hkv * capacity * d;
    caches.push_back({at(element, kCache, begin), at(element, vCache, begin), capacity});
  }
  plan.attend(element, q, caches.data(), scale, stream);
  plan.merge(element, out, stream);
}

}  // namespace strata::kernels
