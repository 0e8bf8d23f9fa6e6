#include "widgets/models/models_page.h"

#include <QClipboard>
#include <QComboBox>
#include <QDesktopServices>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QTreeView>

#include "field_help.h"
#include "layout_check.h"
#include "page_fixture.h"
#include "widgets/mapeditor/map_choices.h"
#include "widgets/models/model_list.h"

namespace strata::testing {
namespace {

class OpenedFolders : public QObject {
  Q_OBJECT

 public:
  OpenedFolders() { QDesktopServices::setUrlHandler("file", this, "open"); }
  ~OpenedFolders() override { QDesktopServices::unsetUrlHandler("file"); }
  QList<QUrl> urls;

 public Q_SLOTS:
  void open(const QUrl& url) { urls << url; }
};

class ModelsPageTest : public ::testing::Test, public PageFixture {
 protected:
  void open(const std::string& scenario) {
    ASSERT_TRUE(start(scenario));
    page = std::make_unique<ModelsPage>(session);
    frame = std::make_unique<Frame>(*page);
    frame->resize(1280, 800);
    frame->show();
  }
  bool working() const { return state("modelsState") == StatePane::State::working; }
  StatePane::State state(const char* name) const { return page->findChild<StatePane*>(name)->state(); }
  QString label(const char* name) const {
    const auto* found = frame->findChild<QLabel*>(name);
    return found != nullptr ? found->text() : QString("no such label");
  }
  /// Opens the page and waits for the card of the model on side B.
  void openCard(const std::string& scenario = "models") {
    open(scenario);
    ASSERT_TRUE(soon([&] { return label("predicted-kv").contains("MiB"); }));
  }
  bool says(const QString& words) const {
    const auto labels = frame->findChildren<QLabel*>();
    return std::any_of(labels.begin(), labels.end(),
                       [&](const QLabel* one) { return one->isVisible() && one->text().contains(words); });
  }
  Button& button(const char* name) const { return child<Button>(*frame, name); }
  ModelList& list() const { return child<ModelList>(*page, "modelList"); }

  std::unique_ptr<ModelsPage> page;
  std::unique_ptr<Frame> frame;
};

TEST_F(ModelsPageTest, EveryFieldHasHelp) {
  openCard();
  EXPECT_EQ(fieldsWithoutHelp(*page).join(", ").toStdString(), "");
  EXPECT_EQ(fieldsWithoutHelp(*page->inspector()).join(", ").toStdString(), "");
}

TEST_F(ModelsPageTest, ListsModelsByPlaceWithRunsUnderTheirModel) {
  openCard();
  auto& tree = child<QTreeView>(*page, "modelsTree");
  const QAbstractItemModel& model = *tree.model();
  ASSERT_EQ(model.rowCount(), 3);
  EXPECT_EQ(model.index(0, 0).data().toString(), "In the project");
  EXPECT_EQ(model.index(2, 0).data().toString(), "Hugging Face cache");
  const QModelIndex routed = model.index(1, 0, model.index(0, 0));
  EXPECT_EQ(routed.data().toString(), "routed");
  ASSERT_EQ(model.rowCount(routed), 1);
  EXPECT_EQ(model.index(0, 0, routed).data().toString(), "novels, step 200");
  EXPECT_FALSE(child<QWidget>(*page, "modelsHub").isVisible());
}

TEST_F(ModelsPageTest, AnAdapterHangsUnderTheModelThatItWasMadeFor) {
  openCard();
  const QAbstractItemModel& model = *child<QTreeView>(*page, "modelsTree").model();
  const QModelIndex base = model.index(0, 0, model.index(0, 0));
  EXPECT_EQ(base.data().toString(), "base");
  ASSERT_EQ(model.rowCount(base), 1);
  EXPECT_EQ(model.index(0, 0, base).data().toString(), "squad");
  EXPECT_EQ(model.index(0, 0, base).data(Qt::AccessibleTextRole).toString(), "adapter squad, 144 KiB");
}

TEST_F(ModelsPageTest, AnAdapterIsShownLoadedAndUsedWithItsModel) {
  openCard();
  page->open(Place::model("/adapters/squad"));
  ASSERT_TRUE(soon([&] { return label("cardName") == "squad on base"; }));
  protocol::ModelRef both;
  both.model = "base";
  both.adapter = "/adapters/squad";
  ASSERT_TRUE(soon([&] { return session.knownCard(both) != nullptr; }));
  QTest::mouseClick(&button("loadButton"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return engine.loaded().size() == 1; }));
  EXPECT_EQ(engine.loaded().front().ref, both);
  EXPECT_TRUE(soon([&] { return button("loadButton").text() == "Unload"; }));
  EXPECT_FALSE(button("cardPlace").isVisible());
  QTest::mouseClick(&button("cardUseA"), Qt::LeftButton);
  EXPECT_EQ(session.side(Which::a)->ref, both);
  // The model alone is another one.
  ASSERT_TRUE(list().choose("base"));
  EXPECT_TRUE(soon([&] { return button("loadButton").text() == "Load"; }));
  EXPECT_TRUE(button("cardUseA").isEnabled());
}

TEST_F(ModelsPageTest, APageThatComesBackBeginsWithTheAdapterOnSideB) {
  ASSERT_TRUE(start("models"));
  protocol::Side side;
  side.ref.model = "base";
  side.ref.adapter = "/adapters/squad";
  session.setSide(Which::b, side);
  page = std::make_unique<ModelsPage>(session);
  frame = std::make_unique<Frame>(*page);
  frame->show();
  EXPECT_TRUE(soon([&] { return label("cardName") == "squad on base"; }));
}

TEST_F(ModelsPageTest, TheProjectKnowsTheNamesThatWereGivenAndTaken) {
  openCard();
  const auto names = [&] {
    QStringList all;
    for (const auto& model : session.project()->models) all << QString::fromStdString(model.name);
    return all;
  };
  EXPECT_EQ(names(), (QStringList{"base", "routed"}));
  page->addFolder("/models/third");
  EXPECT_TRUE(soon([&] { return names() == QStringList{"base", "routed", "third"}; }));
  EXPECT_TRUE(soon([&] { return label("cardName") == "third"; }));
  QTest::mouseClick(&button("cardPlace"), Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return names() == QStringList{"base", "routed"}; }));
}

TEST_F(ModelsPageTest, BeginsWithTheModelOnSideBAndWhatItNeeds) {
  openCard();
  EXPECT_EQ(label("cardName"), "routed");
  EXPECT_EQ(label("predicted-weights"), "10.5 MiB");
  EXPECT_EQ(label("predicted-kv"), "1.50 MiB");
  EXPECT_EQ(label("measured-kv"), "not measured");
  EXPECT_TRUE(label("memorySentence").contains("Fits")) << label("memorySentence").toStdString();
}

TEST_F(ModelsPageTest, SearchKeepsTheModelsAboveAMatch) {
  openCard();
  child<QLineEdit>(*page, "modelsSearch").setText("step 200");
  const QAbstractItemModel& model = *child<QTreeView>(*page, "modelsTree").model();
  ASSERT_EQ(model.rowCount(), 1);
  EXPECT_EQ(model.rowCount(model.index(0, 0)), 1);
  child<QLineEdit>(*page, "modelsSearch").setText("no such model");
  EXPECT_EQ(model.rowCount(), 0);
  EXPECT_TRUE(says("No model has these words"));
}

TEST_F(ModelsPageTest, ABrokenModelSaysWhyAndWhatWouldHelp) {
  openCard();
  page->open(Place::model("/home/someone/.cache/huggingface/hub/models--Qwen--Qwen3-4B"));
  EXPECT_TRUE(soon([&] { return state("modelCardState") == StatePane::State::failed; }));
  EXPECT_TRUE(says("model-00002-of-00003.safetensors is missing"));
  EXPECT_TRUE(says("once the folder is repaired"));
  EXPECT_FALSE(button("cardUseB").isVisible());
}

TEST_F(ModelsPageTest, AFolderThatCannotBeOpenedShowsTheEnginesSentence) {
  openCard();
  page->addFolder("/models/pickled");
  EXPECT_TRUE(soon([&] { return state("modelsState") == StatePane::State::failed; }));
  EXPECT_TRUE(says("a pickle, which can run code; convert it to safetensors"));
  EXPECT_EQ(label("cardName"), "routed");
  EXPECT_TRUE(page->escape());
  EXPECT_TRUE(working());
}

TEST_F(ModelsPageTest, ADroppedFolderJoinsTheProject) {
  openCard();
  const std::filesystem::path dropped = folder.path() / "dropped-model";
  writeText(dropped / "config.json", "{}");
  EXPECT_FALSE(drop(*page, folder.path() / "settings.ini"));
  EXPECT_TRUE(drop(*page, dropped / "config.json"));
  EXPECT_TRUE(soon([&] { return label("cardName") == "dropped-model"; }));
}

TEST_F(ModelsPageTest, AGgufFileJoinsTheProject) {
  openCard();
  writeText(folder.path() / "tiny-q8_0.GGUF", "GGUF");
  EXPECT_TRUE(drop(*page, folder.path() / "tiny-q8_0.GGUF"));
  EXPECT_TRUE(soon([&] { return label("cardName") == "tiny-q8_0.GGUF"; }));
}

TEST_F(ModelsPageTest, ARemovedModelComesBackByUndo) {
  openCard();
  QTest::mouseClick(&button("cardPlace"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return !list().choose("routed"); }));
  ASSERT_TRUE(soon([&] { return button("modelsOfferButton").isVisible(); }));
  QTest::mouseClick(&button("modelsOfferButton"), Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return label("cardName") == "routed"; }));
}

TEST_F(ModelsPageTest, LoadingShowsMeasuredBesidePredictedAndUnloadingTakesItAway) {
  openCard();
  QTest::mouseClick(&button("loadButton"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return label("measured-kv") == "768 KiB"; })) << label("measured-kv").toStdString();
  EXPECT_EQ(label("measured-weights"), "10.5 MiB");
  EXPECT_EQ(label("predicted-kv"), "768 KiB") << "for the chat that is held, whatever the inspector asks for";
  EXPECT_EQ(label("measured-kv-used"), "309 KiB");
  EXPECT_EQ(label("predicted-kv-used"), "309 KiB");
  EXPECT_EQ(label("measured-activations"), "4.00 MiB");
  EXPECT_EQ(label("memorySentence"), "Held now by 1 chat at 50 %: 206 of 512 reserved tokens used.");
  EXPECT_EQ(button("loadButton").text(), "Unload");
  QTest::mouseClick(&button("loadButton"), Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return label("measured-weights") == "not measured"; }));
  EXPECT_EQ(button("loadButton").text(), "Load");
}

TEST_F(ModelsPageTest, MeasuresEachOfTwoModelsThatAreLoaded) {
  openCard();
  button("loadButton").click();
  ASSERT_TRUE(soon([&] { return label("measured-kv") == "768 KiB"; }));
  ASSERT_TRUE(list().choose("base"));
  ASSERT_TRUE(soon([&] { return label("cardName") == "base" && label("predicted-kv") == "1.50 MiB"; }));
  EXPECT_EQ(label("measured-kv"), "not measured");
  // The figures of the first may be here before the answer that ends its loading.
  ASSERT_TRUE(soon([&] { return button("loadButton").isVisible() && button("loadButton").text() == "Load"; }));
  button("loadButton").click();
  ASSERT_TRUE(soon([&] { return engine.loaded().size() == 2; }));
  EXPECT_TRUE(soon([&] { return label("measured-kv") == "768 KiB"; })) << label("measured-kv").toStdString();
}

TEST_F(ModelsPageTest, LoadingShowsHowFarItIsAndStops) {
  openCard("slow load");
  QTest::mouseClick(&button("loadButton"), Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return label("loadStage") == "Reading the weights, 45 %"; }))
      << label("loadStage").toStdString();
  EXPECT_TRUE(page->escape());
  EXPECT_TRUE(soon([&] { return button("loadButton").isVisible(); }));
  EXPECT_TRUE(working());
}

TEST_F(ModelsPageTest, UseAsAPutsTheModelWithItsOwnMapOnTheSide) {
  openCard();
  ASSERT_TRUE(session.side(Which::a));
  EXPECT_EQ(session.side(Which::a)->ref.model, "base");
  QTest::mouseClick(&button("cardUseA"), Qt::LeftButton);
  EXPECT_EQ(session.side(Which::a)->ref.model, "routed");
  EXPECT_EQ(session.side(Which::a)->map, "full");
  EXPECT_FALSE(button("cardUseA").isEnabled());
}

TEST_F(ModelsPageTest, AtMostOneButtonHasTheAccent) {
  openCard();
  for (const char* model : {"routed", "base", "/models/Mistral-7B-Instruct-v0.3-with-a-long-name"}) {
    ASSERT_TRUE(list().choose(model));
    QTest::qWait(50);
    int accents = 0;
    for (const Button* one : frame->findChildren<Button*>()) {
      if (one->isVisible() && one->kind() == ButtonKind::accent) ++accents;
    }
    EXPECT_LE(accents, 1) << model;
  }
}

TEST_F(ModelsPageTest, ServingIsASwitchThatShowsAddressAndTokenToCopy) {
  openCard();
  auto& serve = child<QAbstractButton>(*page, "serveSwitch");
  QTest::mouseClick(&serve, Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return child<QWidget>(*page, "serveControl").isVisible(); }));
  EXPECT_EQ(label("serveUrl"), "http://127.0.0.1:8080/v1");
  QTest::mouseClick(&button("serveTokenCopy"), Qt::LeftButton);
  EXPECT_EQ(QGuiApplication::clipboard()->text(), "strata-3f9a1c");
  QTest::mouseClick(&serve, Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return !child<QWidget>(*page, "serveControl").isVisible(); }));
  EXPECT_FALSE(serve.isChecked());
}

TEST_F(ModelsPageTest, TheInspectorFollowsContextAndChats) {
  openCard();
  child<QSpinBox>(*frame, "memoryContext").setValue(256);
  child<QSpinBox>(*frame, "memoryChats").setValue(4);
  EXPECT_EQ(session.context(), 256);
  EXPECT_EQ(session.chats(), 4);
  EXPECT_TRUE(soon([&] { return label("predicted-kv") == "3.00 MiB"; })) << label("predicted-kv").toStdString();
  child<MapChoices>(*frame, "memoryMap").buttons()->button(2)->click();
  EXPECT_TRUE(soon([&] { return label("predicted-kv") == "1.50 MiB"; })) << label("predicted-kv").toStdString();
}

TEST_F(ModelsPageTest, AShareIsTheBestMeasuredMapInTheCardAndInTheInspector) {
  openCard();
  const auto tip = [&] { return child<MapChoices>(*frame, "memoryMap").buttons()->button(4)->toolTip(); };
  ASSERT_TRUE(soon([&] { return tip().contains("Best measured: F1 88 % of 332 question"); })) << tip().toStdString();
  EXPECT_TRUE(soon([&] { return says("F1 88 %, 0,0,0,0,0,0,6,6,6,9,9,9"); })) << "the card's table";
  child<MapChoices>(*frame, "memoryMap").buttons()->button(4)->click();
  EXPECT_TRUE(soon([&] { return label("predicted-kv") == "384 KiB"; })) << label("predicted-kv").toStdString();
  page->open(Place::model("base"));
  EXPECT_TRUE(soon([&] { return tip().contains("Evenly spread, not measured"); })) << tip().toStdString();
  EXPECT_TRUE(soon([&] { return !says("F1 88 %"); })) << "measured of another model";
}

TEST_F(ModelsPageTest, AModelThatDoesNotFitSaysSo) {
  openCard();
  page->open(Place::model("/models/Mistral-7B-Instruct-v0.3-with-a-long-name"));
  ASSERT_TRUE(soon([&] { return label("predicted-kv").contains("GiB"); }));
  child<QSpinBox>(*frame, "memoryChats").setValue(100);
  EXPECT_TRUE(soon([&] { return label("memorySentence").contains("Does not fit"); }));
}

TEST_F(ModelsPageTest, TheTemplateIsFoldedAndReadOnly) {
  openCard();
  auto& source = child<QPlainTextEdit>(*page, "templateSource");
  EXPECT_FALSE(source.isVisible());
  QTest::mouseClick(&button("templateToggle"), Qt::LeftButton);
  EXPECT_TRUE(source.isVisible());
  EXPECT_TRUE(source.isReadOnly());
  EXPECT_TRUE(source.toPlainText().contains("for message in messages"));
}

TEST_F(ModelsPageTest, ATemplateIsChangedForTheProjectAndTheModelsOwnComesBack) {
  openCard();
  auto& source = child<QPlainTextEdit>(*page, "templateSource");
  EXPECT_FALSE(button("templateOwn").isVisible());
  QTest::mouseClick(&button("templateEdit"), Qt::LeftButton);
  EXPECT_TRUE(source.isVisible());
  EXPECT_FALSE(source.isReadOnly());
  EXPECT_FALSE(button("templateSave").isEnabled()) << "nothing was changed yet";
  const QString own = source.toPlainText();
  source.appendPlainText("{# mine #}");
  QTest::mouseClick(&button("templateSave"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return button("templateOwn").isVisible(); }));
  EXPECT_TRUE(label("templateOrigin").startsWith("This project's own"));
  EXPECT_TRUE(source.toPlainText().endsWith("{# mine #}"));
  EXPECT_TRUE(source.isReadOnly());
  QTest::mouseClick(&button("templateOwn"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return label("templateOrigin").startsWith("Found in"); }));
  EXPECT_EQ(source.toPlainText(), own) << "what it says and what it shows change together";
  QTest::mouseClick(&button("templateUndo"), Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return source.toPlainText().endsWith("{# mine #}"); }));
  EXPECT_TRUE(soon([&] { return button("templateOwn").isVisible(); }));
}

TEST_F(ModelsPageTest, ARefusedTemplateSaysWhyAndKeepsWhatWasTyped) {
  openCard();
  button("templateEdit").click();
  auto& source = child<QPlainTextEdit>(*page, "templateSource");
  source.setPlainText("{% for m in messages %}");
  QTest::keyClick(&source, Qt::Key_S, Qt::ControlModifier);
  ASSERT_TRUE(soon([&] { return label("templateProblem") == "Line 3: the for of line 1 has no endfor."; }));
  EXPECT_EQ(source.toPlainText(), "{% for m in messages %}");
  EXPECT_FALSE(source.isReadOnly());
  EXPECT_TRUE(button("templateSave").isEnabled());
}

TEST_F(ModelsPageTest, ATypedTemplateSurvivesAnotherModelAndARestartOfTheWindow) {
  openCard();
  button("templateEdit").click();
  child<QPlainTextEdit>(*page, "templateSource").setPlainText("half a templ");
  ASSERT_TRUE(list().choose("base"));
  ASSERT_TRUE(soon([&] { return label("cardName") == "base" && !button("templateSave").isVisible(); }));
  ASSERT_TRUE(list().choose("routed"));
  ASSERT_TRUE(soon([&] { return button("templateSave").isVisible(); }));
  EXPECT_EQ(child<QPlainTextEdit>(*page, "templateSource").toPlainText(), "half a templ");
  frame.reset();
  page.reset();
  page = std::make_unique<ModelsPage>(session);
  frame = std::make_unique<Frame>(*page);
  frame->show();
  ASSERT_TRUE(soon([&] { return button("templateSave").isVisible(); }));
  EXPECT_EQ(child<QPlainTextEdit>(*page, "templateSource").toPlainText(), "half a templ");
}

TEST_F(ModelsPageTest, ChangesToATemplateAreTakenBackAndTheTakingBackIsUndone) {
  openCard();
  button("templateEdit").click();
  auto& source = child<QPlainTextEdit>(*page, "templateSource");
  const QString own = source.toPlainText();
  source.setPlainText("half a templ");
  button("templateTakeBack").click();
  EXPECT_EQ(source.toPlainText(), own);
  EXPECT_TRUE(source.isReadOnly());
  button("templateUndo").click();
  EXPECT_EQ(source.toPlainText(), "half a templ");
  EXPECT_FALSE(source.isReadOnly());
}

TEST_F(ModelsPageTest, AnEngineThatDiesWhileATemplateIsSavedLeavesItTyped) {
  openCard("dies saving");
  button("templateEdit").click();
  auto& source = child<QPlainTextEdit>(*page, "templateSource");
  source.appendPlainText("{# mine #}");
  button("templateSave").click();
  ASSERT_TRUE(soon([&] { return label("templateProblem").contains("stopped"); }, 10000));
  EXPECT_TRUE(source.toPlainText().endsWith("{# mine #}"));
  EXPECT_TRUE(soon([&] { return engine.ready() && button("templateSave").isEnabled(); }, 10000));
}

TEST_F(ModelsPageTest, ScreenshotOfATemplateThatWasRefused) {
  openCard();
  button("templateEdit").click();
  child<QPlainTextEdit>(*page, "templateSource").setPlainText("{% for message in messages %}\n{{ message.content }}");
  button("templateSave").click();
  ASSERT_TRUE(soon([&] { return label("templateProblem").startsWith("Line 3"); }));
  shoot(*frame, "models_template");
  shootLargeAndGrey(*frame, "models_template");
}

TEST_F(ModelsPageTest, WithoutModelsItSaysWhatBelongsHereAndHowToFetchOne) {
  open("empty");
  ASSERT_TRUE(soon([&] { return state("modelCardState") == StatePane::State::empty; }));
  EXPECT_TRUE(says("No model yet"));
  EXPECT_TRUE(child<QWidget>(*page, "modelsHub").isVisible());
  QTest::mouseClick(&button("modelsCopyDownload"), Qt::LeftButton);
  EXPECT_EQ(QGuiApplication::clipboard()->text(), "hf download Qwen/Qwen3-0.6B");
}

TEST_F(ModelsPageTest, AnEngineThatDiesLeavesTheFiguresGreyedAndComesBack) {
  openCard("dies loading");
  bool wasStale = false;
  QObject::connect(page->findChild<StatePane*>("modelCardState"), &StatePane::stateChanged, page.get(),
                   [&] { wasStale = wasStale || state("modelCardState") == StatePane::State::stale; });
  QTest::mouseClick(&button("loadButton"), Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return wasStale; }));
  EXPECT_TRUE(soon([&] { return engine.ready() && state("modelCardState") == StatePane::State::working; }, 10000));
  EXPECT_EQ(label("cardName"), "routed");
}

TEST_F(ModelsPageTest, EveryControlHasAnObjectNameAndASpokenName) {
  openCard();
  child<QAbstractButton>(*page, "serveSwitch").click();
  ASSERT_TRUE(soon([&] { return child<QWidget>(*page, "serveControl").isVisible(); }));
  EXPECT_EQ(namelessControls(*frame).join("\n").toStdString(), "");
}

TEST_F(ModelsPageTest, TabReachesTheActionsFromTheSearchField) {
  openCard();
  frame->activateWindow();
  child<QLineEdit>(*page, "modelsSearch").setFocus();
  QStringList reached;
  for (int i = 0; i < 14; ++i) {
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
    if (QApplication::focusWidget() != nullptr) reached << QApplication::focusWidget()->objectName();
  }
  for (const char* name : {"modelsTree", "cardUseA", "loadButton", "serveSwitch", "memoryContext", "memoryChats"}) {
    EXPECT_TRUE(reached.contains(name)) << name << " not in " << reached.join(", ").toStdString();
  }
}

TEST_F(ModelsPageTest, WhatItNeedsInMemoryIsSeenWithoutScrollingAt1280x800) {
  openCard();
  QTest::qWait(50);
  for (const char* name : {"memorySentence", "predicted-total", "memoryFit"}) {
    auto& number = child<QLabel>(*frame, name);
    EXPECT_FALSE(number.visibleRegion().isEmpty()) << name;
    EXPECT_EQ(number.visibleRegion().boundingRect().height(), number.height()) << name;
  }
}

TEST_F(ModelsPageTest, NothingIsCutOffAtLargeTextInANarrowWindow) {
  openCard();
  for (const int percent : {150, 200, 100}) {
    theme().setTextPercent(percent);
    waitForLayout(*frame);
    EXPECT_EQ(frame->size(), QSize(1280, 800)) << percent;
    EXPECT_EQ(layoutProblems(*frame).join("\n").toStdString(), "") << percent;
  }
}

TEST_F(ModelsPageTest, TheFiguresStandUnderOneAnotherAfterTheWindowBecameNarrow) {
  openCard();
  for (const QSize size : {QSize(1920, 1080), QSize(1280, 800)}) {
    frame->resize(size);
    QTest::qWait(60);
  }
  const auto top = [&](const char* name) { return child<QLabel>(*page, name).mapTo(frame.get(), QPoint()).y(); };
  EXPECT_GE(top("predicted-kv"), top("predicted-weights") + child<QLabel>(*page, "predicted-weights").height());
  EXPECT_GE(top("predicted-total"), top("predicted-activations"));
  EXPECT_TRUE(child<QWidget>(*page, "kvTable").geometry().top() >
              child<QWidget>(*page, "memorySection").geometry().bottom());
}

TEST_F(ModelsPageTest, ScreenshotOfTheWorkingState) {
  openCard();
  button("loadButton").click();
  ASSERT_TRUE(soon([&] { return label("measured-kv") == "768 KiB"; }));
  shoot(*frame, "models_working");
  shootLargeAndGrey(*frame, "models_working");
}

TEST_F(ModelsPageTest, ScreenshotOfServing) {
  openCard();
  child<QAbstractButton>(*page, "serveSwitch").click();
  button("templateToggle").click();
  ASSERT_TRUE(soon([&] { return child<QWidget>(*page, "serveControl").isVisible(); }));
  shoot(*frame, "models_serving");
}

TEST_F(ModelsPageTest, ExportingOffersWhatTheModelCanBecomeWithTheMapOfItsSide) {
  openCard();
  button("cardExport").click();
  ASSERT_TRUE(soon([&] { return child<QWidget>(*page, "exportSection").isVisible(); }));
  auto& forms = child<QComboBox>(*page, "exportForm");
  const auto can = [&](int row) { return forms.model()->index(row, 0).flags().testFlag(Qt::ItemIsEnabled); };
  ASSERT_EQ(forms.count(), 4);
  EXPECT_TRUE(can(0) && can(1));
  EXPECT_FALSE(can(2) || can(3)) << "no adapter";
  EXPECT_EQ(forms.itemText(3), "Adapter alone: this model has none");
  EXPECT_EQ(child<QLineEdit>(*page, "exportMap").text(), "retention:0.5");
  EXPECT_EQ(child<QLineEdit>(*page, "exportFolder").placeholderText(), "/projects/test/exports/…");
  EXPECT_EQ(fieldsWithoutHelp(*page).join(", ").toStdString(), "");
  EXPECT_EQ(namelessControls(*page).join(", ").toStdString(), "");
  waitForLayout(*frame);
  EXPECT_EQ(layoutProblems(*frame).join("\n").toStdString(), "");

  page->open(Place::exportOf("/adapters/squad"));
  ASSERT_TRUE(soon([&] { return label("cardName") == "squad on base" && forms.count() == 3; }));
  EXPECT_EQ(forms.itemText(0), "Merged adapter");
  EXPECT_TRUE(child<QComboBox>(*page, "exportDtype").isEnabled());
  forms.setCurrentIndex(2);
  EXPECT_FALSE(child<QComboBox>(*page, "exportDtype").isEnabled());
  EXPECT_TRUE(says("An adapter alone is copied as it is."));
}

TEST_F(ModelsPageTest, AnExportShowsTheFolderAndTheCommandsToCopy) {
  openCard();
  session.setContext(256, 1);
  button("cardExport").click();
  child<QComboBox>(*page, "exportForm").setCurrentIndex(1);
  child<QLineEdit>(*page, "exportMap").setText("stride:2");
  child<QLineEdit>(*page, "exportFolder").setText("/tmp/a folder");
  button("exportStart").click();
  auto& card = child<QWidget>(*page, "exportCard");
  ASSERT_TRUE(soon([&] { return card.isVisible(); }));
  EXPECT_EQ(label("exportPath"), "/tmp/a folder");
  EXPECT_TRUE(label("exportSummary").startsWith("6 of 12 layers keep keys and values (stride:2). 10.5 MiB on disk."))
      << label("exportSummary").toStdString();
  button("exportCopyPath").click();
  EXPECT_EQ(QGuiApplication::clipboard()->text(), "/tmp/a folder");
  child<Button>(child<QWidget>(*page, "exportUsevLLM"), "copy-command").click();
  EXPECT_EQ(QGuiApplication::clipboard()->text(), "vllm serve /tmp/a folder");
  child<Button>(child<QWidget>(*page, "exportUsetransformers"), "copy-command").click();
  EXPECT_TRUE(QGuiApplication::clipboard()->text().endsWith("trust_remote_code=True)"));
  EXPECT_TRUE(QGuiApplication::clipboard()->text().startsWith("from transformers import AutoModelForCausalLM\n"));
  EXPECT_EQ(label("exportSavesvLLM"), "The KV cache of 256 tokens takes 384 KiB instead of 768 KiB.");
  EXPECT_EQ(namelessControls(*page).join(", ").toStdString(), "");
  waitForLayout(*frame);
  EXPECT_EQ(layoutProblems(*frame).join("\n").toStdString(), "");

  // Another model is exported anew; this one's card comes back with it.
  ASSERT_TRUE(list().choose("base"));
  EXPECT_TRUE(soon([&] { return label("cardName") == "base"; }));
  EXPECT_FALSE(card.isVisible());
  ASSERT_TRUE(list().choose("routed"));
  EXPECT_TRUE(soon([&] { return card.isVisible(); }));
  button("exportAgain").click();
  EXPECT_TRUE(child<QWidget>(*page, "exportForm").isVisible());
  EXPECT_TRUE(page->escape());
  EXPECT_FALSE(child<QWidget>(*page, "exportSection").isVisible());
}

TEST_F(ModelsPageTest, TheExportedFolderOpensInTheFileManager) {
  OpenedFolders opened;
  openCard();
  button("cardExport").click();
  child<QLineEdit>(*page, "exportFolder").setText("/tmp/here");
  button("exportStart").click();
  ASSERT_TRUE(soon([&] { return child<QWidget>(*page, "exportCard").isVisible(); }));
  button("exportOpenFolder").click();
  EXPECT_EQ(opened.urls, QList<QUrl>{QUrl::fromLocalFile("/tmp/here")});
}

TEST_F(ModelsPageTest, AnExportThatCannotBeSaysWhyAndKeepsWhatWasTyped) {
  openCard();
  button("cardExport").click();
  child<QLineEdit>(*page, "exportMap").setText("stride");
  button("exportStart").click();
  EXPECT_TRUE(says("stride")) << "a map that is none";
  child<QLineEdit>(*page, "exportMap").setText("stride:2");
  child<QLineEdit>(*page, "exportFolder").setText("/full");
  button("exportStart").click();
  ASSERT_TRUE(soon([&] { return label("exportProblem").contains("3 MiB free"); }));
  EXPECT_TRUE(child<QWidget>(*page, "exportProblem").isVisible());
  EXPECT_EQ(child<QLineEdit>(*page, "exportFolder").text(), "/full");
  EXPECT_FALSE(child<QWidget>(*page, "exportCard").isVisible());
}

TEST_F(ModelsPageTest, AnExportIsStoppedByEscWhileOtherModelsAreLookedAt) {
  openCard("slow export");
  button("cardExport").click();
  button("exportStart").click();
  ASSERT_TRUE(soon([&] { return label("exportStage") == "4.00 MiB of 10.0 MiB"; }))
      << label("exportStage").toStdString();
  ASSERT_TRUE(list().choose("base"));
  EXPECT_TRUE(soon([&] { return label("cardName") == "base"; }));
  EXPECT_FALSE(child<QWidget>(*page, "exportRunning").isVisible());
  EXPECT_FALSE(button("cardExport").isEnabled());
  ASSERT_TRUE(list().choose("routed"));
  ASSERT_TRUE(soon([&] { return child<QWidget>(*page, "exportRunning").isVisible(); }));
  EXPECT_TRUE(page->escape());
  EXPECT_TRUE(soon([&] { return button("exportStart").isVisible(); }));
  EXPECT_EQ(label("exportProblem"), "");
}

TEST_F(ModelsPageTest, AnEngineThatDiesWhileExportingSaysSo) {
  openCard("dies exporting");
  button("cardExport").click();
  button("exportStart").click();
  EXPECT_TRUE(soon([&] { return label("exportProblem").contains("while exporting a model"); }));
}

TEST_F(ModelsPageTest, ScreenshotOfExporting) {
  openCard();
  button("cardExport").click();
  ASSERT_TRUE(soon([&] { return child<QWidget>(*page, "exportSection").isVisible(); }));
  shoot(*frame, "models_export");
  button("exportStart").click();
  ASSERT_TRUE(soon([&] { return child<QWidget>(*page, "exportCard").isVisible(); }));
  shoot(*frame, "models_exported");
  shootLargeAndGrey(*frame, "models_exported");
}

TEST_F(ModelsPageTest, ScreenshotOfTheEmptyState) {
  open("empty");
  ASSERT_TRUE(soon([&] { return state("modelCardState") == StatePane::State::empty; }));
  shoot(*frame, "models_empty");
}

TEST_F(ModelsPageTest, TheSearchForModelsCanBeStoppedAndBegunAgain) {
  open("slow list");
  QTest::qWait(100);
  EXPECT_TRUE(page->escape());
  EXPECT_TRUE(soon([&] { return state("modelsState") == StatePane::State::empty; }));
  EXPECT_TRUE(says("The search for models was stopped."));
}

TEST_F(ModelsPageTest, ScreenshotOfALargeModel) {
  openCard();
  page->open(Place::model("/models/Mistral-7B-Instruct-v0.3-with-a-long-name"));
  ASSERT_TRUE(soon([&] { return label("predicted-kv").contains("GiB"); }));
  shoot(*frame, "models_large");
}

TEST_F(ModelsPageTest, ScreenshotOfTheLoadingState) {
  open("slow list");
  EXPECT_EQ(state("modelsState"), StatePane::State::loading);
  QTest::qWait(1200);
  shoot(*frame, "models_loading");
}

TEST_F(ModelsPageTest, ScreenshotOfTheFailedState) {
  openCard();
  page->open(Place::model("/home/someone/.cache/huggingface/hub/models--Qwen--Qwen3-4B"));
  ASSERT_TRUE(soon([&] { return state("modelCardState") == StatePane::State::failed; }));
  shoot(*frame, "models_failed");
}

TEST_F(ModelsPageTest, ScreenshotOfTheStaleState) {
  openCard();
  engine.stop();
  ASSERT_TRUE(soon([&] { return state("modelCardState") == StatePane::State::stale; }));
  shoot(*frame, "models_stale");
}

}  // namespace
}  // namespace strata::testing

#include "models_page_test.moc"
