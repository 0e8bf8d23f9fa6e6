// The map of the sample's routed model: drawn, measured by bytes, undone, and answered with.

#include <QMouseEvent>
#include <QRegularExpression>
#include <QScrollArea>

#include "layout_check.h"
#include "pace.h"
#include "real_window.h"
#include "widgets/mapeditor/cost_line.h"
#include "widgets/mapeditor/map_choices.h"
#include "widgets/mapeditor/map_view.h"
#include "widgets/plots/pareto_plot.h"
#include "widgets/style/segmented_buttons.h"

namespace strata {
namespace {

class MapJourney : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(window.isReady()) << window.engine.log().toStdString();
    QTest::mouseClick(window.find<QAbstractButton>("step-map"), Qt::LeftButton);
    ASSERT_EQ(window.window.currentPage(), window.map);
    ASSERT_TRUE(until([&] { return window.map->side().document() != nullptr && view().isVisible(); }));
    testing::waitForLayout(window.window);
  }
  MapView& view() { return *window.map->view(); }
  const SharingMap& map() { return window.map->side().document()->map(); }
  std::string sideB() { return window.session.side(Which::b)->map; }
  std::string cost() { return window.find<CostLine>("mapCost")->text().toStdString(); }
  QPoint tile(int layer) {
    const QRect rect = view().mapLayout().tileRect(layer, map().owns(layer));
    return {rect.left() + rect.width() * 3 / 4, view().mapLayout().yOf(layer) + view().mapLayout().row * 5 / 8};
  }
  void drag(const QPoint& from, const QPoint& to, const QString& picture = {}) {
    QTest::mousePress(&view(), Qt::LeftButton, {}, from);
    for (const QPoint& at : {(from + to) / 2, to}) {
      QMouseEvent move(QEvent::MouseMove, at, view().mapToGlobal(at), Qt::NoButton, Qt::LeftButton, {});
      QCoreApplication::sendEvent(&view(), &move);
    }
    if (!picture.isEmpty()) window.screenshot(picture);
    QTest::mouseRelease(&view(), Qt::LeftButton, {}, to);
  }
  void undo() { QTest::keyClick(&view(), Qt::Key_Z, Qt::ControlModifier); }
  /// Asks side B, and returns what the engine says it ran.
  protocol::Answer ask(const QString& question) {
    window.window.showPage("chat");
    window.chat->startNew();
    window.chat->setDraft(question);
    window.chat->sendDraft();
    EXPECT_TRUE(until([&] { return !window.chat->conversation().turns().empty(); }));
    EXPECT_TRUE(window.bothAnswered(0));
    const SideAnswer* answer = window.answer(0, Which::b);
    return answer != nullptr && answer->answer ? *answer->answer : protocol::Answer{};
  }

  const OwnFolders folders;
  RealWindow window{folders};
};

TEST_F(MapJourney, DragsPaintsMovesAGapHalvesTheCacheAndAnswersWithIt) {
  EXPECT_EQ(sideB(), "full");
  drag(tile(9), tile(4), "journey_map_1_drag");
  EXPECT_EQ(map()[9], 4);
  EXPECT_NE(cost().find("11 owners of 12"), std::string::npos) << cost();
  EXPECT_EQ(sideB(), "0,1,2,3,4,5,6,7,8,4,10,11");
  undo();
  EXPECT_EQ(sideB(), "full");

  const MapLayout& at = view().mapLayout();
  drag(at.cellRect(5, 4).center(), at.cellRect(8, 4).center());
  EXPECT_EQ(sideB(), "0,1,2,3,4,4,4,4,4,9,10,11");
  drag(QPoint(at.gutterLeft + 2, at.yOf(9)), tile(7));
  EXPECT_TRUE(map().owns(7));
  EXPECT_EQ(map()[9], 7);
  undo();
  undo();
  EXPECT_EQ(sideB(), "full");

  auto* choices = window.find<MapChoices>("mapShare");
  QTest::mouseClick(choices->buttons()->button(2), Qt::LeftButton);
  EXPECT_NE(cost().find("6 owners of 12"), std::string::npos) << cost();
  EXPECT_NE(cost().find("(-50 %)"), std::string::npos) << cost();
  window.screenshot("journey_map_2_half");

  const protocol::Answer halved = ask("It was late when");
  EXPECT_EQ(halved.madeBy.map, sideB());
  EXPECT_EQ(2 * halved.kvBytes, halved.kvBytesFull);
  // The next message takes another map without loading anything.
  window.window.showPage("map");
  QElapsedTimer clock;
  clock.start();
  ASSERT_TRUE(window.map->side().document()->setText("stride:4"));
  const qint64 switched = clock.elapsed();
  std::printf("the switch of the map took %lld ms\n", static_cast<long long>(switched));
  EXPECT_LT(static_cast<double>(switched), 50 * testing::pace());
  const protocol::Answer quarter = ask("It was late when");
  EXPECT_EQ(quarter.madeBy.src, map().src());
  EXPECT_EQ(4 * quarter.kvBytes, quarter.kvBytesFull);
  EXPECT_EQ(quarter.madeBy.hash, halved.madeBy.hash);
}

TEST_F(MapJourney, TheKeyboardAloneDrawsAMap) {
  view().setFocus();
  for (int i = 0; i < 9; ++i) QTest::keyClick(&view(), Qt::Key_Down);
  QTest::keyClick(&view(), Qt::Key_Down, Qt::ShiftModifier);
  QTest::keyClick(&view(), Qt::Key_R);
  QTest::keyClick(&view(), Qt::Key_4);
  QTest::keyClick(&view(), Qt::Key_Return);
  EXPECT_EQ(sideB(), "0,1,2,3,4,5,6,7,8,4,4,11");
  QTest::keyClick(&view(), Qt::Key_Down);
  QTest::keyClick(&view(), Qt::Key_Space);
  QTest::keyClick(&view(), Qt::Key_Up);
  QTest::keyClick(&view(), Qt::Key_Return);
  EXPECT_EQ(map()[11], 7) << "8 is the last owner before it";
  undo();
  EXPECT_EQ(sideB(), "0,1,2,3,4,5,6,7,8,4,4,11");
}

TEST_F(MapJourney, MeasuresTheLayersFindsAMapForTheBudgetAndLoadsAPointOfThePlot) {
  const auto ready = [&](const char* button) {
    return until([&] { return window.find<QAbstractButton>(button)->isEnabled(); });
  };
  const auto label = [&](const char* name) { return window.find<QLabel>(name)->text().toStdString(); };
  ASSERT_TRUE(ready("measureSensitivity"));
  window.find<QAbstractButton>("measureSensitivity")->click();
  // The grid fills while it is measured.
  ASSERT_TRUE(until([&] {
    const Sensitivity* matrix = window.map->side().cost().sensitivity();
    return matrix != nullptr && matrix->cells > 0;
  })) << label("matrixState")
      << label("measureProblem");
  window.screenshot("journey_map_3_measuring");
  ASSERT_TRUE(until(
      [&] {
        const Sensitivity* matrix = window.map->side().cost().sensitivity();
        return matrix->cells == 66 && !matrix->isMeasuring;
      },
      4 * kPatience))
      << label("matrixState") << label("measureProblem");
  ASSERT_TRUE(window.map->side().document()->setText("stride:3"));
  EXPECT_NE(cost().find("estimated"), std::string::npos) << cost();

  ASSERT_TRUE(ready("findMap"));
  window.find<QAbstractButton>("findMap")->click();
  ASSERT_TRUE(until([&] { return window.find<QAbstractButton>("openFound")->isVisible(); }, 4 * kPatience))
      << label("searchState") << label("measureProblem");
  ASSERT_TRUE(ready("findMap"));
  window.find<QAbstractButton>("openFound")->click();
  EXPECT_EQ(map().owners(), 3);
  const std::string found = sideB();
  EXPECT_TRUE(until([&] { return cost().find("measured") != std::string::npos; })) << cost();

  // What the search measured stands in the plot; a point is drawn by a click.
  auto* plot = window.find<ParetoPlot>("paretoPlot");
  ASSERT_TRUE(until([&] { return plot->current().has_value(); })) << plot->summary().toStdString();
  window.screenshot("journey_map_4_found");
  const ParetoPlot::At at = *plot->current();
  ASSERT_TRUE(window.map->side().document()->setText("full"));
  auto* canvas = plot->findChild<QWidget*>("plotCanvas");
  auto* scroll = window.find<QScrollArea>("mapInspector");
  scroll->ensureWidgetVisible(plot);
  testing::waitForLayout(window.window);
  QTest::mouseClick(canvas, Qt::LeftButton, {}, plot->positionOf(at).toPoint());
  EXPECT_EQ(map().owners(), 3);
  EXPECT_EQ(sideB(), found);
  window.screenshot("journey_map_5_point");
  const protocol::Answer answer = ask("Where did Lily go?");
  EXPECT_EQ(answer.madeBy.src, map().src());
}

}  // namespace
}  // namespace strata
