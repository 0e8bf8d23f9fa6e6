// Draws the form in every theme and text size, whole and at its top, and looks for what does not fit.

#include <QDir>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>

#include "form_fixture.h"
#include "layout_check.h"

namespace strata {
namespace {

struct Look {
  const char* name;
  Theme::Choice choice;
  int percent;
};

constexpr Look kLooks[] = {{"light", Theme::Choice::light, 100},
                           {"dark", Theme::Choice::dark, 100},
                           {"light_150", Theme::Choice::light, 150},
                           {"dark_200", Theme::Choice::dark, 200},
                           {"contrast", Theme::Choice::contrast, 100}};

void save(QWidget& widget, const QString& name) {
  ASSERT_TRUE(QDir().mkpath(STRATA_BINARY_DIR "/screenshots"));
  ASSERT_TRUE(widget.grab().save(QStringLiteral(STRATA_BINARY_DIR "/screenshots/config_%1.png").arg(name)));
}

TEST(ConfigFormScreenshots, FitsInEveryThemeAndTextSize) {
  for (const Look& look : kLooks) {
    SCOPED_TRACE(look.name);
    TrainForm shown;
    Theme& theme = plainTheme();
    theme.setChoice(look.choice);
    theme.setTextPercent(look.percent);
    shown.form->edit("lr", 5e-4);
    shown.form->edit("warmup", 20);
    shown.form->edit("micro-batch", 4);
    shown.form->edit("eval-data", "/a/long/path/without/a/space/" + std::string(80, 'x') + "/held-out.jsonl");
    shown.type("length", "1");
    Pane& window = shown.window;
    testing::waitForLayout(window);
    save(window, look.name);
    for (QPushButton* more : shown.form->findChildren<QPushButton*>(QRegularExpression("^more-"))) {
      if (more->accessibleDescription().startsWith("Shows")) more->click();
    }
    testing::waitForLayout(window);
    EXPECT_EQ(testing::layoutProblems(window).join("\n").toStdString(), "");
    EXPECT_EQ(shown.control<QPlainTextEdit>("command-line")->verticalScrollBar()->maximum(), 0) << "all lines show";
    EXPECT_LE(shown.form->width(), metrics().fieldWidth);
    save(*shown.form->parentWidget(), QString(look.name) + "_whole");
  }
}

}  // namespace
}  // namespace strata
