#pragma once
// A form in a scroll area in a window, as a page has it.

#include <gtest/gtest.h>

#include <QApplication>
#include <QComboBox>
#include <QLineEdit>
#include <QScrollArea>
#include <QTest>
#include <QUndoStack>
#include <memory>

#include "core/config/train_config.h"
#include "every_config.h"
#include "widgets/config/config_form.h"
#include "widgets/style/pane.h"
#include "widgets/style/theme.h"

namespace strata {

inline Theme& plainTheme() {
  static Theme* const kTheme = new Theme(*qApp);  // the application owns it
  kTheme->setChoice(Theme::Choice::light);
  kTheme->setTextPercent(100);
  return *kTheme;
}

inline TrainConfig goodTraining() {
  TrainConfig config;
  config.model = "models/sample-routed";
  config.data = "recall.json";
  return config;
}

/// `Config` may be any.
template <class Config = TrainConfig>
struct FormWindow {
  template <class Check>
  FormWindow(Config config, const char* command, const Check& check) : window(Ground::window) {
    plainTheme();
    form = new ConfigForm(anyConfig<Config>(command, std::move(config), check), &undo);
    auto* area = new QScrollArea;
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    auto* ground = new Pane(Ground::window);
    auto* row = new QHBoxLayout(ground);
    row->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
    row->addWidget(form, 1);
    row->addStretch(0);
    area->setWidget(ground);
    auto* column = new QVBoxLayout(&window);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(area);
    window.resize(1280, 800);
    window.show();
    EXPECT_TRUE(QTest::qWaitForWindowActive(&window));
  }

  template <class W = QWidget>
  W* control(const std::string& name) const {
    auto* found = form->findChild<W*>(QString::fromStdString(name));
    EXPECT_NE(found, nullptr) << name;
    return found;
  }
  /// Of a path the line in its box.
  QLineEdit* line(const std::string& name) const {
    auto* inside = form->findChild<QLineEdit*>(QString::fromStdString(name + "-text"));
    return inside != nullptr ? inside : control<QLineEdit>(name);
  }

  /// As a person does: all of the field's text is replaced, letter by letter.
  void type(const std::string& name, const QString& text) const {
    form->focusField(QString::fromStdString(name));
    line(name)->selectAll();
    if (text.isEmpty()) QTest::keyClick(line(name), Qt::Key_Delete);
    QTest::keyClicks(line(name), text);
  }
  std::string value(const std::string& name) const { return form->values().at(name).dump(); }

  QUndoStack undo;
  Pane window;
  ConfigForm* form = nullptr;
};

struct TrainForm : FormWindow<TrainConfig> {
  explicit TrainForm(TrainConfig config = goodTraining())
      : FormWindow(std::move(config), "strata train", checkTrainConfig) {}
};

}  // namespace strata
