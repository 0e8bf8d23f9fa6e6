#include "widgets/plots/plot_frame.h"

#include <QAction>
#include <QContextMenuEvent>
#include <QElapsedTimer>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QMenu>
#include <QStackedWidget>
#include <QTableView>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "widgets/plots/plot_frame_private.h"
#include "widgets/plots/plot_theme.h"
#include "widgets/style/controls.h"
#include "widgets/style/named.h"
#include "widgets/style/style_painters.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kMeasuredRows = 50;  // of a table, for the widths of its columns
constexpr double kRedrawMs = 1000.0 / 30;

QTableView* makeTable(QWidget* parent) {
  auto* table = named(new QTableView(parent), "plotTable");
  table->setShowGrid(false);
  table->setSelectionBehavior(QAbstractItemView::SelectRows);
  table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table->setTabKeyNavigation(false);
  table->verticalHeader()->hide();
  table->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
  table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table->horizontalHeader()->setResizeContentsPrecision(kMeasuredRows);
  table->horizontalHeader()->setHighlightSections(false);
  followTheme(table, [table] {
    table->setFont(fonts().mono);
    table->verticalHeader()->setDefaultSectionSize(metrics().compactRow);
  });
  return table;
}

}  // namespace

PlotFrame::PlotFrame(const QString& title, const QString& unit, QWidget* parent)
    : QWidget(parent), m_frame(std::make_unique<Private>()) {
  Private& p = *m_frame;
  p.stack = new QStackedWidget(this);
  p.canvas = new QCustomPlot(p.stack);
  p.canvas->setObjectName(QStringLiteral("plotCanvas"));
  p.canvas->setFocusPolicy(Qt::StrongFocus);
  p.canvas->setMouseTracking(true);
  p.canvas->setContextMenuPolicy(Qt::NoContextMenu);
  p.canvas->axisRect()->setAutoMargins(QCP::msNone);
  p.table = makeTable(p.stack);
  p.stack->addWidget(p.canvas);
  p.stack->addWidget(p.table);
  setFocusProxy(p.canvas);

  p.name = new Label({}, TextRole::strong, Tone::normal, this);
  p.unit = new Label({}, TextRole::caption, Tone::second, this);
  setTitle(title, unit);
  p.state = new ElidedLabel({}, TextRole::caption, Tone::second, this);
  p.state->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  Button* more = makeIconButton(QStringLiteral("three-dots"), tr("Plot menu"), {}, this);
  more->setObjectName("plotMenuButton");
  more->setCompact(true);
  p.menu = named(new QMenu(this), "plotMenu", tr("Plot menu"));
  p.menu->setToolTipsVisible(true);
  connect(more, &QPushButton::clicked, this,
          [this, more] { m_frame->menu->popup(more->mapToGlobal(QPoint(0, more->height()))); });
  auto* head = new QHBoxLayout;
  head->setSpacing(kGapRelated);
  head->addWidget(p.name);
  head->addWidget(p.unit);
  head->addWidget(p.state, 1);
  head->addWidget(more);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapInside);
  column->addLayout(head);
  column->addWidget(p.stack, 1);

  p.clock.start();
  p.frame.setSingleShot(true);
  p.frame.setTimerType(Qt::PreciseTimer);
  connect(&p.frame, &QTimer::timeout, this, &PlotFrame::drawFrame);
  new PlotPainting(*p.canvas, "axes", [this](QCPPainter& painter) {
    if (!isEmpty()) return;
    const QRect area = m_frame->canvas->axisRect()->rect();
    painter.setFont(fonts().body);
    painter.setPen(colors().second);
    painter.drawText(area.adjusted(kGapGroups, 0, -kGapGroups, 0), Qt::AlignCenter | Qt::TextWordWrap, emptyText());
  });
  new PlotPainting(*p.canvas, "overlay", [this](QCPPainter& painter) {
    QStyleOption option;
    option.initFrom(m_frame->canvas);
    if (!m_frame->exporting && paint::showsFocus(option)) paint::focusRing(painter, option.rect, colors());
  });
  addExportActions();
  followTheme(this, [this] {
    themePlot(*m_frame->canvas);
    scheduleRedraw();
  });
}

PlotFrame::~PlotFrame() = default;

void PlotFrame::setTitle(const QString& title, const QString& unit) {
  Private& p = *m_frame;
  p.title = unit.isEmpty() ? title : tr("%1 (%2)").arg(title, unit);
  p.name->setText(title);
  p.unit->setText(unit);
  p.canvas->setAccessibleName(p.title);
  p.table->setAccessibleName(tr("%1, as a table").arg(p.title));
  setAccessibleName(p.title);
}

QString PlotFrame::title() const {
  return m_frame->title;
}

void PlotFrame::setEmptyText(const QString& sentence) {
  m_frame->emptyText = sentence;
  scheduleRedraw();
}

QString PlotFrame::emptyText() const {
  return m_frame->emptyText.isEmpty() ? tr("Nothing to show yet.") : m_frame->emptyText;
}

QCustomPlot& PlotFrame::canvas() const {
  return *m_frame->canvas;
}

bool PlotFrame::isExporting() const {
  return m_frame->exporting;
}

QMenu* PlotFrame::menu() const {
  return m_frame->menu;
}

void PlotFrame::setTable(QAbstractItemModel* model) {
  m_frame->table->setModel(model);
}

void PlotFrame::setState(const QString& state) {
  if (m_frame->state->text() != state) m_frame->state->setText(state);
}

QSize PlotFrame::sizeHint() const {
  return {scaled(480), scaled(260)};
}

QSize PlotFrame::minimumSizeHint() const {
  return {scaled(240), scaled(140)};
}

bool PlotFrame::tableShown() const {
  return m_frame->stack->currentWidget() == m_frame->table;
}

void PlotFrame::setTableShown(bool shown) {
  if (shown == tableShown()) return;
  Private& p = *m_frame;
  const bool focused = p.stack->isAncestorOf(QApplication::focusWidget());
  if (shown) refreshTable();
  QWidget* now = shown ? static_cast<QWidget*>(p.table) : p.canvas;
  p.stack->setCurrentWidget(now);
  setFocusProxy(now);
  if (focused) now->setFocus();
  p.showTable->setChecked(shown);
  scheduleRedraw();
  Q_EMIT tableShownChanged(shown);
}

void PlotFrame::scheduleRedraw() {
  Private& p = *m_frame;
  p.stale = true;
  if (p.frame.isActive() || !isVisible()) return;
  p.frame.start(static_cast<int>(std::ceil(std::max(0.0, p.nextFrame - p.now()))));
}

void PlotFrame::drawFrame() {
  Private& p = *m_frame;
  if (!isVisible()) return;
  // A frame that was a little late doesn't put off the next: 30 a second, not 29.
  const double late = p.now() - p.nextFrame;
  p.nextFrame = p.now() + kRedrawMs - (late < kRedrawMs ? late : 0);
  p.stale = false;
  if (tableShown()) {
    refreshTable();
  } else {
    redraw();
    p.canvas->replot(QCustomPlot::rpQueuedRefresh);
  }
  const QString words = summary();
  if (words != p.canvas->accessibleDescription()) {
    p.canvas->setAccessibleDescription(words);
    setAccessibleDescription(words);
  }
  Q_EMIT drawn();
}

void PlotFrame::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  if (m_frame->stale) scheduleRedraw();
}

void PlotFrame::contextMenuEvent(QContextMenuEvent* event) {
  m_frame->menu->popup(event->globalPos());
}

QAction* PlotFrame::addPlotAction(const QString& text, const QKeySequence& shortcut, std::function<void()> act) {
  auto* action = new QAction(text, this);
  action->setShortcut(shortcut);
  action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
  connect(action, &QAction::triggered, this, std::move(act));
  addAction(action);
  // The table and the exports stay last.
  m_frame->menu->insertAction(m_frame->firstShared, action);
  return action;
}

QAction* PlotFrame::addPlotChoice(const QString& text, const QKeySequence& shortcut, std::function<void(bool)> act) {
  QAction* action = addPlotAction(text, shortcut, [] {});
  action->setCheckable(true);
  connect(action, &QAction::toggled, this, std::move(act));
  return action;
}

}  // namespace strata
