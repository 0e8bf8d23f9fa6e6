#include "widgets/mapeditor/map_view.h"

#include <QElapsedTimer>
#include <QSignalSpy>
#include <algorithm>
#include <random>

#include "map_fixture.h"

namespace strata::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string words(const QString& text) {
  return text.toStdString();
}

TEST(MapView, RowsAreAsHighAsAllFit) {
  const int heights[][2] = {{4, 40}, {12, 40}, {36, 16}, {126, 4}};
  for (const auto& [layers, height] : heights) {
    const MapEditor editor(layers, QSize(876, 598));
    EXPECT_EQ(editor.at().row, height) << layers << " layers";
    EXPECT_FALSE(editor.at().canScroll()) << layers << " layers";
    EXPECT_LE(editor.at().gridLeft + layers * editor.at().cell, 876) << layers << " layers";
    EXPECT_GE(editor.at().notes.width(), 220) << layers << " layers";
  }
}

TEST(MapView, WhatIsDraggedReadsWhatItIsDroppedOn) {
  MapEditor editor(12);
  editor.drag(editor.tile(9), editor.tile(4));
  EXPECT_EQ(editor.document.map()[9], 4);
  EXPECT_EQ(words(editor.document.undoStack().undoText()), "layer 9 reads 4");
  EXPECT_EQ(editor.document.undoStack().count(), 1);
}

TEST(MapView, DroppingOnAFollowerMeansItsOwnerAndAnOwnerBringsItsFollowers) {
  MapEditor editor(12);
  ASSERT_TRUE(editor.document.setText("0,0,0,0,4,4,4,4,8,8,8,8"));
  editor.drag(editor.tile(9), editor.tile(6));
  EXPECT_EQ(editor.document.map()[9], 4);
  editor.drag(editor.tile(8), editor.tile(2));
  EXPECT_THAT(editor.document.map().src(), ElementsAre(0, 0, 0, 0, 4, 4, 4, 4, 0, 4, 0, 0));
}

TEST(MapView, TheDragSaysWhatItWouldDoAndChangesNothingBeforeTheDrop) {
  MapEditor editor(12);
  editor.measure();
  editor.press(editor.tile(9));
  editor.move(editor.tile(6));
  editor.move(editor.tile(4));
  EXPECT_EQ(words(editor.view->pointerText()), "9 reads 4");
  EXPECT_EQ(words(editor.view->readOut().title), "Layer 9 reads 4");
  EXPECT_EQ(words(editor.view->readOut().detail), "-128 MiB, NLL +0.020 est.");
  EXPECT_EQ(editor.text(), "full");
  ASSERT_TRUE(editor.view->preview());
  EXPECT_EQ((*editor.view->preview())[9], 4);
  editor.key(Qt::Key_Escape);
  editor.release(editor.tile(4));
  EXPECT_EQ(editor.document.undoStack().count(), 0);
}

TEST(MapView, RowsThatCannotBeReadSayWhy) {
  MapEditor editor(12);
  editor.press(editor.tile(5));
  editor.move(editor.tile(7));
  editor.move(editor.tile(9));
  EXPECT_EQ(words(editor.view->readOut().title), "Layer 9 comes after 5; a layer reads only earlier ones.");
  EXPECT_TRUE(editor.view->readOut().isRefusal);
  EXPECT_EQ(words(editor.view->pointerText()), "");
  editor.release(editor.tile(9));
  EXPECT_EQ(editor.document.undoStack().count(), 0);
  editor.drag(editor.tile(0), editor.tile(3));
  EXPECT_EQ(words(editor.view->readOut().title), "Layer 0 keeps its own keys and values.");
}

TEST(MapView, RepointingAFollowerLeavesTheCacheAsItIs) {
  MapEditor editor(12);
  editor.measure();
  ASSERT_TRUE(editor.document.setText("stride:4"));
  editor.press(editor.tile(9));
  editor.move(editor.tile(5));
  editor.move(editor.tile(4));
  EXPECT_THAT(words(editor.view->readOut().detail), HasSubstr("KV unchanged"));
  editor.release(editor.tile(4));
  EXPECT_EQ(editor.document.map()[9], 4);
}

TEST(MapView, LayersChosenOverTheNumbersAreDraggedTogether) {
  MapEditor editor(12);
  editor.drag(editor.number(5), editor.number(7));
  EXPECT_THAT(editor.view->selection(), ElementsAre(5, 6, 7));
  EXPECT_EQ(editor.document.undoStack().count(), 0);
  editor.drag(editor.tile(6), editor.tile(4));
  EXPECT_EQ(words(editor.document.undoStack().undoText()), "layers 5-7 read 4");
  editor.press(editor.number(9));
  editor.release(editor.number(9));
  editor.press(editor.number(11), Qt::ControlModifier);
  editor.release(editor.number(11));
  EXPECT_THAT(editor.view->selection(), ElementsAre(9, 11));
  editor.press(editor.number(10), Qt::ShiftModifier);
  editor.release(editor.number(10));
  EXPECT_THAT(editor.view->selection(), ElementsAre(10, 11));
}

TEST(MapView, RAndANumberIsWhatTheChosenLayersRead) {
  MapEditor editor(24);
  editor.drag(editor.number(20), editor.number(22));
  editor.key(Qt::Key_R);
  editor.key(Qt::Key_1);
  editor.key(Qt::Key_2);
  EXPECT_THAT(words(editor.view->readOut().title), HasSubstr("ayers 20-22 read 12"));
  editor.key(Qt::Key_Return);
  EXPECT_EQ(words(editor.document.undoStack().undoText()), "layers 20-22 read 12");
  editor.key(Qt::Key_R);
  editor.key(Qt::Key_2);
  editor.key(Qt::Key_3);
  editor.key(Qt::Key_Return);
  EXPECT_THAT(words(editor.view->readOut().title), HasSubstr("comes after"));
  editor.key(Qt::Key_Escape);
  EXPECT_EQ(editor.document.undoStack().count(), 1);
}

TEST(MapView, AStrokeDownAColumnIsOneStep) {
  MapEditor editor(12);
  editor.drag(editor.cell(5, 4), editor.cell(8, 4) + QPoint(30, 0));
  EXPECT_THAT(editor.document.map().src(), ElementsAre(0, 1, 2, 3, 4, 4, 4, 4, 4, 9, 10, 11));
  EXPECT_EQ(words(editor.document.undoStack().undoText()), "layers 5-8 read 4");
  editor.drag(editor.cell(10, 6), editor.cell(11, 6));
  EXPECT_EQ(editor.document.map()[11], 4) << "6 follows 4";
  editor.drag(editor.cell(2, 2), editor.cell(3, 2));
  EXPECT_EQ(editor.document.map()[3], 2) << "from the diagonal";
}

TEST(MapView, ACellOfTheDiagonalMakesAnOwner) {
  MapEditor editor(6);
  ASSERT_TRUE(editor.document.setText("0,0,0,0,0,0"));
  editor.drag(editor.cell(3, 3), editor.cell(3, 3));
  EXPECT_THAT(editor.document.map().src(), ElementsAre(0, 0, 0, 3, 3, 3));
}

TEST(MapView, OAndTheLeftEndMakeAnOwnerOrTakeItAway) {
  MapEditor editor(12);
  ASSERT_TRUE(editor.document.setText("stride:4"));
  editor.drag(editor.leftEnd(6), editor.leftEnd(6));
  EXPECT_THAT(editor.document.map().src(), ElementsAre(0, 0, 0, 0, 4, 4, 6, 6, 8, 8, 8, 8));
  editor.key(Qt::Key_O);
  EXPECT_EQ(editor.text(), "stride:4") << "6 has the keyboard";
  editor.key(Qt::Key_Home);
  editor.key(Qt::Key_O);
  EXPECT_EQ(words(editor.view->readOut().title), "Layer 0 keeps its own keys and values.");
}

TEST(MapView, TheGapBetweenTwoBracketsMovesTheLowerOwner) {
  MapEditor editor(12);
  ASSERT_TRUE(editor.document.setText("stride:4"));
  editor.drag(editor.gap(4), editor.tile(6));
  EXPECT_THAT(editor.document.map().src(), ElementsAre(0, 0, 0, 0, 0, 0, 6, 6, 8, 8, 8, 8));
  editor.drag(editor.gap(6), editor.tile(11));
  EXPECT_EQ(editor.document.map().owners(), 3) << "it stops before the next owner";
  EXPECT_TRUE(editor.document.map().owns(7));
  EXPECT_EQ(words(editor.document.undoStack().undoText()), "owner moves from 6 to 7");
}

TEST(MapView, TheKeyboardLiftsChoosesAmongOwnersAndDrops) {
  MapEditor editor(12);
  ASSERT_TRUE(editor.document.setText("stride:4"));
  for (int i = 0; i < 9; ++i) editor.key(Qt::Key_Down);
  EXPECT_EQ(editor.view->current(), 9);
  editor.key(Qt::Key_Space);
  ASSERT_TRUE(editor.view->isLifted());
  editor.key(Qt::Key_Up);
  EXPECT_EQ(words(editor.view->readOut().title), "Layer 9 reads 4");
  editor.key(Qt::Key_Return);
  EXPECT_EQ(editor.document.map()[9], 4);
  editor.key(Qt::Key_Space);
  editor.key(Qt::Key_Up);
  editor.key(Qt::Key_Escape);
  EXPECT_EQ(editor.document.map()[9], 4);
  editor.key(Qt::Key_Down, Qt::ShiftModifier);
  EXPECT_THAT(editor.view->selection(), ElementsAre(9, 10));
  editor.key(Qt::Key_Space);
  editor.key(Qt::Key_Up);
  editor.key(Qt::Key_Return);
  EXPECT_EQ(words(editor.document.undoStack().undoText()), "layers 9-10 read 0");
}

TEST(MapView, HoveringACellTellsWhatItCosts) {
  MapEditor editor(12);
  editor.measure();
  QTest::mouseMove(editor.view.get(), editor.cell(9, 4));
  ASSERT_TRUE(soon([&] { return editor.view->readOut().title.startsWith("Layer 9 reads 4"); }));
  EXPECT_EQ(words(editor.view->readOut().title), "Layer 9 reads 4, alone: NLL +0.020 ±0.004");
  EXPECT_EQ(words(editor.view->readOut().detail), "-128 MiB, NLL +0.020 est.");
}

TEST(MapView, CtrlWheelMakesRowsHigherAndTheOverviewScrolls) {
  MapEditor editor(126, QSize(876, 540));
  const auto wheel = [&](int steps, Qt::KeyboardModifiers keys) {
    const QPoint at = editor.tile(60);
    QWheelEvent event(at, editor.view->mapToGlobal(at), {}, QPoint(0, 120 * steps), Qt::NoButton, keys,
                      Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(editor.view.get(), &event);
  };
  EXPECT_TRUE(editor.at().overview.isEmpty());
  wheel(8, Qt::ControlModifier);
  EXPECT_EQ(editor.at().row, 20);
  EXPECT_FALSE(editor.at().overview.isEmpty());
  EXPECT_LE(editor.at().firstInView(), 60);
  EXPECT_GE(editor.at().lastInView(), 60) << "the row under the pointer stays";
  editor.drag(editor.at().overview.center(), editor.at().overview.bottomLeft() - QPoint(0, 1));
  EXPECT_EQ(editor.at().lastInView(), 125);
  wheel(-20, Qt::ControlModifier);
  EXPECT_EQ(editor.at().row, 4);
}

TEST(MapView, ADragNearTheEdgeScrolls) {
  MapEditor editor(126, QSize(876, 540));
  editor.view->zoom(8);
  editor.view->setCurrent(125);
  ASSERT_EQ(editor.at().lastInView(), 125);
  editor.press(editor.tile(120));
  const QPoint top(editor.at().tileLeft + 60, editor.at().top + 2);
  editor.move(top + QPoint(0, 40));
  editor.move(top);
  ASSERT_TRUE(soon([&] { return editor.at().scroll == 0; }));
  editor.release(top);
  EXPECT_EQ(editor.document.map()[120], 0);
}

TEST(MapView, AScreenReaderFindsEveryRowItsOwnerAndItsCost) {
  MapEditor editor(12);
  editor.measure();
  ASSERT_TRUE(editor.document.setText("stride:4"));
  QAccessibleInterface* list = QAccessible::queryAccessibleInterface(editor.view.get());
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->role(), QAccessible::List);
  ASSERT_EQ(list->childCount(), 12);
  EXPECT_EQ(words(list->child(9)->text(QAccessible::Name)), "Layer 9 reads 8, cost NLL +0.004");
  EXPECT_EQ(words(list->child(8)->text(QAccessible::Name)), "Layer 8, owner, 4.00 KiB per token, read by 9-11");
  EXPECT_EQ(list->child(9)->parent(), list);
  EXPECT_EQ(list->indexOfChild(list->child(9)), 9);
  editor.view->setCurrent(9);
  EXPECT_TRUE(list->child(9)->state().focused);
  EXPECT_FALSE(list->child(8)->state().focused);
}

/// Repaints as the window would: events are handled and what they spoil is painted.
double frameMs(MapEditor& editor, const QPoint& point) {
  QElapsedTimer clock;
  clock.start();
  editor.move(point);
  QCoreApplication::sendPostedEvents();
  editor.view->repaint(editor.view->rect());
  return static_cast<double>(clock.nsecsElapsed()) / 1e6;
}

TEST(MapView, AFrameOfADragAt126LayersTakesLessThan16Ms) {
  MapEditor editor(126, QSize(876, 540));
  editor.measure();
  ASSERT_TRUE(editor.document.setText("stride:4"));
  std::vector<double> drags, strokes, gaps;
  editor.press(editor.tile(121));
  for (int layer = 119; layer > 0; --layer) drags.push_back(frameMs(editor, editor.tile(layer)));
  editor.key(Qt::Key_Escape);
  editor.press(editor.cell(5, 4));
  for (int layer = 6; layer < 126; ++layer) strokes.push_back(frameMs(editor, editor.cell(layer, 4)));
  editor.key(Qt::Key_Escape);
  for (std::vector<double>* times : {&drags, &strokes}) {
    std::sort(times->begin(), times->end());
    RecordProperty(times == &drags ? "drag_median_ms" : "stroke_median_ms",
                   std::to_string((*times)[times->size() / 2]));
    std::printf("%s: median %.2f ms, 95 %% %.2f ms, longest %.2f ms\n", times == &drags ? "drag" : "stroke",
                (*times)[times->size() / 2], (*times)[times->size() * 95 / 100], times->back());
    EXPECT_LT((*times)[times->size() / 2], 16);
  }
}

}  // namespace
}  // namespace strata::testing
