// Draws the sheets of the gallery in every theme and text size, and looks for what no eye should have to find.

#include "gallery.h"

#include <gtest/gtest.h>

#include <QAbstractButton>
#include <QAbstractSpinBox>
#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QLabel>
#include <QLayout>
#include <QLineEdit>

#include "style_test.h"

namespace strata {
namespace {

struct Case {
  const char* name;
  bool dark;
  bool contrast;
  int percent;
};

constexpr Case kCases[] = {{"light", false, false, 100},         {"dark", true, false, 100},
                           {"light_contrast", false, true, 100}, {"dark_contrast", true, true, 100},
                           {"light_150", false, false, 150},     {"dark_200", true, false, 200}};

void use(const Case& each) {
  Theme& theme = plainTheme();
  theme.setSystem(each.dark, each.contrast);
  theme.setTextPercent(each.percent);
}

void save(QWidget& sheet, const QString& name) {
  const QString folder = QStringLiteral(STRATA_BINARY_DIR "/screenshots");
  ASSERT_TRUE(QDir().mkpath(folder));
  ASSERT_TRUE(sheet.grab().save(QStringLiteral("%1/gallery_%2.png").arg(folder, name)));
}

/// Controls that got less room than they need.
QStringList clipped(const QWidget& sheet) {
  QStringList found;
  for (const QWidget* widget : sheet.findChildren<QWidget*>()) {
    if (!widget->isVisible()) continue;
    QSize least;
    if (const auto* label = qobject_cast<const QLabel*>(widget)) {
      least = label->minimumSizeHint();
      if (label->wordWrap()) least = {0, label->heightForWidth(label->width())};
    } else if (qobject_cast<const QAbstractButton*>(widget) != nullptr) {
      least = widget->sizeHint();
    } else if (qobject_cast<const QLineEdit*>(widget) || qobject_cast<const QComboBox*>(widget) ||
               qobject_cast<const QAbstractSpinBox*>(widget)) {
      if (widget->parentWidget()->inherits("QComboBox") || widget->parentWidget()->inherits("QAbstractSpinBox"))
        continue;
      least = {0, widget->sizeHint().height()};
    } else {
      continue;
    }
    if (widget->width() < least.width() || widget->height() < least.height()) {
      found += QStringLiteral("%1 \"%6\" %2x%3 < %4x%5")
                   .arg(widget->metaObject()->className())
                   .arg(widget->width())
                   .arg(widget->height())
                   .arg(least.width())
                   .arg(least.height())
                   .arg(widget->accessibleName());
    }
  }
  return found;
}

TEST(Gallery, ControlsAreDrawnInEveryThemeAndNoneIsClipped) {
  for (const Case& each : kCases) {
    use(each);
    const std::unique_ptr<QWidget> sheet(controlsSheet());
    const int width = std::max(1000, sheet->minimumSizeHint().width());
    sheet->resize(width, std::max(600, sheet->layout()->totalHeightForWidth(width)));
    sheet->show();
    ASSERT_TRUE(QTest::qWaitForWindowExposed(sheet.get()));
    EXPECT_EQ(clipped(*sheet).join("; ").toStdString(), "") << each.name;
    save(*sheet, QStringLiteral("controls_%1").arg(each.name));
  }
}

TEST(Gallery, ViewsAreDrawnInEveryTheme) {
  for (const Case& each : kCases) {
    use(each);
    const std::unique_ptr<QWidget> sheet(viewsSheet());
    sheet->resize(1100 * each.percent / 100, 640 * each.percent / 100);
    sheet->show();
    ASSERT_TRUE(QTest::qWaitForWindowExposed(sheet.get()));
    EXPECT_EQ(clipped(*sheet).join("; ").toStdString(), "") << each.name;
    save(*sheet, QStringLiteral("views_%1").arg(each.name));
  }
}

TEST(Gallery, TheFiveStatesAreDrawnLightAndDark) {
  for (const Case& each : {kCases[0], kCases[1]}) {
    use(each);
    for (const char* state : {"empty", "loading", "working", "failed", "stale"}) {
      const std::unique_ptr<QWidget> sheet(stateSheet(state));
      sheet->resize(640, 360);
      sheet->show();
      ASSERT_TRUE(QTest::qWaitForWindowExposed(sheet.get()));
      if (QString(state) == "loading") QTest::qWait(1200);
      save(*sheet, QStringLiteral("state_%1_%2").arg(state, each.name));
    }
  }
}

}  // namespace
}  // namespace strata
