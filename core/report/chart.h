#pragma once
// Charts of reports. One model and one layout for all writers: a Chart becomes a Drawing of lines, dots and texts,
// which HTML writes as SVG and PDF paints with Cairo.
//
//   const Drawing drawing = drawChart(chart, 720);

#include <optional>
#include <string>
#include <vector>

#include "core/metrics/bootstrap.h"

namespace strata {

struct ChartPoint {
  double x = 0, y = 0;
  std::optional<Interval> interval = {};  // of y; of a row of differences: of x
  std::string label = {};                 // beside the point
  bool joined = true;                     // to the next one, where the series is a line
};

/// Series 0 is the baseline's, blue and solid; 1 is the one compared with it, orange and dashed.
struct ChartSeries {
  std::string name;
  std::vector<ChartPoint> points;
  bool isLine = false;
  bool hasMarks = true;  // a mark at each point
};

enum class ChartKind {
  plot,         // x against y
  differences,  // a row for each point: x with its interval beside a line at zero; y is not read, label names the row
  matrix        // cells[l][s]: a lower triangle of tinted squares
};

struct Chart {
  ChartKind kind = ChartKind::plot;
  std::string title, description;  // the description is for those who cannot see it
  std::string xLabel, yLabel;
  std::vector<ChartSeries> series = {};
  std::vector<std::vector<std::optional<double>>> cells = {};
};

/// What is painted with what; each writer has its colours for these, HTML one set for light and one for dark.
enum class Ink {
  text,
  secondText,
  grid,
  axis,
  surface,
  series0,
  series1,
  series2,
  series3,
  series4,
  heat0,
  heat1,
  heat2,
  heat3,
  heat4
};
inline constexpr int kInks = 15;

struct DrawPoint {
  double x = 0, y = 0;
};

enum class Anchor { start, middle, end };

struct Shape {
  enum class Kind { line, area, circle, text };
  Kind kind = Kind::line;
  std::vector<DrawPoint> points;  // of a circle its centre, of a text its place on the baseline
  Ink ink = Ink::text;
  double size = 1;  // of a line its width, of a circle its radius, of a text its height
  bool isDashed = false;
  bool isHollow = false;  // a circle or area in outline, filled with the surface
  Anchor anchor = Anchor::start;
  bool isUpright = false;  // a text that is read from below
  std::string text = {};
};

/// Points of 1/72 inch in PDF, pixels in HTML.
struct Drawing {
  double width = 0, height = 0;
  std::vector<Shape> shapes;
};

Drawing drawChart(const Chart& chart, double width);

}  // namespace strata
