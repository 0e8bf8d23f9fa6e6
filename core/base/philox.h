#pragma once
// Philox4x32-10, a counter-based generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
// A draw depends on nothing but its key and counter, so a resumed run, another micro-batch or another number of ranks
// draws the same.

#include <array>
#include <cstdint>

namespace strata {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// Draws for different purposes never share a counter.
enum class RandomStream : std::uint32_t {
  coin,
  source,
  strategy,
  dataOrder,
  dropout,
  loraInit,
  weightInit,
  sampling,
  split,
  questionFirst,
  passageOrder,
  sampleQuestion,
  bootstrap
};

/// Where a draw stands: key = seed, counter = (step, group, layer, stream + 2^16 attempt).
struct DrawPosition {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t group = 0;
  std::uint32_t layer = 0;
  RandomStream stream = RandomStream::coin;
  std::uint32_t attempt = 0;  // below 2^16: how often the draw was thrown away before
};

/// 64 random bits.
std::uint64_t randomBits(const DrawPosition& at);
/// Uniform in [0, 1) with 53 bits.
double randomUniform(const DrawPosition& at);
/// Uniform over 0 … n-1 without the bias of a plain modulo that matters (64-bit multiply-high). n >= 1.
std::uint64_t randomBelow(const DrawPosition& at, std::uint64_t n);
/// Two independent standard normal values (Box-Muller).
std::array<double, 2> randomNormals(const DrawPosition& at);

}  // namespace strata
