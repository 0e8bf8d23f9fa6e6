#pragma once
// What the kernel tests share: the versions of a kernel that one test body runs against, arrays that end at an
// unreadable page, and the tolerance: error against fp64 at most twice that of the plain fp32 computation (reference/).

#include <gtest/gtest.h>
#include <hwy/targets.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <ostream>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "kernels/elements.h"
#include "kernels/stream.h"

namespace strata::kernels::testing {

enum class Version { reference, cpuScalar, cpuAvx2, cpuAvx512, cpuBest };

inline const char* nameOf(Version version) {
  switch (version) {
    case Version::reference:
      return "Reference";
    case Version::cpuScalar:
      return "CpuScalar";
    case Version::cpuAvx2:
      return "CpuAvx2";
    case Version::cpuAvx512:
      return "CpuAvx512";
    case Version::cpuBest:
      return "CpuBest";
  }
  return "";
}

/// Highway's targets that a version may use; 0: all of this machine.
inline std::int64_t targetsOf([[maybe_unused]] Version version) {
#if HWY_ARCH_X86
  constexpr std::int64_t kFallback = HWY_SCALAR | HWY_EMU128;
  if (version == Version::cpuScalar) return kFallback;
  if (version == Version::cpuAvx2) return HWY_AVX2 | kFallback;
  if (version == Version::cpuAvx512) return HWY_AVX3 | HWY_AVX2 | kFallback;
#endif
  return 0;
}

/// Restricts Highway's dispatch while it lives.
class TargetsScope {
 public:
  explicit TargetsScope(std::int64_t targets) { choose(targets); }
  ~TargetsScope() { choose(0); }
  TargetsScope(const TargetsScope&) = delete;
  TargetsScope& operator=(const TargetsScope&) = delete;

 private:
  static void choose(std::int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

/// False where this machine lacks the version's instructions (then the test says that it was skipped).
inline bool runsHere(Version version) {
#if HWY_ARCH_X86
  const std::int64_t have = hwy::SupportedTargets();
  if (version == Version::cpuAvx2) return (have & HWY_AVX2) != 0;
  if (version == Version::cpuAvx512) return (have & HWY_AVX3) != 0;
  return true;
#else
  return version == Version::reference || version == Version::cpuBest;
#endif
}

/// n elements that end right before an unreadable page: a read or write past the end is a crash. `slack` bytes are
/// left between, to vary the alignment; they and the bytes before the array are checked for stray writes.
class Array {
 public:
  Array(Element element, std::int64_t n, std::size_t slack = 0) : m_element(element), m_n(n), m_slack(slack) {
    const std::size_t bytes = static_cast<std::size_t>(n * elementBytes(element)) + slack + kGuard;
    m_mapped = (bytes + kPage - 1) / kPage * kPage + kPage;
    m_map = static_cast<unsigned char*>(
        mmap(nullptr, m_mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(m_map + m_mapped - kPage, kPage, PROT_NONE);
    m_data = m_map + m_mapped - kPage - slack - static_cast<std::size_t>(n * elementBytes(element));
    for (unsigned char* p = m_map; p < m_map + m_mapped - kPage; ++p) *p = kCanary;
  }
  ~Array() { munmap(m_map, m_mapped); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  void* data() { return m_data; }
  const void* data() const { return m_data; }
  std::int64_t size() const { return m_n; }
  Element element() const { return m_element; }
  float get(std::int64_t i) const {
    return withElement(m_element, [&](auto type) { return loadElement<decltype(type)>(m_data, i); });
  }
  void set(std::int64_t i, float value) { storeElement(m_element, m_data, i, value); }
  void fillRandom(std::mt19937& random, float scale = 1) {
    std::normal_distribution<float> normal(0, scale);
    for (std::int64_t i = 0; i < m_n; ++i) set(i, normal(random));
  }
  void copyFrom(const Array& other) {
    for (std::int64_t i = 0; i < m_n; ++i) set(i, other.get(i));
  }
  bool surroundingsUntouched() const {
    for (const unsigned char* p = m_data - kGuard; p < m_data; ++p) {
      if (*p != kCanary) return false;
    }
    for (const unsigned char* p = m_map + m_mapped - kPage - m_slack; p < m_map + m_mapped - kPage; ++p) {
      if (*p != kCanary) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kPage = 4096, kGuard = 64;
  static constexpr unsigned char kCanary = 0xa5;
  Element m_element;
  std::int64_t m_n;
  std::size_t m_slack, m_mapped = 0;
  unsigned char* m_map = nullptr;
  unsigned char* m_data = nullptr;
};

/// Three threads with parts of unequal size, so that nothing may rest on even parts.
inline void unevenParallelFor(std::int64_t tasks, std::int64_t, Stream::Body body, void* context) {
  const std::int64_t first = tasks / 5, second = tasks * 2 / 3;
  std::thread one([&] {
    if (first > 0) body(context, 0, first);
  });
  std::thread two([&] {
    if (second > first) body(context, first, second);
  });
  if (tasks > second) body(context, second, tasks);
  one.join();
  two.join();
}

constexpr Stream kOneThread{};
constexpr Stream kThreeThreads{&unevenParallelFor, nullptr, 3};

inline double largestError(const Array& got, const std::vector<double>& exact) {
  double largest = 0;
  for (std::int64_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(static_cast<double>(got.get(i)) - exact[static_cast<std::size_t>(i)]);
    if (!(error <= largest)) largest = error;  // NaN too
  }
  return largest;
}

inline double rootMeanSquareError(const Array& got, const std::vector<double>& exact) {
  double sum = 0;
  for (std::int64_t i = 0; i < got.size(); ++i) {
    const double error = static_cast<double>(got.get(i)) - exact[static_cast<std::size_t>(i)];
    sum += error * error;
  }
  return std::sqrt(sum / static_cast<double>(std::max<std::int64_t>(1, got.size())));
}

/// The tolerance of the kernels: twice the plain computation's error (root mean square: the largest one of a few dozen
/// values is luck; each test bounds that by the theory), and what one rounding of a zero may give.
inline void expectAsGoodAs(const Array& got, const Array& plain, const std::vector<double>& exact) {
  const double error = rootMeanSquareError(got, exact);
  EXPECT_LE(error, 2 * rootMeanSquareError(plain, exact) + 1e-7);
  EXPECT_FALSE(std::isnan(error));
  EXPECT_TRUE(got.surroundingsUntouched());
}

/// Relative rounding error of a stored value.
inline double unitOf(Element element) {
  return element == Element::f32 ? 6.0e-8 : 3.91e-3;
}

class KernelTest : public ::testing::TestWithParam<std::tuple<Version, Element>> {
 protected:
  void SetUp() override {
    if (!runsHere(version())) GTEST_SKIP() << "this machine has no " << nameOf(version());
  }
  Version version() const { return std::get<0>(GetParam()); }
  Element element() const { return std::get<1>(GetParam()); }
  bool isReference() const { return version() == Version::reference; }
};

inline std::string paramName(const ::testing::TestParamInfo<std::tuple<Version, Element>>& info) {
  return std::string(nameOf(std::get<0>(info.param))) + (std::get<1>(info.param) == Element::f32 ? "F32" : "Bf16");
}

#define STRATA_ALL_VERSIONS(Suite)                                                                   \
  INSTANTIATE_TEST_SUITE_P(                                                                          \
      , Suite,                                                                                       \
      ::testing::Combine(::testing::Values(Version::reference, Version::cpuScalar, Version::cpuAvx2, \
                                           Version::cpuAvx512, Version::cpuBest),                    \
                         ::testing::Values(Element::f32, Element::bf16)),                            \
      paramName)

}  // namespace strata::kernels::testing
