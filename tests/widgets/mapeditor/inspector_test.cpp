// Beside the drawn map: what fits into a memory, and the maps that were measured.

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QMenu>
#include <QVBoxLayout>

#include "map_fixture.h"
#include "widgets/mapeditor/budget_section.h"
#include "widgets/mapeditor/pareto_section.h"
#include "widgets/style/format.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;

class MapInspector : public ::testing::Test, public PageFixture {
 protected:
  void open(const std::string& scenario) {
    ASSERT_TRUE(start(scenario));
    side = std::make_unique<SideMap>(session);
    ASSERT_TRUE(soon([&] { return side->document() != nullptr; }));
  }
  template <class Section>
  void showSection(Section& section) {
    section.resize(268, 400);
    section.show();
    ASSERT_TRUE(QTest::qWaitForWindowExposed(&section));
  }
  static std::string text(QWidget& in, const char* name) { return child<QLabel>(in, name).text().toStdString(); }
  /// A line of the budget: "50 %: 8.11 GiB · 32,768 tokens · 4 chats".
  static std::string row(const BudgetSection& section, int index) {
    const auto lines = section.findChildren<QVBoxLayout*>();
    for (const QVBoxLayout* layout : lines) {
      if (layout->objectName() != "budgetRows") continue;
      const QLayoutItem* item = layout->itemAt(index);
      return item == nullptr ? "none" : static_cast<QLabel*>(item->widget())->text().toStdString();
    }
    return "no rows";
  }

  std::unique_ptr<SideMap> side;
};

TEST_F(MapInspector, TheBudgetSaysWhichSharesFitAndHowMuchContextAndHowManyChatsEachLeaves) {
  open("36 parameters");
  BudgetSection section(session, *side);
  showSection(section);
  session.setContext(32768, 4);
  child<QDoubleSpinBox>(section, "budgetMemory").setValue(24);
  EXPECT_EQ(text(section, "budgetVerdict"), "50 % of the cache and less fits.");
  const ServingLimits limits{[] {
                               ModelShape shape;
                               shape.layers = 36;
                               shape.width = 4096;
                               shape.heads = 32;
                               shape.kvHeads = 8;
                               shape.headDim = 128;
                               shape.parameters = 8'000'000'000;
                               return shape;
                             }(),
                             2, section.memory()};
  const SharingMap half = parseMap("even:18", 36).value();
  EXPECT_THAT(row(section, 0), HasSubstr(", too big · "));
  EXPECT_EQ(row(section, 2), "50 %: " + formatBytes(limits.needed(half, 32768, 4)).toStdString() +
                                 " · 32,768 tokens · " + std::to_string(limits.mostChats(half, 32768)) + " chats");
  EXPECT_THAT(row(section, 4), HasSubstr("▸ 25 %: "));

  child<QDoubleSpinBox>(section, "budgetMemory").setValue(2);
  EXPECT_EQ(text(section, "budgetVerdict"), "None fits. The weights alone take 14.9 GiB.");
  child<QDoubleSpinBox>(section, "budgetMemory").setValue(200);
  EXPECT_EQ(text(section, "budgetVerdict"), "Every share of the cache fits.");
}

TEST_F(MapInspector, ATypedMemoryIsRemembered) {
  open("12 parameters");
  {
    BudgetSection section(session, *side);
    child<QDoubleSpinBox>(section, "budgetMemory").setValue(80);
  }
  BudgetSection again(session, *side);
  EXPECT_EQ(child<QDoubleSpinBox>(again, "budgetMemory").value(), 80);
}

TEST_F(MapInspector, EveryMeasuredMapIsAPointOfItsModel) {
  open("12 points");
  ParetoSection section(session, *side);
  showSection(section);
  ASSERT_TRUE(soon([&] { return section.plot()->summary().contains("base"); }))
      << section.plot()->summary().toStdString();
  const std::string words = section.plot()->summary().toStdString();
  EXPECT_THAT(words, HasSubstr("stride:4 of routed: NLL (nats) 4.230 (4.180 to 4.280), KV per token 12.00 KiB"));
  EXPECT_THAT(words, HasSubstr("full of base: NLL (nats) 3.620"));
  EXPECT_EQ(words.find("9.000"), std::string::npos) << "the newest measurement of a map counts";
  EXPECT_EQ(text(section, "paretoNote"), "4 maps measured. Click a point to draw its map, or right-click it.");
  EXPECT_EQ(section.plot()->current(), (ParetoPlot::At{0, 1})) << "the drawn map has the ring";
}

TEST_F(MapInspector, AClickDrawsTheMapAndUndoBringsTheOldOneBack) {
  open("12 points");
  ParetoSection section(session, *side);
  showSection(section);
  ASSERT_TRUE(soon([&] { return section.plot()->summary().contains("base"); }));
  Q_EMIT section.plot()->pointChosen(0, 0);
  EXPECT_EQ(side->document()->text(), "0,0,0,0,0,0,6,6,6,9,9,9");
  EXPECT_EQ(session.side(Which::b)->map, "0,0,0,0,0,0,6,6,6,9,9,9");
  side->document()->undoStack().undo();
  EXPECT_EQ(side->document()->text(), "stride:4");
}

TEST_F(MapInspector, APointsMenuPutsItsMapOnASideWithTheModelThatItWasMeasuredOn) {
  open("12 points");
  ParetoSection section(session, *side);
  showSection(section);
  ASSERT_TRUE(soon([&] { return section.plot()->summary().contains("base"); }));
  const protocol::ModelRef b = session.side(Which::b)->ref;
  const auto choose = [&](std::size_t series, std::size_t point, const char* action) {
    Q_EMIT section.plot()->pointMenuWanted(series, point, section.mapToGlobal(QPoint(10, 10)));
    auto& menu = child<QMenu>(section, "pointMenu");
    child<QAction>(menu, action).trigger();
    delete &menu;
  };
  choose(0, 0, "pointUseA");
  EXPECT_EQ(session.side(Which::a), (protocol::Side{b, "0,0,0,0,0,0,6,6,6,9,9,9"}));
  EXPECT_EQ(side->document()->text(), "stride:4") << "side B stays";
  choose(0, 0, "pointUseB");
  EXPECT_EQ(side->document()->text(), "0,0,0,0,0,0,6,6,6,9,9,9");
  EXPECT_TRUE(side->document()->undoStack().canUndo());
}

TEST_F(MapInspector, ScoresOfOtherTextsAndMetricsStandApart) {
  open("12 points");
  ParetoSection section(session, *side);
  showSection(section);
  auto& choice = child<QComboBox>(section, "paretoScores");
  ASSERT_TRUE(soon([&] { return choice.count() == 2; }));
  EXPECT_EQ(choice.itemText(0), "NLL on heldout.txt");
  EXPECT_EQ(choice.itemText(1), "F1 on recall.json");
  choice.setCurrentIndex(1);
  EXPECT_EQ(section.plot()->summary().toStdString(), "stride:4 of routed: F1 (%) 88.00, KV per token 12.00 KiB.");
}

TEST_F(MapInspector, WithoutMeasuredMapsSaysHowToGetOne) {
  open("12");
  ParetoSection section(session, *side);
  showSection(section);
  EXPECT_EQ(section.plot()->summary(), "No map was measured yet. Measure the drawn one, or search for one.");
}

}  // namespace
}  // namespace strata::testing
