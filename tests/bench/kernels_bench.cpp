// Bandwidth of the decoding kernels beside the machine's own, measured in the same run, alternating:
//   kernels_bench [--threads 2] [--repeat 7]
// GB/s = 1e9 bytes of weights or cache read per second; each kernel works on more memory than the caches hold. The
// training kernels count what they read and what they write (a write costs the machine a read of its line as well).

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "kernels/decode_attention.h"
#include "kernels/elements.h"
#include "kernels/matvec.h"
#include "kernels/rms_norm_backward.h"
#include "kernels/silu_mul_backward.h"
#include "kernels/softmax_cross_entropy.h"
#include "kernels/stream.h"

namespace {

using namespace strata::kernels;

/// Threads that spin between calls, so that the kernels and not the waking are measured.
class SpinningThreads {
 public:
  explicit SpinningThreads(int count) {
    for (int i = 1; i < count; ++i) m_threads.emplace_back([this, i] { wait(i); });
    m_count = count;
  }
  ~SpinningThreads() {
    m_stop = true;
    m_round.fetch_add(1);
    for (std::thread& thread : m_threads) thread.join();
  }
  void run(const std::function<void(int)>& task) {
    m_task = &task;
    m_busy = m_count - 1;
    m_round.fetch_add(1);
    task(0);
    for (int spins = 0; m_busy.load() != 0;) relax(++spins);
  }
  int count() const { return m_count; }

 private:
  /// On a busy machine the other thread may be waiting for this one's core.
  static void relax(int spins) {
    if (spins % 4096 == 0) std::this_thread::yield();
  }
  void wait(int index) {
    for (int seen = 0;;) {
      for (int spins = 0; m_round.load() == seen;) relax(++spins);
      ++seen;
      if (m_stop) return;
      (*m_task)(index);
      m_busy.fetch_sub(1);
    }
  }
  std::vector<std::thread> m_threads;
  std::atomic<int> m_round{0}, m_busy{0};
  std::atomic<bool> m_stop{false};
  const std::function<void(int)>* m_task = nullptr;
  int m_count = 1;
};

SpinningThreads* spinningThreads = nullptr;

void parallelFor(std::int64_t tasks, std::int64_t grain, Stream::Body body, void* context) {
  const auto parts = std::clamp<std::int64_t>((tasks + grain - 1) / grain, 1, spinningThreads->count());
  spinningThreads->run([&](int index) {
    if (index < parts) body(context, tasks * index / parts, tasks * (index + 1) / parts);
  });
}

/// Zero-filled pages that are really there, in huge pages where the system gives them.
void* memory(std::size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) std::abort();
  madvise(p, bytes, MADV_HUGEPAGE);
  for (std::size_t i = 0; i < bytes; i += 4096) static_cast<char*>(p)[i] = 1;
  return p;
}

std::uint64_t sumWords(const std::uint64_t* words, std::size_t n) {
  std::uint64_t sums[4] = {};
  for (std::size_t i = 0; i < n / 4; ++i) {
    for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += words[i + lane * (n / 4)];
  }
  return sums[0] + sums[1] + sums[2] + sums[3];
}

struct Case {
  std::string name;
  std::size_t bytes;
  std::function<void()> run;
};

double gigabytesPerSecond(std::size_t bytes, const std::function<void()>& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return static_cast<double>(bytes) / seconds.count() / 1e9;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

constexpr std::size_t kBytes = std::size_t{512} << 20;
constexpr Stream kStream{&parallelFor, nullptr};

Case matvecCase(Element element, std::int64_t rows, std::int64_t n, std::int64_t k, const void* pool,
                const std::vector<float>& x, std::vector<float>& y) {
  const std::size_t one = static_cast<std::size_t>(n * k * elementBytes(element));
  const std::size_t count = std::max<std::size_t>(1, kBytes / one);
  std::string name = std::string("matvec ") + (element == Element::f32 ? "f32 " : "bf16") + " rows " +
                     std::to_string(rows) + " [" + std::to_string(n) + ", " + std::to_string(k) + "]";
  return {name, one * count, [=, &x, &y] {
            for (std::size_t i = 0; i < count; ++i) {
              const MatvecTarget target{static_cast<const char*>(pool) + i * one, nullptr, y.data(), n};
              matvec(element, element, x.data(), rows, k, &target, 1, kStream);
            }
          }};
}

/// Bytes: codes and scales. The pool's bytes are codes as they are; its scales are ones.
Case quantizedCase(WeightFormat format, std::int64_t group, std::int64_t rows, std::int64_t n, std::int64_t k,
                   const void* pool, const void* scales, const std::vector<float>& x, std::vector<float>& y) {
  const std::size_t codes = static_cast<std::size_t>(n * codeBytes(format, k, group));
  const std::size_t scaleBytes = static_cast<std::size_t>(n * groupsOf(k, group) * 2);
  const std::size_t count = std::max<std::size_t>(1, kBytes / codes);
  std::string name = std::string("matvec ") + (format == WeightFormat::int8 ? "int8:" : "int4:") +
                     std::to_string(group) + " rows " + std::to_string(rows) + " [" + std::to_string(n) + ", " +
                     std::to_string(k) + "]";
  return {name, (codes + scaleBytes) * count, [=, &x, &y] {
            for (std::size_t i = 0; i < count; ++i) {
              MatvecTarget target;
              target.weight = static_cast<const char*>(pool) + i * codes;
              target.y = y.data();
              target.n = n;
              target.format = format;
              target.scales = static_cast<const char*>(scales) + i * scaleBytes;
              target.group = group;
              matvec(Element::bf16, Element::bf16, x.data(), rows, k, &target, 1, kStream);
            }
          }};
}

Case attentionCase(Element element, std::int64_t b, std::int64_t h, std::int64_t hkv, std::int64_t length,
                   std::int64_t d, const void* pool, const std::vector<float>& q, std::vector<float>& out) {
  const std::size_t one = static_cast<std::size_t>(b * hkv * length * d * elementBytes(element));
  const std::size_t count = std::max<std::size_t>(1, kBytes / (2 * one));
  std::string name = std::string("decode attention ") + (element == Element::f32 ? "f32 " : "bf16") + " B " +
                     std::to_string(b) + " H " + std::to_string(h) + "/" + std::to_string(hkv) + " length " +
                     std::to_string(length) + " D " + std::to_string(d);
  return {name, 2 * one * count, [=, &q, &out] {
            const std::vector<std::int64_t> lengths(static_cast<std::size_t>(b), length);
            for (std::size_t i = 0; i < count; ++i) {
              const char* k = static_cast<const char*>(pool) + 2 * i * one;
              decodeAttention(element, q.data(), k, k + one, lengths.data(), 0, 0.125f, out.data(), b, h, hkv, length,
                              d, kStream);
            }
          }};
}

std::string shapeName(const char* kernel, Element element, std::int64_t rows, std::int64_t c) {
  return std::string(kernel) + (element == Element::f32 ? " f32 " : " bf16") + " [" + std::to_string(rows) + ", " +
         std::to_string(c) + "]";
}

Case rmsNormBackwardCase(Element element, std::int64_t rows, std::int64_t c, void* pool, const std::vector<float>& x,
                         std::vector<float>& y) {
  const std::size_t one = static_cast<std::size_t>(rows * c * elementBytes(element));
  const std::size_t count = std::max<std::size_t>(1, kBytes / (3 * one));
  return {shapeName("rms norm backward", element, rows, c), 3 * one * count, [=, &x, &y] {
            for (std::size_t i = 0; i < count; ++i) {
              char* const input = static_cast<char*>(pool) + 3 * i * one;
              rmsNormBackward(element, input, x.data(), input + one, 1e-5f, input + 2 * one, y.data(), rows, c,
                              kStream);
            }
          }};
}

Case siluMulBackwardCase(Element element, std::int64_t rows, std::int64_t c, void* pool) {
  const std::size_t one = static_cast<std::size_t>(rows * c * elementBytes(element));
  const std::size_t count = std::max<std::size_t>(1, kBytes / (5 * one));
  return {shapeName("silu mul backward", element, rows, c), 5 * one * count, [=] {
            for (std::size_t i = 0; i < count; ++i) {
              char* const gate = static_cast<char*>(pool) + 5 * i * one;
              siluMulBackward(element, gate, gate + one, gate + 2 * one, gate + 3 * one, gate + 4 * one, rows * c,
                              kStream);
            }
          }};
}

Case softmaxCrossEntropyCase(Element element, std::int64_t rows, std::int64_t vocab, void* pool,
                             std::vector<float>& y) {
  const std::size_t one = static_cast<std::size_t>(rows * vocab * elementBytes(element));
  const std::size_t count = std::max<std::size_t>(1, kBytes / one);
  return {shapeName("softmax cross entropy", element, rows, vocab), 2 * one * count, [=, &y] {
            const std::vector<std::int64_t> targets(static_cast<std::size_t>(rows), vocab / 2);
            for (std::size_t i = 0; i < count; ++i) {
              softmaxCrossEntropy(element, static_cast<char*>(pool) + i * one, targets.data(), 1.0f, y.data(), rows,
                                  vocab, kStream);
            }
          }};
}

}  // namespace

int main(int argc, char** argv) {
  int threads = 2, repeat = 7;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--threads") == 0) threads = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--repeat") == 0) repeat = std::atoi(argv[i + 1]);
  }
  SpinningThreads pool(std::max(1, threads));
  spinningThreads = &pool;
  void* weights = memory(kBytes + (1 << 20));
  std::vector<float> x(1 << 20, 0.5f), y(1 << 20);

  const std::size_t share = kBytes / 8 / static_cast<std::size_t>(pool.count()) / 4 * 4;
  std::atomic<std::uint64_t> sink{0};
  const auto readAll = [&] {
    pool.run([&](int index) {
      sink += sumWords(static_cast<const std::uint64_t*>(weights) + share * static_cast<std::size_t>(index), share);
    });
  };

  std::vector<Case> cases;
  for (const auto& [n, k] : {std::pair<int, int>{2048, 768}, {2048, 2048}, {5632, 2048}, {32000, 768}, {32000, 2048}}) {
    cases.push_back(matvecCase(Element::bf16, 1, n, k, weights, x, y));
  }
  // Room for a scale of 2 bytes for each 32 codes of 4 bits.
  void* scales = memory(kBytes / 8 + (1 << 20));
  for (const auto& [n, k] : {std::pair<int, int>{2048, 2048}, {8192, 2048}, {2048, 8192}, {32000, 2048}}) {
    cases.push_back(quantizedCase(WeightFormat::int8, 128, 1, n, k, weights, scales, x, y));
    cases.push_back(quantizedCase(WeightFormat::int8, 32, 1, n, k, weights, scales, x, y));
    cases.push_back(quantizedCase(WeightFormat::int4, 32, 1, n, k, weights, scales, x, y));
  }
  for (const int rows : {2, 4, 8}) {
    cases.push_back(quantizedCase(WeightFormat::int8, 128, rows, 8192, 2048, weights, scales, x, y));
    cases.push_back(quantizedCase(WeightFormat::int4, 32, rows, 8192, 2048, weights, scales, x, y));
  }
  for (const int rows : {2, 4, 8}) cases.push_back(matvecCase(Element::bf16, rows, 5632, 2048, weights, x, y));
  for (const int rows : {1, 8}) cases.push_back(matvecCase(Element::f32, rows, 5632, 2048, weights, x, y));
  for (const Element element : {Element::bf16, Element::f32}) {
    cases.push_back(attentionCase(element, 1, 32, 4, 4096, 64, weights, x, y));
    cases.push_back(attentionCase(element, 1, 32, 8, 4096, 128, weights, x, y));
    cases.push_back(attentionCase(element, 1, 12, 12, 1024, 64, weights, x, y));
    cases.push_back(attentionCase(element, 8, 9, 3, 512, 64, weights, x, y));
  }
  // Last, for they write into the memory that the others read.
  for (const Element element : {Element::bf16, Element::f32}) {
    cases.push_back(rmsNormBackwardCase(element, 2048, 768, weights, x, y));
    cases.push_back(siluMulBackwardCase(element, 2048, 2048, weights));
    cases.push_back(softmaxCrossEntropyCase(element, 256, 32000, weights, y));
  }

  std::printf("%d threads, median of %d; %% of a plain read of the same memory between the runs\n", pool.count(),
              repeat);
  for (const Case& each : cases) {
    std::vector<double> kernel, read, ratio;
    each.run();
    for (int i = 0; i < repeat; ++i) {
      read.push_back(gigabytesPerSecond(share * 8 * static_cast<std::size_t>(pool.count()), readAll));
      kernel.push_back(gigabytesPerSecond(each.bytes, each.run));
      ratio.push_back(kernel.back() / read.back());
    }
    std::printf("%-52s %6.1f GB/s   read %6.1f GB/s   %4.0f %%\n", each.name.c_str(), median(kernel), median(read),
                100 * median(ratio));
    std::fflush(stdout);
  }
  return sink == 1 ? 1 : 0;
}
