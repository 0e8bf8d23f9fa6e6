#include <QKeyEvent>
#include <QMouseEvent>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "widgets/plots/series_plot_private.h"

namespace strata {
namespace {

constexpr double kNotch = 0.8;    // of the range, a notch of the wheel
constexpr int kSameTurnMs = 500;  // notches that follow each other are one zoom
constexpr double kPanPart = 0.1;
constexpr int kCrosshairStep = 4;  // pixels, at least

PlotRange logOf(PlotRange range, bool log) {
  return log ? PlotRange{std::log10(range.from), std::log10(range.to)} : range;
}

PlotRange powerOf(PlotRange range, bool log) {
  return log ? PlotRange{std::pow(10, range.from), std::pow(10, range.to)} : range;
}

/// `part` 0.5: half of the range further up.
PlotRange moved(PlotRange range, double part, bool log) {
  const PlotRange flat = logOf(range, log);
  return powerOf({flat.from + part * flat.width(), flat.to + part * flat.width()}, log);
}

PlotRange zoomed(PlotRange range, double factor, double at, bool log) {
  const PlotRange flat = logOf(range, log);
  const double middle = log ? std::log10(at) : at;
  return powerOf({middle - (middle - flat.from) * factor, middle + (flat.to - middle) * factor}, log);
}

}  // namespace

bool SeriesPlot::eventFilter(QObject* watched, QEvent* event) {
  if (watched != &canvas()) return PlotFrame::eventFilter(watched, event);
  switch (event->type()) {
    case QEvent::Wheel:
      return wheel(*static_cast<QWheelEvent*>(event));
    case QEvent::MouseButtonPress:
      return press(*static_cast<QMouseEvent*>(event));
    case QEvent::MouseMove:
      return drag(*static_cast<QMouseEvent*>(event));
    case QEvent::MouseButtonRelease:
      m_private->drag.reset();
      return false;
    case QEvent::MouseButtonDblClick:
      m_private->drag.reset();
      m_private->link->reset();
      return true;
    case QEvent::Leave:
      if (m_private->link->crosshairSource() == this) m_private->link->setCrosshair({}, nullptr);
      return false;
    case QEvent::KeyPress:
      return key(*static_cast<QKeyEvent*>(event));
    case QEvent::FocusIn:
    case QEvent::FocusOut:
      canvas().layer(QStringLiteral("overlay"))->replot();
      return false;
    case QEvent::Resize:
      scheduleRedraw();
      if (isVisible()) m_private->ask.start();
      return false;
    default:
      return false;
  }
}

bool SeriesPlot::wheel(QWheelEvent& event) {
  Private& p = *m_private;
  const double notches = event.angleDelta().y() / 120.0;
  if (notches == 0 || isEmpty()) return false;
  const bool same = p.sinceWheel.isValid() && p.sinceWheel.elapsed() < kSameTurnMs;
  p.sinceWheel.start();
  const auto step = same ? PlotLink::Step::continues : PlotLink::Step::begins;
  const double factor = std::pow(kNotch, notches);
  const QPointF at = event.position();
  const QRect area = canvas().axisRect()->rect();
  if (at.x() < area.left() || event.modifiers().testFlag(Qt::ControlModifier)) {
    const double value = canvas().yAxis->pixelToCoord(std::clamp<double>(at.y(), area.top(), area.bottom()));
    p.link->setValues(this, zoomed(shownValues(), factor, value, p.log), step);
  } else {
    p.link->zoom(factor, xAt(std::min<double>(at.x(), area.right())), step);
  }
  event.accept();
  return true;
}

bool SeriesPlot::press(QMouseEvent& event) {
  if (event.button() != Qt::LeftButton) return false;
  Private& p = *m_private;
  p.drag = Private::Drag{event.position(), p.link->range(), p.link->values(this)};
  canvas().setFocus(Qt::MouseFocusReason);
  return true;
}

bool SeriesPlot::drag(QMouseEvent& event) {
  Private& p = *m_private;
  const QRect area = canvas().axisRect()->rect();
  if (!p.drag || !event.buttons().testFlag(Qt::LeftButton)) {
    moveCrosshair(event.position().x());
    return false;
  }
  if (area.width() <= 0 || area.height() <= 0) return true;
  const QPointF by = event.position() - p.drag->from;
  const auto step = p.drag->moved ? PlotLink::Step::continues : PlotLink::Step::begins;
  const PlotRange before = p.link->range();
  if (!p.link->isWhole()) p.link->setRange(moved(p.drag->x, -by.x() / area.width(), false), step);
  p.drag->moved = p.drag->moved || p.link->range() != before;
  if (p.drag->values) {
    p.link->setValues(this, moved(*p.drag->values, by.y() / area.height(), p.log),
                      p.drag->moved ? PlotLink::Step::continues : PlotLink::Step::begins);
    p.drag->moved = true;
  }
  return true;
}

double SeriesPlot::xAt(double pixel) const {
  const QRect area = canvas().axisRect()->rect();
  const PlotRange range = m_private->link->range();
  return range.from + (pixel - area.left()) / std::max(1, area.width()) * range.width();
}

void SeriesPlot::moveCrosshair(double pixelX) {
  Private& p = *m_private;
  const QRect area = canvas().axisRect()->rect();
  const bool inside = pixelX >= area.left() && pixelX <= area.right() + 1 && !isEmpty();
  if (!inside) {
    if (p.link->crosshairSource() == this) p.link->setCrosshair({}, nullptr);
    return;
  }
  p.link->setCrosshair(xAt(pixelX), this);
}

void SeriesPlot::stepCrosshair(int direction) {
  Private& p = *m_private;
  const std::vector<SeriesGraph*> graphs = p.shown();
  if (graphs.empty()) return;
  const auto chosen =
      std::find_if(graphs.begin(), graphs.end(), [](const SeriesGraph* one) { return one->highlighted; });
  const SeriesData& data = (chosen == graphs.end() ? graphs.front() : *chosen)->data;
  const std::vector<double>& x = data.columns().x(p.link->axis());
  const PlotRange range = p.link->range();
  const double now = p.link->crosshair().value_or(direction > 0 ? range.from : range.to);
  // The next point at least a few pixels away.
  const double least = range.width() * kCrosshairStep / std::max(1, canvas().axisRect()->width());
  double next = now;
  if (direction > 0) {
    const auto found = std::lower_bound(x.begin(), x.end(), std::nextafter(now + least, range.to));
    next = found == x.end() ? x.back() : *found;
  } else {
    const auto found = std::upper_bound(x.begin(), x.end(), std::nextafter(now - least, range.from));
    next = found == x.begin() ? x.front() : *(found - 1);
  }
  if (!p.link->crosshair())
    next = *std::min_element(x.begin(), x.end(),
                             [&](double a, double b) { return std::abs(a - now) < std::abs(b - now); });
  p.link->setCrosshair(std::clamp(next, range.from, range.to), this);
  canvas().setAccessibleDescription(readOut());
}

bool SeriesPlot::key(QKeyEvent& event) {
  Private& p = *m_private;
  const bool shift = event.modifiers().testFlag(Qt::ShiftModifier);
  const auto step = event.isAutoRepeat() ? PlotLink::Step::continues : PlotLink::Step::begins;
  const PlotRange range = p.link->range();
  const double middle = p.link->crosshair().value_or(range.from + range.width() / 2);
  switch (event.key()) {
    case Qt::Key_Left:
    case Qt::Key_Right: {
      const int direction = event.key() == Qt::Key_Right ? 1 : -1;
      if (shift) {
        stepCrosshair(direction);
      } else {
        p.link->pan(direction * kPanPart, step);
      }
      return true;
    }
    case Qt::Key_Up:
    case Qt::Key_Down:
      p.link->setValues(this, moved(shownValues(), event.key() == Qt::Key_Up ? kPanPart : -kPanPart, p.log), step);
      return true;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      p.link->zoom(kNotch, middle, step);
      return true;
    case Qt::Key_Minus:
      p.link->zoom(1 / kNotch, middle, step);
      return true;
    default:
      return false;
  }
}

}  // namespace strata
