#include "core/model/prefetch.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <mutex>

#include "core/base/user_cache.h"
#include "core/model/device.h"
#include "core/model/threads.h"
#include "kernels/matvec.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

/// One pass over memory that no cache holds, on the threads that decode.
class Passes {
 public:
  double secondsAt(std::size_t distance) {
    kernels::setMatvecPrefetch(distance);
    kernels::MatvecTarget target;
    target.weight = m_weights.data();
    target.y = m_y.data();
    target.n = kOutputs;
    const auto started = std::chrono::steady_clock::now();
    kernels::matvec(kernels::Element::bf16, kernels::Element::f32, m_x.data(), 1, kInputs, &target, 1, poolStream());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  }

 private:
  static constexpr std::int64_t kInputs = 2048, kOutputs = 16384;  // 64 MiB
  std::vector<std::uint16_t> m_weights = std::vector<std::uint16_t>(kInputs * kOutputs, 0x3c00);
  std::vector<std::uint16_t> m_x = std::vector<std::uint16_t>(kInputs, 0x3c00);
  std::vector<float> m_y = std::vector<float>(kOutputs);
};

}  // namespace

const std::vector<std::size_t>& prefetchDistances() {
  static const std::vector<std::size_t> all = {kernels::kMatvecPrefetch, 0, 512};
  return all;
}

std::size_t fastestPrefetch(int rounds, const std::function<double(std::size_t distance)>& seconds) {
  const std::vector<std::size_t>& all = prefetchDistances();
  std::vector<std::vector<double>> took(all.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < all.size(); ++i) took[i].push_back(seconds(all[i]));
  }
  std::size_t best = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto middle = took[i].begin() + rounds / 2;
    std::nth_element(took[i].begin(), middle, took[i].end());
    if (*middle < took[best][static_cast<std::size_t>(rounds / 2)]) best = i;
  }
  return all[best];
}

std::size_t prefetchOf(const std::string& processor, const fs::path& file) {
  Json kept = readUserCache(file, "processors");
  if (const auto found = kept.find(processor); found != kept.end() && found->is_number_unsigned()) {
    const auto distance = found->get<std::size_t>();
    const std::vector<std::size_t>& all = prefetchDistances();
    if (std::find(all.begin(), all.end(), distance) != all.end()) return distance;
  }
  constexpr int kRounds = 7;
  Passes passes;
  const std::size_t distance = fastestPrefetch(kRounds, [&](std::size_t each) { return passes.secondsAt(each); });
  if (!file.empty()) {  // not kept, it costs the same again at the next start
    kept[processor] = distance;
    writeUserCache(file, kept);
  }
  return distance;
}

void tunePrefetch() {
  static std::once_flag once;
  std::call_once(once, [] {
    const std::string name = processorName() + ", " + std::to_string(at::get_num_threads()) + " threads";
    kernels::setMatvecPrefetch(prefetchOf(name, userCacheFile("prefetch.json")));
  });
}

}  // namespace strata
