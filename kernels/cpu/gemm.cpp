#include "kernels/gemm.h"

#include "kernels/cpu/attention_part.h"
#include "kernels/cpu/gemm_part.h"
#include "kernels/cpu/matvec_part.h"
#include "kernels/cpu/targets.h"
#include "kernels/parallel.h"

#define HWY_WANT_AVX3_DL  // for AVX-512-BF16 too: see matvec.cpp
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm.cpp"
#include <hwy/aligned_allocator.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "kernels/cpu/vectors.h"

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {

#include "kernels/cpu/gemm_tile.h"

/// Everything in fp32, whatever is stored.
template <class T>
struct FloatGemm {
  using Stored = T;
  using Word = float;
  using Sum = FloatVector;
  using Words = FloatVector;
  static constexpr std::size_t kStep = 1;
  static constexpr std::size_t lanes() { return HWY_LANES(float); }
  static constexpr std::size_t kRows = HWY_LANES(float) >= 16 ? 8 : HWY_LANES(float) >= 4 ? 4 : 1;
  static constexpr std::size_t kBlocks = HWY_LANES(float) >= 16 ? 3 : 1;
  static Sum zero() { return hn::Zero(FloatTag()); }
  static void storeSum(Sum sum, float* p) { hn::StoreU(sum, FloatTag(), p); }
  static Words loadWords(const float* p) { return hn::Load(FloatTag(), p); }
  static Words broadcast(const float* p) { return hn::Set(FloatTag(), *p); }
  static Sum madd(Sum sum, Words a, Words b) { return hn::MulAdd(a, b, sum); }
  static void storeRow(const float* from, std::size_t n, char* to) {
    std::size_t i = 0;
    for (; i + lanes() <= n; i += lanes()) {
      store(hn::LoadU(FloatTag(), from + i), reinterpret_cast<T*>(to + i * sizeof(T)));
    }
    for (; i < n; ++i) storeElement<T>(to, static_cast<std::int64_t>(i), from[i]);
  }
};

bool mayDotGemm() {
#if HWY_ARCH_X86
  return HWY_TARGET == HWY_AVX3_DL;
#else
  return false;
#endif
}

bool hasFastGemm() {
  return HWY_ARCH_X86 && HWY_LANES(float) >= 8;
}

template <class Engine>
void packOf(const cpu::GemmStep& step, std::int64_t begin, std::int64_t end) {
  gemmPack<Engine>(step, begin, end);
}
template <class Engine>
void runOf(const cpu::GemmStep& step) {
  gemmRun<Engine>(step);
}

cpu::GemmEngine floatGemm(Element element) {
  if (element == Element::f32) return {1, &packOf<FloatGemm<float>>, &runOf<FloatGemm<float>>};
  return {1, &packOf<FloatGemm<Bfloat16>>, &runOf<FloatGemm<Bfloat16>>};
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#if HWY_ARCH_X86
#include <cpuid.h>
#endif

namespace strata::kernels {
namespace {

HWY_EXPORT(mayDotGemm);
HWY_EXPORT(hasFastGemm);
HWY_EXPORT(floatGemm);

constexpr std::int64_t kMostRows = 1024;         // packed at once
constexpr std::int64_t kMostWords = 2048;        // of K of a step
constexpr std::int64_t kRowsWorthPacking = 192;  // of a part of the rows: each packs the columns anew

cpu::GemmEngine engineOf(Element element) {
  const bool dots = element == Element::bf16 && HWY_DYNAMIC_DISPATCH(mayDotGemm)() && cpu::bf16DotIsFaster();
  return dots ? cpu::bf16DotGemm() : HWY_DYNAMIC_DISPATCH(floatGemm)(element);
}

bool hasMatrixUnit() {
#if HWY_ARCH_X86
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> 22 & 1u) != 0;  // AMX-BF16
#else
  return false;
#endif
}

/// The inputs' K in steps of at most kMostWords words.
std::vector<std::vector<cpu::GemmSlice>> stepsOf(const GemmInput* inputs, int inputCount, int valuesPerWord) {
  std::vector<std::vector<cpu::GemmSlice>> steps(1);
  std::int64_t words = 0;
  for (int i = 0; i < inputCount; ++i) {
    for (std::int64_t from = 0; from < inputs[i].k;) {
      if (words == kMostWords) {
        steps.emplace_back();
        words = 0;
      }
      const std::int64_t k = std::min(inputs[i].k - from, (kMostWords - words) * valuesPerWord);
      const std::int64_t taken = (k + valuesPerWord - 1) / valuesPerWord;
      steps.back().push_back({i, from, k, static_cast<std::size_t>(words), static_cast<std::size_t>(taken)});
      from += k;
      words += taken;
    }
  }
  return steps;
}

}  // namespace

bool gemmIsFast() {
  static const bool isFast = HWY_DYNAMIC_DISPATCH(hasFastGemm)() && !hasMatrixUnit();
  return isFast;
}

void gemm(Element element, Element outElement, std::int64_t rows, const GemmInput* inputs, int inputCount,
          const GemmTarget* targets, int targetCount, const Stream& stream) {
  const cpu::GemmEngine engine = engineOf(element);
  const auto steps = stepsOf(inputs, inputCount, engine.valuesPerWord);
  cpu::GemmStep step;
  step.inputs = inputs;
  step.targets = targets;
  step.targetCount = targetCount;
  step.outElement = outElement;
  for (int t = 0; t < targetCount; ++t) {
    step.tiles += (targets[t].n + cpu::kGemmColumns - 1) / cpu::kGemmColumns;
    step.columns += targets[t].n;
  }
  if (rows <= 0 || step.tiles == 0) return;
  std::size_t mostWords = 0;
  for (const auto& slices : steps) {
    if (!slices.empty()) mostWords = std::max(mostWords, slices.back().at + slices.back().words);
  }
  const std::int64_t parts = (rows + kMostRows - 1) / kMostRows;
  const std::int64_t atOnce = ((rows + parts - 1) / parts + cpu::kGemmBlock - 1) / cpu::kGemmBlock * cpu::kGemmBlock;
  const auto packed = hwy::AllocateAligned<float>(static_cast<std::size_t>(atOnce) * mostWords + 16);
  const auto partial = hwy::AllocateAligned<float>(
      steps.size() > 1 ? static_cast<std::size_t>(std::min(rows, atOnce) * step.columns) : std::size_t{1});
  step.packed = packed.get();
  step.partial = steps.size() > 1 ? partial.get() : nullptr;
  for (step.firstRow = 0; step.firstRow < rows; step.firstRow += step.rows) {
    step.rows = std::min(atOnce, rows - step.firstRow);
    const std::int64_t blocks = (step.rows + cpu::kGemmBlock - 1) / cpu::kGemmBlock;
    step.rowParts = std::clamp<std::int64_t>(4 * stream.threads / step.tiles, 1,
                                             std::max<std::int64_t>(1, step.rows / kRowsWorthPacking));
    for (std::size_t i = 0; i < steps.size(); ++i) {
      step.first = i == 0;
      step.last = i + 1 == steps.size();
      step.slices = steps[i].data();
      step.sliceCount = static_cast<int>(steps[i].size());
      step.words = steps[i].empty() ? 0 : steps[i].back().at + steps[i].back().words;
      forEachPart(stream, blocks, 4, [&](std::int64_t begin, std::int64_t end) { engine.pack(step, begin, end); });
      cpu::GemmTasks tasks(step.tiles * step.rowParts, stream.threads);
      step.tasks = &tasks;
      const std::int64_t threads = std::min<std::int64_t>(stream.threads, step.tiles * step.rowParts);
      forEachPart(stream, threads, 1, [&](std::int64_t, std::int64_t) { engine.run(step); });
    }
  }
}

}  // namespace strata::kernels
#endif
