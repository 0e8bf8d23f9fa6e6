#include "widgets/mapeditor/cost_line.h"

#include <QFontMetrics>
#include <QPainter>

#include "widgets/style/format.h"
#include "widgets/style/labels.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

QString percentText(const SharingMap& map) {
  const double change = map.retention() - 1;
  return change == 0 ? QStringLiteral("0 %") : QStringLiteral("-%1").arg(formatPercent(-change));
}

}  // namespace

CostLine::CostLine(QWidget* parent) : QWidget(parent) {
  setObjectName("mapCost");
  setAccessibleName(tr("What the map saves and costs"));
  QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  policy.setHeightForWidth(true);
  setSizePolicy(policy);
  followTheme(this, [this] {
    updateGeometry();
    update();
  });
}

void CostLine::show(const MapCost* cost, const SharingMap& map, const SharingMap* preview) {
  m_pieces.clear();
  if (cost != nullptr) {
    const SharingMap& after = preview != nullptr ? *preview : map;
    const auto piece = [&](const QString& text, const auto& valueOf, bool strong, bool joined) {
      const QString now = valueOf(after), before = valueOf(map);
      const QStringList parts = text.split(QStringLiteral("%1"));
      m_pieces.push_back({parts.value(0), now, parts.value(1), now == before ? QString() : before, strong, joined});
    };
    piece(
        tr("KV %1"), [&](const SharingMap& of) { return formatBytes(cost->kvBytes(of)); }, true, false);
    m_pieces.push_back(
        {tr("at %1 × %2").arg(formatContext(cost->tokens())).arg(cost->chats()), {}, {}, {}, false, true});
    piece(QStringLiteral("(%1)"), percentText, true, true);
    piece(
        tr("%1 owners of %2").replace(QStringLiteral("%2"), QString::number(map.layers())),
        [](const SharingMap& of) { return QString::number(of.owners()); }, false, false);
    addQuality(cost->quality(after), cost->quality(map));
    m_tip = cost->quality(after).explanation();
  }
  setAccessibleDescription(text() + QStringLiteral(". ") + m_tip);
  setToolTip(tipOf(m_tip));
  updateGeometry();
  update();
}

/// Of figures of one kind the old ones stand before the new.
void CostLine::addQuality(const MapQuality& now, const MapQuality& before) {
  if (!now.nll) return m_pieces.push_back({{}, now.text(), {}, {}, false, false});
  const bool alike = before.nll && before.kind == now.kind;
  const auto old = [&](const QString& was, const QString& is) { return alike && was != is ? was : QString(); };
  const bool estimated = now.kind == MapQuality::Kind::estimated;
  const QString nll = formatNats(now.nll, true), perplexity = perplexityText(*now.nll);
  m_pieces.push_back({tr("NLL "), nll, QStringLiteral(","), old(formatNats(before.nll, true), nll), false, false});
  m_pieces.push_back({estimated ? tr("perplexity about ") : tr("perplexity "), perplexity, QStringLiteral(","),
                      before.nll ? old(perplexityText(*before.nll), perplexity) : QString(), false, true});
  m_pieces.push_back({{}, estimated ? tr("estimated") : tr("measured"), {}, {}, false, true});
}

QString CostLine::text() const {
  QString all;
  for (const Piece& piece : m_pieces) {
    if (!all.isEmpty()) all += piece.joined ? QStringLiteral(" ") : QStringLiteral(" · ");
    all += piece.before + (piece.old.isEmpty() ? QString() : tr("%1, now ").arg(piece.old)) + piece.value + piece.after;
  }
  return all;
}

int CostLine::widthOf(const Piece& piece, bool roomForOld) const {
  const QFontMetrics words(piece.strong ? fonts().strong : fonts().body);
  const QString& old = roomForOld && piece.old.isEmpty() ? piece.value : piece.old;
  int width = words.horizontalAdvance(piece.before + piece.value + piece.after);
  if (!old.isEmpty()) width += QFontMetrics(fonts().body).horizontalAdvance(old) + kGapInside;
  return width;
}

/// Calls place(piece, point) for each; returns the height.
template <class F>
int CostLine::flow(int width, bool roomForOld, F place) const {
  const int line = std::max(QFontMetrics(fonts().strong).height(), scaled(kLineBody));
  int x = 0, y = 0;
  for (const Piece& piece : m_pieces) {
    const int needed = widthOf(piece, roomForOld);
    if (x > 0) x += piece.joined ? kGapInside : kGapGroups;
    if (x > 0 && x + needed > width) {
      x = 0;
      y += line;
    }
    place(piece, QPoint(x, y));
    x += needed;
  }
  return y + line;
}

/// With room for the old values, so that a drag moves no row.
int CostLine::heightForWidth(int width) const {
  return flow(width, true, [](const Piece&, const QPoint&) {});
}

QSize CostLine::sizeHint() const {
  return {scaled(600), heightForWidth(scaled(600))};
}

QSize CostLine::minimumSizeHint() const {
  return {scaled(240), std::max(QFontMetrics(fonts().strong).height(), scaled(kLineBody))};
}

void CostLine::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const int line = std::max(QFontMetrics(fonts().strong).height(), scaled(kLineBody));
  flow(width(), false, [&](const Piece& piece, QPoint at) {
    const auto word = [&](const QString& text, const QFont& font, const QColor& color) {
      painter.setFont(font);
      painter.setPen(color);
      painter.drawText(QRect(at.x(), at.y(), width() - at.x(), line), Qt::AlignLeft | Qt::AlignVCenter, text);
      at.rx() += painter.fontMetrics().horizontalAdvance(text);
    };
    const QFont& font = piece.strong ? fonts().strong : fonts().body;
    if (!piece.joined && at.x() > 0) {  // a dot in the gap
      const QPoint middle(at.x() - kGapGroups / 2, at.y() + line / 2);
      painter.fillRect(QRect(middle - QPoint(1, 1), QSize(2, 2)), colors().second);
    }
    word(piece.before, font, colors().text);
    if (!piece.old.isEmpty()) {
      word(piece.old, fonts().body, colors().second);
      at.rx() += kGapInside;
    }
    word(piece.value + piece.after, font, colors().text);
  });
}

}  // namespace strata
