#include <QAbstractItemView>
#include <QHeaderView>
#include <QListView>
#include <QTableView>
#include <QTreeView>

#include "widgets/style/icons.h"
#include "widgets/style/strata_style.h"
#include "widgets/style/style_drawing.h"

namespace strata::draw {
namespace {

bool startsRow(const QStyleOptionViewItem& item, const QWidget* widget) {
  if (const auto* table = qobject_cast<const QTableView*>(widget)) {
    return table->horizontalHeader()->logicalIndexAt(0) == item.index.column() ||
           table->horizontalHeader()->visualIndex(item.index.column()) == 0;
  }
  // Below a branch, the branch has the edge.
  if (qobject_cast<const QTreeView*>(widget) != nullptr) return item.rect.left() <= 0;
  return true;
}

void ground(const QStyleOptionViewItem& item, QPainter& painter, const QWidget* widget, const Colors& c) {
  if (item.backgroundBrush.style() != Qt::NoBrush) painter.fillRect(item.rect, item.backgroundBrush);
  if (item.state & QStyle::State_Selected) {
    paint::selection(painter, item.rect, c, startsRow(item, widget));
  } else if ((item.state & QStyle::State_MouseOver) && (item.state & QStyle::State_Enabled)) {
    painter.fillRect(item.rect, paint::hoverTint(c));
  }
}

}  // namespace

void popup(const QStyleOption& option, QPainter& painter, const QColor& ground, const Colors& c) {
  painter.fillRect(option.rect, ground);
  paint::box(painter, option.rect, {}, c.edge, c.edgeWidth, 0);
}

void menuItem(const QStyleOptionMenuItem& item, QPainter& painter, const Colors& c) {
  const QRect& r = item.rect;
  if (item.menuItemType == QStyleOptionMenuItem::Separator) {
    painter.fillRect(QRect(r.left() + kGapRelated, r.center().y(), r.width() - 2 * kGapRelated, 1), c.line);
    return;
  }
  const bool enabled = item.state & QStyle::State_Enabled;
  if (enabled && (item.state & QStyle::State_Selected)) paint::selection(painter, r, c, true);
  const Metrics& sizes = metrics();
  const QColor ink = enabled ? c.text : paint::disabledText(c);
  const QRect sign(r.left() + kGapRelated + kGapInside, r.top() + (r.height() - sizes.icon) / 2, sizes.icon,
                   sizes.icon);
  const bool checkable = item.checkType != QStyleOptionMenuItem::NotCheckable;
  if (checkable && item.checked) {
    icon(QStringLiteral("check-lg")).paint(&painter, sign, Qt::AlignCenter, enabled ? QIcon::Normal : QIcon::Disabled);
  } else if (!item.icon.isNull()) {
    item.icon.paint(&painter, sign, Qt::AlignCenter, enabled ? QIcon::Normal : QIcon::Disabled);
  }
  const bool signs = item.maxIconWidth > 0 || item.menuHasCheckableItems;
  const int left = signs ? sign.right() + 1 + kGapRelated : r.left() + kGapRelated + kGapInside;
  const QRect words(left, r.top(), r.right() - kGapGroups - left, r.height());
  const QStringList halves = item.text.split(u'\t');
  painter.setFont(item.font);
  painter.setPen(ink);
  painter.drawText(words, Qt::AlignVCenter | Qt::AlignLeft | Qt::TextSingleLine,
                   paint::withoutMnemonic(halves.first()));
  if (halves.size() > 1) {
    painter.setPen(enabled ? c.second : ink);
    painter.drawText(words, Qt::AlignVCenter | Qt::AlignRight | Qt::TextSingleLine, halves[1]);
  }
  if (item.menuItemType == QStyleOptionMenuItem::SubMenu) {
    const QRect arrow(r.right() - kGapGroups, r.top(), kGapGroups, r.height());
    paint::chevron(painter, arrow, QStringLiteral("chevron-right"), enabled);
  }
}

void viewRow(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& c) {
  // Trees draw the ground of an item's branch by it; of cells it is drawn with the item.
  const auto* view = qobject_cast<const QTreeView*>(widget);
  if (view == nullptr || !(option.state & QStyle::State_Selected) || option.rect.isEmpty()) return;
  if (view->selectionBehavior() != QAbstractItemView::SelectRows) return;
  paint::selection(painter, option.rect, c, option.rect.left() <= 0);
}

void viewItem(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& c) {
  if (const auto* item = qstyleoption_cast<const QStyleOptionViewItem*>(&option)) ground(*item, painter, widget, c);
}

void itemView(const QStyleOptionViewItem& option, QPainter& painter, const QWidget* widget, const StrataStyle& style,
              const Colors& c) {
  ground(option, painter, widget, c);
  // Fusion's own drawing of what stands on it, which so keeps its colours in a selected row.
  QStyleOptionViewItem item = option;
  item.state &= ~(QStyle::State_HasFocus | QStyle::State_Selected | QStyle::State_MouseOver);
  item.backgroundBrush = Qt::NoBrush;
  item.rect.adjust(kGapInside, 0, -kGapInside, 0);
  style.QProxyStyle::drawControl(QStyle::CE_ItemViewItem, &item, &painter, widget);
  if (paint::showsFocus(option)) paint::focusRing(painter, option.rect, c);
}

void headerSection(const QStyleOption& option, QPainter& painter, const Colors& c) {
  painter.fillRect(option.rect, c.surface);
  painter.fillRect(QRect(option.rect.left(), option.rect.bottom(), option.rect.width(), 1), c.line);
}

void headerLabel(const QStyleOptionHeader& option, QPainter& painter, const Colors& c) {
  QRect room = option.rect.adjusted(kGapRelated, 0, -kGapRelated, 0);
  const QString words = option.text.simplified();
  if (option.sortIndicator != QStyleOptionHeader::None) {
    // Qt calls the sign of an ascending column "SortDown". It stands right after the words, where the eye is.
    const bool ascending = option.sortIndicator == QStyleOptionHeader::SortDown;
    const int size = metrics().icon;
    const int wide = std::min(option.fontMetrics.horizontalAdvance(words), room.width() - size);
    const bool right = option.textAlignment & Qt::AlignRight;
    const QRect arrow(right ? room.right() - size + 1 : room.left() + wide + kGapInside, room.top(), size,
                      room.height());
    paint::chevron(painter, arrow, ascending ? QStringLiteral("chevron-up") : QStringLiteral("chevron-down"));
    room.setRight(room.right() - size);
  }
  painter.setPen(option.state & QStyle::State_Enabled ? c.second : paint::disabledText(c));
  painter.drawText(room, static_cast<int>(option.textAlignment | Qt::AlignVCenter) | Qt::TextSingleLine,
                   option.fontMetrics.elidedText(words, Qt::ElideRight, room.width()));
}

void branch(const QStyleOption& option, QPainter& painter) {
  if (!(option.state & QStyle::State_Children)) return;
  paint::chevron(painter, option.rect,
                 option.state & QStyle::State_Open ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right"));
}

}  // namespace strata::draw
