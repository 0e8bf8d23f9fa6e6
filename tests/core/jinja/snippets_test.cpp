// Thousands of small templates give what Jinja2 gives; see make_snippets.py.

#include <sstream>

#include "render.h"
#include "support.h"

namespace strata::jinja {
namespace {

TEST(JinjaSnippets, GiveWhatJinja2Gives) {
  std::istringstream lines(
      strata::testing::readText(strata::testing::sourceFolder() / "tests/core/jinja/snippets.jsonl"));
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const Json context = Json::parse(line).at("context");
  int cases = 0;
  while (std::getline(lines, line)) {
    const Json snippet = Json::parse(line);
    const Result<Rendered> rendered = testing::tryRender(snippet.at("template").get<std::string>(), context);
    if (snippet.contains("fails")) {
      EXPECT_FALSE(rendered) << snippet.at("template") << " gives " << rendered->text;
    } else if (rendered) {
      EXPECT_EQ(rendered->text, snippet.at("text").get<std::string>()) << snippet.at("template");
    } else {
      ADD_FAILURE() << snippet.at("template") << ": " << rendered.error().message;
    }
    ++cases;
  }
  EXPECT_GT(cases, 7000);
}

}  // namespace
}  // namespace strata::jinja
