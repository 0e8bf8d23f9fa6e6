#include "widgets/mapeditor/map_page.h"

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QStackedWidget>

#include "field_help.h"
#include "layout_check.h"
#include "map_fixture.h"
#include "widgets/mapeditor/cost_line.h"
#include "widgets/mapeditor/map_choices.h"
#include "widgets/mapeditor/map_table.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;

class MapPageTest : public ::testing::Test, public PageFixture {
 protected:
  void open(const std::string& scenario) {
    ASSERT_TRUE(start(scenario));
    page = std::make_unique<MapPage>(session);
    frame = std::make_unique<Frame>(*page);
    frame->resize(1280, 760);
    frame->show();
    frame->activateWindow();
  }
  void openMap(const std::string& scenario) {
    open(scenario);
    ASSERT_TRUE(soon([&] { return page->side().document() != nullptr; }));
    ASSERT_TRUE(soon([&] { return page->side().other().has_value(); }));
  }
  void measure() {
    matrix = sampleMatrix(page->side().document()->layers());
    page->side().setSensitivity(&matrix);
  }
  MapDocument& document() const { return *page->side().document(); }
  std::string cost() const { return child<CostLine>(*page, "mapCost").text().toStdString(); }
  StatePane::State state() const { return child<StatePane>(*page, "mapState").state(); }
  std::string sideB() const { return session.side(Which::b)->map; }
  /// A drag that is not dropped.
  void holdDrag(int layer, int target) {
    MapView& view = *page->view();
    const auto place = [&](int row) {
      const QRect rect = view.mapLayout().tileRect(row, document().map().owns(row));
      return QPoint(rect.left() + rect.width() * 3 / 4, view.mapLayout().yOf(row) + view.mapLayout().row * 5 / 8);
    };
    QTest::mousePress(&view, Qt::LeftButton, {}, place(layer));
    for (const QPoint& at : {(place(layer) + place(target)) / 2, place(target)}) {
      QMouseEvent move(QEvent::MouseMove, at, view.mapToGlobal(at), Qt::NoButton, Qt::LeftButton, {});
      QCoreApplication::sendEvent(&view, &move);
    }
  }

  Sensitivity matrix;
  std::unique_ptr<MapPage> page;
  std::unique_ptr<Frame> frame;  // ends before the page
};

TEST_F(MapPageTest, ShowsSideBsMapAndWhatItSaves) {
  openMap("36");
  EXPECT_EQ(document().text().toStdString(), "stride:4");
  EXPECT_EQ(cost(), "KV 1.13 GiB at 32k × 1 (-75 %) · 9 owners of 36 · quality not measured");
  session.setContext(1024, 3);
  EXPECT_THAT(cost(), HasSubstr("KV 108 MiB at 1k × 3 (-75 %)"));
}

TEST_F(MapPageTest, SideBTakesTheDrawnMapAtOnce) {
  openMap("12");
  ASSERT_TRUE(document().read(9, 4));
  EXPECT_EQ(sideB(), "0,0,0,0,4,4,4,4,8,4,8,8");
  page->undoStack()->undo();
  EXPECT_EQ(sideB(), "stride:4");
}

TEST_F(MapPageTest, AMapThatIsSetElsewhereIsAStepHere) {
  openMap("12");
  session.setMap(Which::b, "stride:2");
  EXPECT_EQ(document().text().toStdString(), "stride:2");
  page->undoStack()->undo();
  EXPECT_EQ(sideB(), "stride:4");
}

TEST_F(MapPageTest, APercentButtonIsOneStep) {
  openMap("12");
  auto& choices = child<MapChoices>(*page, "mapShare");
  QTest::mouseClick(choices.buttons()->button(2), Qt::LeftButton);
  EXPECT_EQ(document().text().toStdString(), "stride:2");
  EXPECT_EQ(page->undoStack()->undoText().toStdString(), "50 % of the cache");
}

TEST_F(MapPageTest, AMapIsTypedAsTextAndAnErrorNamesTheLayer) {
  openMap("12");
  auto& text = child<QLineEdit>(*page, "mapText");
  text.setText("0,0,2,2,2,9,6,6,6,6,6,6");
  QTest::keyClick(&text, Qt::Key_Return);
  auto& problem = child<QLabel>(*page, "mapProblem");
  EXPECT_TRUE(problem.isVisible());
  EXPECT_THAT(problem.text().toStdString(), HasSubstr("5"));
  EXPECT_EQ(document().text().toStdString(), "stride:4");
  text.setText("even:5");
  QTest::keyClick(&text, Qt::Key_Return);
  EXPECT_FALSE(problem.isVisible());
  EXPECT_EQ(document().map().owners(), 5);
}

TEST_F(MapPageTest, TheFiguresChangeInPlaceDuringADrag) {
  openMap("12");
  measure();
  waitForLayout(*frame);
  const QSize before = child<CostLine>(*page, "mapCost").size();
  holdDrag(8, 4);
  waitForLayout(*frame);
  EXPECT_THAT(cost(), HasSubstr("KV 384 MiB, now 256 MiB"));
  EXPECT_THAT(cost(), HasSubstr("3, now 2 owners of 12"));
  EXPECT_THAT(cost(), HasSubstr("estimated"));
  EXPECT_EQ(before.height(), child<CostLine>(*page, "mapCost").height()) << "no row moves";
  EXPECT_EQ(sideB(), "stride:4") << "nothing before the drop";
  EXPECT_TRUE(page->escape());
}

TEST_F(MapPageTest, TheTableIsASecondViewOfTheSameMap) {
  openMap("12");
  page->restoreState("table");
  auto& table = child<MapTable>(*page, "mapTable");
  ASSERT_TRUE(table.isVisible());
  const QModelIndex reads = table.model()->index(9, MapModel::Reads);
  table.setCurrentIndex(reads);
  table.edit(reads);
  auto& box = child<QComboBox>(table, "ownerChoice");
  QStringList owners;
  for (int i = 0; i < box.count(); ++i) owners << box.itemText(i);
  EXPECT_EQ(owners.join(" ").toStdString(), "0 4 8 itself: owner");
  box.setCurrentIndex(1);
  Q_EMIT box.activated(1);
  EXPECT_EQ(document().map()[9], 4);
  EXPECT_EQ(page->undoStack()->undoText().toStdString(), "layer 9 reads 4");
}

TEST_F(MapPageTest, MapsAreSavedOpenedRenamedAndPutIntoTheTrash) {
  openMap("12 maps");
  ASSERT_TRUE(soon([&] { return session.maps().rowCount() == 1; }));
  ASSERT_TRUE(document().read(9, 4));
  const auto popup = [&]() -> QWidget& {
    QTest::mouseClick(&child<QAbstractButton>(*page, "mapNameButton"), Qt::LeftButton);
    return *QApplication::activePopupWidget();
  };
  {
    QWidget& maps = popup();
    child<QLineEdit>(maps, "mapName").setText("mine");
    QTest::keyClick(&child<QLineEdit>(maps, "mapName"), Qt::Key_Return);
  }
  ASSERT_TRUE(soon([&] { return session.maps().rowCount() == 2 && !document().isDirty(); }));
  EXPECT_EQ(document().name().toStdString(), "mine");
  QWidget& maps = popup();
  auto& list = child<QListWidget>(maps, "mapsList");
  list.setCurrentRow(0);
  ASSERT_EQ(list.currentItem()->text().toStdString(), "quarter");
  list.currentItem()->setText("a quarter");
  ASSERT_TRUE(soon([&] { return session.maps().rows()[0].name == "a quarter"; }));
  QTest::mouseClick(&child<QAbstractButton>(maps, "mapsTrash"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return list.count() == 1; }));
  QTest::mouseClick(&child<QAbstractButton>(maps, "mapsRestore"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return list.count() == 2; }));
  const auto quarter = list.findItems("a quarter", Qt::MatchExactly);
  ASSERT_EQ(quarter.size(), 1);
  list.setCurrentItem(quarter.front());
  auto& useA = child<QAbstractButton>(maps, "mapsUseA");
  ASSERT_TRUE(soon([&] { return useA.isEnabled(); }));
  const QPointer<QWidget> closing = &maps;
  useA.click();
  EXPECT_EQ(session.side(Which::a)->map, "stride:4");
  EXPECT_TRUE(soon([&] { return closing == nullptr; }));
  QWidget& again = popup();
  child<QListWidget>(again, "mapsList")
      .setCurrentItem(child<QListWidget>(again, "mapsList").findItems("a quarter", Qt::MatchExactly).value(0));
  auto& openIt = child<QAbstractButton>(again, "mapsOpen");
  ASSERT_TRUE(soon([&] { return openIt.isEnabled(); }));
  openIt.click();
  EXPECT_EQ(document().text().toStdString(), "stride:4");
  EXPECT_FALSE(document().isDirty());
}

TEST_F(MapPageTest, AMapFileIsDroppedAndABadOneRefused) {
  openMap("12");
  const auto write = [&](const char* name, const std::string& text) {
    const auto path = folder.path() / name;
    QFile file(QString::fromStdString(path.string()));
    EXPECT_TRUE(file.open(QIODevice::WriteOnly));
    file.write(QByteArray::fromStdString(text));
    return path;
  };
  const std::string head = R"({"format":"strata-map","version":1,)";
  EXPECT_TRUE(drop(*page, write("good.json", head + R"("layers":12,"src":[0,0,0,0,0,0,6,6,6,6,6,6]})")));
  EXPECT_EQ(document().map().owners(), 2);
  const std::pair<const char*, const char*> bad[] = {
      {R"("layers":5,"src":[0,0,0,0,0]})", "made for 5 layers; this model has 12"},
      {R"("layers":12,"src":[0,0,0,0,0,0,6,6,6,6,6,11]})", ""},
      {R"("layers":12,"src":[0,0,0,0,0,9,6,6,6,6,6,6]})", "5"},
      {R"("layers":12,"src":[0,1,1,2,0,0,6,6,6,6,6,6]})", "3"},
      {R"("layers":12,"src":[0,0,0,0,1e9,0,6,6,6,6,6,6]})", "4"},
      {R"("layers":12,"src":[0,0,0.5,0,0,0,6,6,6,6,6,6]})", "2"},
      {R"("layers":12,"layers":12,"src":[0,0,0,0,0,0,6,6,6,6,6,6]})", "layers"}};
  for (const auto& [rest, says] : bad) {
    if (*says == '\0') continue;
    EXPECT_TRUE(drop(*page, write("bad.json", head + rest)));
    EXPECT_THAT(child<QLabel>(*page, "mapProblem").text().toStdString(), HasSubstr(says)) << rest;
    EXPECT_EQ(document().map().owners(), 2) << "untouched";
  }
}

TEST_F(MapPageTest, AStoredMatrixTintsTheGridAndMakesAnEstimate) {
  openMap("12 matrix");
  ASSERT_TRUE(soon([&] { return cost().find("estimated") != std::string::npos; }));
  // Each bracket of stride:4 reads 1, 2 and 3 layers back.
  EXPECT_THAT(cost(), HasSubstr("NLL +0.180, perplexity about +20 %, estimated"));
  EXPECT_THAT(child<CostLine>(*page, "mapCost").toolTip().toStdString(), HasSubstr("off by 0.020 on the 3 maps"));
}

TEST_F(MapPageTest, SensitivityAndTheDrawnMapAreMeasuredByAButton) {
  openMap("12");
  auto& sensitivity = child<QAbstractButton>(*page->inspector(), "measureSensitivity");
  ASSERT_TRUE(soon([&] { return sensitivity.isEnabled(); }));
  EXPECT_EQ(child<QComboBox>(*page->inspector(), "measureText").currentText().toStdString(), "heldout.txt");
  sensitivity.click();
  ASSERT_TRUE(soon([&] { return cost().find("estimated") != std::string::npos; }));
  child<QAbstractButton>(*page->inspector(), "measureMap").click();
  ASSERT_TRUE(soon([&] { return cost().find("measured") != std::string::npos; }));
  EXPECT_THAT(cost(), HasSubstr("NLL +0.085, perplexity +8.9 %, measured"));
  ASSERT_TRUE(document().read(9, 4));
  EXPECT_THAT(cost(), HasSubstr("estimated")) << "another map";
}

TEST_F(MapPageTest, ATextThatWasAddedLaterIsListedWhenThePageIsShownAgain) {
  openMap("12 no text");
  const auto& texts = child<QComboBox>(*page->inspector(), "measureText");
  const auto& sensitivity = child<QAbstractButton>(*page->inspector(), "measureSensitivity");
  const auto addAndShowAgain = [&](const char* path) {
    bool isAdded = false;
    engine.call<protocol::AddData>({path, {}, {}}, page.get(),
                                   [&](const auto& answer) { isAdded = answer.has_value(); });
    ASSERT_TRUE(soon([&] { return isAdded; }));
    frame->hide();
    frame->show();
  };
  EXPECT_FALSE(sensitivity.isEnabled());
  addAndShowAgain("/elsewhere/late.txt");
  ASSERT_TRUE(soon([&] { return sensitivity.isEnabled(); }));
  EXPECT_EQ(texts.currentText().toStdString(), "late.txt");
  addAndShowAgain("/elsewhere/later.txt");
  ASSERT_TRUE(soon([&] { return texts.count() == 2; }));
  EXPECT_EQ(texts.currentText().toStdString(), "late.txt") << "what was chosen stays";
}

TEST_F(MapPageTest, AMapForABudgetIsFoundAndOpened) {
  openMap("12");
  auto& find = child<QAbstractButton>(*page->inspector(), "findMap");
  ASSERT_TRUE(soon([&] { return find.isEnabled(); }));
  EXPECT_EQ(child<QComboBox>(*page->inspector(), "mapBudget").currentText().toStdString(), "384 MiB, 3 owners");
  find.click();
  auto& state = child<QLabel>(*page->inspector(), "searchState");
  ASSERT_TRUE(soon([&] { return state.isVisible(); }));
  EXPECT_EQ(state.text().toStdString(), "Best of 55 maps: NLL 3.985, +0.085 against the full map.");
  child<QAbstractButton>(*page->inspector(), "openFound").click();
  EXPECT_EQ(document().text().toStdString(), "0,0,0,0,0,0,6,6,6,9,9,9");
  EXPECT_EQ(document().name().toStdString(), "greedy-3");
}

TEST_F(MapPageTest, StatesOfThePage) {
  open("12 no-b");
  ASSERT_TRUE(soon([&] { return state() == StatePane::State::empty; }));
  shoot(*frame, "map_empty");
}

TEST_F(MapPageTest, AModelThatCannotBeReadIsToldAboveThePage) {
  open("12 broken");
  ASSERT_TRUE(soon([&] { return state() == StatePane::State::failed; }));
  shoot(*frame, "map_failed");
}

TEST_F(MapPageTest, TheMapIsDrawnOnWhenTheEngineIsAway) {
  openMap("12");
  engine.start({"/nowhere/strata", {"engine"}});
  ASSERT_TRUE(soon([&] { return engine.state() == EngineClient::State::failed; }));
  EXPECT_EQ(state(), StatePane::State::working);
  EXPECT_TRUE(document().read(9, 4));
  EXPECT_THAT(cost(), HasSubstr("KV 384 MiB"));
}

TEST_F(MapPageTest, AMapIsDrawnWithoutAnEngineFromTheStartAndGoesToTheSideLater) {
  openMap("12");
  frame.reset();
  page.reset();
  EngineClient later;
  Session other(later, settings);
  MapPage drawn(other);
  later.start({"/nowhere/strata", {"engine"}});
  ASSERT_TRUE(soon([&] { return drawn.side().document() != nullptr; }));
  ASSERT_TRUE(drawn.side().document()->setText("even:2"));
  EXPECT_THAT(child<CostLine>(drawn, "mapCost").text().toStdString(), HasSubstr("KV 256 MiB"));
  later.start(fakeEngine("12"));
  other.openProject("/projects/test");
  ASSERT_TRUE(soon([&] { return other.project().has_value(); }));
  ASSERT_TRUE(soon([&] { return other.side(Which::b)->map == "stride:6"; }));
}

TEST_F(MapPageTest, EveryControlHasANameAndEveryFieldHelp) {
  openMap("12");
  EXPECT_EQ(namelessControls(*frame).join(", ").toStdString(), "");
  EXPECT_EQ(fieldsWithoutHelp(*page).join(", ").toStdString(), "");
}

TEST_F(MapPageTest, NothingIsCutOffAtLargeText) {
  openMap("12");
  measure();
  for (const int percent : {150, 200}) {
    theme().setTextPercent(percent);
    waitForLayout(*frame);
    EXPECT_EQ(layoutProblems(*frame).join("\n").toStdString(), "") << percent;
    frame->grab().save(QString("%1/screenshots/map_text_%2.png").arg(STRATA_BINARY_DIR).arg(percent));
  }
  theme().setTextPercent(100);
}

class MapPageScreenshots : public MapPageTest, public ::testing::WithParamInterface<int> {};

TEST_P(MapPageScreenshots, AtRestAndInTheMiddleOfADrag) {
  const int layers = GetParam();
  openMap(std::to_string(layers) + " maps");
  if (layers > 8) {
    ASSERT_TRUE(document().read(6, 0));
  }
  const QString name = QString("map_%1").arg(layers);
  shoot(*frame, name + "_unmeasured");
  measure();
  shoot(*frame, name);
  frame->resize(1280, 760);
  waitForLayout(*frame);
  layers > 8 ? holdDrag(9, 4) : holdDrag(3, 0);
  shoot(*frame, name + "_drag");
  page->escape();
  if (layers == 12) shootLargeAndGrey(*frame, name);
}

INSTANTIATE_TEST_SUITE_P(Layers, MapPageScreenshots, ::testing::Values(4, 12, 36, 126));

TEST_F(MapPageTest, ExportingGoesToTheModelOfTheDrawnMap) {
  openMap("12");
  QList<Place> wanted;
  QObject::connect(&session, &Session::placeWanted, page.get(), [&](const Place& place) { wanted << place; });
  child<QAbstractButton>(*frame, "mapExport").click();
  EXPECT_EQ(wanted, QList<Place>{Place::exportOf(QString::fromStdString(session.side(Which::b)->ref.model))});
}

}  // namespace
}  // namespace strata::testing
