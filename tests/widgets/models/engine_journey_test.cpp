// The page with the engine itself and a sample model, where the engine is built: build/…/bin/strata or STRATA_ENGINE.

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>

#include "page_fixture.h"
#include "widgets/models/models_page.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

class ModelsPageWithTheEngineSlow : public ::testing::Test, public PageFixture {
 protected:
  void SetUp() override {
    const char* given = std::getenv("STRATA_ENGINE");
    const fs::path program = given != nullptr ? fs::path(given) : fs::path(STRATA_BINARY_DIR) / "bin/strata";
    if (!fs::exists(program)) GTEST_SKIP() << "the engine is not built";
    engine.start({QString::fromStdString(program.string()), {"engine"}});
    session.openProject(QString::fromStdString((folder.path() / "project").string()), true);
    ASSERT_TRUE(soon([&] { return session.project().has_value(); }, 30000));
    page = std::make_unique<ModelsPage>(session);
    frame = std::make_unique<Frame>(*page);
    frame->resize(1280, 800);
    frame->show();
  }
  QString label(const char* name) const { return child<QLabel>(*frame, name).text(); }
  bool says(const QString& words) const {
    const auto labels = frame->findChildren<QLabel*>();
    return std::any_of(labels.begin(), labels.end(),
                       [&](const QLabel* one) { return one->isVisible() && one->text().contains(words); });
  }
  static QString sample() {
    return QString::fromStdString((sourceFolder() / "resources/models/sample-routed").string());
  }

  std::unique_ptr<ModelsPage> page;
  std::unique_ptr<Frame> frame;
};

TEST_F(ModelsPageWithTheEngineSlow, OpensTheSampleAndItsWeightsTakeWhatWasPredicted) {
  page->addFolder(sample());
  ASSERT_TRUE(soon([&] { return label("cardName") == "sample-routed"; }, 30000));
  ASSERT_TRUE(soon([&] { return label("predicted-weights").contains("MiB"); }, 30000));
  child<QAbstractButton>(*page, "loadButton").click();
  ASSERT_TRUE(soon([&] { return label("measured-weights") != "not measured"; }, 60000));
  EXPECT_EQ(label("measured-weights"), label("predicted-weights"));
  child<QAbstractButton>(*page, "serveSwitch").click();
  ASSERT_TRUE(soon([&] { return child<QWidget>(*page, "serveControl").isVisible(); }, 30000));
  EXPECT_TRUE(label("serveUrl").startsWith("http://127.0.0.1:")) << label("serveUrl").toStdString();
  EXPECT_EQ(label("serveModel"), "sample-routed");
  child<QAbstractButton>(*page, "serveSwitch").click();
  EXPECT_TRUE(soon([&] { return !child<QWidget>(*page, "serveControl").isVisible(); }, 30000));
}

TEST_F(ModelsPageWithTheEngineSlow, ATemplateIsChangedForTheProjectAndRefusedWhereItDoesNotParse) {
  page->addFolder(sample());
  ASSERT_TRUE(soon([&] { return label("cardName") == "sample-routed"; }, 30000));
  ASSERT_TRUE(soon([&] { return child<QWidget>(*page, "templateEdit").isVisible(); }, 30000));
  child<QAbstractButton>(*page, "templateEdit").click();
  auto& source = child<QPlainTextEdit>(*page, "templateSource");
  const QString own = source.toPlainText();
  source.setPlainText("{% for message in messages %}\n{{ message.content }}");
  child<QAbstractButton>(*page, "templateSave").click();
  ASSERT_TRUE(soon([&] { return !label("templateProblem").isEmpty(); }, 30000));
  EXPECT_TRUE(label("templateProblem").contains("line 1", Qt::CaseInsensitive))
      << label("templateProblem").toStdString();
  source.appendPlainText("{% endfor %}");
  const QString mine = source.toPlainText();
  child<QAbstractButton>(*page, "templateSave").click();
  ASSERT_TRUE(soon([&] { return child<QWidget>(*page, "templateOwn").isVisible(); }, 30000));
  EXPECT_EQ(source.toPlainText(), mine);
  child<QAbstractButton>(*page, "templateOwn").click();
  EXPECT_TRUE(soon([&] { return source.toPlainText() == own; }, 30000));
}

TEST_F(ModelsPageWithTheEngineSlow, ExportsTheSampleUnderAMapAndRefusesAFolderThatIsFull) {
  page->addFolder(sample());
  ASSERT_TRUE(soon([&] { return label("cardName") == "sample-routed"; }, 30000));
  ASSERT_TRUE(soon([&] { return label("predicted-weights").contains("MiB"); }, 30000));
  child<QAbstractButton>(*page, "cardExport").click();
  child<QComboBox>(*page, "exportForm").setCurrentIndex(1);
  child<QLineEdit>(*page, "exportMap").setText("stride:4");
  child<QAbstractButton>(*page, "exportStart").click();
  ASSERT_TRUE(soon([&] { return child<QWidget>(*page, "exportCard").isVisible(); }, 60000))
      << label("exportProblem").toStdString();
  const fs::path made = label("exportPath").toStdString();
  EXPECT_EQ(made, folder.path() / "project/exports/sample-routed-stride-4");
  for (const char* file : {"config.json", "model.safetensors", "modeling_strata.py", "README.md"}) {
    EXPECT_TRUE(fs::exists(made / file)) << file;
  }
  EXPECT_EQ(frame->findChildren<QPlainTextEdit*>("command-line").size(), 3);
  child<QAbstractButton>(*page, "exportAgain").click();
  child<QLineEdit>(*page, "exportFolder").setText(QString::fromStdString(made.string()));
  child<QAbstractButton>(*page, "exportStart").click();
  ASSERT_TRUE(soon([&] { return label("exportProblem").contains("is not an empty folder"); }, 30000));
  EXPECT_EQ(std::distance(fs::directory_iterator(made.parent_path()), fs::directory_iterator()), 1)
      << "something half-written is left";
}

TEST_F(ModelsPageWithTheEngineSlow, AFolderWhoseWeightsAreCutOffSaysWhy) {
  const fs::path broken = folder.path() / "broken";
  fs::copy(sample().toStdString(), broken, fs::copy_options::recursive);
  for (const auto& file : fs::directory_iterator(broken)) {
    if (file.path().extension() == ".safetensors") fs::resize_file(file.path(), 1000);
  }
  page->addFolder(QString::fromStdString(broken.string()));
  const auto failed = [&] {
    return page->findChild<StatePane*>("modelsState")->state() == StatePane::State::failed ||
           page->findChild<StatePane*>("modelCardState")->state() == StatePane::State::failed;
  };
  ASSERT_TRUE(soon(failed, 30000));
  EXPECT_TRUE(says(".safetensors"));
}

}  // namespace
}  // namespace strata::testing
