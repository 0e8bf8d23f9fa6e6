// The map of the sample's routed model: drawn, measured by bytes, undone, searched for, and answered with. Under Xvfb
// with a window manager mouse and keyboard are real.

#include <QComboBox>
#include <QLineEdit>

#include "hand.h"
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
    hand.takeWindow();
  }
  void openMap() {
    hand.click(button("step-map"));
    ASSERT_TRUE(isOpen());
  }
  bool isOpen() {
    return until([&] {
      return window.window.currentPage() == window.map && window.map->side().document() != nullptr &&
             view().isVisible();
    });
  }
  QAbstractButton* button(const char* name) { return window.find<QAbstractButton>(name); }
  MapView& view() { return *window.map->view(); }
  const SharingMap& map() { return window.map->side().document()->map(); }
  std::string sideB() { return window.session.side(Which::b)->map; }
  std::string cost() { return window.find<CostLine>("mapCost")->text().toStdString(); }
  std::string label(const char* name) { return window.find<QLabel>(name)->text().toStdString(); }
  ::testing::AssertionResult becomes(const std::string& text) {
    if (until([&] { return sideB() == text; }, 20'000)) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "side B has the map " << sideB();
  }
  ::testing::AssertionResult costs(const std::string& words) {
    if (until([&] { return cost().find(words) != std::string::npos; })) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << cost();
  }
  QPoint tile(int layer) {
    const QRect rect = view().mapLayout().tileRect(layer, map().owns(layer));
    return {rect.left() + rect.width() * 3 / 4, view().mapLayout().yOf(layer) + view().mapLayout().row * 5 / 8};
  }
  /// The picture, if any, shows the drag before the drop.
  void drag(const QPoint& from, const QPoint& to, const QString& picture = {}) {
    testing::waitForLayout(window.window);
    hand.drag(&view(), from, to, [&] {
      EXPECT_TRUE(until([&] { return view().preview().has_value(); }, 20'000)) << "nothing is dragged";
      if (!picture.isEmpty()) window.screenshot(picture);
    });
  }
  bool canPress(const char* name) {
    return until([&] { return button(name)->isEnabled() && button(name)->isVisible(); }, 4 * kPatience);
  }
  /// Asks both sides in a new chat.
  void ask(const QString& question) {
    hand.click(button("rail-chat"));
    ASSERT_TRUE(until([&] { return window.window.currentPage() == window.chat; }));
    if (!window.chat->conversation().turns().empty()) {
      hand.click(button("newChat"));
      ASSERT_TRUE(until([&] { return window.chat->conversation().turns().empty(); }));
    }
    hand.click(window.find("chatDraft"));
    ASSERT_TRUE(hand.hasFocus("chatDraft"));
    hand.press("ctrl+a");
    hand.type(question);
    send(question);
  }
  /// What is in the draft.
  void send(const QString& question) {
    auto* draft = window.find<QPlainTextEdit>("chatDraft");
    ASSERT_TRUE(until([&] { return draft->toPlainText() == question; })) << draft->toPlainText().toStdString();
    hand.press("Return");
    ASSERT_TRUE(until([&] { return !window.chat->conversation().turns().empty(); }));
    ASSERT_TRUE(window.bothAnswered(0)) << window.engine.log().toStdString();
  }
  /// What the engine says it ran.
  protocol::Answer answerOf(Which which) {
    const SideAnswer* answer = window.answer(0, which);
    return answer != nullptr && answer->answer ? *answer->answer : protocol::Answer{};
  }
  /// Loads the plot's current point again, after another map was drawn.
  ParetoPlot* plotOfFound() {
    auto* plot = window.find<ParetoPlot>("paretoPlot");
    EXPECT_TRUE(until([&] { return plot->current().has_value(); })) << plot->summary().toStdString();
    return plot;
  }

  const OwnFolders folders;
  RealWindow window{folders};
  Hand hand{window.window};
};

TEST_F(MapJourney, DragsPaintsMovesAGapHalvesTheCacheAndAnswersWithIt) {
  openMap();
  EXPECT_EQ(sideB(), "full");
  drag(tile(9), tile(4), "journey_map_1_drag");
  EXPECT_TRUE(becomes("0,1,2,3,4,5,6,7,8,4,10,11"));
  EXPECT_TRUE(costs("11 owners of 12"));
  hand.press("ctrl+z");
  EXPECT_TRUE(becomes("full"));

  const MapLayout& at = view().mapLayout();
  drag(at.cellRect(5, 4).center(), at.cellRect(8, 4).center());
  EXPECT_TRUE(becomes("0,1,2,3,4,4,4,4,4,9,10,11"));
  drag(QPoint(at.gutterLeft + 2, at.yOf(9)), tile(7));
  EXPECT_TRUE(becomes("0,1,2,3,4,4,4,7,7,7,10,11"));
  hand.press("ctrl+z");
  hand.press("ctrl+z");
  EXPECT_TRUE(becomes("full"));

  hand.click(window.find<MapChoices>("mapShare")->buttons()->button(2));
  EXPECT_TRUE(costs("6 owners of 12"));
  EXPECT_TRUE(costs("(-50 %)"));
  window.screenshot("journey_map_2_half");

  ask("It was late when");
  const protocol::Answer halved = answerOf(Which::b);
  EXPECT_EQ(halved.madeBy.map, sideB());
  EXPECT_EQ(2 * halved.kvBytes, halved.kvBytesFull);
  // The next message takes another map without loading anything.
  hand.click(button("rail-map"));
  ASSERT_TRUE(isOpen());
  QElapsedTimer clock;
  clock.start();
  ASSERT_TRUE(window.map->side().document()->setText("stride:4"));
  const qint64 switched = clock.elapsed();
  std::printf("the switch of the map took %lld ms\n", static_cast<long long>(switched));
  EXPECT_LT(static_cast<double>(switched), 50 * testing::pace());
  ask("It was late when");
  const protocol::Answer quarter = answerOf(Which::b);
  EXPECT_EQ(quarter.madeBy.src, map().src());
  EXPECT_EQ(4 * quarter.kvBytes, quarter.kvBytesFull);
  EXPECT_EQ(quarter.madeBy.hash, halved.madeBy.hash);
}

TEST_F(MapJourney, TheKeyboardAloneDrawsFindsLoadsAndAnswersWithAMap) {
  hand.press("ctrl+4");
  ASSERT_TRUE(isOpen());
  ASSERT_TRUE(hand.tabTo(&view()));
  // Layer 9 reads 4, by lifting it; back again.
  for (int i = 0; i < 9; ++i) hand.press("Down");
  ASSERT_TRUE(until([&] { return view().current() == 9; }));
  hand.press("space");
  ASSERT_TRUE(until([&] { return view().isLifted(); }));
  for (int i = 0; i < 4; ++i) hand.press("Up");
  hand.press("Return");
  EXPECT_TRUE(becomes("0,1,2,3,4,5,6,7,8,4,10,11"));
  EXPECT_TRUE(costs("11 owners of 12"));
  hand.press("ctrl+z");
  EXPECT_TRUE(becomes("full"));
  // Two layers at once, by the owner's number.
  hand.press("shift+Down");
  hand.press("r");
  ASSERT_TRUE(until([&] { return view().isTyping(); }));
  hand.press("4");
  hand.press("Return");
  EXPECT_TRUE(becomes("0,1,2,3,4,5,6,7,8,4,4,11"));
  // An owner less, and one more.
  hand.press("Down");
  hand.press("o");
  EXPECT_TRUE(becomes("0,1,2,3,4,5,6,7,8,4,4,8"));
  hand.press("o");
  EXPECT_TRUE(becomes("0,1,2,3,4,5,6,7,8,4,4,11"));

  ASSERT_TRUE(hand.tabTo(window.find<MapChoices>("mapShare")));
  while (hand.focus() != window.find<MapChoices>("mapShare")->buttons()->button(2)) {
    QWidget* before = hand.focus();
    hand.press("Right");
    ASSERT_TRUE(until([&] { return hand.focus() != before; }, 20'000));
  }
  hand.press("space");
  EXPECT_TRUE(costs("6 owners of 12"));

  ASSERT_TRUE(hand.tabTo(window.find("mapBudget")));
  hand.press("Home");
  ASSERT_TRUE(hand.tabTo(window.find("mapSearchMore")));
  hand.press("space");
  ASSERT_TRUE(hand.tabTo(window.find("mapSearchMethod")));
  hand.press("End");  // random maps: the fastest
  ASSERT_TRUE(canPress("findMap"));
  ASSERT_TRUE(hand.tabTo(window.find("findMap")));
  hand.press("space");
  ASSERT_TRUE(canPress("openFound")) << label("searchState") << label("measureProblem");
  ASSERT_TRUE(canPress("findMap"));
  ASSERT_TRUE(hand.tabTo(window.find("openFound")));
  hand.press("space");
  ASSERT_TRUE(until([&] { return map().owners() == 9; }));
  const std::string found = sideB();

  ParetoPlot* plot = plotOfFound();
  const ParetoPlot::At at = *plot->current();
  ASSERT_TRUE(hand.tabTo(window.find("mapText")));
  hand.press("ctrl+a");
  hand.type("full");
  hand.press("Return");
  ASSERT_TRUE(becomes("full"));
  ASSERT_TRUE(until([&] { return plot->current() && plot->current() != at; })) << "the full map was measured too";
  ASSERT_TRUE(hand.tabTo(plot->findChild<QWidget*>("plotCanvas")));
  window.screenshot("journey_map_6_keyboard");
  for (int i = 0; i < 20 && plot->current() != at; ++i) {
    const auto before = plot->current();
    hand.press("Left");  // less cache
    ASSERT_TRUE(until([&] { return plot->current() != before; }));
  }
  hand.press("Return");
  EXPECT_TRUE(becomes(found));

  hand.press("ctrl+5");
  ASSERT_TRUE(until([&] { return window.window.currentPage() == window.chat; }));
  ASSERT_TRUE(hand.tabTo(window.find("chatDraft")));
  hand.press("ctrl+a");
  hand.type("Where did Lily go?");
  send("Where did Lily go?");
  EXPECT_EQ(answerOf(Which::a).kvBytes, answerOf(Which::a).kvBytesFull);
  EXPECT_EQ(answerOf(Which::b).madeBy.map, found);
}

TEST_F(MapJourney, MeasuresTheLayersAndEstimatesEveryMapByThem) {
  openMap();
  ASSERT_TRUE(canPress("measureSensitivity"));
  hand.click(button("measureSensitivity"));
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
  hand.enter(window.find<QLineEdit>("mapText"), "stride:3", "Return");
  EXPECT_TRUE(costs("4 owners"));
  EXPECT_TRUE(costs("estimated"));
}

TEST_F(MapJourney, FindsAMapForTheBudgetLoadsItFromThePlotAndChatsWithItBesideTheFullOne) {
  openMap();
  hand.click(button("swap-sides"));
  hand.click(button("copy-a-to-b"));
  ASSERT_TRUE(until([&] { return window.session.side(Which::a) == window.session.side(Which::b); }));
  ASSERT_TRUE(isOpen());
  hand.choose(window.find<QComboBox>("mapBudget"), 0);
  hand.click(button("mapSearchMore"));
  auto* method = window.find<QComboBox>("mapSearchMethod");
  ASSERT_TRUE(until([&] { return method->isVisible(); }));
  hand.choose(method, method->count() - 1);  // random maps: the fastest
  ASSERT_TRUE(canPress("findMap"));
  hand.click(button("findMap"));
  ASSERT_TRUE(canPress("openFound")) << label("searchState") << label("measureProblem");
  ASSERT_TRUE(canPress("findMap"));
  hand.click(button("openFound"));
  ASSERT_TRUE(until([&] { return map().owners() == 9; }));
  const std::string found = sideB();
  EXPECT_TRUE(costs("measured"));

  // What the search measured stands in the plot; a point is drawn by a click.
  ParetoPlot* plot = plotOfFound();
  hand.reach(plot);
  window.screenshot("journey_map_4_found");
  const ParetoPlot::At at = *plot->current();
  hand.enter(window.find<QLineEdit>("mapText"), "full", "Return");
  ASSERT_TRUE(becomes("full"));
  hand.reach(plot);
  hand.click(plot->findChild<QWidget*>("plotCanvas"), plot->positionOf(at).toPoint());
  EXPECT_TRUE(becomes(found));
  window.screenshot("journey_map_5_point");
  hand.click(plot->findChild<QWidget*>("plotCanvas"), plot->positionOf(at).toPoint(), Qt::RightButton);
  if (hand.isReal()) {  // elsewhere no menu comes of a click
    ASSERT_TRUE(until([&] { return window.find("pointMenu") != nullptr && window.find("pointMenu")->isVisible(); }));
    window.screenshot("journey_map_8_menu");
    hand.press("Escape");
    ASSERT_TRUE(until([&] { return window.find("pointMenu") == nullptr; }));
  }
  hand.click(button("mapNameButton"));
  ASSERT_TRUE(until([&] { return window.find("mapsPopup") != nullptr && window.find("mapsPopup")->isVisible(); }));
  window.screenshot("journey_map_9_maps");
  hand.press("Escape");
  ASSERT_TRUE(until([&] { return window.find("mapsPopup") == nullptr; }));

  ask("Where did Lily go?");
  const protocol::Answer full = answerOf(Which::a), less = answerOf(Which::b);
  EXPECT_EQ(full.kvBytes, full.kvBytesFull);
  EXPECT_EQ(less.madeBy.src, map().src());
  EXPECT_EQ(12 * less.kvBytes, 9 * less.kvBytesFull);
  EXPECT_EQ(full.madeBy.hash, less.madeBy.hash) << "one copy of the weights";
  window.screenshot("journey_map_7_chat");
}

}  // namespace
}  // namespace strata
