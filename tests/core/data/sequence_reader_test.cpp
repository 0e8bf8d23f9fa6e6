#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "byte_tokenizer.h"
#include "core/data/dataset.h"
#include "support.h"

namespace strata {
namespace {

using testing::ByteTokenizer;
using ::testing::ElementsAre;
using testing::TemporaryFolder;
using testing::writeText;

constexpr int kLength = 24;

class SequenceReaderTest : public ::testing::Test {
 protected:
  // Rows of 4 to 15 tokens, each starting with its own letter.
  Dataset pairs(int rows) {
    std::string content;
    for (int i = 0; i < rows; ++i) {
      const std::string letter(1, static_cast<char>('A' + i));
      content += "{\"prompt\": \"" + letter + "\", \"completion\": \"" + std::string(1 + (i * 7) % 12, 'c') + "\"}\n";
    }
    return opened("pairs.jsonl", content);
  }
  Dataset text(int bytes) { return opened("text.txt", std::string(bytes, 'x')); }
  Dataset opened(const std::string& name, const std::string& content) {
    writeText(m_folder.path() / name, content);
    auto data = Dataset::open(m_folder.path() / name, ByteTokenizer(), {.length = kLength});
    EXPECT_TRUE(data.has_value());
    return data ? std::move(*data) : Dataset();
  }
  TemporaryFolder m_folder;
};

// The rows that a sequence holds; fails where positions, segments or padding are not what they should be.
std::vector<Row> unpacked(const PackedSequence& sequence) {
  std::vector<Row> rows;
  EXPECT_EQ(sequence.ids.size(), std::size_t(kLength));
  EXPECT_EQ(sequence.positions.size(), sequence.ids.size());
  EXPECT_EQ(sequence.segments.size(), sequence.ids.size());
  EXPECT_EQ(sequence.trained.size(), sequence.ids.size());
  bool padding = false;
  for (std::size_t i = 0; i < sequence.ids.size(); ++i) {
    padding = padding || sequence.segments[i] < 0;
    if (padding) {
      EXPECT_EQ(sequence.segments[i], -1);
      EXPECT_FALSE(sequence.trained[i]);
      continue;
    }
    if (sequence.positions[i] == 0) rows.emplace_back();
    EXPECT_EQ(sequence.segments[i], static_cast<int>(rows.size()) - 1);
    EXPECT_EQ(sequence.positions[i], static_cast<int>(rows.back().ids.size()));
    rows.back().ids.push_back(sequence.ids[i]);
    rows.back().trained.push_back(sequence.trained[i]);
  }
  return rows;
}

TEST(Permutation, IsAPermutationThatDependsOnSeedAndEpoch) {
  for (const std::uint32_t n : {0u, 1u, 2u, 7u, 1000u}) {
    std::vector<std::uint32_t> order = permutation(3, 5, n);
    EXPECT_EQ(order, permutation(3, 5, n));
    std::sort(order.begin(), order.end());
    std::vector<std::uint32_t> all(n);
    std::iota(all.begin(), all.end(), 0u);
    EXPECT_EQ(order, all);
  }
  EXPECT_NE(permutation(3, 5, 1000), permutation(3, 6, 1000));
  EXPECT_NE(permutation(3, 5, 1000), permutation(4, 5, 1000));
  EXPECT_NE(permutation(3, 5, 1000), permutation(3, 5 + (1ull << 32), 1000));
}

TEST(Permutation, EveryOrderOfThreeIsEquallyLikely) {
  std::map<std::vector<std::uint32_t>, int> seen;
  for (std::uint64_t epoch = 0; epoch < 6000; ++epoch) ++seen[permutation(11, epoch, 3)];
  EXPECT_EQ(seen.size(), 6u);
  for (const auto& [order, times] : seen) EXPECT_NEAR(times, 1000, 150);  // 5 standard deviations
}

TEST_F(SequenceReaderTest, PackedSequencesHoldTheRowsOfThePermutationOneAfterAnother) {
  const Dataset data = pairs(20);
  SequenceReader reader(data, 9);
  std::vector<Row> rows;
  while (reader.cursor().row < 60) {
    const auto next = unpacked(reader.next());
    ASSERT_FALSE(next.empty());
    rows.insert(rows.end(), next.begin(), next.end());
    ASSERT_EQ(reader.cursor().row, rows.size());
  }
  for (std::size_t i = 0; i < 60; ++i) {
    const Row& expected = data.rows()[permutation(9, i / 20, 20)[i % 20]];
    ASSERT_EQ(rows[i].ids, expected.ids) << i;
    ASSERT_EQ(rows[i].trained, expected.trained) << i;
  }
}

TEST_F(SequenceReaderTest, ASequenceEndsOnlyWhereTheNextRowDoesNotFit) {
  const Dataset data = pairs(20);
  SequenceReader reader(data, 9);
  for (int i = 0; i < 50; ++i) {
    std::size_t tokens = 0;
    for (const Row& row : unpacked(reader.next())) tokens += row.ids.size();
    const std::uint64_t after = reader.cursor().row;
    const Row& next = data.rows()[permutation(9, after / 20, 20)[after % 20]];
    EXPECT_GT(tokens + next.ids.size(), std::size_t(kLength));
  }
}

TEST_F(SequenceReaderTest, AReaderAtACursorGoesOnAsIfNeverStopped) {
  const Dataset data = pairs(20);
  SequenceReader whole(data, 9);
  for (int i = 0; i < 30; ++i) {
    SequenceReader resumed(data, 9, whole.cursor());
    const PackedSequence expected = whole.next();
    const PackedSequence sequence = resumed.next();
    EXPECT_EQ(sequence.ids, expected.ids);
    EXPECT_EQ(sequence.segments, expected.segments);
    EXPECT_EQ(resumed.cursor(), whole.cursor());
  }
}

// Rows of 2 … 20 tokens, each with ids of its own.
Dataset unequalRows(int count) {
  std::vector<Row> rows;
  for (int i = 0; i < count; ++i) {
    Row row;
    row.ids.assign(static_cast<std::size_t>(2 + i * 7 % 19), i + 1);
    row.trained.assign(row.ids.size(), true);
    rows.push_back(std::move(row));
  }
  return Dataset::fromRows(std::move(rows), kLength, true);
}

TEST_F(SequenceReaderTest, AWindowTakesTheRowThatWaitsLongestAndThenTheLongestThatFits) {
  std::vector<Row> rows;
  for (const std::size_t tokens : {10, 16, 9, 14, 12, 8}) {
    rows.push_back({std::vector<TokenId>(tokens, static_cast<TokenId>(tokens)), std::vector<bool>(tokens, true)});
  }
  const Dataset data = Dataset::fromRows(rows, kLength, true);
  std::vector<std::uint64_t> waiting(6);
  std::iota(waiting.begin(), waiting.end(), 0u);
  const std::vector<std::uint32_t> order = permutation(4, 0, 6);
  SequenceReader reader(data, 4, {}, 6);
  while (!waiting.empty() && waiting.front() < 6) {  // the first epoch, by the definition
    std::vector<Row> expected;
    std::size_t space = kLength;
    std::uint64_t drawn = waiting.back() + 1;
    const auto lengthOf = [&](std::uint64_t row) {
      return data.rows()[permutation(4, row / 6, 6)[row % 6]].ids.size();
    };
    for (auto best = waiting.begin(); best != waiting.end();) {
      expected.push_back(data.rows()[permutation(4, *best / 6, 6)[*best % 6]]);
      space -= lengthOf(*best);
      waiting.erase(best);
      waiting.push_back(drawn++);
      best = waiting.end();
      for (auto each = waiting.begin(); each != waiting.end(); ++each) {
        if (lengthOf(*each) <= space && (best == waiting.end() || lengthOf(*each) > lengthOf(*best))) best = each;
      }
    }
    const std::vector<Row> packed = unpacked(reader.next());
    ASSERT_EQ(packed.size(), expected.size());
    for (std::size_t i = 0; i < packed.size(); ++i) EXPECT_EQ(packed[i].ids, expected[i].ids);
  }
}

TEST_F(SequenceReaderTest, AWindowGivesEachRowAsOftenAsTheOthersAndPadsLess) {
  constexpr int kRows = 300, kSequences = 2000;
  const Dataset data = unequalRows(kRows);
  std::map<int, double> padding;
  for (const int window : {1, 64}) {
    SequenceReader reader(data, 3, {}, window);
    std::vector<int> times(kRows, 0);
    std::int64_t empty = 0;
    for (int i = 0; i < kSequences; ++i) {
      const PackedSequence sequence = reader.next();
      empty += std::count(sequence.segments.begin(), sequence.segments.end(), -1);
      for (const Row& row : unpacked(sequence)) ++times[static_cast<std::size_t>(row.ids.front() - 1)];
    }
    padding[window] = static_cast<double>(empty) / (kSequences * kLength);
    const auto [least, most] = std::minmax_element(times.begin(), times.end());
    EXPECT_LE(*most - *least, 2) << "no row waits for ever; window " << window;
  }
  EXPECT_GT(padding[1], 0.15);
  EXPECT_LT(padding[64], 0.05);
}

TEST_F(SequenceReaderTest, AWindowGoesOnFromAnyCursorAsIfNeverStopped) {
  for (const int rows : {1, 5, 40}) {
    const Dataset data = unequalRows(rows);
    SequenceReader whole(data, 9, {}, 16);
    bool listed = false;
    for (int i = 0; i < 60; ++i) {
      const Cursor cursor = whole.cursor();
      listed = listed || !cursor.waiting.empty();
      SequenceReader resumed(data, 9, cursor, 16);
      const PackedSequence expected = whole.next(), sequence = resumed.next();
      ASSERT_EQ(sequence.ids, expected.ids) << rows << " rows, sequence " << i;
      EXPECT_EQ(sequence.segments, expected.segments);
      EXPECT_EQ(resumed.cursor(), whole.cursor());
    }
    EXPECT_TRUE(listed || rows < 40) << "no cursor had rows waiting, so that this shows nothing";
  }
}

TEST_F(SequenceReaderTest, TextGivesOneRowASequenceAndPadsTheShortOne) {
  const Dataset data = text(2 * kLength + 5);  // with BOS and EOS: two rows and one of 7
  ASSERT_EQ(data.rows().size(), 3u);
  SequenceReader reader(data, 1);
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 3; ++i) {
    const auto rows = unpacked(reader.next());
    ASSERT_EQ(rows.size(), 1u);
    sizes.push_back(rows[0].ids.size());
    EXPECT_EQ(std::count(rows[0].trained.begin(), rows[0].trained.end(), false), 1);
  }
  std::sort(sizes.begin(), sizes.end());
  EXPECT_THAT(sizes, ElementsAre(7, kLength, kLength));
}

TEST_F(SequenceReaderTest, ASingleShortRowFillsASequenceWithItself) {
  const Dataset data = opened("one.jsonl", R"({"prompt": "p", "completion": "c"})");
  SequenceReader reader(data, 1);
  EXPECT_EQ(unpacked(reader.next()).size(), std::size_t(kLength / 4));
  EXPECT_EQ(reader.cursor().row, std::uint64_t(kLength / 4));
}

TEST_F(SequenceReaderTest, InOrderGivesEachRowOnceInTheDataSetsOrder) {
  const Dataset data = pairs(20);
  for (const int maxRows : {0, 1, 13, 20, 99}) {
    std::vector<Row> rows;
    for (const PackedSequence& sequence : inOrder(data, maxRows)) {
      const auto next = unpacked(sequence);
      rows.insert(rows.end(), next.begin(), next.end());
    }
    ASSERT_EQ(rows.size(), maxRows == 0 ? 20u : std::min<std::size_t>(20, maxRows));
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].ids, data.rows()[i].ids);
  }
  EXPECT_EQ(inOrder(text(2 * kLength + 5), 0).size(), 3u);
  EXPECT_EQ(inOrder(text(2 * kLength + 5), 2).size(), 2u);
}

TEST_F(SequenceReaderTest, AnEpochMakesAsManySequencesAsItsRowsFill) {
  const Dataset data = pairs(20);
  for (const int window : {1, 8, 256}) {
    const std::int64_t sequences = sequencesOfAnEpoch(data, 7, window);
    SequenceReader reader(data, 7, {}, window);
    for (std::int64_t i = 0; i + 1 < sequences; ++i) (void)reader.next();
    EXPECT_LT(reader.packedRows(), 20u);
    (void)reader.next();
    EXPECT_GE(reader.packedRows(), 20u);
  }
  EXPECT_LE(sequencesOfAnEpoch(data, 7, 256), sequencesOfAnEpoch(data, 7, 1));
  const Dataset plain = text(1000);
  EXPECT_EQ(sequencesOfAnEpoch(plain, 7, 256), static_cast<std::int64_t>(plain.rows().size()));
}

}  // namespace
}  // namespace strata
