// A GGUF file as a model of a project: added, listed, described and hashed.

#include <gmock/gmock.h>

#include "core/service/model_hash.h"
#include "gguf_model.h"
#include "project_fixture.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;

struct GgufMethods : ProjectMethods {
  GgufMethods() { openNew(); }
  std::string write(const char* name, const std::string& bytes = {}) const {
    const std::filesystem::path path = folder() / name;
    bytes.empty() ? writeStoriesGguf(path) : writeText(path, bytes);
    return path.string();
  }
};

TEST_F(GgufMethods, ListAndDescribeTheFile) {
  const std::string path = write("stories.gguf");
  const Json project = answer("project/add_model", {{"path", path}});
  EXPECT_THAT(project.dump(), HasSubstr("stories.gguf"));
  const Json list = answer("models/list");
  ASSERT_EQ(list["models"].size(), 1U) << list.dump();
  const Json& entry = list["models"][0];
  EXPECT_EQ(entry["name"], "stories.gguf");
  EXPECT_EQ(entry["architecture"], "LlamaForCausalLM");
  EXPECT_EQ(entry["layers"], 5);
  EXPECT_EQ(entry["bytes"], static_cast<std::int64_t>(std::filesystem::file_size(path)));
  EXPECT_EQ(entry["problem"], "");
  const Json card = answer("models/inspect", {{"ref", {{"model", "stories.gguf"}}}});
  EXPECT_EQ(card["tokenizer"], "gguf");
  EXPECT_EQ(card["layers"], 5);
  EXPECT_EQ(card["problem"], "");
}

TEST_F(GgufMethods, SayWhatIsWrongWithADamagedOne) {
  answer("project/add_model", {{"path", write("cut.gguf", "GGUF\3")}});
  EXPECT_THAT(answer("models/list")["models"][0]["problem"].get<std::string>(), HasSubstr("cut short"));
  EXPECT_THAT(refusal("project/add_model", {{"path", write("notes.txt", "text")}}),
              HasSubstr("neither a folder nor a .gguf file"));
}

TEST_F(GgufMethods, KnowItsWeightsByTheHashOfTheFolder) {
  const std::string path = write("stories.gguf");
  ModelHashes hashes(folder() / "hashes.json");
  const auto gguf = hashes.of(Checkpoint::open(path).value(), {});
  ASSERT_TRUE(gguf) << gguf.error().message;
  EXPECT_EQ(*gguf, hashes.of(Checkpoint::open(model("stories260K")).value(), {}).value());
}

}  // namespace
}  // namespace strata::testing
