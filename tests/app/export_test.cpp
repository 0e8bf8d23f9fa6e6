#include "core/base/files.h"
#include "program.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace ::strata::testing;

TEST(ExportVerb, RemoteCodeIsThePackagesFileByteForByte) {
  const TemporaryFolder folder;
  const auto out = folder.path() / "half";
  answerOf({"export", storyModel(), "--map", "stride:2", "--remote-code", out});
  EXPECT_EQ(readText(out / "modeling_strata.py"),
            readText(sourceFolder() / "packaging/python/strata_hf/modeling_strata.py"));
  EXPECT_EQ(nlohmann::json::parse(readText(out / "config.json"))["auto_map"]["AutoModelForCausalLM"],
            "modeling_strata.LlamaForCausalLM");
}

TEST(ExportVerb, SaysInItsReadmeHowToTellWhetherAServerShares) {
  const TemporaryFolder folder;
  const auto out = folder.path() / "half";
  answerOf({"export", storyModel(), "--map", "stride:2", out});
  const std::string readme = readText(out / "README.md");
  EXPECT_TRUE(readme.starts_with("# half\n"));
  EXPECT_THAT(readme, HasSubstr("Strata: 3 of 5 layers keep keys and values"));
  // 1 GiB / (2 · 4 KV heads · 8 · 2 bytes · 3 owners)
  EXPECT_THAT(readme, HasSubstr("2,796,202 tokens"));
  EXPECT_THAT(readme, Not(HasSubstr("trust_remote_code")));
  EXPECT_FALSE(std::filesystem::exists(out / "modeling_strata.py"));
}

TEST(ExportVerb, AnAdapterAloneTakesNoOptionOfAModel) {
  const TemporaryFolder folder;
  const Answer none = runProgram({"export", storyModel(), "--adapter-alone", folder.path() / "out"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("has no adapter"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "out"));
}

}  // namespace
}  // namespace strata
