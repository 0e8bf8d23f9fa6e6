#include "widgets/training/routing_picture.h"

#include <QEvent>
#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "widgets/style/format.h"
#include "widgets/style/labels.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kDraws = 8;
constexpr int kNear = 3;
constexpr int kMaxCell = 16, kMaxDrawCell = 5;
constexpr double kSteps[] = {0.02, 0.05, 0.1, 0.2};  // of the tints

const QColor& tintOf(double probability) {
  std::size_t step = 0;
  while (step < std::size(kSteps) && probability >= kSteps[step]) ++step;
  return colors().heat[step];
}

double binomial(int n, int k) {
  return std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1));
}

bool readsNearestOwners(const SharingMap& map) {
  std::vector<bool> owns;
  for (int layer = 0; layer < map.layers(); ++layer) owns.push_back(map.owns(layer));
  return map == mapFromOwners(owns);
}

/// Whole maps are drawn: the number of owners, then which.
double probabilityOfStrategy(const SharingMap& map, const StrategySampler& sampler, double pCross) {
  double found = map.isFull() ? 1 - pCross : 0;
  if (!readsNearestOwners(map)) return found;
  for (const double retention : sampler.retentions) {
    if (ownersForRetention(retention, map.layers()) != map.owners()) continue;
    found += pCross / static_cast<double>(sampler.retentions.size()) / binomial(map.layers() - 1, map.owners() - 1);
  }
  return found;
}

/// The stride whose map is the one to ask about: a quarter of the cache, or what there is of it.
SharingMap asked(int layers) {
  return *parseMap(layers >= 8 ? "stride:4" : "stride:2", layers);
}

QString howOften(double probability, const QString& map) {
  if (probability == 0) return RoutingPicture::tr("%1 as a whole is never drawn.").arg(map);
  if (probability > 0.5)
    return RoutingPicture::tr("%1 as a whole is drawn in %2 of draws.").arg(map, formatPercent(probability));
  if (probability < 1e-9) return RoutingPicture::tr("%1 as a whole is practically never drawn.").arg(map);
  return RoutingPicture::tr("%1 as a whole is drawn about once in %2 draws.")
      .arg(map, formatCount(static_cast<std::int64_t>(std::llround(1 / probability))));
}

}  // namespace

struct RoutingPicture::Layout {
  QRect triangle, legend, draws;
  int drawSide = 0, perRow = 0, shown = 0;
  int height = 0;
};

std::optional<double> shareOfNearReads(const std::vector<std::vector<double>>& probabilities, int distance) {
  double near = 0, all = 0;
  for (std::size_t layer = 0; layer < probabilities.size(); ++layer) {
    for (std::size_t source = 0; source < layer; ++source) {
      all += probabilities[layer][source];
      if (layer - source <= static_cast<std::size_t>(distance)) near += probabilities[layer][source];
    }
  }
  if (all <= 0) return {};
  return near / all;
}

double probabilityOf(const SharingMap& map, const RoutingSampler& sampler, double pCross) {
  if (const auto* strategy = std::get_if<StrategySampler>(&sampler.kind())) {
    return probabilityOfStrategy(map, *strategy, pCross);
  }
  // Every other sampler draws each layer by itself.
  const auto probabilities = sampler.probabilities(map.layers(), pCross);
  double product = 1;
  for (int layer = 0; layer < map.layers(); ++layer) {
    product *= probabilities[static_cast<std::size_t>(layer)][static_cast<std::size_t>(map[layer])];
  }
  return product;
}

RoutingPicture::RoutingPicture(QWidget* parent) : QWidget(parent) {
  setObjectName("routingPicture");
  setAccessibleName(tr("What routing draws"));
  QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  policy.setHeightForWidth(true);
  setSizePolicy(policy);
  followTheme(this, [this] {
    updateGeometry();
    update();
  });
}

void RoutingPicture::show(const RoutingSampler& sampler, double pCross, int layers, std::uint64_t seed) {
  m_layers = layers;
  m_probabilities = sampler.probabilities(layers, pCross);
  m_draws.clear();
  for (std::uint32_t step = 0; step < kDraws; ++step) m_draws.push_back(sampler.draw(layers, pCross, seed, step, 0));
  QStringList sentences;
  if (const auto near = shareOfNearReads(m_probabilities, kNear)) {
    sentences << tr("When a layer borrows, it reads one of the %n layer(s) before it in %1 of draws.", nullptr, kNear)
                     .arg(formatPercent(*near));
    const SharingMap map = asked(layers);
    sentences << howOften(probabilityOf(map, sampler, pCross), QString::fromStdString(printMap(map)));
  } else {
    sentences << tr("No layer ever borrows: the model will not learn to share its cache.");
  }
  m_sentence = sentences.join(' ');
  setAccessibleDescription(m_sentence);
  updateGeometry();
  update();
}

void RoutingPicture::showNothing(const QString& sentence) {
  m_layers = 0;
  m_probabilities.clear();
  m_draws.clear();
  m_sentence = sentence;
  setAccessibleDescription(m_sentence);
  updateGeometry();
  update();
}

RoutingPicture::Layout RoutingPicture::layoutFor(int width) const {
  Layout layout;
  const int caption = QFontMetrics(fonts().caption).height();
  const QRect words = QFontMetrics(fonts().body).boundingRect(QRect(0, 0, width, 10000), Qt::TextWordWrap, m_sentence);
  int y = words.height();
  if (m_layers > 0) {
    y += kGapRelated;
    const int numbers = QFontMetrics(fonts().caption).horizontalAdvance("000") + kGapInside;
    const int cell = std::clamp((width / 2 - numbers) / m_layers, 2, scaled(kMaxCell));
    layout.triangle = QRect(0, y, numbers + cell * m_layers, cell * m_layers);
    const int right = layout.triangle.right() + kGapGroups;
    const int drawCell = std::clamp((width - right) / 4 / (m_layers + 1), 1, scaled(kMaxDrawCell));
    layout.drawSide = drawCell * m_layers;
    layout.perRow = std::max(1, (width - right) / (layout.drawSide + kGapRelated));
    // Of many layers fewer draws: as many rows as stand beside the triangle.
    const int room = std::max(1, layout.triangle.height() / (layout.drawSide + kGapRelated));
    const int rows = std::min((kDraws + layout.perRow - 1) / layout.perRow, room);
    layout.shown = std::min(kDraws, rows * layout.perRow);
    layout.draws = QRect(right, y + caption + kGapInside, width - right, rows * (layout.drawSide + kGapRelated));
    layout.legend = QRect(0, std::max(layout.triangle.bottom(), layout.draws.bottom()) + kGapRelated, width, caption);
    y = layout.legend.bottom() + 1;
  }
  layout.height = y;
  return layout;
}

int RoutingPicture::heightForWidth(int width) const {
  return layoutFor(width).height;
}

QSize RoutingPicture::sizeHint() const {
  return {metrics().fieldWidth, heightForWidth(metrics().fieldWidth)};
}

QSize RoutingPicture::minimumSizeHint() const {
  return {scaled(200), heightForWidth(scaled(200)) / 2};
}

void RoutingPicture::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const Layout layout = layoutFor(width());
  painter.setFont(fonts().body);
  painter.setPen(colors().text);
  painter.drawText(QRect(0, 0, width(), height()), Qt::TextWordWrap, m_sentence);
  if (m_layers == 0) return;
  paintTriangle(painter, layout.triangle);
  paintLegend(painter, layout.legend);
  painter.setFont(fonts().caption);
  painter.setPen(colors().second);
  painter.drawText(layout.draws.left(), layout.triangle.top() + painter.fontMetrics().ascent(),
                   tr("%n draw(s)", nullptr, layout.shown));
  for (int i = 0; i < layout.shown; ++i) {
    const int step = layout.drawSide + kGapRelated;
    const QPoint at = layout.draws.topLeft() + QPoint(i % layout.perRow * step, i / layout.perRow * step);
    paintDraw(painter, QRect(at, QSize(layout.drawSide, layout.drawSide)), m_draws[static_cast<std::size_t>(i)]);
  }
}

void RoutingPicture::paintTriangle(QPainter& painter, const QRect& area) const {
  const int cell = area.height() / m_layers;
  const int left = area.width() - cell * m_layers;
  painter.setFont(fonts().caption);
  const int every = std::max(1, (painter.fontMetrics().height() + cell - 1) / cell);
  for (int layer = 0; layer < m_layers; ++layer) {
    const int y = area.top() + layer * cell;
    if (layer % every == 0) {
      painter.setPen(colors().second);
      painter.drawText(QRect(area.left(), y, left - kGapInside, std::max(cell, painter.fontMetrics().height())),
                       Qt::AlignRight | (cell >= painter.fontMetrics().height() ? Qt::AlignVCenter : Qt::AlignTop),
                       QString::number(layer));
    }
    const int gap = cell >= 6 ? 1 : 0;
    for (int source = 0; source <= layer; ++source) {
      const QRect box(area.left() + left + source * cell, y, cell - gap, cell - gap);
      const double probability = m_probabilities[static_cast<std::size_t>(layer)][static_cast<std::size_t>(source)];
      if (source == layer) {
        painter.setPen(QPen(colors().line, 1));
        painter.setBrush(Qt::NoBrush);
        if (cell >= 4) painter.drawRect(box.adjusted(0, 0, -1, -1));
      } else {
        painter.fillRect(box, probability > 0 ? tintOf(probability) : colors().surface);
      }
    }
  }
}

void RoutingPicture::paintDraw(QPainter& painter, const QRect& area, const SharingMap& routing) const {
  const int cell = std::max(1, area.height() / m_layers);
  for (int layer = 0; layer < m_layers; ++layer) {
    const QRect row(area.left(), area.top() + layer * cell, (layer + 1) * cell, cell);
    painter.fillRect(row, colors().raised);
    const QRect box(area.left() + routing[layer] * cell, row.top(), cell, cell);
    painter.fillRect(box, routing.owns(layer) ? colors().edge : colors().accent);
  }
}

void RoutingPicture::paintLegend(QPainter& painter, const QRect& area) const {
  painter.setFont(fonts().caption);
  const int side = area.height() * 2 / 3;
  int x = area.left();
  const auto word = [&](const QString& text) {
    painter.setPen(colors().second);
    painter.drawText(QRect(x, area.top(), area.right() - x, area.height()), Qt::AlignVCenter, text);
    x += painter.fontMetrics().horizontalAdvance(text) + kGapRelated;
  };
  word(tr("row reads column, in"));
  for (std::size_t i = 0; i < colors().heat.size(); ++i) {
    painter.fillRect(QRect(x, area.top() + (area.height() - side) / 2, side, side), colors().heat[i]);
    x += side + kGapInside;
    word(i == 0 ? tr("under %1").arg(formatPercent(kSteps[0])) : tr("%1+").arg(formatPercent(kSteps[i - 1])));
  }
}

bool RoutingPicture::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip || m_layers == 0) return QWidget::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const QRect area = layoutFor(width()).triangle;
  const int cell = area.height() / m_layers;
  const int layer = (help->pos().y() - area.top()) / std::max(1, cell);
  const int source = (help->pos().x() - area.left() - (area.width() - cell * m_layers)) / std::max(1, cell);
  if (!area.contains(help->pos()) || layer >= m_layers || source < 0 || source > layer) {
    QToolTip::hideText();
    return true;
  }
  const double probability = m_probabilities[static_cast<std::size_t>(layer)][static_cast<std::size_t>(source)];
  const QString share = formatPercent(probability, probability < 0.1 ? 1 : 0);
  QToolTip::showText(help->globalPos(),
                     source == layer ? tr("Layer %1 reads its own keys and values in %2 of draws").arg(layer).arg(share)
                                     : tr("Layer %1 reads layer %2 in %3 of draws").arg(layer).arg(source).arg(share),
                     this);
  return true;
}

}  // namespace strata
