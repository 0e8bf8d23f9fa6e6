// The packing and the loops of gemm, for any instruction set. Included inside the namespace and under the target
// attribute of each (so neither `#pragma once` nor includes here: gemm_part.h and elements.h come first).
//
// An Engine has: Stored, the tensors' type; Word; kStep, values in a word; lanes(), constexpr; kRows and kBlocks, the
// rows and the blocks of 16 columns whose sums are held in registers; Sum, a vector of sums; Words, a vector of words;
// zero, storeSum, loadWords; broadcast(const Word*); madd(sum, words, words); and storeRow(floats, n, Stored*).

using FourWords = std::uint32_t __attribute__((vector_size(16)));
using BlockWords = std::uint32_t __attribute__((vector_size(64)));

constexpr std::size_t kBlock = cpu::kGemmBlock;

/// fp32 bits rounded to bf16, in the high half: to nearest, ties to even; NaN stays NaN.
template <class Bits>
inline Bits roundWords(Bits bits) {
  const Bits isNaN = (bits & 0x7fffffffu) > 0x7f800000u;  // all ones where true
  const Bits rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u;
  return (isNaN & ((bits | 0x400000u) & 0xffff0000u)) | (~isNaN & rounded);
}

/// The bits of one stored value as a product of Engine has them: fp32, or bf16 in the high half.
template <class Source, class Engine>
std::uint32_t loadBits(const char* p) {
  const auto bits = std::bit_cast<std::uint32_t>(loadElement<Source>(p, 0));
  constexpr bool kRounds = sizeof(Source) == 4 && sizeof(typename Engine::Stored) == 2;
  return kRounds ? std::bit_cast<std::uint32_t>(toFloat(fromFloat<Bfloat16>(std::bit_cast<float>(bits)))) : bits;
}

/// Four words of the values from p on.
template <class Source, class Engine>
inline FourWords loadFour(const char* p) {
  FourWords words;
  if constexpr (sizeof(Source) == 2 && Engine::kStep == 1) {
    std::uint64_t four;
    std::memcpy(&four, p, 8);
    const auto part = [&](int i) { return static_cast<std::uint32_t>(four >> (16 * i)) << 16; };
    words = FourWords{part(0), part(1), part(2), part(3)};
  } else {
    std::memcpy(&words, p, 16);
  }
  if constexpr (sizeof(Source) == 4 && sizeof(typename Engine::Stored) == 2) {
    if constexpr (Engine::kStep == 1) return roundWords(words);
    FourWords next;
    std::memcpy(&next, p + 16, 16);
    return roundWords(__builtin_shufflevector(words, next, 0, 2, 4, 6)) >> 16 |
           roundWords(__builtin_shufflevector(words, next, 1, 3, 5, 7));
  }
  return words;
}

/// The word of the first `count` values from p on; zeros fill it up.
template <class Source, class Engine>
std::uint32_t loadWord(const char* p, std::size_t count) {
  const std::uint32_t first = loadBits<Source, Engine>(p);
  if constexpr (Engine::kStep == 1) return first;
  return first >> 16 | (count > 1 ? loadBits<Source, Engine>(p + sizeof(Source)) : 0);
}

/// Four rows of K values each as words: to[word · 16 + row]. A null row is zeros. The next rows lie `ahead` bytes on.
template <class Source, class Engine>
void packFourRows(const char* const (&rows)[4], std::size_t k, std::int64_t ahead, std::uint32_t* to) {
  constexpr std::size_t kFour = 4 * Engine::kStep;
  std::size_t s = 0;
  for (; s + kFour <= k; s += kFour, to += 4 * kBlock) {
    FourWords word[4];
    for (int r = 0; r < 4; ++r) {
      if (rows[r] == nullptr) {
        word[r] = FourWords{};
        continue;
      }
      const char* const from = rows[r] + s * sizeof(Source);
      if (s % (4 * kFour) == 0) __builtin_prefetch(from + ahead);
      word[r] = loadFour<Source, Engine>(from);
    }
    const FourWords low01 = __builtin_shufflevector(word[0], word[1], 0, 4, 1, 5);
    const FourWords high01 = __builtin_shufflevector(word[0], word[1], 2, 6, 3, 7);
    const FourWords low23 = __builtin_shufflevector(word[2], word[3], 0, 4, 1, 5);
    const FourWords high23 = __builtin_shufflevector(word[2], word[3], 2, 6, 3, 7);
    const FourWords columns[4] = {
        __builtin_shufflevector(low01, low23, 0, 1, 4, 5), __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
        __builtin_shufflevector(high01, high23, 0, 1, 4, 5), __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
    for (std::size_t i = 0; i < 4; ++i) std::memcpy(to + i * kBlock, &columns[i], 16);
  }
  for (; s < k; s += Engine::kStep, to += kBlock) {
    for (int r = 0; r < 4; ++r) {
      to[r] = rows[r] == nullptr ? 0 : loadWord<Source, Engine>(rows[r] + s * sizeof(Source), k - s);
    }
  }
}

/// One word of each of 16 neighbouring columns: the values of a row `low`, and with two a word of a row `high` (null:
/// zeros).
template <class Source, class Engine>
inline void packColumns(const char* low, const char* high, std::uint32_t* to) {
  const auto bitsOf = [](const char* from) {  // fp32, or bf16 in the high half
    BlockWords bits;
    if constexpr (sizeof(Source) == 4) {
      std::memcpy(&bits, from, sizeof(bits));
      if constexpr (sizeof(typename Engine::Stored) == 2) bits = roundWords(bits);
    } else {
      using BlockHalves = std::uint16_t __attribute__((vector_size(32)));
      BlockHalves halves;
      std::memcpy(&halves, from, sizeof(halves));
      bits = __builtin_convertvector(halves, BlockWords) << 16;
    }
    return bits;
  };
  BlockWords word = bitsOf(low);
  if constexpr (Engine::kStep == 2) {
    word >>= 16;
    if (high != nullptr) word |= bitsOf(high);
  }
  std::memcpy(to, &word, sizeof(word));
}

/// Rows firstRow … firstRow+rows-1 of [any, K] in blocks of 16, of K those of the slice; rows up to the last block's
/// end are zeros. A block's words begin `blockWords` · 16 after those of the block before.
template <class Source, class Engine>
void packBlocks(const void* data, std::int64_t stride, bool transposed, std::int64_t firstRow, std::size_t rows,
                const cpu::GemmSlice& slice, std::size_t blockWords, std::uint32_t* to) {
  const std::int64_t rowBytes = stride * static_cast<std::int64_t>(sizeof(Source));
  const auto at = [&](std::int64_t index) {
    return static_cast<const char*>(data) + index * static_cast<std::int64_t>(sizeof(Source));
  };
  const auto k = static_cast<std::size_t>(slice.k);
  if (!transposed) {
    const char* const begin = at(firstRow * stride + slice.from);
    for (std::size_t row = 0; row < (rows + kBlock - 1) / kBlock * kBlock; row += 4) {
      const char* four[4] = {};
      for (std::size_t r = 0; r < 4 && row + r < rows; ++r)
        four[r] = begin + static_cast<std::int64_t>(row + r) * rowBytes;
      packFourRows<Source, Engine>(four, k, 4 * rowBytes, to + row / kBlock * blockWords * kBlock + row % kBlock);
    }
    return;
  }
  for (std::size_t s = 0; s < k; s += Engine::kStep, to += kBlock) {
    const char* const low = at((slice.from + static_cast<std::int64_t>(s)) * stride + firstRow);
    const char* const high = s + 1 < k ? low + rowBytes : nullptr;
    std::size_t row = 0;
    for (; row + kBlock <= rows; row += kBlock) {
      const std::size_t from = row * sizeof(Source);
      packColumns<Source, Engine>(low + from, high == nullptr ? nullptr : high + from, to + row * blockWords);
    }
    if (row == rows) continue;
    char some[2][kBlock * sizeof(Source)] = {};
    std::memcpy(some[0], low + row * sizeof(Source), (rows - row) * sizeof(Source));
    if (high != nullptr) std::memcpy(some[1], high + row * sizeof(Source), (rows - row) * sizeof(Source));
    packColumns<Source, Engine>(some[0], some[1], to + row * blockWords);
  }
}

template <class Engine>
void gemmPack(const cpu::GemmStep& step, std::int64_t begin, std::int64_t end) {
  auto* const packed = static_cast<std::uint32_t*>(step.packed);
  const std::int64_t first = begin * cpu::kGemmBlock;
  const std::int64_t last = end * cpu::kGemmBlock < step.rows ? end * cpu::kGemmBlock : step.rows;
  for (int i = 0; i < step.sliceCount; ++i) {
    const cpu::GemmSlice& slice = step.slices[i];
    const GemmInput& input = step.inputs[slice.input];
    packBlocks<typename Engine::Stored, Engine>(
        input.data, input.stride, input.transposed, step.firstRow + first, static_cast<std::size_t>(last - first),
        slice, step.words, packed + (static_cast<std::size_t>(begin) * step.words + slice.at) * kBlock);
  }
}

/// A stretch of the contraction: the words of a block of rows and of the first block of columns.
template <class Engine>
struct GemmPart {
  const typename Engine::Word* a;
  const typename Engine::Word* b;
  std::size_t steps;
};

/// sums[row · 48 + column] of Rows rows from row `row` of their block on, and Blocks blocks of columns.
template <class Engine, int Rows, int Blocks>
void gemmTile(const GemmPart<Engine>* parts, int count, std::size_t row, std::size_t columnBlock, float* sums) {
  constexpr std::size_t kLanes = Engine::lanes();
  constexpr int kVectors = static_cast<int>(kBlock / kLanes);
  typename Engine::Sum sum[Rows][Blocks * kVectors];
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Blocks * kVectors; ++v) sum[r][v] = Engine::zero();
  }
  for (int part = 0; part < count; ++part) {
    const typename Engine::Word* a = parts[part].a + row;
    const typename Engine::Word* b = parts[part].b;
    for (std::size_t s = parts[part].steps; s > 0; --s, a += kBlock, b += kBlock) {
      typename Engine::Words words[Blocks * kVectors];
      for (int v = 0; v < Blocks * kVectors; ++v) {
        words[v] = Engine::loadWords(b + static_cast<std::size_t>(v / kVectors) * columnBlock +
                                     static_cast<std::size_t>(v % kVectors) * kLanes);
      }
      for (int r = 0; r < Rows; ++r) {
        const typename Engine::Words same = Engine::broadcast(a + r);
        for (int v = 0; v < Blocks * kVectors; ++v) sum[r][v] = Engine::madd(sum[r][v], same, words[v]);
      }
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Blocks * kVectors; ++v) {
      Engine::storeSum(sum[r][v], sums + static_cast<std::size_t>(r) * cpu::kGemmColumns +
                                      static_cast<std::size_t>(v / kVectors) * kBlock +
                                      static_cast<std::size_t>(v % kVectors) * kLanes);
    }
  }
}

template <class Engine, int Rows>
void gemmRows(const GemmPart<Engine>* parts, int count, std::size_t row, std::size_t blocks, std::size_t columnBlock,
              float* sums) {
  GemmPart<Engine> here[cpu::kMostGemmParts];
  for (int i = 0; i < count; ++i) here[i] = parts[i];
  for (; blocks >= Engine::kBlocks; blocks -= Engine::kBlocks) {
    gemmTile<Engine, Rows, Engine::kBlocks>(here, count, row, columnBlock, sums);
    sums += Engine::kBlocks * kBlock;
    for (int i = 0; i < count; ++i) here[i].b += Engine::kBlocks * columnBlock;
  }
  if constexpr (Engine::kBlocks == 3) {
    if (blocks == 2) return gemmTile<Engine, Rows, 2>(here, count, row, columnBlock, sums);
  }
  if (blocks > 0) gemmTile<Engine, Rows, 1>(here, count, row, columnBlock, sums);
}

/// One row of sums, of n columns from column `column` of the target on.
template <class Engine>
void finishRow(const cpu::GemmStep& step, const GemmTarget& target, std::int64_t row, std::int64_t column,
               float* partial, std::size_t n, float* sums) {
  using Stored = typename Engine::Stored;
  if (!step.first) {
    for (std::size_t i = 0; i < n; ++i) sums[i] += partial[i];
  }
  if (!step.last) {
    std::memcpy(partial, sums, n * sizeof(float));
    return;
  }
  if (target.bias != nullptr) {
    for (std::size_t i = 0; i < n; ++i) {
      sums[i] += loadElement<Stored>(target.bias, column + static_cast<std::int64_t>(i));
    }
  }
  const std::int64_t at = (step.firstRow + row) * target.n + column;
  const bool wide = step.outElement == Element::f32;
  if (target.adds) {
    for (std::size_t i = 0; i < n; ++i) {
      const auto index = at + static_cast<std::int64_t>(i);
      sums[i] += wide ? loadElement<float>(target.y, index) : loadElement<Bfloat16>(target.y, index);
    }
  }
  if (wide) {
    std::memcpy(static_cast<char*>(target.y) + at * 4, sums, n * sizeof(float));
  } else if constexpr (sizeof(Stored) == 2) {
    Engine::storeRow(sums, n, static_cast<char*>(target.y) + at * 2);
  } else {
    for (std::size_t i = 0; i < n; ++i) storeElement<Bfloat16>(target.y, at + static_cast<std::int64_t>(i), sums[i]);
  }
}

/// A tile of columns whose factors a thread has packed.
template <class Engine>
struct PackedTile {
  const GemmTarget* target;
  std::int64_t column, place;  // in the target, and among the columns of all
  std::size_t n, blocks, words;
  GemmPart<Engine> parts[cpu::kMostGemmParts];  // a: of the first block of rows
  int count;
};

template <class Engine>
void packTile(const cpu::GemmStep& step, std::int64_t tile, std::uint32_t* to, PackedTile<Engine>& packed) {
  packed.target = step.targets;
  packed.place = 0;
  for (;; ++packed.target) {
    const std::int64_t tiles = (packed.target->n + cpu::kGemmColumns - 1) / cpu::kGemmColumns;
    if (tile < tiles) break;
    tile -= tiles;
    packed.place += packed.target->n;
  }
  const GemmTarget& target = *packed.target;
  packed.column = tile * cpu::kGemmColumns;
  packed.place += packed.column;
  const std::int64_t left = target.n - packed.column;
  packed.n = static_cast<std::size_t>(left < cpu::kGemmColumns ? left : cpu::kGemmColumns);
  packed.blocks = (packed.n + kBlock - 1) / kBlock;
  packed.count = 0;
  packed.words = 0;
  const auto each = [&](const auto& f) {
    for (int i = 0; i < target.factorCount; ++i) {
      for (int s = 0; s < step.sliceCount; ++s) {
        if (step.slices[s].input == target.factors[i].input) f(target.factors[i], step.slices[s]);
      }
    }
  };
  each([&](const GemmFactor&, const cpu::GemmSlice& slice) { packed.words += slice.words; });
  std::size_t at = 0;
  each([&](const GemmFactor& factor, const cpu::GemmSlice& slice) {
    const auto pack = sizeof(typename Engine::Stored) == 4 || factor.element == Element::f32
                          ? packBlocks<float, Engine>
                          : packBlocks<Bfloat16, Engine>;
    pack(factor.data, factor.stride, factor.transposed, packed.column, packed.n, slice, packed.words, to + at * kBlock);
    const auto* const words = reinterpret_cast<const typename Engine::Word*>(to + at * kBlock);
    const auto* const rows = static_cast<const typename Engine::Word*>(step.packed) + slice.at * kBlock;
    packed.parts[packed.count++] = {rows, words, slice.words};
    at += slice.words;
  });
}

/// Rows begin … end-1, begin a multiple of 16, times the packed tiles.
template <class Engine>
void multiplyTiles(const cpu::GemmStep& step, const PackedTile<Engine>* tiles, int count, std::int64_t begin,
                   std::int64_t end) {
  float sums[Engine::kRows * cpu::kGemmColumns];
  for (std::int64_t block = begin; block < end; block += cpu::kGemmBlock) {
    for (int t = 0; t < count; ++t) {
      const PackedTile<Engine>& tile = tiles[t];
      const std::size_t columnBlock = tile.words * kBlock;
      GemmPart<Engine> parts[cpu::kMostGemmParts];
      for (int i = 0; i < tile.count; ++i) {
        parts[i] = tile.parts[i];
        parts[i].a += static_cast<std::size_t>(block) * step.words;  // 16 words a row block, 16 rows in it
      }
      for (std::int64_t row = 0; row < cpu::kGemmBlock && block + row < end; row += Engine::kRows) {
        gemmRows<Engine, Engine::kRows>(parts, tile.count, static_cast<std::size_t>(row), tile.blocks, columnBlock,
                                        sums);
        for (std::int64_t r = 0; r < static_cast<std::int64_t>(Engine::kRows) && block + row + r < end; ++r) {
          float* const partial =
              step.partial == nullptr ? nullptr : step.partial + (block + row + r) * step.columns + tile.place;
          finishRow<Engine>(step, *tile.target, block + row + r, tile.column, partial, tile.n,
                            sums + r * cpu::kGemmColumns);
        }
      }
    }
  }
}

template <class Engine>
void gemmRun(const cpu::GemmStep& step) {
  constexpr std::size_t kPackedWords = std::size_t{96} << 10;  // of a thread at once: within a second-level cache
  constexpr int kMostTiles = 16;
  const std::size_t tileWords = step.words * cpu::kGemmColumns;
  const std::size_t fit = tileWords == 0 ? 1 : kPackedWords / tileWords;
  const std::int64_t most = fit < 1 ? 1 : fit < kMostTiles ? static_cast<std::int64_t>(fit) : kMostTiles;
  std::uint32_t* const memory =
      reinterpret_cast<std::uint32_t*>(cpu::allocateFloats(tileWords * static_cast<std::size_t>(most) + 16));
  PackedTile<Engine> tiles[kMostTiles];
  const std::int64_t blocks = (step.rows + cpu::kGemmBlock - 1) / cpu::kGemmBlock;
  std::int64_t begin = 0, end = 0;
  while (step.tasks->take(most, begin, end)) {
    while (begin < end) {
      const std::int64_t part = begin / step.tiles, first = begin % step.tiles;
      const std::int64_t left = end - begin < step.tiles - first ? end - begin : step.tiles - first;
      const int count = static_cast<int>(left);
      for (int t = 0; t < count; ++t) {
        packTile<Engine>(step, first + t, memory + static_cast<std::size_t>(t) * tileWords, tiles[t]);
      }
      const std::int64_t from = blocks * part / step.rowParts * cpu::kGemmBlock;
      const std::int64_t to = blocks * (part + 1) / step.rowParts * cpu::kGemmBlock;
      multiplyTiles<Engine>(step, tiles, count, from, to < step.rows ? to : step.rows);
      begin += count;
    }
  }
  cpu::freeFloats(reinterpret_cast<float*>(memory));
}
