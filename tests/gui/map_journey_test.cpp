// The map of the sample's routed model: drawn, measured by bytes, undone, and answered with.

#include <QMouseEvent>
#include <QRegularExpression>

#include "layout_check.h"
#include "real_window.h"
#include "widgets/mapeditor/cost_line.h"
#include "widgets/mapeditor/map_choices.h"
#include "widgets/mapeditor/map_view.h"
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
  QElapsedTimer clock;
  clock.start();
  window.window.showPage("map");
  ASSERT_TRUE(window.map->side().document()->setText("stride:4"));
  EXPECT_LT(clock.elapsed(), 50) << "the switch";
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

}  // namespace
}  // namespace strata
