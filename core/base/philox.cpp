#include "core/base/philox.h"

#include <cmath>
#include <numbers>

namespace strata {
namespace {

// Constants of the paper: the multipliers of a round, and the Weyl increments of the key (golden ratio, sqrt(3) - 1).
constexpr std::uint32_t kMultiplier0 = 0xD2511F53;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

std::array<std::uint32_t, 4> wordsAt(const DrawPosition& at) {
  return philox4x32({at.step, at.group, at.layer, static_cast<std::uint32_t>(at.stream) | at.attempt << 16},
                    {static_cast<std::uint32_t>(at.seed), static_cast<std::uint32_t>(at.seed >> 32)});
}

std::uint64_t join(std::uint32_t low, std::uint32_t high) {
  return static_cast<std::uint64_t>(high) << 32 | low;
}

/// [0, 1) on a grid of 2^-53.
double unitInterval(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = static_cast<std::uint64_t>(kMultiplier0) * counter[0];
    const std::uint64_t product1 = static_cast<std::uint64_t>(kMultiplier1) * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

std::uint64_t randomBits(const DrawPosition& at) {
  const auto words = wordsAt(at);
  return join(words[0], words[1]);
}

double randomUniform(const DrawPosition& at) {
  return unitInterval(randomBits(at));
}

std::uint64_t randomBelow(const DrawPosition& at, std::uint64_t n) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(randomBits(at)) * n >> 64);
}

std::array<double, 2> randomNormals(const DrawPosition& at) {
  const auto words = wordsAt(at);
  // 1 - u lies in (0, 1], so that the logarithm is finite.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - unitInterval(join(words[0], words[1]))));
  const double angle = 2.0 * std::numbers::pi * unitInterval(join(words[2], words[3]));
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace strata
