// Blocks of random bytes against the reference code (tests/golden/gguf/make_blocks.py).

#include "core/checkpoint/blocks.h"

#include <gmock/gmock.h>

#include "core/base/json.h"
#include "core/checkpoint/tensor_values.h"
#include "support.h"

namespace strata::testing {
namespace {

using BlockCase = std::pair<const char*, Blocks>;

class BlockFormat : public ::testing::TestWithParam<BlockCase> {
 protected:
  static std::string bytesOfHex(const std::string& hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return bytes;
  }
  void SetUp() override {
    const Json all = readJson(sourceFolder() / "tests/golden/gguf/blocks.json").value();
    const Json& golden = all[GetParam().first];
    m_bytes = bytesOfHex(golden["bytes"].get<std::string>());
    const std::string floats = bytesOfHex(golden["floats"].get<std::string>());
    m_expected.resize(floats.size() / sizeof(float));
    std::memcpy(m_expected.data(), floats.data(), floats.size());
  }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(m_bytes.data(), m_bytes.size())); }
  std::string m_bytes;
  std::vector<float> m_expected;
};

TEST_P(BlockFormat, IsReadAsTheReferenceReadsIt) {
  EXPECT_STREQ(layoutOf(GetParam().second).name, GetParam().first);
  std::vector<float> values(m_expected.size());
  dequantise(bytes(), GetParam().second, values);
  EXPECT_EQ(values, m_expected);
}

TEST_P(BlockFormat, IsReadByRowsInAnyOrderAndRoundedOnce) {
  TensorView view;
  view.dtype = DType::bf16;
  view.shape = {2, 256};
  view.bytes = bytes();
  view.blocks = GetParam().second;
  EXPECT_EQ(view.elements(), 512);
  EXPECT_EQ(valuesOf(view, DType::bf16), convertFromFloat(m_expected, DType::bf16));
  std::vector<float> second(256);
  readRows(view, 1, 2, DType::f32, std::as_writable_bytes(std::span<float>(second)));
  EXPECT_EQ(second, std::vector<float>(m_expected.begin() + 256, m_expected.end()));
}

INSTANTIATE_TEST_SUITE_P(All, BlockFormat,
                         ::testing::Values(BlockCase{"Q4_0", Blocks::q4_0}, BlockCase{"Q5_0", Blocks::q5_0},
                                           BlockCase{"Q8_0", Blocks::q8_0}, BlockCase{"Q4_K", Blocks::q4_k},
                                           BlockCase{"Q5_K", Blocks::q5_k}, BlockCase{"Q6_K", Blocks::q6_k}),
                         [](const auto& info) { return std::string(info.param.first); });

TEST(PairedRows, AreReadInTheOrderOfHuggingFace) {
  // One head of 8 rows: the file has 0, 4, 1, 5, 2, 6, 3, 7.
  const std::vector<float> stored = {0, 4, 1, 5, 2, 6, 3, 7};
  TensorView view;
  view.shape = {8, 1};
  view.bytes = std::as_bytes(std::span<const float>(stored));
  view.pairedHeads = 1;
  const std::vector<std::byte> values = valuesOf(view, DType::f32);
  std::vector<float> floats(8);
  std::memcpy(floats.data(), values.data(), values.size());
  EXPECT_THAT(floats, ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  view.shape = {8};  // a bias
  EXPECT_EQ(valuesOf(view, DType::f32), values);
}

}  // namespace
}  // namespace strata::testing
