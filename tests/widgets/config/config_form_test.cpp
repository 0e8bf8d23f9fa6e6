#include "widgets/config/config_form.h"

#include <QClipboard>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPointer>
#include <QPushButton>
#include <QSignalSpy>
#include <QWheelEvent>

#include "app/strata/field_options.h"
#include "field_help.h"
#include "form_fixture.h"
#include "widgets/config/field_editor.h"
#include "widgets/style/field.h"
#include "widgets/style/switch.h"

namespace strata {
namespace {

using testing::forEachConfig;
using testing::otherValue;

Field* fieldAround(QWidget* control) {
  for (QWidget* at = control; at != nullptr; at = at->parentWidget()) {
    if (auto* field = qobject_cast<Field*>(at)) return field;
  }
  return nullptr;
}

QStringList textsIn(const QWidget& widget) {
  QStringList texts;
  for (const QLabel* label : widget.findChildren<QLabel*>()) texts << label->text();
  return texts;
}

/// What the command line makes of the form's.
template <class Config>
std::string parsed(const ConfigForm& form) {
  CLI::App app("", "strata");
  FieldOptions fields(app);
  fields.add(Config());
  try {
    app.parse(form.commandLine().toStdString().substr(std::string("strata ").size()), false);
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  Config config;
  const auto applied = fields.applyTo(config);
  return applied ? dumpLine(configToJson(config)) : applied.error().message;
}

TEST(EveryField, HasAnEditorWithItsLabelReasonAndHelp) {
  forEachConfig([](const char* command, const auto& good, const auto& check) {
    FormWindow<std::decay_t<decltype(good)>> shown(good, command, check);
    for (const FieldInfo& field : describe(good)) {
      SCOPED_TRACE(std::string(command) + " " + field.name);
      auto* control = shown.control(field.name);
      ASSERT_NE(control, nullptr);
      EXPECT_TRUE(control->accessibleName().startsWith(field.meta.label)) << control->accessibleName().toStdString();
      EXPECT_TRUE(control->accessibleName().contains(field.meta.unit));
      EXPECT_EQ(control->accessibleDescription(), QString(field.meta.why));
      EXPECT_TRUE(control->whatsThis().contains(QString::fromStdString("--" + field.name)));
      EXPECT_TRUE(control->whatsThis().contains(field.meta.why));
      const QStringList texts = textsIn(*fieldAround(control));
      EXPECT_TRUE(texts.contains(field.meta.label) && texts.contains(field.meta.why)) << texts.join('|').toStdString();
      EXPECT_TRUE(*field.meta.unit == '\0' || texts.contains(field.meta.unit));
    }
    EXPECT_EQ(fieldsWithoutHelp(shown.window), QStringList());
  });
}

TEST(EveryField, GoesThroughTheFormToTheCommandLineAndBack) {
  forEachConfig([](const char*, const auto& good, const auto& check) {
    using Config = std::decay_t<decltype(good)>;
    FormWindow<Config> shown(Config(), "strata", check);
    int changed = 0;
    for (const FieldInfo& field : describe(Config())) {
      if (field.kind == FieldKind::list) continue;  // with line breaks, which CLI11's own splitting does not take
      SCOPED_TRACE(field.name);
      Json value = otherValue(field);
      if (field.kind == FieldKind::text && field.meta.choices.empty()) value = "a b";
      shown.form->edit(QString::fromStdString(field.name), value);
      EXPECT_EQ(shown.form->values().at(field.name), value);
      EXPECT_EQ(shown.form->changedCount(), ++changed);
      EXPECT_EQ(shown.undo.count(), changed) << "one step each";
      if (field.meta.positional) continue;
      auto* reset = shown.form->template findChild<QPushButton*>(QString::fromStdString("reset-" + field.name));
      EXPECT_FALSE(reset->isHidden());
    }
    const auto config = shown.form->template config<Config>();
    ASSERT_TRUE(config);
    EXPECT_EQ(static_cast<int>(changedFields(*config).size()), changed);
    EXPECT_EQ(parsed<Config>(*shown.form), dumpLine(configToJson(*config)));
    shown.form->resetAll();
    EXPECT_EQ(shown.form->values(), configToJson(Config()));
    shown.undo.undo();
    EXPECT_EQ(shown.form->values(), configToJson(*config)) << "one step for all";
    while (shown.undo.canUndo()) shown.undo.undo();
    EXPECT_EQ(shown.form->changedCount(), 0);
    while (shown.undo.canRedo()) shown.undo.redo();
    EXPECT_EQ(shown.form->values(), configToJson(Config()));
  });
}

TEST(ConfigForm, TakesWhatIsTypedAtEveryLetterAsOneStep) {
  TrainForm shown;
  const QSignalSpy changes(shown.form, &ConfigForm::changed);
  shown.type("steps", "250");
  EXPECT_EQ(shown.value("steps"), "250");
  EXPECT_EQ(changes.count(), 3);
  EXPECT_EQ(shown.undo.count(), 1);
  EXPECT_EQ(shown.undo.undoText(), "Change Training steps");
  EXPECT_EQ(shown.form->commandLine(), "strata train --model models/sample-routed --data recall.json --steps 250");
  QTest::keyClick(shown.line("steps"), Qt::Key_Return);
  QTest::keyClicks(shown.line("steps"), "0");
  EXPECT_EQ(shown.undo.count(), 2) << "after Enter a step begins";
  QTest::keyClick(shown.line("steps"), Qt::Key_Z, Qt::ControlModifier);
  EXPECT_EQ(shown.line("steps")->text(), "250");
  shown.undo.undo();
  EXPECT_EQ(shown.line("steps")->text(), "100");
  EXPECT_EQ(shown.form->changedCount(), 2) << "model and data";
}

TEST(ConfigForm, LeavesATextThatSaysTheSameAsItIsTyped) {
  TrainForm shown;
  shown.type("lr", "0.00010");
  EXPECT_EQ(shown.line("lr")->text(), "0.00010");
  EXPECT_EQ(shown.value("lr"), "0.0001");
  EXPECT_FALSE(shown.undo.canUndo());
  shown.type("lr", ".5e-3");
  EXPECT_EQ(shown.line("lr")->text(), ".5e-3");
  EXPECT_EQ(shown.value("lr"), "0.0005");
}

TEST(ConfigForm, SaysBelowTheFieldWhyATextIsNoValueAndKeepsIt) {
  TrainForm shown;
  EXPECT_TRUE(shown.form->isReady()) << shown.form->problem().toStdString();
  const auto problemOf = [&](const std::string& name, const QString& text) {
    shown.type(name, text);
    EXPECT_FALSE(shown.form->isReady());
    EXPECT_EQ(shown.line(name)->text(), text);
    EXPECT_EQ(shown.line(name)->accessibleDescription(), shown.form->problem());
    EXPECT_TRUE(textsIn(*fieldAround(shown.line(name))).contains(shown.form->problem()));
    return shown.form->problem().toStdString();
  };
  EXPECT_EQ(problemOf("length", "1"), "Give a value of 2 to 10,000,000.");
  EXPECT_EQ(shown.value("length"), "256");
  EXPECT_EQ(problemOf("length", "long"), "Give a whole number.");
  shown.type("length", "64");
  EXPECT_TRUE(shown.form->isReady());
  EXPECT_EQ(problemOf("split", "x"), "Give a number, such as 0.5.");
  EXPECT_EQ(problemOf("split", "0.95"), "Give a value of 0 to 0.9.");
  EXPECT_EQ(shown.form->problemGroup(), "Model and data");
  QTest::keyClick(shown.line("split"), Qt::Key_Z, Qt::ControlModifier);
  EXPECT_EQ(shown.line("split")->text(), "0.9") << "the text goes, no step is taken back";
  EXPECT_EQ(shown.value("length"), "64");
  EXPECT_EQ(problemOf("columns", "prompt"), "Give pairs such as prompt=q,completion=a.text.");
  shown.control<QPushButton>("reset-columns")->click();
  EXPECT_EQ(shown.form->problem().toStdString(), "");
  EXPECT_EQ(shown.line("columns")->text(), "");
}

TEST(ConfigForm, ShowsWhatTheCheckRefusesAtItsField) {
  TrainForm shown{TrainConfig()};
  EXPECT_FALSE(shown.form->isReady());
  EXPECT_TRUE(fieldAround(shown.line("model"))->hasProblem());
  shown.type("model", "m");
  EXPECT_FALSE(fieldAround(shown.line("model"))->hasProblem());
  EXPECT_TRUE(fieldAround(shown.line("data"))->hasProblem());
  shown.type("data", "d");
  EXPECT_TRUE(shown.form->isReady());
  shown.form->edit("micro-batch", 3);
  EXPECT_EQ(shown.form->problemGroup(), "Budget");
  EXPECT_TRUE(shown.line("micro-batch")->isVisible()) << "what hides a problem unfolds";
  EXPECT_TRUE(shown.form->problem().contains("does not divide the batch of 8"));
  shown.form->edit("batch", 9);
  EXPECT_TRUE(shown.form->isReady());
}

TEST(ConfigForm, AFieldOfThePositionalModelIsFoundByItsPlace) {
  EvalConfig config;
  config.task = "nll";
  FormWindow<EvalConfig> shown(config, "strata eval", checkEvalConfig);
  EXPECT_TRUE(fieldAround(shown.line("model"))->hasProblem()) << shown.form->problem().toStdString();
}

TEST(ConfigForm, CountsChangesFromThePresetAndGoesBackToIt) {
  TrainForm shown;
  ASSERT_TRUE(shown.form->load({{"steps", 50}, {"warmup", 5}}, configToJson([] {
                                 TrainConfig preset = goodTraining();
                                 preset.steps = 50;
                                 preset.warmup = 5;
                                 return preset;
                               }())));
  EXPECT_EQ(shown.form->changedCount(), 0);
  EXPECT_EQ(shown.line("steps")->text(), "50");
  EXPECT_TRUE(shown.control("reset-steps")->isHidden());
  shown.type("steps", "60");
  shown.form->edit("warmup", 6);
  EXPECT_EQ(shown.form->changedCount("Budget"), 2);
  EXPECT_EQ(shown.form->changedCount("Method"), 0);
  EXPECT_EQ(shown.control<QPushButton>("more-2")->text(), "More (1 changed)");
  EXPECT_TRUE(textsIn(*shown.form).contains("2 changed"));
  QTest::mouseClick(shown.control<QPushButton>("reset-steps"), Qt::LeftButton);
  EXPECT_EQ(shown.value("steps"), "50");
  EXPECT_TRUE(shown.line("steps")->hasFocus()) << "its button is gone";
  EXPECT_FALSE(shown.form->load({{"steps", 0}}, Json::object()));
  EXPECT_EQ(shown.value("steps"), "50");
}

TEST(ConfigForm, OpenChoicesTakeAWordOfTheListOrAnotherOfItsPattern) {
  TrainForm shown;
  auto* sampler = shown.control<QComboBox>("sampler");
  sampler->setFocus();
  QTest::keyClick(sampler, Qt::Key_Down);
  EXPECT_EQ(sampler->currentText(), "window:4") << "without what the list says of it";
  EXPECT_EQ(shown.value("sampler"), "\"window:4\"");
  sampler->lineEdit()->selectAll();
  QTest::keyClicks(sampler, "window:12");
  EXPECT_EQ(shown.value("sampler"), "\"window:12\"");
  QTest::keyClicks(sampler, "x");
  EXPECT_FALSE(shown.form->isReady());
  sampler->lineEdit()->selectAll();
  QTest::keyClicks(sampler, "dice");
  EXPECT_TRUE(shown.form->problem().contains("geometric:q")) << shown.form->problem().toStdString();
  shown.undo.setIndex(0);
  EXPECT_EQ(sampler->currentText(), "uniform");
  EXPECT_TRUE(shown.form->isReady());
}

TEST(ConfigForm, SwitchesAndListsAreStepsOfTheirOwn) {
  TrainForm shown;
  auto* distill = shown.control<Switch>("distill");
  QTest::keyClick(distill, Qt::Key_Space);
  EXPECT_EQ(distill->text(), "On");
  QTest::keyClick(distill, Qt::Key_Space);
  EXPECT_EQ(shown.undo.count(), 2);
  auto* dtype = shown.control<QComboBox>("dtype");
  dtype->setFocus();
  QTest::keyClick(dtype, Qt::Key_Down);
  EXPECT_EQ(shown.value("dtype"), "\"bfloat16\"");
  EXPECT_EQ(shown.undo.count(), 3);
  shown.undo.undo();
  EXPECT_EQ(shown.value("dtype"), "\"float32\"");
}

TEST(ConfigForm, AnOpenValueShowsWhatItMeans) {
  TrainForm shown;
  EXPECT_EQ(shown.line("weight-decay")->placeholderText(), "default .1; LoRA 0");
  shown.type("weight-decay", "0.3");
  EXPECT_EQ(shown.value("weight-decay"), "0.3");
  EXPECT_EQ(shown.control("reset-weight-decay")->toolTip(), "Back to: default .1; LoRA 0");
  shown.type("weight-decay", "");
  EXPECT_EQ(shown.value("weight-decay"), "null");
}

TEST(ConfigForm, AsksTheCallerForPaths) {
  TrainForm shown;
  QSignalSpy browse(shown.form, &ConfigForm::browseRequested);
  for (QPushButton* button : shown.form->findChildren<QPushButton*>()) {
    if (button->accessibleName() == "Browse for Training data") QTest::mouseClick(button, Qt::LeftButton);
  }
  ASSERT_EQ(browse.count(), 1);
  shown.form->edit(browse[0][0].toString(), "texts/all.jsonl");
  EXPECT_EQ(shown.line("data")->text(), "texts/all.jsonl");
}

TEST(ConfigForm, CopiesTheCommandLine) {
  TrainForm shown;
  shown.form->edit("columns", {{"prompt", "the question"}});
  QTest::mouseClick(shown.control<QPushButton>("copy-command"), Qt::LeftButton);
  EXPECT_EQ(QApplication::clipboard()->text(),
            "strata train --model models/sample-routed --data recall.json --columns 'prompt=the question'");
  EXPECT_EQ(shown.control<QPlainTextEdit>("command-line")->toPlainText(), QApplication::clipboard()->text());
}

TEST(ConfigForm, TheWheelScrollsAndChangesNothing) {
  TrainForm shown;
  auto* dtype = shown.control<QComboBox>("dtype");
  QWheelEvent wheel(QPointF(5, 5), dtype->mapToGlobal(QPointF(5, 5)), {}, QPoint(0, -120), Qt::NoButton, Qt::NoModifier,
                    Qt::NoScrollPhase, false);
  QApplication::sendEvent(dtype, &wheel);
  EXPECT_EQ(shown.value("dtype"), "\"float32\"");
  EXPECT_FALSE(dtype->hasFocus());
}

TEST(ConfigForm, TabReachesEveryControlThatIsShown) {
  TrainForm shown;
  for (QPushButton* more : shown.form->findChildren<QPushButton*>(QRegularExpression("^more-"))) more->click();
  QSet<QWidget*> reached;
  shown.line("model")->setFocus();
  for (int i = 0; i < 300; ++i) {
    reached << QApplication::focusWidget();
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
    if (QApplication::focusWidget() == shown.line("model")) break;
  }
  for (const FieldInfo& field : describe(TrainConfig())) {
    EXPECT_TRUE(reached.contains(shown.control(field.name))) << field.name;
  }
  EXPECT_TRUE(reached.contains(shown.control("copy-command")) && reached.contains(shown.control("command-line")));
}

TEST(ConfigForm, ShowsOneGroupAlone) {
  TrainForm shown;
  EXPECT_EQ(shown.form->groups(), QStringList({"Model and data", "Method", "Budget", "Evaluation", "More"}));
  shown.form->showGroup("Budget");
  EXPECT_TRUE(shown.line("steps")->isVisible());
  EXPECT_FALSE(shown.line("model")->isVisible());
  shown.form->focusField("warmup");
  EXPECT_TRUE(shown.line("warmup")->hasFocus());
  shown.form->showGroup({});
  EXPECT_TRUE(shown.line("model")->isVisible());
}

TEST(ConfigForm, MayGoBeforeItsUndoStackAndWithoutOne) {
  QUndoStack undo;
  plainTheme();
  auto form =
      std::make_unique<ConfigForm>(anyConfig<TrainConfig>("strata train", goodTraining(), checkTrainConfig), &undo);
  form->edit("steps", 7);
  form.reset();
  undo.undo();
  EXPECT_TRUE(undo.canRedo());
  ConfigForm alone(anyConfig<TrainConfig>("strata train", goodTraining(), checkTrainConfig), nullptr);
  alone.edit("steps", 7);
  EXPECT_EQ(alone.values().at("steps"), Json(7));
}

}  // namespace
}  // namespace strata
