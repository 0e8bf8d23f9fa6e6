// The page with the engine itself and the sample project's data, where the engine is built: build/…/bin/strata or
// STRATA_ENGINE.

#include <QLabel>
#include <QTextEdit>

#include "page_fixture.h"
#include "widgets/data/data_page.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

TEST(DataPageWithTheEngineSlow, ReadsTheSampleQuestionsAsTrainingWould) {
  const char* given = std::getenv("STRATA_ENGINE");
  const fs::path program = given != nullptr ? fs::path(given) : fs::path(STRATA_BINARY_DIR) / "bin/strata";
  if (!fs::exists(program)) GTEST_SKIP() << "the engine is not built";
  PageFixture fixture;
  fixture.settings.setValue("data/model",
                            QString::fromStdString((sourceFolder() / "resources/models/sample-routed").string()));
  fixture.engine.start({QString::fromStdString(program.string()), {"engine"}});
  fixture.session.openProject(QString::fromStdString((fixture.folder.path() / "project").string()), true);
  ASSERT_TRUE(soon([&] { return fixture.session.project().has_value(); }, 30000));
  DataPage page(fixture.session);
  Frame frame(page);
  frame.resize(1280, 800);
  frame.show();
  page.read(QString::fromStdString((sourceFolder() / "projects/tiny-stories/recall.json").string()));
  const auto label = [&](const char* name) { return child<QLabel>(page, name).text(); };
  ASSERT_TRUE(soon([&] { return label("figureRows") == "332"; }, 60000)) << label("dataVerdict").toStdString();
  EXPECT_EQ(label("figureTokens"), "52,775");
  EXPECT_EQ(label("figureTrained"), "1,194 (2 %)");
  EXPECT_FALSE(child<QTextEdit>(page, "previewText").toPlainText().isEmpty());
}

}  // namespace
}  // namespace strata::testing
