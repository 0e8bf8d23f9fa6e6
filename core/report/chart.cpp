// The layout of charts: left and bottom axis, thin grid, at most six ticks, series named above.

#include "core/report/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "core/report/numbers.h"

namespace strata {
namespace {

constexpr double kLabel = 11, kGap = 8, kHeight = 300, kNarrow = 480;
constexpr double kLetter = 0.56;  // mean width of a letter, in heights

double widthOf(const std::string& text) {
  // Bytes that begin a character; wide enough for any.
  const auto letters = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
  return kLetter * kLabel * static_cast<double>(letters);
}

/// At most `most` - 1 characters and an ellipsis.
std::string shortened(const std::string& text, double width) {
  if (widthOf(text) <= width) return text;
  std::string kept;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t next = i + 1;
    while (next < text.size() && (text[next] & 0xC0) == 0x80) ++next;
    if (widthOf(kept + text.substr(i, next - i) + "…") > width) break;
    kept += text.substr(i, next - i);
    i = next;
  }
  return kept + "…";
}

Ink inkOf(std::size_t series) {
  constexpr std::array kInksOfSeries = {Ink::series0, Ink::series1, Ink::series2, Ink::series3, Ink::series4};
  return kInksOfSeries[series % kInksOfSeries.size()];
}

/// B, and after five series the same colours dashed.
bool isDashed(std::size_t series) {
  return series == 1 || (series >= 5 && series != 6);
}

struct Scale {
  double low = 0, high = 1;
  std::vector<double> ticks;
  int digits = 0;
};

/// Ticks at 1, 2 or 5 times a power of ten, at most `most`.
Scale scaleOf(double low, double high, int most) {
  if (!std::isfinite(high - low)) {  // a damaged run's; what lies outside is not seen
    low = 0;
    high = 1;
  }
  if (!(high - low > 1e-12 * std::max(std::abs(low), std::abs(high)))) {
    const double room = std::max(std::abs(low) * 0.1, 1e-3);
    low -= room;
    high += room;
  }
  const double rough = (high - low) / std::max(1, most - 1);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * 0.85) {  // one tick more is no harm
      step = factor * power;
      break;
    }
  }
  Scale scale;
  scale.digits = static_cast<int>(std::clamp(-std::floor(std::log10(step) + 1e-9), 0.0, 6.0));
  scale.low = low;
  scale.high = high;
  constexpr int kMostTicks = 12;
  const double first = std::ceil(low / step - 1e-9) * step;
  for (int i = 0; i < kMostTicks; ++i) {
    const double tick = first + i * step;
    if (!(tick <= high + 1e-9 * step)) break;
    scale.ticks.push_back(std::abs(tick) < step / 2 ? 0 : tick);
  }
  return scale;
}

std::string tickText(double tick, int digits) {
  std::string text = printNumber(tick, digits);
  if (text.front() == '-') text.replace(0, 1, "−");
  return text;
}

/// Those that the series' line goes through; none where it is no line.
std::vector<ChartPoint> joinedPoints(const ChartSeries& series) {
  std::vector<ChartPoint> joined;
  if (!series.isLine) return joined;
  std::copy_if(series.points.begin(), series.points.end(), std::back_inserter(joined),
               [](const ChartPoint& point) { return point.joined; });
  return joined;
}

class ChartLayout {
 public:
  ChartLayout(const Chart& chart, double width) : m_chart(chart) { m_drawing.width = width; }

  Drawing draw() {
    if (m_chart.kind == ChartKind::matrix) {
      matrix();
    } else if (m_chart.kind == ChartKind::differences) {
      differences();
    } else {
      plot();
    }
    return std::move(m_drawing);
  }

 private:
  struct Box {
    double left = 0, top = 0, right = 0, bottom = 0;
  };

  void line(std::vector<DrawPoint> points, Ink ink, double width = 1, bool dashed = false) {
    Shape shape;
    shape.points = std::move(points);
    shape.ink = ink;
    shape.size = width;
    shape.isDashed = dashed;
    m_drawing.shapes.push_back(std::move(shape));
  }
  void area(std::vector<DrawPoint> points, Ink ink, bool hollow = false) {
    Shape shape;
    shape.kind = Shape::Kind::area;
    shape.points = std::move(points);
    shape.ink = ink;
    shape.isHollow = hollow;
    m_drawing.shapes.push_back(std::move(shape));
  }
  void text(DrawPoint at, std::string words, Anchor anchor = Anchor::start, Ink ink = Ink::secondText,
            bool upright = false) {
    Shape shape;
    shape.kind = Shape::Kind::text;
    shape.points = {at};
    shape.ink = ink;
    shape.size = kLabel;
    shape.anchor = anchor;
    shape.isUpright = upright;
    shape.text = std::move(words);
    m_drawing.shapes.push_back(std::move(shape));
  }
  /// A mark of its own shape for each series, so that colour is not all that tells them apart.
  void mark(DrawPoint at, std::size_t series) {
    constexpr double kRadius = 4;
    const Ink ink = inkOf(series);
    const double r = kRadius;
    switch (series % 4) {
      case 0: {
        Shape shape;
        shape.kind = Shape::Kind::circle;
        shape.points = {at};
        shape.ink = ink;
        shape.size = r;
        m_drawing.shapes.push_back(std::move(shape));
        return;
      }
      case 1:
        return area({{at.x - r, at.y - r}, {at.x + r, at.y - r}, {at.x + r, at.y + r}, {at.x - r, at.y + r}}, ink);
      case 2:
        return area({{at.x, at.y - r - 1}, {at.x + r + 1, at.y}, {at.x, at.y + r + 1}, {at.x - r - 1, at.y}}, ink);
      default:
        return area({{at.x, at.y - r - 1}, {at.x + r + 1, at.y + r}, {at.x - r - 1, at.y + r}}, ink);
    }
  }

  /// Names above the plot; the height that they take.
  double legend(double top) {
    if (m_chart.series.size() < 2) return top;
    constexpr double kSample = 24;
    double x = 0, y = top + kLabel;
    for (std::size_t i = 0; i < m_chart.series.size(); ++i) {
      const ChartSeries& series = m_chart.series[i];
      const std::string name = shortened(series.name, m_drawing.width - kSample - kGap);
      const double width = kSample + kGap / 2 + widthOf(name) + 2 * kGap;
      if (x > 0 && x + width > m_drawing.width) {
        x = 0;
        y += kLabel + kGap;
      }
      const double middle = y - kLabel / 2 + 1;
      if (series.isLine) line({{x, middle}, {x + kSample, middle}}, inkOf(i), 2, isDashed(i));
      if (series.hasMarks) mark({x + kSample / 2, middle}, i);
      text({x + kSample + kGap / 2, y}, name, Anchor::start, Ink::text);
      x += width;
    }
    return y + kGap + 4;
  }

  void xAxis(const Box& box, const Scale& scale, bool grid) {
    for (const double tick : scale.ticks) {
      const double x = at(scale, tick, box.left, box.right);
      if (grid) line({{x, box.top}, {x, box.bottom}}, Ink::grid);
      line({{x, box.bottom}, {x, box.bottom + 4}}, Ink::axis);
      const std::string words = tickText(tick, scale.digits);
      const double half = widthOf(words) / 2;
      const Anchor anchor = x + half > m_drawing.width ? Anchor::end : Anchor::middle;
      text({anchor == Anchor::end ? m_drawing.width : x, box.bottom + 4 + kLabel + 2}, words, anchor);
    }
    line({{box.left, box.bottom}, {box.right, box.bottom}}, Ink::axis);
    text({(box.left + box.right) / 2, box.bottom + 4 + 2 * kLabel + kGap}, m_chart.xLabel, Anchor::middle);
  }

  /// A value far outside of the scale stands one length beyond its end: what follows counts pixels.
  static double at(const Scale& scale, double value, double from, double to) {
    return from + std::clamp((value - scale.low) / (scale.high - scale.low), -1.0, 2.0) * (to - from);
  }

  void plot();
  void differences();
  void matrix();
  void labels(const Box& box, const Scale& x, const Scale& y);

  const Chart& m_chart;
  Drawing m_drawing;
};

/// Beside the marks, where nothing else is: right, left, above, below.
void ChartLayout::labels(const Box& box, const Scale& x, const Scale& y) {
  std::vector<Box> taken;
  for (const ChartSeries& series : m_chart.series) {
    for (const ChartPoint& point : series.points) {
      const double px = at(x, point.x, box.left, box.right), py = at(y, point.y, box.bottom, box.top);
      taken.push_back({px - 5, py - 5, px + 5, py + 5});
    }
    // Of a line that joins them, a small box every few pixels.
    const std::vector<ChartPoint> joined = joinedPoints(series);
    for (std::size_t i = 1; i < joined.size(); ++i) {
      const ChartPoint &from = joined[i - 1], &point = joined[i];
      const double fromX = at(x, from.x, box.left, box.right), toX = at(x, point.x, box.left, box.right);
      const double fromY = at(y, from.y, box.bottom, box.top), toY = at(y, point.y, box.bottom, box.top);
      const int parts = std::max(1, static_cast<int>(std::hypot(toX - fromX, toY - fromY) / 6));
      for (int part = 0; part <= parts; ++part) {
        const double share = static_cast<double>(part) / parts;
        const double px = fromX + share * (toX - fromX), py = fromY + share * (toY - fromY);
        taken.push_back({px - 1, py - 1, px + 1, py + 1});
      }
    }
  }
  const auto isFree = [&](const Box& own) {
    if (own.left < box.left || own.right > m_drawing.width || own.top < box.top - kLabel || own.bottom > box.bottom)
      return false;
    return std::none_of(taken.begin(), taken.end(), [&](const Box& other) {
      return own.left < other.right && other.left < own.right && own.top < other.bottom && other.top < own.bottom;
    });
  };
  for (const ChartSeries& series : m_chart.series) {
    for (const ChartPoint& point : series.points) {
      if (point.label.empty()) continue;
      const double px = at(x, point.x, box.left, box.right), py = at(y, point.y, box.bottom, box.top);
      const double width = widthOf(point.label);
      const Box places[] = {{px + 8, py - kLabel / 2, px + 8 + width, py + kLabel / 2},
                            {px - 8 - width, py - kLabel / 2, px - 8, py + kLabel / 2},
                            {px + 8, py - kLabel - 6, px + 8 + width, py - 6},
                            {px - 8 - width, py - kLabel - 6, px - 8, py - 6},
                            {px + 8, py + 6, px + 8 + width, py + kLabel + 6},
                            {px - 8 - width, py + 6, px - 8, py + kLabel + 6}};
      const auto place = std::find_if(std::begin(places), std::end(places), isFree);
      if (place == std::end(places)) continue;  // the table has it
      text({place->left, place->bottom - 2}, point.label, Anchor::start, Ink::text);
      taken.push_back(*place);
    }
  }
}

void ChartLayout::plot() {
  double lowX = INFINITY, highX = -INFINITY, lowY = INFINITY, highY = -INFINITY;
  for (const ChartSeries& series : m_chart.series) {
    for (const ChartPoint& point : series.points) {
      lowX = std::min(lowX, point.x);
      highX = std::max(highX, point.x);
      lowY = std::min({lowY, point.y, point.interval ? point.interval->low : point.y});
      highY = std::max({highY, point.y, point.interval ? point.interval->high : point.y});
    }
  }
  if (!(lowX <= highX)) return;
  const double roomX = 0.05 * (highX - lowX), roomY = 0.06 * (highY - lowY);
  const bool isNarrow = m_drawing.width < kNarrow;
  const bool isCurve = m_chart.series.front().isLine && !m_chart.series.front().hasMarks;
  const Scale x = scaleOf(isCurve ? lowX : lowX - roomX, isCurve ? highX : highX + roomX, isNarrow ? 4 : 6);
  const Scale y = scaleOf(lowY - roomY, highY + roomY, 6);
  double ticks = 0;
  for (const double tick : y.ticks) ticks = std::max(ticks, widthOf(tickText(tick, y.digits)));
  Box box;
  box.top = legend(0) + kLabel + kGap;
  text({0, box.top - kGap}, m_chart.yLabel);
  box.left = ticks + kGap;
  box.right = m_drawing.width - kGap;
  box.bottom = box.top + (isNarrow ? 200 : kHeight - 80);
  m_drawing.height = box.bottom + 2 * kLabel + 2 * kGap + 4;
  for (const double tick : y.ticks) {
    const double place = at(y, tick, box.bottom, box.top);
    line({{box.left, place}, {box.right, place}}, Ink::grid);
    text({box.left - kGap / 2 - 2, place + kLabel / 2 - 2}, tickText(tick, y.digits), Anchor::end);
  }
  line({{box.left, box.top}, {box.left, box.bottom}}, Ink::axis);
  xAxis(box, x, false);
  for (std::size_t i = 0; i < m_chart.series.size(); ++i) {
    const ChartSeries& series = m_chart.series[i];
    const auto place = [&](const ChartPoint& point) {
      return DrawPoint{at(x, point.x, box.left, box.right), at(y, point.y, box.bottom, box.top)};
    };
    std::vector<DrawPoint> points;
    for (const ChartPoint& point : series.points) points.push_back(place(point));
    std::vector<DrawPoint> joined;
    for (const ChartPoint& point : joinedPoints(series)) joined.push_back(place(point));
    if (joined.size() > 1) line(joined, inkOf(i), 1.5, isDashed(i));
    for (std::size_t p = 0; p < points.size(); ++p) {
      if (const auto& interval = series.points[p].interval) {
        constexpr double kCap = 4;
        const double low = at(y, interval->low, box.bottom, box.top), high = at(y, interval->high, box.bottom, box.top);
        line({{points[p].x, low}, {points[p].x, high}}, inkOf(i), 1.5);
        line({{points[p].x - kCap, low}, {points[p].x + kCap, low}}, inkOf(i), 1.5);
        line({{points[p].x - kCap, high}, {points[p].x + kCap, high}}, inkOf(i), 1.5);
      }
      if (series.hasMarks) mark(points[p], i);
    }
  }
  labels(box, x, y);
}

void ChartLayout::differences() {
  double low = 0, high = 0, names = 0;
  const std::vector<ChartPoint>& rows = m_chart.series.front().points;
  for (const ChartPoint& point : rows) {
    low = std::min(low, point.interval ? point.interval->low : point.x);
    high = std::max(high, point.interval ? point.interval->high : point.x);
    names = std::max(names, widthOf(point.label));
  }
  const bool isNarrow = m_drawing.width < kNarrow;
  const double room = 0.05 * (high - low);
  const Scale x = scaleOf(low - room, high + room, isNarrow ? 4 : 6);
  // Names stand left of the plot, or above each row where it is narrow.
  const double rowHeight = isNarrow ? 40 : 28;
  Box box;
  box.left = isNarrow ? 4 : std::min(names, m_drawing.width * 0.4) + 2 * kGap;
  box.right = m_drawing.width - kGap;
  box.top = 4;
  box.bottom = box.top + rowHeight * static_cast<double>(rows.size()) + 4;
  m_drawing.height = box.bottom + 2 * kLabel + 2 * kGap + 4;
  xAxis(box, x, true);
  const double zero = at(x, 0, box.left, box.right);
  line({{zero, box.top}, {zero, box.bottom}}, Ink::text, 1.5);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double top = box.top + rowHeight * static_cast<double>(i);
    const double middle = isNarrow ? top + 28 : top + rowHeight / 2;
    const std::string name = shortened(rows[i].label, isNarrow ? m_drawing.width - kGap : box.left - 2 * kGap);
    text(isNarrow ? DrawPoint{box.left + 4, top + 14} : DrawPoint{box.left - 2 * kGap, middle + kLabel / 2 - 2}, name,
         isNarrow ? Anchor::start : Anchor::end, Ink::text);
    const double place = at(x, rows[i].x, box.left, box.right);
    if (rows[i].interval) {
      constexpr double kCap = 5;
      const double from = at(x, rows[i].interval->low, box.left, box.right);
      const double to = at(x, rows[i].interval->high, box.left, box.right);
      line({{from, middle}, {to, middle}}, Ink::series1, 2);
      line({{from, middle - kCap}, {from, middle + kCap}}, Ink::series1, 2);
      line({{to, middle - kCap}, {to, middle + kCap}}, Ink::series1, 2);
    }
    mark({place, middle}, 1);
  }
}

void ChartLayout::matrix() {
  // The tints of the Map page: at 0.01, 0.03, 0.1 and 0.3 nats.
  constexpr std::array kBounds = {0.01, 0.03, 0.1, 0.3};
  constexpr std::array kHeat = {Ink::heat0, Ink::heat1, Ink::heat2, Ink::heat3, Ink::heat4};
  const auto layers = m_chart.cells.size();
  if (layers == 0) return;
  const double left = 36, legendTop = 0;
  double x = 0;
  const std::array<std::string, 5> names = {"below 0.01", "0.01", "0.03", "0.1", "0.3 nats and more"};
  for (std::size_t i = 0; i < kHeat.size(); ++i) {
    area({{x, legendTop}, {x + 12, legendTop}, {x + 12, legendTop + 12}, {x, legendTop + 12}}, kHeat[i]);
    text({x + 16, legendTop + 10}, names[i], Anchor::start, Ink::text);
    x += 16 + widthOf(names[i]) + kGap;
  }
  const double top = 12 + 2 * kGap + kLabel;
  const double size = std::clamp((std::min(m_drawing.width, 520.0) - left) / static_cast<double>(layers), 3.0, 28.0);
  text({0, top - kGap}, m_chart.yLabel);
  const std::size_t every = size >= 14 ? 1 : (size >= 7 ? 5 : 10);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const double y = top + size * static_cast<double>(layer);
    if (layer % every == 0) {
      text({left - 6, y + size / 2 + 4}, std::to_string(layer), Anchor::end);
      text({left + size * (static_cast<double>(layer) + 0.5), top + size * static_cast<double>(layers) + kLabel + 4},
           std::to_string(layer), Anchor::middle);
    }
    for (std::size_t source = 0; source < m_chart.cells[layer].size(); ++source) {
      const auto& value = m_chart.cells[layer][source];
      const double place = left + size * static_cast<double>(source);
      const std::vector<DrawPoint> square = {
          {place, y}, {place + size - 1, y}, {place + size - 1, y + size - 1}, {place, y + size - 1}};
      if (!value) {
        area(square, Ink::grid, true);
        continue;
      }
      std::size_t step = 0;
      while (step < kBounds.size() && *value >= kBounds[step]) ++step;
      area(square, kHeat[step]);
    }
  }
  m_drawing.height = top + size * static_cast<double>(layers) + 2 * kLabel + 2 * kGap + 4;
  text({left, m_drawing.height - 6}, m_chart.xLabel);
}

}  // namespace

Drawing drawChart(const Chart& chart, double width) {
  return ChartLayout(chart, width).draw();
}

}  // namespace strata
