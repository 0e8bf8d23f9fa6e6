#include "widgets/style/memory_bar.h"

#include <QCoreApplication>
#include <QPainter>
#include <QPainterPath>
#include <array>

#include "widgets/style/format.h"
#include "widgets/style/style_painters.h"

namespace strata {
namespace {

constexpr double kHigh = 0.8;
constexpr double kFull = 0.9;

struct Part {
  QString name;
  std::optional<std::int64_t> bytes;
  QColor color;
};

std::array<Part, 3> partsOf(const MemoryParts& parts) {
  const Colors& c = colors();
  return {Part{MemoryBar::tr("weights"), parts.weights, c.series[2]}, Part{MemoryBar::tr("KV"), parts.kv, c.series[3]},
          Part{MemoryBar::tr("other"), parts.other, c.edge}};
}

}  // namespace

MemoryLevel levelOf(const MemoryParts& parts) {
  if (!parts.known() || !parts.total || *parts.total <= 0) return MemoryLevel::normal;
  const double part = static_cast<double>(parts.used()) / static_cast<double>(*parts.total);
  return part >= kFull ? MemoryLevel::full : part >= kHigh ? MemoryLevel::high : MemoryLevel::normal;
}

QString describe(const MemoryParts& parts) {
  QStringList words;
  for (const Part& part : partsOf(parts)) words += part.name + u' ' + formatBytes(part.bytes);
  if (parts.total) words += MemoryBar::tr("of %1").arg(formatBytes(parts.total));
  return words.join(QStringLiteral(", "));
}

MemoryBar::MemoryBar(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
  setParts({});
}

void MemoryBar::setParts(const MemoryParts& parts) {
  m_parts = parts;
  setToolTip(describe(parts));
  setAccessibleName(tr("Memory: %1").arg(describe(parts)));
  updateGeometry();
  update();
}

void MemoryBar::setTextShown(bool shown) {
  m_textShown = shown;
  updateGeometry();
}

void MemoryBar::setLegendShown(bool shown) {
  m_legendShown = shown;
  updateGeometry();
}

QString MemoryBar::text() const {
  if (!m_parts.known()) return notMeasured();
  const QString words = formatBytesOf(m_parts.used(), m_parts.total);
  switch (levelOf(m_parts)) {
    case MemoryLevel::normal:
      break;
    case MemoryLevel::high:
      return tr("%1, nearly full").arg(words);
    case MemoryLevel::full:
      return tr("%1, full").arg(words);
  }
  return words;
}

QSize MemoryBar::minimumSizeHint() const {
  int width = scaled(24);
  if (m_textShown) width += kGapRelated + QFontMetrics(fonts().monoCaption).horizontalAdvance(text());
  int height = std::max(scaled(8), m_textShown ? QFontMetrics(fonts().monoCaption).height() : 0);
  if (m_legendShown) height += kGapInside + QFontMetrics(fonts().caption).height();
  return {width, height};
}

QSize MemoryBar::sizeHint() const {
  return minimumSizeHint() + QSize(scaled(96), 0);
}

void MemoryBar::paintEvent(QPaintEvent*) {
  const Colors& c = colors();
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  const QFontMetrics digits(fonts().monoCaption);
  const int barHeight = scaled(8);
  const int lineHeight = std::max(barHeight, m_textShown ? digits.height() : 0);
  QRect bar(0, (lineHeight - barHeight) / 2, width(), barHeight);
  const MemoryLevel level = levelOf(m_parts);
  if (m_textShown) {
    const QString words = text();
    const int wide = digits.horizontalAdvance(words);
    bar.setWidth(std::max(scaled(24), width() - wide - kGapRelated));
    painter.setFont(fonts().monoCaption);
    painter.setPen(level == MemoryLevel::full   ? c.bad
                   : level == MemoryLevel::high ? c.warn
                   : m_parts.known()            ? c.text
                                                : c.second);
    painter.drawText(QRect(bar.right() + 1 + kGapRelated, 0, wide + 1, lineHeight), Qt::AlignVCenter, words);
  }
  QPainterPath shape;
  shape.addRoundedRect(bar, barHeight / 2.0, barHeight / 2.0);
  painter.fillPath(shape, paint::groove(c));
  if (m_parts.known()) {
    painter.save();
    painter.setClipPath(shape);
    const double whole = static_cast<double>(std::max(m_parts.total.value_or(m_parts.used()), m_parts.used()));
    double left = bar.left();
    for (const Part& part : partsOf(m_parts)) {
      if (whole <= 0 || part.bytes.value_or(0) <= 0) continue;
      // A small model on a large device is still something.
      const double wide = std::max(2.0, static_cast<double>(*part.bytes) / whole * bar.width());
      painter.fillRect(QRectF(left, bar.top(), wide, bar.height()), part.color);
      left += wide;
      painter.fillRect(QRectF(left - 0.5, bar.top(), 1, bar.height()), c.surface);
    }
    painter.restore();
    if (level != MemoryLevel::normal) {
      painter.setPen(QPen(level == MemoryLevel::full ? c.bad : c.warn, 2));
      painter.drawRoundedRect(QRectF(bar).adjusted(1, 1, -1, -1), barHeight / 2.0 - 1, barHeight / 2.0 - 1);
    }
  }
  if (!m_legendShown) return;
  const QFontMetrics captions(fonts().caption);
  painter.setFont(fonts().caption);
  int left = 0;
  const int top = lineHeight + kGapInside;
  for (const Part& part : partsOf(m_parts)) {
    const int swatch = scaled(8);
    painter.fillRect(QRect(left, top + (captions.height() - swatch) / 2, swatch, swatch), part.color);
    left += swatch + kGapInside;
    const QString words = part.name + u' ' + formatBytes(part.bytes);
    painter.setPen(c.second);
    painter.drawText(QRect(left, top, width() - left, captions.height()), Qt::AlignVCenter,
                     captions.elidedText(words, Qt::ElideRight, width() - left));
    left += captions.horizontalAdvance(words) + kGapGroups;
  }
}

}  // namespace strata
