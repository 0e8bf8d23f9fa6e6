#pragma once
// What the tests of controls share: one theme for the program, and looks at pixels.

#include <QApplication>
#include <QImage>
#include <QTest>
#include <QWidget>

#include "widgets/style/theme.h"

namespace strata {

/// Light at 100 %, of the program's one theme.
inline Theme& plainTheme() {
  static Theme* const kTheme = new Theme(*qApp);  // the application owns it
  kTheme->setChoice(Theme::Choice::system);
  kTheme->setSystem(false, false);
  kTheme->setTextPercent(100);
  return *kTheme;
}

inline QImage picture(QWidget& widget) {
  return widget.grab().toImage().convertToFormat(QImage::Format_RGB32);
}

/// Pixels that differ by more than a little from `before`.
inline int changedPixels(const QImage& before, const QImage& after) {
  if (before.size() != after.size()) return before.width() * before.height();
  int changed = 0;
  for (int y = 0; y < before.height(); ++y) {
    for (int x = 0; x < before.width(); ++x) {
      if (contrast(before.pixelColor(x, y), after.pixelColor(x, y)) > 1.2) ++changed;
    }
  }
  return changed;
}

/// Pixels of just this colour.
inline int pixelsOf(const QImage& image, const QColor& color) {
  int found = 0;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) found += image.pixelColor(x, y) == color;
  }
  return found;
}

}  // namespace strata
