#include <QComboBox>
#include <QLabel>
#include <QMenu>
#include <QSpinBox>

#include "shell_fixture.h"
#include "widgets/mapeditor/map_choices.h"
#include "widgets/shell/find_popup.h"
#include "widgets/shell/picker_button.h"
#include "widgets/style/controls.h"

namespace strata {
namespace {

using Sides = Shell;

TEST_F(Sides, ShowModelMapAndBytesOfBoth) {
  startEngine();
  EXPECT_EQ(child<PickerButton>("model-a")->choice(), "base");
  EXPECT_EQ(child<PickerButton>("model-b")->choice(), "routed");
  // 12 layers of 384 bytes a token, 1,024 tokens.
  EXPECT_EQ(child<PickerButton>("map-a")->choice(), "100 % · 4.50 MiB");
  session->setMap(Which::b, "stride:2");
  EXPECT_EQ(child<PickerButton>("map-b")->choice(), "50 % · 2.25 MiB");
  EXPECT_EQ(child<PickerButton>("map-b")->accessibleName(), "Map of side B: 50 % · 2.25 MiB");
}

TEST_F(Sides, FiguresAreForTheContextAndTheChatsThatAreChosen) {
  startEngine();
  auto* context = child<QComboBox>("context");
  const int index = context->findText("512 tokens");
  ASSERT_GE(index, 0);
  context->setCurrentIndex(index);
  Q_EMIT context->activated(index);
  child<QSpinBox>("chats")->setValue(4);
  EXPECT_EQ(session->context(), 512);
  EXPECT_EQ(session->chats(), 4);
  EXPECT_EQ(child<PickerButton>("map-a")->choice(), "100 % · 9.00 MiB");
}

TEST_F(Sides, SayWhetherTheyShareTheWeights) {
  startEngine();
  auto* weights = child<QLabel>("weights");
  EXPECT_EQ(weights->text(), "two sets of weights, 2 × 17.9 MiB");
  child<QPushButton>("copy-a-to-b")->click();
  EXPECT_EQ(weights->text(), "one copy of the weights, 17.9 MiB");
  EXPECT_EQ(child<PickerButton>("model-b")->choice(), "base");
}

TEST_F(Sides, NeverShortenTheirFigures) {
  startEngine();
  auto* weights = child<QLabel>("weights");
  auto* map = child<PickerButton>("map-a");
  for (const int width : {1920, 1280, 1100, 900, 760}) {
    window->resize(width, 700);
    EXPECT_TRUE(eventually([&] {
      return weights->text().endsWith("2 × 17.9 MiB") && weights->width() >= weights->sizeHint().width() &&
             map->text() == map->choice();
    })) << width
        << " wide: " << weights->text().toStdString() << ", " << map->text().toStdString();
  }
}

TEST_F(Sides, SayMoreInALargeWindow) {
  startEngine();
  session->setMap(Which::a, "stride:2");
  window->resize(1920, 1080);
  EXPECT_TRUE(eventually([&] { return child<PickerButton>("map-a")->text().endsWith(" · stride:2"); }));
  EXPECT_TRUE(child<PickerButton>("model-a")->text().endsWith(" M parameters"));
  window->resize(1280, 800);
  EXPECT_TRUE(eventually([&] { return child<PickerButton>("model-a")->text() == "base"; }));
  EXPECT_TRUE(eventually([&] { return child<QWidget>("sides-bar")->height() <= metrics().bar; })) << "one row again";
}

TEST_F(Sides, AreSwappedByAButton) {
  startEngine();
  session->setMap(Which::b, "stride:4");
  child<QPushButton>("swap-sides")->click();
  EXPECT_EQ(child<PickerButton>("model-a")->choice(), "routed");
  EXPECT_EQ(session->side(Which::a)->map, "stride:4");
  EXPECT_EQ(child<PickerButton>("model-b")->choice(), "base");
}

TEST_F(Sides, OfferTheProjectsModelsAndRuns) {
  startEngine();
  ASSERT_TRUE(eventually([&] { return requests("models/list") > 0; }));
  QTest::qWait(50);
  child<PickerButton>("model-b")->click();
  auto* menu = qobject_cast<QMenu*>(popup("model-menu"));
  ASSERT_NE(menu, nullptr);
  QStringList texts;
  for (const QAction* action : menu->actions()) texts << action->text();
  EXPECT_TRUE(texts.contains("base"));
  EXPECT_TRUE(texts.contains("routed"));
  EXPECT_TRUE(texts.contains("base on train.txt"));
  EXPECT_TRUE(texts.contains("squad on base"));
  EXPECT_TRUE(texts.contains("Browse…"));
  for (QAction* action : menu->actions()) {
    if (action->text() == "base") action->trigger();
  }
  EXPECT_TRUE(eventually([&] { return session->side(Which::b)->ref.model == "base"; }));
}

TEST_F(Sides, TakeAnAdapterWithItsModelFromTheMenuAndFromThePalette) {
  startEngine();
  ASSERT_TRUE(eventually([&] { return requests("models/list") > 0; }));
  QTest::qWait(50);
  child<PickerButton>("model-a")->click();
  for (QAction* action : qobject_cast<QMenu*>(popup("model-menu"))->actions()) {
    if (action->text() == "squad on base") action->trigger();
  }
  ASSERT_TRUE(eventually([&] { return session->side(Which::a)->ref.adapter == "/adapters/squad"; }));
  EXPECT_EQ(session->side(Which::a)->ref.model, "base");
  EXPECT_EQ(child<PickerButton>("model-a")->choice(), "base + squad");
  for (const Findable& one : window->findables()) {
    if (one.name == "Use squad on base as B") one.run();
    if (one.kind == "Adapter" && one.name == "squad on base") one.run();
  }
  EXPECT_EQ(session->side(Which::b)->ref, session->side(Which::a)->ref);
  EXPECT_EQ(models->opened, QList<Place>{Place::model("/adapters/squad")});
}

TEST_F(Sides, AskForCardsThatWereForgottenAnew) {
  startEngine();
  const int before = requests("models/inspect");
  session->forgetCards();
  ASSERT_TRUE(eventually([&] { return requests("models/inspect") == before + 2; }));
  EXPECT_TRUE(eventually([&] { return child<PickerButton>("map-a")->choice() == "100 % · 4.50 MiB"; }));
}

TEST_F(Sides, TakeAMapByItsShareOfTheCache) {
  startEngine();
  child<PickerButton>("map-b")->click();
  QWidget* maps = popup("map-popup");
  ASSERT_NE(maps, nullptr);
  auto* shares = maps->findChild<MapChoices*>("map-shares")->buttons();
  ASSERT_NE(shares, nullptr);
  ASSERT_EQ(shares->count(), 5);
  EXPECT_EQ(shares->button(2)->text(), "50 %");
  EXPECT_EQ(shares->current(), 0);
  shares->button(2)->click();
  EXPECT_EQ(session->side(Which::b)->map, "stride:2");
}

TEST_F(Sides, TakeTheBestMapThatTheOpenedProjectKnows) {
  testing::writeText(
      folder.filePath("maps.json").toStdString(),
      R"([{"name": "quarter", "map": "0,0,0,0,0,0,6,6,6,9,9,9", "source": "stored", "model": "/models/routed",
                         "layers": 12, "owners": 3, "scores": [{"metric": "f1", "value": 0.88, "n": 100}]}])");
  startEngine();
  ASSERT_TRUE(eventually([&] { return session->maps().rowCount() == 1; }));
  child<PickerButton>("map-b")->click();
  auto* shares = popup("map-popup")->findChild<MapChoices*>("map-shares")->buttons();
  EXPECT_EQ(shares->button(4)->text(), "25 % · F1 88 %");
  shares->button(4)->click();
  EXPECT_EQ(session->side(Which::b)->map, "0,0,0,0,0,0,6,6,6,9,9,9");
}

TEST_F(Sides, TakeAMapAsTextAndNameTheLayerThatIsWrong) {
  startEngine();
  child<PickerButton>("map-b")->click();
  auto* text = popup("map-popup")->findChild<QLineEdit*>("map-text");
  text->setText("0,0,0,0,4,4,4,4,8,8,8,13");
  QTest::keyClick(text, Qt::Key_Return);
  QString said;
  for (const QLabel* label : popup("map-popup")->findChildren<QLabel*>()) said += label->text();
  EXPECT_TRUE(said.contains("11")) << qPrintable(said);
  EXPECT_EQ(session->side(Which::b)->map, "full");
  text->setText("stride:4");
  QTest::keyClick(text, Qt::Key_Return);
  EXPECT_EQ(session->side(Which::b)->map, "stride:4");
  EXPECT_EQ(popup("map-popup"), nullptr);
}

TEST_F(Sides, BrowseFoldersOfTheEnginesMachine) {
  startEngine();
  child<PickerButton>("model-b")->click();
  for (QAction* action : qobject_cast<QMenu*>(popup("model-menu"))->actions()) {
    if (action->text() == "Browse…") action->trigger();
  }
  QWidget* browser = popup("folder-popup");
  ASSERT_NE(browser, nullptr);
  auto* list = browser->findChild<QListWidget*>("folder-list");
  // One up, three folders and the model that is one file; no other file.
  ASSERT_TRUE(eventually([&] { return list->count() == 5; }));
  EXPECT_EQ(list->item(4)->text(), "tiny.gguf   621 KiB");
  EXPECT_EQ(browser->findChild<QLineEdit*>("folder-path")->text(), "/home/ada");
  for (int i = 0; i < list->count(); ++i) {
    if (list->item(i)->text().startsWith("llama")) Q_EMIT list->itemActivated(list->item(i));
  }
  EXPECT_TRUE(eventually([&] { return session->side(Which::b)->ref.model == "/home/ada/llama"; }));
}

TEST_F(Sides, TakeAGgufFile) {
  startEngine();
  child<PickerButton>("model-b")->click();
  for (QAction* action : qobject_cast<QMenu*>(popup("model-menu"))->actions()) {
    if (action->text() == "Browse…") action->trigger();
  }
  auto* list = popup("folder-popup")->findChild<QListWidget*>("folder-list");
  ASSERT_TRUE(eventually([&] { return list->count() == 5; }));
  Q_EMIT list->itemActivated(list->item(4));
  EXPECT_TRUE(eventually([&] { return session->side(Which::b)->ref.model == "/home/ada/tiny.gguf"; }));
  EXPECT_EQ(popup("folder-popup"), nullptr);
}

TEST_F(Sides, SayWhatBelongsThereWhileTheyAreEmpty) {
  EXPECT_EQ(child<PickerButton>("model-a")->choice(), "Choose a model");
  EXPECT_FALSE(child<PickerButton>("map-a")->isEnabled());
  EXPECT_FALSE(child<QPushButton>("swap-sides")->isEnabled());
}

}  // namespace
}  // namespace strata
