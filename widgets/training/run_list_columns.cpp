// The columns of the list of runs: which are shown, in which order, and how wide.

#include <QHeaderView>
#include <QMenu>
#include <algorithm>

#include "widgets/style/named.h"
#include "widgets/style/row_view.h"
#include "widgets/style/theme.h"
#include "widgets/training/run_list.h"

namespace strata {
namespace {

const char* const kColumns = "train/columns";
const char* const kSort = "train/sort";
constexpr int kNameWidth = 136;  // at least, in pixels at 100 % text
constexpr int kTextWidth = 112;
constexpr int kCurveWidth = 72;
constexpr int kTickWidth = 52;

const QStringList& defaultColumns() {
  static const QStringList columns = {"tick", "name", "state", "done", "curve"};
  return columns;
}

bool isFixed(RunField field) {
  return field == RunField::tick || field == RunField::name;
}

/// The longest text that a column is sure to hold: one that grew with each update would repaint every row.
QString widestOf(RunField field) {
  switch (field) {
    case RunField::state:
      return RunFilter::tr("queued (%1)").arg(88);
    case RunField::done:
      return QStringLiteral("100 %");
    case RunField::started:
      return QStringLiteral("2026-12-28 20:00");
    case RunField::duration:
      return QStringLiteral("20 min 20 s");
    default:
      return QStringLiteral("0.0000");
  }
}

}  // namespace

void RunList::buildColumns(QMenu* menu) {
  for (int i = 0; i < kRunFields; ++i) {
    const auto field = static_cast<RunField>(i);
    if (isFixed(field)) continue;
    QAction* action = menu->addAction(runFieldTitle(field));
    action->setObjectName("column-" + runFieldKey(field));
    action->setCheckable(true);
    connect(action, &QAction::triggered, this, [this, field, i] { showColumn(field, m_view->isColumnHidden(i)); });
  }
  connect(menu, &QMenu::aboutToShow, this, [this, menu] {
    for (QAction* action : menu->actions()) {
      for (int i = 0; i < kRunFields; ++i) {
        if (action->objectName() == "column-" + runFieldKey(static_cast<RunField>(i))) {
          action->setChecked(!m_view->isColumnHidden(i));
        }
      }
    }
  });
}

void RunList::restoreColumns() {
  m_restoring = true;
  QHeaderView* header = named(m_view->header(), "trainingRunsHeader", tr("Columns of the list of runs"));
  header->setStretchLastSection(false);
  header->setMinimumSectionSize(1);
  QStringList shown = m_session.settings().value(kColumns, defaultColumns()).toStringList();
  for (const QString& fixed : {QStringLiteral("name"), QStringLiteral("tick")}) {
    if (!shown.contains(fixed)) shown.prepend(fixed);
  }
  for (int i = 0; i < kRunFields; ++i) {
    const auto place = shown.indexOf(runFieldKey(static_cast<RunField>(i)));
    m_view->setColumnHidden(i, place < 0);
  }
  int place = 0;
  for (const QString& key : shown) {
    for (int i = 0; i < kRunFields; ++i) {
      if (runFieldKey(static_cast<RunField>(i)) == key) header->moveSection(header->visualIndex(i), place++);
    }
  }
  m_view->setSortingEnabled(true);
  const QStringList sort = m_session.settings().value(kSort).toString().split(' ');
  int column = static_cast<int>(RunField::started);
  Qt::SortOrder order = Qt::DescendingOrder;
  for (int i = 0; i < kRunFields; ++i) {
    if (sort.first() != runFieldKey(static_cast<RunField>(i))) continue;
    column = i;
    order = sort.last() == "descending" ? Qt::DescendingOrder : Qt::AscendingOrder;
  }
  m_view->sortByColumn(column, order);
  connect(header, &QHeaderView::sectionMoved, this, &RunList::storeColumns);
  connect(header, &QHeaderView::sortIndicatorChanged, this, &RunList::storeColumns);
  connect(header, &QHeaderView::sectionResized, this, [this](int section) {
    if (section != static_cast<int>(RunField::name)) fitName();
  });
  m_restoring = false;
  followTheme(header, [this] { sizeColumns(); });
}

void RunList::storeColumns() {
  if (m_restoring) return;
  const QHeaderView* header = m_view->header();
  QStringList shown;
  for (int place = 0; place < kRunFields; ++place) {
    const int column = header->logicalIndex(place);
    if (!m_view->isColumnHidden(column)) shown << runFieldKey(static_cast<RunField>(column));
  }
  m_session.settings().setValue(kColumns, shown);
  const int sorted = header->sortIndicatorSection();
  if (sorted < 0 || sorted >= kRunFields) return;
  const char* order = header->sortIndicatorOrder() == Qt::DescendingOrder ? " descending" : " ascending";
  m_session.settings().setValue(kSort, runFieldKey(static_cast<RunField>(sorted)) + order);
}

void RunList::showColumn(RunField field, bool shown) {
  m_view->setColumnHidden(static_cast<int>(field), !shown);
  if (shown) sizeColumns();
  fitName();
  storeColumns();
}

void RunList::sizeColumns() {
  QHeaderView* header = m_view->header();
  const QFontMetrics font(fonts().body);
  for (int i = 0; i < kRunFields; ++i) {
    const auto field = static_cast<RunField>(i);
    if (field == RunField::name) continue;
    int width = scaled(kTextWidth);
    if (field == RunField::tick) {
      width = scaled(kTickWidth);
    } else if (field == RunField::curve) {
      width = scaled(kCurveWidth);
    } else if (isRunFigure(field) || field == RunField::state || field == RunField::started) {
      width = font.horizontalAdvance(widestOf(field));
    }
    const int title = font.horizontalAdvance(runFieldTitle(field)) + metrics().icon;
    const bool text = field != RunField::tick && field != RunField::curve;
    header->resizeSection(i, std::max(width, text ? title : 0) + (text ? 2 * kGapRelated : 0));
  }
  fitName();
}

/// The name takes what the others leave; where that is too little, the list scrolls sideways.
void RunList::fitName() {
  QHeaderView* header = m_view->header();
  int others = 0;
  for (int i = 0; i < kRunFields; ++i) {
    if (i != static_cast<int>(RunField::name)) others += header->sectionSize(i);  // 0: hidden
  }
  header->resizeSection(static_cast<int>(RunField::name),
                        std::max(scaled(kNameWidth), m_view->viewport()->width() - others));
}

}  // namespace strata
