// The matrix products and the packing of cpu/attention, for any instruction set. Included inside the namespace and
// under the target attribute of each (so neither `#pragma once` nor includes here: attention_part.h and elements.h come
// first).
//
// Every product has the form C[r, lane] += sum over s of A[r, s] · B[s, lane], where A and B are made of words: kStep
// consecutive values along s (fp32: one; bf16 dot products: two in 32 bits). An Engine has: Stored, the tensors' type;
// Word; kStep; kRows, rows of C in registers; Sum, a vector of lanes() floats; Words, a vector of words; zero, set,
// load, store, add, sub, mul, mulSub (a b - c) and larger of Sums; highest and total of its lanes; loadWords;
// broadcast(word); madd(sum, words, words); power(sum), e to each lane / kLogBase; keepOr(sum, key, first, last,
// other), `other` where key + lane lies outside first … last; dot(row, row, d); storeRow(floats, factor, to, d); and
// what writes words: rowWords(to, low, high), 2 lanes() consecutive values of one row; pairWords(to, even, odd), in
// each lane's word a value of each of two rows (kStep 1: of the first alone).

/// C [Rows, Vectors · lanes()] over `steps` words.
template <class Engine, int Rows, int Vectors>
inline void productTile(const typename Engine::Word* a, std::size_t aRow, const typename Engine::Word* b,
                        std::size_t bRow, std::size_t steps, float* c, std::size_t cRow, bool adds) {
  typename Engine::Sum sum[Rows][Vectors];
  const std::size_t lanes = Engine::lanes();
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      sum[r][v] = adds ? Engine::load(c + static_cast<std::size_t>(r) * cRow + static_cast<std::size_t>(v) * lanes)
                       : Engine::zero();
    }
  }
  for (std::size_t s = 0; s < steps; ++s) {
    typename Engine::Words words[Vectors];
    for (int v = 0; v < Vectors; ++v) words[v] = Engine::loadWords(b + s * bRow + static_cast<std::size_t>(v) * lanes);
    for (int r = 0; r < Rows; ++r) {
      const typename Engine::Words same = Engine::broadcast(a[static_cast<std::size_t>(r) * aRow + s]);
      for (int v = 0; v < Vectors; ++v) sum[r][v] = Engine::madd(sum[r][v], same, words[v]);
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      Engine::store(sum[r][v], c + static_cast<std::size_t>(r) * cRow + static_cast<std::size_t>(v) * lanes);
    }
  }
}

template <class Engine, int Vectors>
void productColumns(const typename Engine::Word* a, std::size_t aRow, std::size_t rows, const typename Engine::Word* b,
                    std::size_t bRow, std::size_t steps, float* c, std::size_t cRow, bool adds) {
  std::size_t r = 0;
  for (; r + Engine::kRows <= rows; r += Engine::kRows) {
    productTile<Engine, Engine::kRows, Vectors>(a + r * aRow, aRow, b, bRow, steps, c + r * cRow, cRow, adds);
  }
  for (; r + 2 <= rows; r += 2) {
    productTile<Engine, 2, Vectors>(a + r * aRow, aRow, b, bRow, steps, c + r * cRow, cRow, adds);
  }
  if (r < rows) productTile<Engine, 1, Vectors>(a + r * aRow, aRow, b, bRow, steps, c + r * cRow, cRow, adds);
}

/// C [rows, columns] (+)= A [rows, steps] · B [steps, columns]; columns is a multiple of lanes().
template <class Engine>
void product(const typename Engine::Word* a, std::size_t aRow, std::size_t rows, const typename Engine::Word* b,
             std::size_t bRow, std::size_t columns, std::size_t steps, float* c, std::size_t cRow, bool adds) {
  const std::size_t lanes = Engine::lanes();
  std::size_t i = 0;
  for (; i + 2 * lanes <= columns; i += 2 * lanes) {
    productColumns<Engine, 2>(a, aRow, rows, b + i, bRow, steps, c + i, cRow, adds);
  }
  if (i < columns) productColumns<Engine, 1>(a, aRow, rows, b + i, bRow, steps, c + i, cRow, adds);
}

/// One head of a tensor [T, heads, D] of one sequence: its rows and what lies between them.
template <class T>
struct HeadRows {
  const T* data;
  std::size_t stride;
  const T* row(std::size_t t) const { return data + t * stride; }
};

template <class Engine>
typename Engine::Word wordOf(const typename Engine::Stored* low, const typename Engine::Stored* high) {
  if constexpr (Engine::kStep == 1) {
    (void)high;
    return loadElement<typename Engine::Stored>(low, 0);
  } else {
    std::uint16_t bits[2] = {};
    std::memcpy(&bits[0], low, 2);
    if (high != nullptr) std::memcpy(&bits[1], high, 2);
    return static_cast<std::uint32_t>(bits[0]) | static_cast<std::uint32_t>(bits[1]) << 16;
  }
}

/// Rows begin … begin+count-1 as words along D: [count, dWords]; rows from t on and values from d on are zeros.
template <class Engine>
void packRows(const HeadRows<typename Engine::Stored>& from, std::size_t begin, std::size_t count, std::size_t t,
              std::size_t d, std::size_t dWords, typename Engine::Word* to) {
  std::memset(to, 0, count * dWords * sizeof(typename Engine::Word));
  for (std::size_t r = 0; r < count && begin + r < t; ++r) {
    const typename Engine::Stored* row = from.row(begin + r);
    if constexpr (Engine::kStep == 2) {
      std::memcpy(to + r * dWords, row, d * sizeof(typename Engine::Stored));
    } else {
      for (std::size_t i = 0; i < d; ++i) to[r * dWords + i] = wordOf<Engine>(row + i, nullptr);
    }
  }
}

/// All rows as words along D, transposed: [dWords, columns], zeros from t on.
template <class Engine>
void packColumns(const HeadRows<typename Engine::Stored>& from, std::size_t t, std::size_t d, std::size_t dWords,
                 std::size_t columns, typename Engine::Word* to) {
  constexpr std::size_t kBlock = 16;  // rows whose words go to the same cache lines
  typename Engine::Word rows[kBlock * 64];
  for (std::size_t begin = 0; begin < columns; begin += kBlock) {
    for (std::size_t w = 0; w < dWords; w += 64) {
      const std::size_t words = dWords - w < 64 ? dWords - w : 64;
      const std::size_t from0 = w * Engine::kStep;
      const std::size_t values = d > from0 ? d - from0 : 0;
      const std::size_t most = words * Engine::kStep;
      packRows<Engine>({from.data + from0, from.stride}, begin, kBlock, t, values < most ? values : most, words, rows);
      for (std::size_t i = 0; i < words; ++i) {
        for (std::size_t r = 0; r < kBlock; ++r) to[(w + i) * columns + begin + r] = rows[r * words + i];
      }
    }
  }
}

/// All rows as words along T: [rowWords, lanesOfD], zeros from t and from d on.
template <class Engine>
void packSteps(const HeadRows<typename Engine::Stored>& from, std::size_t t, std::size_t d, std::size_t rowWords,
               std::size_t dLanes, typename Engine::Word* to) {
  for (std::size_t j = 0; j < rowWords; ++j, to += dLanes) {
    const std::size_t low = j * Engine::kStep;
    if (low >= t || d < dLanes) std::memset(to, 0, dLanes * sizeof(typename Engine::Word));
    if (low >= t) continue;
    const typename Engine::Stored* first = from.row(low);
    if (Engine::kStep == 2 && low + 1 < t) {
      const typename Engine::Stored* second = from.row(low + 1);
      for (std::size_t i = 0; i < d; ++i) to[i] = wordOf<Engine>(first + i, second + i);
    } else {
      for (std::size_t i = 0; i < d; ++i) to[i] = wordOf<Engine>(first + i, nullptr);
    }
  }
}

/// The same words transposed: [D, rowWords].
template <class Engine>
void packTransposed(const HeadRows<typename Engine::Stored>& from, std::size_t t, std::size_t d, std::size_t rowWords,
                    typename Engine::Word* to) {
  for (std::size_t j = 0; j < rowWords; ++j) {
    const std::size_t low = j * Engine::kStep;
    const bool pair = Engine::kStep == 2 && low + 1 < t;
    const typename Engine::Stored* first = low < t ? from.row(low) : nullptr;
    for (std::size_t i = 0; i < d; ++i) {
      to[i * rowWords + j] = first == nullptr ? typename Engine::Word{}
                                              : wordOf<Engine>(first + i, pair ? from.row(low + 1) + i : nullptr);
    }
  }
}
