#pragma once
// What journeys through the Train page share: its fields, its buttons, and what they wait for.

#include "hand.h"
#include "real_window.h"
#include "widgets/plots/series_plot.h"

namespace strata {

/// The wizard's steps, as they are counted on the page.
enum class WizardStep { data = 1, method, budget, evaluation, review };

class TrainSteps {
 public:
  explicit TrainSteps(RealWindow& window) : hand(window.window), m_window(window) {}

  QAbstractButton* button(const char* name) const { return m_window.find<QAbstractButton>(name); }
  std::string label(const char* name) const {
    const auto* found = m_window.find<QLabel>(name);
    return found == nullptr ? "no such label" : found->text().toStdString();
  }
  /// What the page says about a run that does not go on as it should.
  std::string problems() const {
    return label("runStatus") + ' ' + label("runMessage") + ' ' + label("runProblem") + ' ' + label("runSummary") +
           ' ' + label("startNote");
  }
  std::size_t points(const char* plot) const {
    const auto* found = m_window.find<SeriesPlot>(plot);
    return found->series().isEmpty() ? 0 : found->data(found->series().first())->size();
  }
  void click(const char* name) { hand.click(button(name)); }
  /// As a person does: once more where the form moved beneath the pointer.
  void switchOn(const char* name) {
    for (int i = 0; i < 3 && !button(name)->isChecked(); ++i) {
      click(name);
      (void)QTest::qWaitFor([&] { return button(name)->isChecked(); }, 10'000);
    }
    EXPECT_TRUE(button(name)->isChecked()) << name;
  }
  /// Opens the page. With no run yet the wizard is there, filled in.
  void open() {
    hand.takeWindow();
    click("rail-train");
    ASSERT_TRUE(startable()) << problems();
  }
  QAbstractButton* button(WizardStep step) const {
    return button(qPrintable(QString("step-%1").arg(static_cast<int>(step))));
  }
  void goTo(WizardStep step) {
    hand.click(button(step));
    EXPECT_TRUE(until([&] { return button(step)->isChecked(); }));
  }
  /// Types into a field of a step.
  void fill(WizardStep step, const char* field, const QString& text) {
    goTo(step);
    auto* line = nearest<QLineEdit>(button(step), field);
    ASSERT_NE(line, nullptr) << field;
    const QString more = QString("more-%1").arg(static_cast<int>(step) - 1);
    if (!line->isVisible()) hand.click(nearest<QAbstractButton>(button(step), more));
    ASSERT_TRUE(until([&] { return line->isVisible(); })) << field;
    hand.enter(line, text);
  }
  bool startable() const {
    return until([&] { return button("startRun")->isVisible() && button("startRun")->isEnabled(); });
  }
  void start() {
    ASSERT_TRUE(startable()) << problems();
    click("startRun");
    ASSERT_TRUE(until([&] { return !button("startRun")->isVisible(); })) << problems();
  }
  ::testing::AssertionResult ends(const char* state) const {
    if (until([&] { return label("runStatus") == state; }, 4 * kPatience)) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << problems();
  }

  Hand hand;

 private:
  /// Another page's form has fields and folds of these names too.
  template <class Widget>
  static Widget* nearest(const QWidget* widget, const QString& name) {
    for (const QWidget* around = widget; around != nullptr; around = around->parentWidget()) {
      if (auto* found = around->findChild<Widget*>(name)) return found;
    }
    return nullptr;
  }

  RealWindow& m_window;
};

}  // namespace strata
