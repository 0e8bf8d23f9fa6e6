#include "widgets/evaluation/samples_view.h"

#include <QHeaderView>
#include <QLineEdit>
#include <QSplitter>
#include <QVBoxLayout>

#include "widgets/evaluation/sample_detail.h"
#include "widgets/evaluation/sample_table.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/row_view.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kTypingMs = 250;
constexpr int kQuestionWidth = 280, kExpectedWidth = 130, kAnswerWidth = 170;
constexpr int kSearchWidth = 160;

constexpr std::array kFilters = {"", "only_a", "only_b", "both_wrong", "unanswerable"};

}  // namespace

SamplesView::SamplesView(Session& session, Comparison& comparison, QWidget* parent)
    : QWidget(parent), m_session(session), m_comparison(comparison), m_table(new SampleTable(session.engine(), this)) {
  named(this, "evaluationSamples", tr("Samples"));
  m_detail = new SampleDetail(session, comparison);
  m_split = named(new QSplitter(Qt::Vertical), "samplesSplitter");
  m_split->setChildrenCollapsible(false);
  m_split->addWidget(buildList());
  m_split->addWidget(m_detail);
  m_split->setStretchFactor(0, 1);
  m_split->setStretchFactor(1, 1);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(m_split);
  m_typing.setSingleShot(true);
  m_typing.setInterval(kTypingMs);
  connect(&m_typing, &QTimer::timeout, this, [this] { m_table->setSearch(m_search->text().trimmed().toStdString()); });
  connect(m_split, &QSplitter::splitterMoved, this, &SamplesView::stateChanged);
  connect(m_filters, &SegmentedButtons::chosen, this,
          [this](int index) { m_table->setFilter(kFilters[static_cast<std::size_t>(index)]); });
  connect(m_search, &QLineEdit::textChanged, &m_typing, qOverload<>(&QTimer::start));
  connect(m_table, &SampleTable::arrived, this, [this] {
    showCounts();
    showState();
    keepChoice();
  });
  connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& index) {
    const SampleTable::Sample* sample = m_table->at(index.row());
    if (sample == nullptr || sample->id == m_chosen) return;
    m_chosen = sample->id;
    m_detail->show(sample);
    Q_EMIT sampleChanged();
  });
  connect(m_view, &QTreeView::activated, m_detail, &SampleDetail::openInChat);
  connect(m_detail, &SampleDetail::noted, this,
          [this](const QString& id, const QString& note) { m_table->setNote(id.toStdString(), note.toStdString()); });
  connect(&comparison, &Comparison::changed, this, &SamplesView::follow);
  follow();
}

QWidget* SamplesView::buildList() {
  m_filters = named(
      new SegmentedButtons({tr("All"), tr("Only A right"), tr("Only B right"), tr("Both wrong"), tr("Unanswerable")}),
      "sampleFilters", tr("Which questions are listed"));
  for (int i = 0; i < m_filters->count(); ++i) {
    m_filters->button(i)->setObjectName(
        QStringLiteral("filter-%1").arg(i == 0 ? "all" : kFilters[static_cast<std::size_t>(i)]));
  }
  m_filters->setCurrent(0);
  m_search = named(new QLineEdit, "searchSamples", tr("Search questions and answers"));
  m_search->setPlaceholderText(tr("Search"));
  m_search->setClearButtonEnabled(true);
  m_search->setWhatsThis(tr("Lists the questions that hold these words, in the question or in an answer."));
  m_search->setToolTip(m_search->whatsThis());
  followTheme(m_search, [this] { m_search->setMinimumWidth(scaled(kSearchWidth)); });
  m_view = named(new RowView, "samples", tr("Questions with both answers"));
  m_view->setWhatsThis(tr("Enter opens the chosen question in a chat, with both sides as they were evaluated."));
  m_view->setModel(m_table);
  m_view->setRootIsDecorated(false);
  m_view->setUniformRowHeights(true);
  m_view->setAllColumnsShowFocus(true);
  m_view->setFrameShape(QFrame::NoFrame);
  const int widths[] = {kQuestionWidth, kExpectedWidth, kAnswerWidth, kAnswerWidth};
  for (int column = 0; column < SampleTable::kNote; ++column)
    m_view->header()->resizeSection(column, scaled(widths[column]));
  m_state = named(new StatePane(m_view), "samplesState");
  auto* list = new QWidget;
  auto* column = new QVBoxLayout(list);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapRelated);
  auto* filters = new QWidget;  // which keeps the buttons at the left
  auto* left = new QHBoxLayout(filters);
  left->setContentsMargins(0, 0, 0, 0);
  left->addWidget(m_filters);
  left->addStretch(1);
  column->addWidget(new FoldingRow(filters, m_search));
  column->addWidget(m_state, 1);
  return list;
}

QList<QWidget*> SamplesView::panes() const {
  return {m_view, m_detail};
}

QByteArray SamplesView::saveState() const {
  return m_split->saveState();
}

void SamplesView::restoreState(const QByteArray& state) {
  m_split->restoreState(state);
}

void SamplesView::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  follow();
}

/// Nothing is asked for before someone looks.
void SamplesView::follow() {
  if (!isVisible()) return;
  const Comparison::Results* results = m_comparison.results(Which::a);
  const auto [a, b] = std::pair(m_comparison.side(Which::a), m_comparison.side(Which::b));
  const bool isOther =
      m_table->show(results != nullptr ? a : protocol::EvaluatedSide(), a == b ? protocol::EvaluatedSide() : b,
                    results != nullptr ? results->exact : std::string());
  const Comparison::Pair* pair = m_comparison.pair();
  const Comparison::Map* map = m_comparison.map(Which::a);
  const std::int64_t answered = pair != nullptr ? pair->n : map != nullptr ? map->n : 0;
  const std::string runState = results != nullptr ? results->state : std::string();
  const bool hasMore = std::exchange(m_answered, answered) != answered;
  const bool hasOtherState = std::exchange(m_runState, runState) != runState;
  if (!isOther && (hasMore || hasOtherState)) m_table->refresh();
  const bool isPaired = !b.run.empty() && a != b;
  const bool isMarked = results != nullptr && !results->exact.empty();
  for (int i = 1; i < m_filters->count(); ++i) {
    const bool isAble =
        isMarked && (isPaired || kFilters[static_cast<std::size_t>(i)] == std::string_view("unanswerable"));
    m_filters->setButtonEnabled(i, isAble,
                                isAble     ? QString()
                                : isMarked ? tr("Needs an evaluation for B")
                                           : tr("This task says neither right nor wrong"));
  }
  showState();
}

void SamplesView::showCounts() {
  const QString names[] = {tr("All"), tr("Only A right"), tr("Only B right"), tr("Both wrong"), tr("Unanswerable")};
  const auto& counts = m_table->counts();
  for (int i = 0; i < m_filters->count(); ++i) {
    QString text = names[i];
    if (counts) {
      const std::int64_t all[] = {counts->all, counts->onlyA, counts->onlyB, counts->bothWrong, counts->unanswerable};
      text = tr("%1 %2").arg(names[i], formatCount(all[i]));
    }
    QAbstractButton* button = m_filters->button(i);
    if (button->text() == text) continue;
    button->setText(text);
    button->setAccessibleName(text);
    button->updateGeometry();
  }
}

void SamplesView::showState() {
  if (m_table->problem()) {
    return m_state->setFailed(*m_table->problem(), tr("Try again"), [this] { m_table->refresh(); });
  }
  if (m_table->rowCount() > 0) return m_state->setWorking();
  if (m_table->isAsking()) return m_state->setLoading(tr("Reading the answers"));
  const bool isFiltered = m_filters->current() > 0 || !m_search->text().isEmpty();
  m_state->setEmpty(isFiltered                 ? tr("No question is of this kind.")
                    : m_comparison.isRunning() ? tr("Questions are listed as soon as both sides have answered them.")
                                               : tr("No question was answered."));
}

/// The chosen question stays chosen where its row moves.
void SamplesView::keepChoice() {
  const int row = m_chosen.empty() ? -1 : m_table->rowOf(m_chosen);
  if (row >= 0) {
    if (m_view->currentIndex().row() != row) m_view->setCurrentIndex(m_table->index(row, 0));
    m_detail->show(m_table->at(row));
  } else if (const SampleTable::Sample* first = m_table->at(0); first != nullptr && !m_view->currentIndex().isValid()) {
    m_chosen = first->id;
    m_detail->show(first);
    m_view->setCurrentIndex(m_table->index(0, 0));
  } else if (m_table->rowCount() == 0 && !m_table->isAsking()) {
    m_chosen.clear();
    m_detail->show(nullptr);
  }
  Q_EMIT sampleChanged();
}

}  // namespace strata
