// Cuts decode attention into tasks of about equal numbers of keys and merges what they gathered.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/cpu/decode_attention_part.h"
#include "kernels/decode_attention.h"
#include "kernels/elements.h"
#include "kernels/parallel.h"

namespace strata::kernels {
namespace {

constexpr std::int64_t kTasksWanted = 64;   // enough for the cores of one machine; depends on nothing else
constexpr std::int64_t kKeysAtLeast = 256;  // a task's keys: below, the merge costs more than it brings

/// The tasks of all query heads; those of one head's keys follow one another, `firstTask` says where they start.
struct Plan {
  std::vector<cpu::KeyRange> tasks;
  std::vector<std::size_t> firstTask;  // [groups + 1]; a group: up to kMaxHeadsAtOnce heads of one (sequence, KV head)
  std::size_t partialRows = 0;
  std::int64_t keys = 0;
};

Plan makePlan(const std::int64_t* lengths, std::int64_t window, std::int64_t b, std::int64_t h, std::int64_t hkv) {
  Plan plan;
  const auto groupSize = static_cast<std::size_t>(h / hkv);
  const std::size_t parts = (groupSize + cpu::kMaxHeadsAtOnce - 1) / cpu::kMaxHeadsAtOnce;
  for (std::int64_t sequence = 0; sequence < b; ++sequence) {
    plan.keys += (lengths[sequence] - firstKeySeen(lengths[sequence], window)) * hkv;
  }
  const std::int64_t keysPerTask = std::max(kKeysAtLeast, (plan.keys + kTasksWanted - 1) / kTasksWanted);
  for (std::int64_t sequence = 0; sequence < b; ++sequence) {
    const auto first = static_cast<std::size_t>(firstKeySeen(lengths[sequence], window));
    const std::size_t length = static_cast<std::size_t>(lengths[sequence]) - first;
    const std::size_t ranges = std::max<std::size_t>(1, length / static_cast<std::size_t>(keysPerTask));
    for (std::size_t kvHead = 0; kvHead < static_cast<std::size_t>(hkv); ++kvHead) {
      for (std::size_t part = 0; part < parts; ++part) {
        plan.firstTask.push_back(plan.tasks.size());
        for (std::size_t range = 0; range < ranges; ++range) {
          cpu::KeyRange task;
          task.sequence = static_cast<std::size_t>(sequence);
          task.kvHead = kvHead;
          task.headBegin = kvHead * groupSize + part * groupSize / parts;
          task.headEnd = kvHead * groupSize + (part + 1) * groupSize / parts;
          task.begin = first + range * length / ranges;
          task.end = first + (range + 1) * length / ranges;
          task.partial = plan.partialRows;
          plan.partialRows += task.headEnd - task.headBegin;
          plan.tasks.push_back(task);
        }
      }
    }
  }
  plan.firstTask.push_back(plan.tasks.size());
  return plan;
}

/// out of one query head: the partial sums, each scaled to the largest score of all.
void mergeHead(Element element, const cpu::DecodeAttentionWork& work, const Plan& plan, std::size_t group,
               std::size_t head, void* out) {
  const std::size_t width = work.d + 2;
  const std::size_t first = plan.firstTask[group];
  const std::size_t last = plan.firstTask[group + 1];
  const auto row = [&](std::size_t task) { return work.partial + (plan.tasks[task].partial + head) * width; };
  float largest = -std::numeric_limits<float>::infinity();
  for (std::size_t task = first; task < last; ++task) largest = std::max(largest, row(task)[0]);
  float total = 0;
  float* merged = row(first);
  for (std::size_t task = first; task < last; ++task) {
    const float* from = row(task);
    const float factor = from[1] > 0 && largest > from[0] ? std::exp(from[0] - largest) : 1.0f;
    total += factor * from[1];
    for (std::size_t i = 2; i < width; ++i) merged[i] = (task == first ? 0.0f : merged[i]) + factor * from[i];
  }
  const cpu::KeyRange& task = plan.tasks[first];
  const std::size_t query = (task.sequence * work.h + task.headBegin + head) * work.d;
  for (std::size_t i = 0; i < work.d; ++i) {
    storeElement(element, out, static_cast<std::int64_t>(query + i),
                 task.end > task.begin ? merged[2 + i] / total : 0.0f);
  }
}

}  // namespace

void decodeAttention(Element element, const void* q, const void* kCache, const void* vCache,
                     const std::int64_t* lengths, std::int64_t window, float scale, void* out, std::int64_t b,
                     std::int64_t h, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream& stream) {
  const Plan plan = makePlan(lengths, window, b, h, hkv);
  std::vector<float> partial(plan.partialRows * static_cast<std::size_t>(d + 2));
  cpu::DecodeAttentionWork work;
  work.element = element;
  work.q = q;
  work.kCache = kCache;
  work.vCache = vCache;
  work.scale = scale;
  work.h = static_cast<std::size_t>(h);
  work.hkv = static_cast<std::size_t>(hkv);
  work.capacity = static_cast<std::size_t>(capacity);
  work.d = static_cast<std::size_t>(d);
  work.tasks = plan.tasks.data();
  work.partial = partial.data();

  const auto tasks = static_cast<std::int64_t>(plan.tasks.size());
  const std::int64_t bytesPerTask = 2 * plan.keys * d * elementBytes(element) / std::max<std::int64_t>(1, tasks);
  forEachPart(stream, tasks, grainOf(bytesPerTask),
              [&](std::int64_t begin, std::int64_t end) { cpu::attend(work, begin, end); });
  const auto groups = static_cast<std::int64_t>(plan.firstTask.size()) - 1;
  const std::int64_t mergedBytes =
      static_cast<std::int64_t>(partial.size() * sizeof(float)) / std::max<std::int64_t>(1, groups);
  forEachPart(stream, groups, grainOf(mergedBytes, 256 * 1024), [&](std::int64_t begin, std::int64_t end) {
    for (auto group = static_cast<std::size_t>(begin); group < static_cast<std::size_t>(end); ++group) {
      const cpu::KeyRange& task = plan.tasks[plan.firstTask[group]];
      for (std::size_t head = 0; head < task.headEnd - task.headBegin; ++head) {
        mergeHead(element, work, plan, group, head, out);
      }
    }
  });
}

}  // namespace strata::kernels
