#include "widgets/data/data_page.h"

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QSpinBox>
#include <QTableView>
#include <QTextBlock>
#include <QTextEdit>

#include "field_help.h"
#include "page_fixture.h"

namespace strata::testing {
namespace {

constexpr const char* kRecall = "/projects/test/recall.json";

class DataPageTest : public ::testing::Test, public PageFixture {
 protected:
  void open(const std::string& scenario) {
    ASSERT_TRUE(start(scenario));
    makePage();
  }
  void makePage() {
    frame.reset();
    page = std::make_unique<DataPage>(session);
    frame = std::make_unique<Frame>(*page);
    frame->resize(1280, 800);
    frame->show();
  }
  void openFile(const std::string& scenario = "data") {
    open(scenario);
    page->read(kRecall);
    ASSERT_TRUE(soon([&] { return is(StatePane::State::working); }));
  }
  void openOtherProject() {
    session.openProject("/projects/other");
    ASSERT_TRUE(soon([&] { return session.project()->folder == "/projects/other"; }));
  }
  /// As the engine lists them after all that it was asked before.
  std::vector<protocol::DataEntry> projectFiles() {
    std::optional<std::vector<protocol::DataEntry>> files;
    engine.call<protocol::ListData>({}, page.get(), [&](const Result<protocol::ListData::Answer>& answer) {
      files = answer ? answer->files : std::vector<protocol::DataEntry>();
    });
    EXPECT_TRUE(soon([&] { return files.has_value(); }));
    return files.value_or(std::vector<protocol::DataEntry>());
  }
  bool is(StatePane::State wanted) const { return page->findChild<StatePane*>("dataState")->state() == wanted; }
  QString label(const char* name) const { return child<QLabel>(*page, name).text(); }
  QString preview() const { return child<QTextEdit>(*page, "previewText").toPlainText(); }
  Button& button(const char* name) const { return child<Button>(*page, name); }
  bool says(const QString& words) const {
    const auto labels = frame->findChildren<QLabel*>();
    return std::any_of(labels.begin(), labels.end(),
                       [&](const QLabel* one) { return one->isVisible() && one->text().contains(words); });
  }
  /// The text with a ground of its own: what is trained on.
  QString tinted() const {
    QString text;
    const QTextDocument* document = child<QTextEdit>(*page, "previewText").document();
    for (QTextBlock block = document->begin(); block.isValid(); block = block.next()) {
      for (auto it = block.begin(); !it.atEnd(); ++it) {
        if (it.fragment().charFormat().background().style() != Qt::NoBrush) text += it.fragment().text();
      }
    }
    return text;
  }

  std::unique_ptr<DataPage> page;
  std::unique_ptr<Frame> frame;
};

TEST_F(DataPageTest, ChecksTheChosenFileWithTheModelOnSideA) {
  openFile();
  EXPECT_EQ(label("figureRows"), "332");
  EXPECT_EQ(label("figureDropped"), "3");
  EXPECT_EQ(label("figureTokens"), "52,775");
  EXPECT_EQ(label("figureTrained"), "1,194 (2 %)");
  EXPECT_TRUE(label("dataVerdict").contains("Recognised: SQuAD")) << label("dataVerdict").toStdString();
  EXPECT_TRUE(soon([&] { return child<QComboBox>(*page, "dataModel").count() == 3; }));
  EXPECT_EQ(child<QComboBox>(*page, "dataModel").currentText(), "base");
}

TEST_F(DataPageTest, AsksForTheModelsOnceWhateverMapsStandOnTheSides) {
  openFile("counts lists");
  const auto& models = child<QComboBox>(*page, "dataModel");
  ASSERT_TRUE(soon([&] { return models.findText("list 1") >= 0; }));
  for (const char* map : {"stride:2", "stride:3", "full"}) {
    session.setMap(Which::a, map);
    EXPECT_GE(models.findText("list 1"), 0);
    EXPECT_EQ(models.currentText(), "base");
  }
  protocol::Side other = *session.side(Which::a);
  other.ref.model = "routed";
  session.setSide(Which::a, other);
  EXPECT_EQ(models.currentText(), "routed");
  session.models().refresh();
  EXPECT_TRUE(soon([&] { return models.findText("list 2") >= 0; }))
      << "asked more often: the list reads " << models.itemText(models.count() - 1).toStdString();
}

TEST_F(DataPageTest, AFileOfTheProjectIsOneClickAway) {
  open("data");
  auto& files = child<QListWidget>(*page, "dataFiles");
  ASSERT_TRUE(soon([&] { return files.count() == 3; }));
  files.setCurrentRow(1);
  EXPECT_TRUE(soon([&] { return is(StatePane::State::working); }));
  EXPECT_EQ(label("dataName"), "train.txt");
}

TEST_F(DataPageTest, AFileFromElsewhereStaysInTheListWhenAnotherIsOpened) {
  open("data");
  auto& files = child<QListWidget>(*page, "dataFiles");
  ASSERT_TRUE(soon([&] { return files.count() == 3; }));
  const auto names = [&] {
    QStringList names;
    for (int i = 0; i < files.count(); ++i) names << files.item(i)->text();
    return names;
  };
  page->open(Place::dataSet("/elsewhere/first.jsonl"));
  page->open(Place::dataSet("/elsewhere/second.jsonl"));
  EXPECT_EQ(files.count(), 5);
  files.setCurrentRow(1);  // one of the project's own
  EXPECT_TRUE(names().contains("first.jsonl") && names().contains("second.jsonl")) << names().join(", ").toStdString();
  EXPECT_EQ(files.count(), 5);
}

TEST_F(DataPageTest, AFileThatCouldBeReadBecomesADataSetOfTheProjectUntilItIsRemoved) {
  open("data");
  auto& files = child<QListWidget>(*page, "dataFiles");
  ASSERT_TRUE(soon([&] { return files.count() == 3; }));
  EXPECT_FALSE(button("dataRemove").isVisible());
  page->read("/elsewhere/first.jsonl");
  ASSERT_TRUE(soon([&] { return button("dataRemove").isVisible(); }));
  makePage();  // it is the project's, not the page's
  ASSERT_TRUE(soon([&] { return child<QListWidget>(*page, "dataFiles").count() == 4; }));
  ASSERT_TRUE(soon([&] { return is(StatePane::State::working) && button("dataRemove").isVisible(); }));
  QTest::mouseClick(&button("dataRemove"), Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return child<QListWidget>(*page, "dataFiles").count() == 3; }));
  EXPECT_TRUE(is(StatePane::State::empty));
  EXPECT_FALSE(settings.contains("data/path"));
}

TEST_F(DataPageTest, ACheckedFileIsNotAddedToAnotherProject) {
  openFile("unknown columns");
  child<QComboBox>(*page, "column-prompt").setEditText("ask");
  child<QComboBox>(*page, "column-completion").setEditText("reply");
  QTest::mouseClick(&button("mapperUse"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return label("figureRows") == "332" && button("dataRemove").isVisible(); }));
  openOtherProject();
  projectFiles();  // the page's list came before it: what the page then asks for comes before the next
  EXPECT_EQ(projectFiles().size(), 0u);
  EXPECT_TRUE(is(StatePane::State::empty));
  EXPECT_FALSE(settings.contains("data/path"));
  EXPECT_TRUE(settings.value("data/columns").toMap().isEmpty());
}

TEST_F(DataPageTest, AFileIsNotAddedToAProjectThatIsBeingOpenedWhenItsCheckEnds) {
  open("data");
  ASSERT_TRUE(soon([&] { return child<QListWidget>(*page, "dataFiles").count() == 3; }));
  page->read("/elsewhere/first.jsonl");
  openOtherProject();  // the check is answered first
  projectFiles();
  EXPECT_EQ(projectFiles().size(), 0u);
  EXPECT_TRUE(is(StatePane::State::empty));
}

TEST_F(DataPageTest, TheLastFileOfAnotherProjectIsNotAddedToTheOneThatAWindowBeginsWith) {
  ASSERT_TRUE(start("data"));
  settings.setValue("data/path", "/elsewhere/first.jsonl");
  settings.setValue("data/project", "/projects/other");
  makePage();
  ASSERT_TRUE(soon([&] { return child<QListWidget>(*page, "dataFiles").count() == 3; }));
  projectFiles();
  EXPECT_EQ(projectFiles().size(), 3u);
  EXPECT_NE(settings.value("data/path").toString(), "/elsewhere/first.jsonl");
}

TEST_F(DataPageTest, AnotherProjectStopsACheckUnderWay) {
  open("slow check");
  page->read(kRecall);
  ASSERT_TRUE(soon([&] { return is(StatePane::State::loading); }));
  openOtherProject();
  EXPECT_TRUE(is(StatePane::State::empty));
  EXPECT_FALSE(page->escape());
}

TEST_F(DataPageTest, TheVerdictIsGreenAmberOrRed) {
  openFile("clean");
  const auto tone = [&] { return child<Label>(*page, "dataVerdict").tone(); };
  EXPECT_EQ(tone(), Tone::normal);
  EXPECT_TRUE(label("dataVerdict").contains("Ready to train on")) << label("dataVerdict").toStdString();
  child<QSpinBox>(*page, "dataLength").setValue(128);
  ASSERT_TRUE(soon([&] { return tone() == Tone::warn; }));
  EXPECT_TRUE(label("dataVerdict").contains("12 of 332 rows lose passages; a length of 222 tokens keeps all."))
      << label("dataVerdict").toStdString();
}

TEST_F(DataPageTest, RecordsThatAreLeftOutMakeTheVerdictAmber) {
  openFile();
  EXPECT_EQ(child<Label>(*page, "dataVerdict").tone(), Tone::warn);
  EXPECT_TRUE(label("dataVerdict").contains("3 of 335 records are left out.")) << label("dataVerdict").toStdString();
}

TEST_F(DataPageTest, EveryFieldHasHelp) {
  open("data");
  EXPECT_EQ(fieldsWithoutHelp(*page).join(", ").toStdString(), "");
}

TEST_F(DataPageTest, TintsExactlyWhatIsTrainedOn) {
  openFile();
  EXPECT_EQ(tinted().remove(" Mester</s>"), "");
  EXPECT_TRUE(tinted().startsWith(" Mester</s>")) << tinted().toStdString();
  EXPECT_TRUE(label("previewLegend").contains("counts in the loss"));
}

TEST_F(DataPageTest, WalksThroughRowsAlsoPastThoseThatCame) {
  openFile();
  EXPECT_FALSE(button("previewPrevious").isEnabled());
  for (int i = 0; i < 20; ++i) QTest::mouseClick(&button("previewNext"), Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return preview().contains("Question 21:"); })) << preview().toStdString();
  EXPECT_TRUE(label("previewCounts").contains("Row 21 of 332")) << label("previewCounts").toStdString();
  QTest::keyClick(&child<QTextEdit>(*page, "previewText"), Qt::Key_PageUp);
  EXPECT_TRUE(soon([&] { return preview().contains("Question 20:"); }));
}

TEST_F(DataPageTest, ListsWhatIsLeftOutWithLineAndReason) {
  openFile();
  const QAbstractItemModel& model = *child<QTableView>(*page, "droppedView").model();
  ASSERT_EQ(model.rowCount(), 3);
  EXPECT_EQ(model.index(2, 0).data().toString(), "1,311");
  EXPECT_TRUE(model.index(1, 1).data().toString().contains("it has to be a text"));
  child<QTableView>(*page, "droppedView").setCurrentIndex(model.index(1, 0));
  EXPECT_EQ(label("droppedDetail"), "Line 204: \"question\" is a number; it has to be a text.");
}

TEST_F(DataPageTest, ATallerPaneShowsMoreRows) {
  openFile();
  const auto rowsShown = [&] { return preview().count("Question "); };
  ASSERT_TRUE(soon([&] { return rowsShown() >= 1; }));
  const auto before = rowsShown();
  frame->resize(1920, 1400);
  EXPECT_TRUE(soon([&] { return rowsShown() > before; }));
}

TEST_F(DataPageTest, WithoutAModelTokensAreNotMeasured) {
  openFile();
  auto& model = child<QComboBox>(*page, "dataModel");
  model.setCurrentIndex(0);
  Q_EMIT model.activated(0);
  EXPECT_TRUE(soon([&] { return label("figureTokens") == "not measured"; }));
  EXPECT_EQ(preview(), "");
  EXPECT_TRUE(child<QTextEdit>(*page, "previewText").placeholderText().contains("Choose a model"));
}

TEST_F(DataPageTest, AQuickCheckIsMadeAgainWhenTheLengthChanges) {
  openFile();
  EXPECT_EQ(label("figureTruncated"), "0");
  child<QSpinBox>(*page, "dataLength").setValue(128);
  EXPECT_TRUE(soon([&] { return label("figureTruncated") == "12"; }));
  EXPECT_EQ(settings.value("data/length").toInt(), 128);
}

TEST_F(DataPageTest, ColumnsThatAreNotRecognisedAreMappedByHand) {
  openFile("unknown columns");
  EXPECT_TRUE(label("dataVerdict").contains("the keys are ask, reply, source"));
  ASSERT_TRUE(child<QWidget>(*page, "columnMapper").isVisible());
  EXPECT_FALSE(button("mapperUse").isEnabled());
  EXPECT_TRUE(says("Choose the key for"));
  child<QComboBox>(*page, "column-prompt").setEditText("ask");
  EXPECT_TRUE(says("First record: How do I return a parcel?"));
  child<QComboBox>(*page, "column-completion").setEditText("reply");
  EXPECT_TRUE(says("First record: Print the label from your account, stick it on the parcel,")) << "the beginning";
  ASSERT_TRUE(button("mapperUse").isEnabled());
  QTest::mouseClick(&button("mapperUse"), Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return label("figureRows") == "332"; }));
  EXPECT_FALSE(child<QWidget>(*page, "columnMapper").isVisible());
  EXPECT_EQ(settings.value("data/columns").toMap().value("prompt").toString(), "ask");
  page->read("/projects/test/train.txt");
  EXPECT_TRUE(soon([&] { return label("dataName") == "train.txt" && is(StatePane::State::working); }));
  EXPECT_TRUE(settings.value("data/columns").toMap().isEmpty());
  page->read(kRecall);
  EXPECT_TRUE(soon([&] { return label("dataName") == "recall.json" && label("figureRows") == "332"; }))
      << "the project keeps the mapping with the file";
}

TEST_F(DataPageTest, PathColumnsAndLengthOutliveTheWindow) {
  openFile("unknown columns");
  child<QComboBox>(*page, "column-prompt").setEditText("ask");
  child<QComboBox>(*page, "column-completion").setEditText("reply");
  QTest::mouseClick(&button("mapperUse"), Qt::LeftButton);
  child<QSpinBox>(*page, "dataLength").setValue(1024);
  ASSERT_TRUE(soon([&] { return label("figureRows") == "332"; }));
  makePage();
  EXPECT_TRUE(soon([&] { return is(StatePane::State::working) && label("figureRows") == "332"; }));
  EXPECT_EQ(label("dataPath"), kRecall);
  EXPECT_EQ(child<QSpinBox>(*page, "dataLength").value(), 1024);
}

TEST_F(DataPageTest, AMaskThatTrainsOnNothingIsRefusedWithTheReason) {
  openFile("nothing trained");
  EXPECT_TRUE(label("dataVerdict").contains("would be trained on")) << label("dataVerdict").toStdString();
  EXPECT_EQ(child<Label>(*page, "dataVerdict").tone(), Tone::bad);
  EXPECT_TRUE(label("previewLegend").contains("Nothing in this row"));
}

TEST_F(DataPageTest, AFileThatIsGoneSaysSoAndShowsNoOtherFilesFigures) {
  openFile("file goes");
  page->read("/projects/test/train.txt");
  EXPECT_TRUE(soon([&] { return is(StatePane::State::failed); }));
  EXPECT_TRUE(says("is not there any more; choose another file"));
  EXPECT_EQ(label("dataName"), "train.txt");
  EXPECT_FALSE(child<QWidget>(*page, "dataFigures").isVisible());
}

TEST_F(DataPageTest, ReadingCanBeStopped) {
  open("slow check");
  page->read(kRecall);
  ASSERT_TRUE(soon([&] { return is(StatePane::State::loading); }));
  QTest::qWait(100);
  EXPECT_TRUE(page->escape());
  EXPECT_TRUE(soon([&] { return is(StatePane::State::empty); }));
  EXPECT_TRUE(says("Reading was stopped."));
  EXPECT_FALSE(page->escape());
}

TEST_F(DataPageTest, TakesDataFilesAndFoldersButNoModels) {
  open("data");
  const std::filesystem::path model = folder.path() / "model";
  writeText(model / "config.json", "{}");
  writeText(folder.path() / "picture.png", "x");
  writeText(folder.path() / "rows.jsonl", "{}");
  EXPECT_FALSE(drop(*page, model));
  EXPECT_FALSE(drop(*page, folder.path() / "picture.png"));
  EXPECT_TRUE(drop(*page, folder.path() / "rows.jsonl"));
  EXPECT_TRUE(soon([&] { return label("dataName") == "rows.jsonl" && is(StatePane::State::working); }));
}

TEST_F(DataPageTest, TheChooserListsFoldersAndDataFilesOfTheEngine) {
  open("data");
  QTest::mouseClick(&button("dataOpen"), Qt::LeftButton);
  auto* popup = page->findChild<QWidget*>("filePopup");
  ASSERT_NE(popup, nullptr);
  auto& files = child<QListWidget>(*popup, "fileList");
  ASSERT_TRUE(soon([&] { return files.count() == 4; }));  // up, two folders, one data file
  EXPECT_EQ(namelessControls(*popup).join("\n").toStdString(), "");
  child<QLineEdit>(*popup, "filePath").setText("/gone");
  QTest::keyClick(&child<QLineEdit>(*popup, "filePath"), Qt::Key_Return);
  EXPECT_TRUE(soon([&] { return says("There is no folder /gone."); }));
  QTest::mouseClick(&files, Qt::LeftButton);
  QTest::mouseClick(files.viewport(), Qt::LeftButton, {}, files.visualItemRect(files.item(3)).center());
  EXPECT_TRUE(soon([&] { return label("dataName") == "notes.jsonl"; }));
}

TEST_F(DataPageTest, EveryControlHasAnObjectNameAndASpokenName) {
  openFile("unknown columns");
  EXPECT_EQ(namelessControls(*frame).join("\n").toStdString(), "");
}

TEST_F(DataPageTest, ARenderedPromptWithItsTrainedTokensIsSeenWithoutScrollingAt1280x800) {
  openFile();
  QTest::qWait(50);
  auto& text = child<QTextEdit>(*page, "previewText");
  EXPECT_FALSE(text.viewport()->visibleRegion().isEmpty());
  const QTextCursor trained = text.document()->find("</s>");
  ASSERT_FALSE(trained.isNull());
  EXPECT_LE(text.cursorRect(trained).bottom(), text.viewport()->height());
}

TEST_F(DataPageTest, ScreenshotOfTheWorkingState) {
  openFile();
  shoot(*frame, "data_working");
  shootLargeAndGrey(*frame, "data_working");
}

TEST_F(DataPageTest, ScreenshotOfMappingColumns) {
  openFile("unknown columns");
  child<QComboBox>(*page, "column-prompt").setEditText("ask");
  child<QComboBox>(*page, "column-completion").setEditText("reply");
  shoot(*frame, "data_columns");
}

TEST_F(DataPageTest, ScreenshotOfADataSetFromElsewhere) {
  open("clean");
  page->read("/elsewhere/questions.jsonl");
  ASSERT_TRUE(soon([&] { return button("dataRemove").isVisible(); }));
  shoot(*frame, "data_added");
}

TEST_F(DataPageTest, ScreenshotOfRowsThatLosePassages) {
  openFile("clean");
  child<QSpinBox>(*page, "dataLength").setValue(128);
  ASSERT_TRUE(soon([&] { return label("figureTruncated") == "12"; }));
  shoot(*frame, "data_amber");
}

TEST_F(DataPageTest, ScreenshotOfTheEmptyState) {
  open("empty");
  ASSERT_TRUE(soon([&] { return is(StatePane::State::empty); }));
  shoot(*frame, "data_empty");
}

TEST_F(DataPageTest, ScreenshotOfTheLoadingState) {
  open("slow check");
  page->read(kRecall);
  QTest::qWait(1200);
  ASSERT_TRUE(is(StatePane::State::loading));
  shoot(*frame, "data_loading");
}

TEST_F(DataPageTest, ScreenshotOfTheFailedState) {
  open("file goes");
  page->read("/projects/test/train.txt");
  ASSERT_TRUE(soon([&] { return is(StatePane::State::failed); }));
  shoot(*frame, "data_failed");
}

TEST_F(DataPageTest, ScreenshotOfTheStaleState) {
  openFile();
  engine.stop();
  ASSERT_TRUE(soon([&] { return is(StatePane::State::stale); }));
  shoot(*frame, "data_stale");
}

}  // namespace
}  // namespace strata::testing
