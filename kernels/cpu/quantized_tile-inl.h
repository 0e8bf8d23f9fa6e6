// The loops of matvec over weights of 8 or 4 bits, for any instruction set; included by matvec_tile.h.
//
// A quantised Engine has: Input, x's type as prepared; Chunk, step() codes as numbers in registers; Sum, a vector of
// partial sums; Scale, the scales of a chunk's groups, each in the lanes of its own codes; kFormat; kRows, the rows of
// x whose sums fit into the registers; load, loadFirst(codes, bytes), scaleOf(scales, groups), zero, add(sum, chunk,
// scale, x), which adds scale times (chunk times x), and total(sum). The activations stay what they are: codes are
// exact in either storage format, so a product rounds as plain weights'.

/// Where element i of x stands: blocks of `step` are split into `parts` interleaved ones, so that what one shift of the
/// codes yields meets consecutive elements.
template <std::size_t kStep, std::size_t kParts, class T>
void interleaveBlock(const T* from, T* to) {
  for (std::size_t part = 0; part < kParts; ++part) {
    for (std::size_t i = 0; i < kStep / kParts; ++i) to[part * (kStep / kParts) + i] = from[i * kParts + part];
  }
}

template <class Engine, int Rows, int GroupsPerStep>
void quantizedTile(const std::uint8_t* codes, const std::uint16_t* scales, std::size_t group, std::size_t groups,
                   const typename Engine::Input* x, std::size_t xStride, float* sums) {
  constexpr std::size_t kPerByte = Engine::kFormat == WeightFormat::int4 ? 2 : 1, kStep = Engine::kStep;
  const std::size_t k = groups * group, whole = k / kStep * kStep;
  const int shift = group == 32 ? 5 : group == 64 ? 6 : 7;
  // What remains after the last whole step, as a whole one: codes and scales are 0 there.
  alignas(64) std::uint8_t lastCodes[kStep / kPerByte];
  std::uint16_t lastScales[GroupsPerStep];
  if (whole < k) {
    std::memset(lastCodes, 0, sizeof(lastCodes));
    std::memset(lastScales, 0, sizeof(lastScales));
    std::memcpy(lastCodes, codes + whole / kPerByte, (k - whole) / kPerByte);
    std::memcpy(lastScales, scales + (whole >> shift), (groups - (whole >> shift)) * sizeof(std::uint16_t));
  }
  typename Engine::Sum sum[Rows];
  for (int r = 0; r < Rows; ++r) sum[r] = Engine::zero();
  for (std::size_t i = 0; i < k; i += kStep) {
    const std::uint8_t* from = codes + i / kPerByte;
    const std::uint16_t* fromScales = scales + (i >> shift);
    if (i >= whole) {
      from = lastCodes;
      fromScales = lastScales;
    }
    __builtin_prefetch(from + kPrefetchBytes, 0, 3);
    const typename Engine::Chunk chunk = Engine::load(from);
    const typename Engine::Scale scale = Engine::template scaleOf<GroupsPerStep>(fromScales);
    for (int r = 0; r < Rows; ++r) Engine::add(sum[r], chunk, scale, x + static_cast<std::size_t>(r) * xStride + i);
  }
  for (int r = 0; r < Rows; ++r) sums[r] = Engine::total(sum[r]);
}

template <class Engine, int Rows>
void quantizedRowsTile(const std::uint8_t* codes, const std::uint16_t* scales, std::size_t group, std::size_t groups,
                       const typename Engine::Input* x, std::size_t xStride, float* sums) {
  if constexpr (Engine::kStep >= 128) {
    if (group == 32) return quantizedTile<Engine, Rows, 4>(codes, scales, group, groups, x, xStride, sums);
  }
  if constexpr (Engine::kStep >= 64) {
    if (group * 2 == Engine::kStep)
      return quantizedTile<Engine, Rows, 2>(codes, scales, group, groups, x, xStride, sums);
  }
  return quantizedTile<Engine, Rows, 1>(codes, scales, group, groups, x, xStride, sums);
}

template <class Engine>
void storeQuantizedRows(const cpu::MatvecWork& work, const MatvecTarget& target, std::int64_t n) {
  const cpu::PreparedInput& input = work.x[static_cast<int>(Engine::kFormat)];
  const auto* x = static_cast<const typename Engine::Input*>(input.data);
  const auto k = static_cast<std::int64_t>(work.k), groups = groupsOf(k, target.group);
  const auto* codes = static_cast<const std::uint8_t*>(target.weight) + n * codeBytes(target.format, k, target.group);
  const auto* scales = static_cast<const std::uint16_t*>(target.scales) + n * groups;
  const float bias = target.bias == nullptr ? 0.0f : withElement(work.element, [&](auto type) {
    return loadElement<decltype(type)>(target.bias, n);
  });
  const auto tile = [&](auto count, std::size_t row, float* sums) {
    quantizedRowsTile<Engine, decltype(count)::value>(codes, scales, static_cast<std::size_t>(target.group),
                                                      static_cast<std::size_t>(groups), x + row * input.stride,
                                                      input.stride, sums);
  };
  for (std::size_t row = 0; row < work.rows;) {
    float sums[8];
    std::size_t rows = 1;
    if (Engine::kRows == 8 && work.rows - row >= 8) {
      rows = 8;
      tile(std::integral_constant<int, Engine::kRows>(), row, sums);
    } else if (work.rows - row >= 4) {
      rows = 4;
      tile(std::integral_constant<int, 4>(), row, sums);
    } else if (work.rows - row >= 2) {
      rows = 2;
      tile(std::integral_constant<int, 2>(), row, sums);
    } else {
      tile(std::integral_constant<int, 1>(), row, sums);
    }
    for (std::size_t r = 0; r < rows; ++r) {
      storeElement(work.outElement, target.y, static_cast<std::int64_t>(row + r) * target.n + n, sums[r] + bias);
    }
    row += rows;
  }
}
