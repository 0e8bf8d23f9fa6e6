#pragma once
// Every colour and size of the window. Nothing else names one: pages ask colors() and metrics() of theme.h, which hold
// these values for the scheme and text size just now.

#include <QColor>
#include <array>

namespace strata {

enum class Scheme { light, dark, lightContrast, darkContrast };

struct Colors {
  QColor window;    // the ground between panes
  QColor surface;   // fields, lists, plots
  QColor raised;    // selection, rail, buttons under the pointer
  QColor line;      // between panes
  QColor edge;      // round controls
  QColor text;      //
  QColor second;    // captions, placeholders, what is not available
  QColor accent;    //
  QColor onAccent;  // text on it
  QColor good, warn, bad;
  std::array<QColor, 5> heat;    // rising cost
  std::array<QColor, 5> series;  // lines and marks, never text; the first two are sides A and B
  int edgeWidth = 1;             // 2 in high contrast
  bool dark = false;

  /// For lines and marks.
  const QColor& sideA() const { return series[0]; }
  const QColor& sideB() const { return series[1]; }
};

const Colors& colorsOf(Scheme scheme);

/// `over` at `part` (0..1) on `under`, opaque.
QColor mixed(const QColor& over, const QColor& under, double part);
/// The contrast of two opaque colours, 1..21 (WCAG 2.1).
double contrast(const QColor& a, const QColor& b);

// Gaps, in pixels; these do not grow with the text.
inline constexpr int kGapInside = 4;
inline constexpr int kGapRelated = 8;
inline constexpr int kGapGroups = 16;  // and margins
inline constexpr int kGapSections = 24;
inline constexpr int kRadius = 6;
inline constexpr int kFocusWidth = 2;
inline constexpr int kSelectionEdge = 3;

/// Sizes at a text size, in pixels.
struct Metrics {
  int control = 28;  // buttons, fields, rows of lists
  int compactRow = 24;
  int rail = 72;
  int bar = 40;    // of sides A and B
  int strip = 28;  // of jobs, and the status bar
  int inspector = 300;
  int fieldWidth = 480;  // at most
  int textWidth = 720;   // at most
  int icon = 16;
  int railIcon = 20;
};

/// `percent`: of the text, 100..200.
Metrics metricsAt(int percent);

// Text sizes at 100 %, in pixels.
inline constexpr int kTextBody = 13;
inline constexpr int kTextCaption = 11;
inline constexpr int kTextSection = 15;
inline constexpr int kTextTitle = 20;
inline constexpr int kLineBody = 20;

}  // namespace strata
