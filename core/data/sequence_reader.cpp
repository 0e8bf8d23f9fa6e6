#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/philox.h"
#include "core/data/dataset.h"

namespace strata {
namespace {

/// Fills one sequence of `length` with rows, then with padding.
class SequenceFiller {
 public:
  explicit SequenceFiller(int length) : m_length(static_cast<std::size_t>(length)) {
    m_sequence.ids.reserve(m_length);
    m_sequence.positions.reserve(m_length);
    m_sequence.segments.reserve(m_length);
    m_sequence.trained.reserve(m_length);
  }

  bool fits(const Row& row) const { return m_sequence.ids.size() + row.ids.size() <= m_length; }

  void add(const Row& row) {
    const std::size_t tokens = row.ids.size();
    m_sequence.ids.insert(m_sequence.ids.end(), row.ids.begin(), row.ids.end());
    m_sequence.trained.insert(m_sequence.trained.end(), row.trained.begin(), row.trained.end());
    m_sequence.segments.resize(m_sequence.segments.size() + tokens, m_segment++);
    for (std::size_t i = 0; i < tokens; ++i) m_sequence.positions.push_back(static_cast<int>(i));
  }

  PackedSequence take() {
    m_sequence.ids.resize(m_length, 0);
    m_sequence.positions.resize(m_length, 0);
    m_sequence.segments.resize(m_length, -1);
    m_sequence.trained.resize(m_length, false);
    return std::move(m_sequence);
  }

 private:
  std::size_t m_length;
  int m_segment = 0;
  PackedSequence m_sequence;
};

}  // namespace

std::vector<std::uint32_t> permutation(std::uint64_t seed, std::uint64_t epoch, std::uint32_t n) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  DrawPosition at{.seed = seed,
                  .step = static_cast<std::uint32_t>(epoch),
                  .layer = static_cast<std::uint32_t>(epoch >> 32),
                  .stream = RandomStream::dataOrder};
  for (std::uint32_t i = n; i > 1; --i) {
    at.group = i - 1;
    std::swap(order[i - 1], order[randomBelow(at, i)]);
  }
  return order;
}

SequenceReader::SequenceReader(const Dataset& data, std::uint64_t seed, Cursor cursor)
    : m_data(data), m_seed(seed), m_cursor(cursor) {}

const Row& SequenceReader::rowAt(std::uint64_t row) {
  const std::uint64_t rows = m_data.rows().size();
  const std::uint64_t epoch = row / rows;
  if (epoch != m_epoch) {
    m_order = permutation(m_seed, epoch, static_cast<std::uint32_t>(rows));
    m_epoch = epoch;
  }
  return m_data.rows()[m_order[row % rows]];
}

PackedSequence SequenceReader::next() {
  SequenceFiller filler(m_data.length());
  if (m_data.rows().empty()) return filler.take();
  // Rows have 2 tokens or more and never more than a sequence, so that this ends and always takes one.
  while (filler.fits(rowAt(m_cursor.row))) {
    filler.add(rowAt(m_cursor.row));
    ++m_cursor.row;
    if (!m_data.packed()) break;
  }
  return filler.take();
}

std::vector<PackedSequence> inOrder(const Dataset& data, int maxRows) {
  const std::vector<Row>& rows = data.rows();
  const std::size_t count = maxRows > 0 ? std::min(rows.size(), static_cast<std::size_t>(maxRows)) : rows.size();
  std::vector<PackedSequence> sequences;
  for (std::size_t row = 0; row < count;) {
    SequenceFiller filler(data.length());
    do {
      filler.add(rows[row++]);
    } while (data.packed() && row < count && filler.fits(rows[row]));
    sequences.push_back(filler.take());
  }
  return sequences;
}

}  // namespace strata
