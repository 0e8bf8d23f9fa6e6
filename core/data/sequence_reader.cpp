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

  std::size_t space() const { return m_length - m_sequence.ids.size(); }
  bool fits(const Row& row) const { return row.ids.size() <= space(); }

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

SequenceReader::SequenceReader(const Dataset& data, std::uint64_t seed, const Cursor& cursor, int window)
    : m_data(data),
      m_seed(seed),
      m_window(std::min(static_cast<std::size_t>(std::max(1, window)), std::max<std::size_t>(1, data.rows().size()))),
      m_row(cursor.row) {
  if (data.rows().empty()) return;
  for (const std::uint64_t row : cursor.waiting) m_waiting.push_back({row, indexOf(row)});
}

std::uint32_t SequenceReader::indexOf(std::uint64_t row) {
  const std::uint64_t rows = m_data.rows().size();
  const std::uint64_t epoch = row / rows;
  if (epoch != m_epoch) {
    m_order = permutation(m_seed, epoch, static_cast<std::uint32_t>(rows));
    m_epoch = epoch;
  }
  return m_order[row % rows];
}

void SequenceReader::fillWindow() {
  for (; m_waiting.size() < m_window; ++m_row) m_waiting.push_back({m_row, indexOf(m_row)});
}

std::size_t SequenceReader::bestFit(std::size_t space) const {
  std::size_t best = m_waiting.size(), longest = 0;
  for (std::size_t i = 0; i < m_waiting.size(); ++i) {
    const std::size_t tokens = m_data.rows()[m_waiting[i].index].ids.size();
    if (tokens > space || tokens <= longest) continue;
    best = i;
    longest = tokens;
  }
  return best;
}

PackedSequence SequenceReader::next() {
  SequenceFiller filler(m_data.length());
  if (m_data.rows().empty()) return filler.take();
  fillWindow();
  // Rows have 2 tokens or more and never more than a sequence, so that this ends and the first always fits.
  for (std::size_t place = 0; place < m_waiting.size(); place = bestFit(filler.space())) {
    filler.add(m_data.rows()[m_waiting[place].index]);
    m_waiting.erase(m_waiting.begin() + static_cast<std::ptrdiff_t>(place));
    if (!m_data.packed()) break;
    fillWindow();
  }
  return filler.take();
}

Cursor SequenceReader::cursor() const {
  Cursor cursor{.row = m_row};
  std::size_t listed = m_waiting.size();
  for (; listed > 0 && m_waiting[listed - 1].row + 1 == cursor.row; --listed) --cursor.row;
  for (std::size_t i = 0; i < listed; ++i) cursor.waiting.push_back(m_waiting[i].row);
  return cursor;
}

std::int64_t sequencesOfAnEpoch(const Dataset& data, std::uint64_t seed, int window) {
  const std::uint64_t rows = data.rows().size();
  if (!data.packed()) return static_cast<std::int64_t>(rows);
  SequenceReader reader(data, seed, {}, window);
  std::int64_t sequences = 0;
  for (; reader.packedRows() < rows; ++sequences) (void)reader.next();
  return sequences;
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
