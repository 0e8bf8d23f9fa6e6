#include "widgets/reports/reports_page.h"

#include <QAction>
#include <QDesktopServices>
#include <QFile>
#include <QFileDialog>
#include <QLabel>
#include <QListView>
#include <QListWidget>
#include <QMenu>
#include <QPlainTextEdit>
#include <QTextBrowser>
#include <QTextTable>

#include "layout_check.h"
#include "page_fixture.h"
#include "widgets/reports/report_files.h"
#include "widgets/reports/report_text.h"

namespace strata::testing {
namespace {

class OpenedFiles : public QObject {
  Q_OBJECT

 public:
  OpenedFiles() { QDesktopServices::setUrlHandler("file", this, "open"); }
  ~OpenedFiles() override { QDesktopServices::unsetUrlHandler("file"); }
  QStringList paths;

 public Q_SLOTS:
  void open(const QUrl& url) { paths << url.toLocalFile(); }
};

class ReportsPageTest : public ::testing::Test, public PageFixture {
 protected:
  void open(const std::string& scenario) {
    page = std::make_unique<ReportsPage>(session);
    frame = std::make_unique<Frame>(*page);
    frame->resize(1280, 800);
    frame->show();
    ASSERT_TRUE(start(scenario));
    session.runs().refresh();
  }
  void openReports(const std::string& scenario = "reports") {
    open(scenario);
    ASSERT_TRUE(soon([&] { return list().model()->rowCount() == 2 && text().toPlainText().contains("Scores"); }));
    ASSERT_TRUE(soon([&] { return button("newReport").isEnabled(); }));
  }
  QListView& list() const { return child<QListView>(*page, "reports"); }
  QTextBrowser& text() const { return child<QTextBrowser>(*page, "reportText"); }
  QString label(const char* name) const { return child<QLabel>(*page, name).text(); }
  Button& button(const char* name) const { return child<Button>(*page, name); }
  StatePane& state() const { return child<StatePane>(*page, "reportsState"); }
  template <class T>
  T* popup(const char* name) {
    T* found = nullptr;
    EXPECT_TRUE(soon([&] {
      for (QWidget* widget : QApplication::topLevelWidgets()) {
        if (widget->objectName() == name && widget->isVisible()) found = qobject_cast<T*>(widget);
      }
      if (found == nullptr) found = page->findChild<T*>(name);
      return found != nullptr;
    })) << name;
    return found;
  }
  bool says(const QString& words) const {
    const auto labels = frame->findChildren<QLabel*>();
    return std::any_of(labels.begin(), labels.end(),
                       [&](const QLabel* one) { return one->isVisible() && one->text().contains(words); });
  }

  std::unique_ptr<ReportsPage> page;
  std::unique_ptr<Frame> frame;  // ends before the page
};

TEST_F(ReportsPageTest, TheConclusionStandsBeforeTheTables) {
  openReports();
  EXPECT_EQ(label("reportTitle"), "base against routed");
  EXPECT_TRUE(label("reportConclusion").startsWith("No difference in F1 shows"));
  EXPECT_TRUE(child<QLabel>(*page, "reportConclusion").isVisible());
  EXPECT_TRUE(label("reportCreated").contains("HTML, PDF, CSV, JSON, Markdown"));
  const auto frames = text().document()->rootFrame()->childFrames();
  const auto isTable = [](QTextFrame* one) { return qobject_cast<QTextTable*>(one) != nullptr; };
  EXPECT_TRUE(std::any_of(frames.begin(), frames.end(), isTable));
  QListView& reports = list();
  reports.setCurrentIndex(reports.model()->index(1, 0));
  EXPECT_TRUE(soon([&] { return label("reportTitle") == "Sharing of base"; }));
  ASSERT_TRUE(soon([&] { return text().toPlainText().contains("Conclusion"); }));
  EXPECT_FALSE(child<QLabel>(*page, "reportConclusion").isVisible()) << "the text has it";
}

TEST_F(ReportsPageTest, HeadsOfTablesAreAlignedAsTheirColumns) {
  openReports();
  const QTextTable* table = nullptr;
  for (QTextFrame* frame : text().document()->rootFrame()->childFrames()) {
    if (table == nullptr) table = qobject_cast<QTextTable*>(frame);
  }
  ASSERT_NE(table, nullptr);
  const auto alignment = [&](int row, int column) {
    return table->cellAt(row, column).firstCursorPosition().blockFormat().alignment() & Qt::AlignHorizontal_Mask;
  };
  EXPECT_EQ(alignment(0, 0), Qt::AlignLeft);
  for (int row : {0, 1}) EXPECT_EQ(alignment(row, 1), Qt::AlignRight) << row;
}

TEST_F(ReportsPageTest, ThePreviewLoadsNothingAndShowsHtmlAsText) {
  openReports();
  EXPECT_TRUE(text().toPlainText().contains("<img src="));
  EXPECT_TRUE(text().loadResource(QTextDocument::ImageResource, QUrl("file:///etc/hostname")).toByteArray().isEmpty());
  EXPECT_FALSE(text().openExternalLinks());
}

TEST_F(ReportsPageTest, OpenHtmlHandsTheFileToTheBrowser) {
  openReports();
  OpenedFiles opened;
  button("openReport").click();
  EXPECT_EQ(opened.paths, QStringList{"/projects/test/reports/base-routed.html"});
}

TEST_F(ReportsPageTest, EachFormatIsSavedOnThisMachine) {
  openReports();
  const QString path = QString::fromStdString((folder.path() / "copy.md").string());
  auto* menu = page->findChild<QMenu*>("reportFormats");
  ASSERT_NE(menu, nullptr);
  EXPECT_EQ(menu->actions().size(), 5);
  page->findChild<QAction*>("save-md")->trigger();
  auto* dialog = popup<QFileDialog>("saveReportDialog");
  Q_EMIT dialog->fileSelected(path);
  ASSERT_TRUE(soon([&] { return QFile::exists(path); }));
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::ReadOnly));
  EXPECT_TRUE(file.readAll().contains("How to repeat it")) << "all of its pages";
  dialog->close();
}

TEST_F(ReportsPageTest, ACopyThatCannotBeWrittenSaysWhy) {
  openReports();
  page->findChild<QAction*>("save-html")->trigger();
  auto* dialog = popup<QFileDialog>("saveReportDialog");
  Q_EMIT dialog->fileSelected("/nowhere/copy.html");
  EXPECT_TRUE(soon([&] { return label("reportProblem").contains("/nowhere/copy.html cannot be written"); }));
  dialog->close();
}

TEST_F(ReportsPageTest, AReportIsRemovedAndComesBack) {
  openReports();
  list().setFocus();
  QTest::keyClick(&list(), Qt::Key_Delete);
  ASSERT_TRUE(soon([&] { return list().model()->rowCount() == 1; }));
  EXPECT_EQ(label("reportTitle"), "Sharing of base");
  ASSERT_TRUE(button("restoreReport").isVisible());
  button("restoreReport").click();
  EXPECT_TRUE(soon([&] { return list().model()->rowCount() == 2; }));
  EXPECT_EQ(label("reportTitle"), "base against routed");
}

TEST_F(ReportsPageTest, ANewReportIsOfTheRunsThatAreTicked) {
  openReports();
  button("newReport").click();
  auto* chooser = popup<QWidget>("newReportPopup");
  auto& runs = child<QListWidget>(*chooser, "reportRuns");
  ASSERT_EQ(runs.count(), 2);
  auto& write = child<QAbstractButton>(*chooser, "writeNewReport");
  EXPECT_FALSE(write.isEnabled());
  QTest::keyClick(&runs, Qt::Key_Space);
  ASSERT_TRUE(write.isEnabled());
  child<QLineEdit>(*chooser, "reportName").setText("a/b");
  write.click();
  EXPECT_TRUE(soon([&] { return child<QLabel>(*chooser, "newReportProblem").text().contains("no slash"); }));
  child<QLineEdit>(*chooser, "reportName").setText("mine");
  child<QPlainTextEdit>(*chooser, "reportNotes").setPlainText("Half is enough.\n");
  write.click();
  ASSERT_TRUE(soon([&] { return list().model()->rowCount() == 3; }));
  EXPECT_TRUE(soon([&] { return page->current() != nullptr && page->current()->name == "mine"; }));
  EXPECT_EQ(page->current()->conclusion, "Half is enough.") << "the engine of this test shows what it was sent";
}

TEST_F(ReportsPageTest, NotesThatWereTypedAreThereWhenThePopupIsOpenedAgain) {
  openReports();
  button("newReport").click();
  auto* chooser = popup<QWidget>("newReportPopup");
  child<QPlainTextEdit>(*chooser, "reportNotes").setPlainText("Half is enough.");
  chooser->close();
  QTest::qWait(10);
  button("newReport").click();
  chooser = popup<QWidget>("newReportPopup");
  EXPECT_EQ(child<QPlainTextEdit>(*chooser, "reportNotes").toPlainText(), "Half is enough.");
  chooser->close();
  session.openProject("/projects/other");
  ASSERT_TRUE(soon([&] { return button("newReport").isEnabled(); }));
  QTest::qWait(50);
  button("newReport").click();
  chooser = popup<QWidget>("newReportPopup");
  EXPECT_EQ(child<QPlainTextEdit>(*chooser, "reportNotes").toPlainText(), "") << "they are another project's";
}

TEST_F(ReportsPageTest, APlaceOpensItsReport) {
  openReports();
  EXPECT_TRUE(page->shows({{}, PlaceKind::report, "sharing"}));
  page->open({{}, PlaceKind::report, "sharing"});
  EXPECT_TRUE(soon([&] { return label("reportTitle") == "Sharing of base"; }));
}

TEST_F(ReportsPageTest, WithoutReportsItSaysWhatBelongsHere) {
  open("none");
  ASSERT_TRUE(soon([&] { return says("No reports yet. A report holds"); }));
  shoot(*frame, "reports_empty");
}

TEST_F(ReportsPageTest, TheFirstReportIsMadeFromTheEmptyPage) {
  open("none");
  ASSERT_TRUE(soon([&] { return says("No reports yet. A report holds"); }));
  EXPECT_TRUE(page->findChild<QAction*>("report-new")->isEnabled());
  EXPECT_EQ(page->keys().size(), 1) << "nothing to open or remove";
  const auto buttons = page->findChildren<QAbstractButton*>();
  const auto made = std::find_if(buttons.begin(), buttons.end(), [](const QAbstractButton* each) {
    return each->text() == "New report" && each->isVisible() && each->isEnabled();
  });
  ASSERT_NE(made, buttons.end());
  (*made)->click();
  EXPECT_NE(popup<QWidget>("newReportPopup"), nullptr);
}

TEST_F(ReportsPageTest, WithoutRunsItLeadsToAnEvaluation) {
  open("nothing");
  ASSERT_TRUE(soon([&] { return says("no run to report on"); }));
  EXPECT_TRUE(page->keys().isEmpty());
}

TEST_F(ReportsPageTest, AListThatCannotBeReadSaysWhy) {
  open("broken");
  ASSERT_TRUE(soon([&] { return state().state() == StatePane::State::failed; }));
  EXPECT_TRUE(says("permission denied"));
  shoot(*frame, "reports_failed");
}

TEST_F(ReportsPageTest, WhileTheListComesItSaysSo) {
  open("slow");
  EXPECT_EQ(state().state(), StatePane::State::loading);
  EXPECT_TRUE(soon([&] { return says("Reading the list of reports"); }));
  shoot(*frame, "reports_loading");
}

TEST_F(ReportsPageTest, WithoutTheEngineReportsStayAndAreOpened) {
  openReports();
  engine.stop();
  ASSERT_TRUE(soon([&] { return state().state() == StatePane::State::stale; }));
  EXPECT_TRUE(button("openReport").isEnabled());
  EXPECT_FALSE(button("newReport").isEnabled());
  shoot(*frame, "reports_stale");
}

TEST_F(ReportsPageTest, EveryControlHasANameAndFits) {
  openReports();
  waitForLayout(*frame);
  EXPECT_EQ(namelessControls(*frame).join("\n").toStdString(), "");
  EXPECT_EQ(layoutProblems(*frame).join("\n").toStdString(), "");
}

TEST_F(ReportsPageTest, ScreenshotsOfAnOrdinaryReport) {
  openReports("plain");
  shoot(*frame, "reports_plain");
}

TEST_F(ReportsPageTest, ScreenshotsWithReports) {
  openReports();
  shoot(*frame, "reports");
  shootLargeAndGrey(*frame, "reports");
}

}  // namespace
}  // namespace strata::testing

#include "reports_page_test.moc"
