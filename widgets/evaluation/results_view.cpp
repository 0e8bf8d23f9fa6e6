#include "widgets/evaluation/results_view.h"

#include <QHeaderView>
#include <QScrollBar>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/evaluation/evaluation_words.h"
#include "widgets/plots/interval_plot.h"
#include "widgets/plots/interval_table_model.h"
#include "widgets/session/map_library.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/row_view.h"
#include "widgets/style/scrolled.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kScoresWidth = 420;
constexpr double kSignificance = 0.05;

bool isZeroInside(const Comparison::Pair& pair) {
  return pair.low <= 0 && pair.high >= 0;
}

/// Whether McNemar's test, where the task has one, leaves the difference to chance.
bool mayBeChance(const Comparison::Pair& pair) {
  return pair.adjustedP && *pair.adjustedP >= kSignificance;
}

QString questionsText(std::int64_t count) {
  return ResultsView::tr("%1 question(s)", nullptr, pluralOf(count)).arg(formatCount(count));
}

Interval intervalOf(const protocol::IntervalScore& score) {
  return {inUnit(score.metric, score.value), inUnit(score.metric, score.low), inUnit(score.metric, score.high)};
}

const protocol::IntervalScore* scoreOf(const Comparison::Map& map, const std::string& metric) {
  for (const protocol::IntervalScore& score : map.scores) {
    if (score.metric == metric && score.n > 0) return &score;
  }
  return nullptr;
}

/// "0.031", "< 0.001".
QString shortChance(double p) {
  return chanceText(p).section(u' ', 1).remove(QStringLiteral("= "));
}

QString labelOf(const Comparison::Results& results, const std::string& map) {
  const QStringList labels = mapLabels(results.maps);
  for (std::size_t i = 0; i < results.maps.size(); ++i) {
    if (results.maps[i].map == map) return labels[static_cast<qsizetype>(i)];
  }
  return QString::fromStdString(map);
}

}  // namespace

QString conclusionOf(const Comparison& comparison, bool isStartingB) {
  const Comparison::Pair* pair = comparison.pair();
  const Comparison::Results* results = comparison.results(Which::a);
  if (results == nullptr) return {};
  if (comparison.side(Which::b).run.empty()) {
    return isStartingB ? ResultsView::tr("The evaluation of B is starting.")
                       : ResultsView::tr("Choose an evaluation for B to compare with.");
  }
  if (comparison.side(Which::a) == comparison.side(Which::b)) {
    return ResultsView::tr("A and B are the same evaluation under the same map. Choose another map for B.");
  }
  if (pair == nullptr || pair->n == 0) {
    return comparison.isRunning() ? ResultsView::tr("No question has been answered by both sides yet.")
                                  : ResultsView::tr("No question was answered by both sides.");
  }
  const std::string& metric = comparison.compared()->metric;
  const QString name = metricName(metric);
  const QString difference = differenceText(metric, pair->difference, pair->low, pair->high);
  if (isZeroInside(*pair)) {
    return ResultsView::tr("No difference in %1 shows: B - A is %2 %3, of %4.")
        .arg(name, difference, differenceUnit(metric), questionsText(pair->n));
  }
  if (mayBeChance(*pair)) {
    const bool isAdjusted = comparison.compared()->pairs.size() > 1;
    const QString chance = chanceText(*pair->adjustedP);
    return ResultsView::tr("%1 difference not certain (%2): B - A is %3 %4, of %5.")
        .arg(name, isAdjusted ? ResultsView::tr("adjusted %1").arg(chance) : chance, difference, differenceUnit(metric),
             questionsText(pair->n));
  }
  const bool isMore = pair->difference > 0;
  const QString sentence = isLoss(metric) == isMore ? ResultsView::tr("B is worse in %1: B - A is %2 %3, of %4.")
                                                    : ResultsView::tr("B is better in %1: B - A is %2 %3, of %4.");
  return sentence.arg(name, difference, differenceUnit(metric), questionsText(pair->n));
}

QString evidenceOf(const Comparison& comparison) {
  const Comparison::Pair* pair = comparison.pair();
  if (pair == nullptr || pair->n == 0) return {};
  QStringList parts = {ResultsView::tr("Paired by question, with a 95 % bootstrap interval.")};
  if (pair->p) {
    parts << ResultsView::tr("Only A has %1 right, only B %2: McNemar's %3.")
                 .arg(formatCount(pair->onlyA), formatCount(pair->onlyB), chanceText(*pair->p));
  }
  const int pairs = static_cast<int>(comparison.compared()->pairs.size());
  if (pairs > 1 && pair->adjustedP) {
    parts << ResultsView::tr("Adjusted by Holm's method for %n comparison(s): %1.", nullptr, pairs)
                 .arg(chanceText(*pair->adjustedP));
  }
  if (!pair->hint.empty()) parts << QString::fromStdString(pair->hint);
  if (const std::int64_t left = pair->inAAlone + pair->inBAlone; left > 0) {
    parts << ResultsView::tr("%1 question(s) answered by one side alone are left out.", nullptr, pluralOf(left))
                 .arg(formatCount(left));
  }
  return parts.join(u' ');
}

ResultsView::ResultsView(Session& session, Comparison& comparison, QWidget* parent)
    : QWidget(parent), m_session(session), m_comparison(comparison) {
  named(this, "evaluationResults", tr("Results"));
  m_conclusion = named(sectionLabel({}), "conclusion");
  m_conclusion->setWordWrap(true);
  m_evidence = named(bodyLabel({}), "evidence");
  m_evidence->setTone(Tone::second);
  m_difference = named(new IntervalPlot(tr("Difference")), "differencePlot", tr("Paired differences"));
  m_difference->setEmptyText(tr("The difference begins with the first question that both sides answered."));
  m_scores = named(new IntervalPlot(tr("Scores")), "scoresPlot", tr("Scores"));
  m_scores->setEmptyText(tr("The scores begin with the first answers."));
  m_table = new IntervalTableModel(this);
  m_view = named(new RowView, "scoreTable", tr("Scores and differences of all maps"));
  m_view->setWhatsThis(tr("All maps of both evaluations. Enter makes the chosen one side B."));
  m_view->setModel(m_table);
  m_view->setRootIsDecorated(false);
  m_view->setUniformRowHeights(true);
  m_view->setAllColumnsShowFocus(true);
  m_view->setFrameShape(QFrame::NoFrame);
  m_view->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_view->header()->setStretchLastSection(false);
  m_view->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
  auto* plots = new FoldingRow(m_difference, m_scores);
  auto* inside = new QWidget;
  auto* column = new QVBoxLayout(inside);
  column->setContentsMargins(0, 0, 0, kGapGroups);
  column->setSpacing(kGapGroups);
  auto* words = new QVBoxLayout;
  words->setSpacing(kGapInside);
  words->addWidget(m_conclusion);
  words->addWidget(m_evidence);
  column->addLayout(words);
  column->addWidget(plots);
  column->addWidget(m_view);
  column->addStretch(1);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(named(scrolled(inside), "resultsScroll", tr("Results")));
  for (IntervalPlot* plot : {m_difference, m_scores})
    plot->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  followTheme(this, [this] {
    for (Label* words : {m_conclusion, m_evidence}) words->setMaximumWidth(metrics().textWidth);
    m_scores->setMaximumWidth(scaled(kScoresWidth));  // the difference has the rest
  });
  connect(m_difference, &IntervalPlot::currentRowChanged, this, [this](int row) {
    if (!m_showing && row >= 0) want(m_differences[static_cast<std::size_t>(row)]);
  });
  connect(m_view, &QTreeView::activated, this,
          [this](const QModelIndex& index) { want(m_rows[static_cast<std::size_t>(index.row())]); });
  connect(&comparison, &Comparison::changed, this, &ResultsView::show);
  connect(&session.models(), &ModelTable::changed, this, &ResultsView::show);
  show();
}

QWidget* ResultsView::table() const {
  return m_view;
}

void ResultsView::setStartingB(bool on) {
  m_startingB = on;
  show();
}

void ResultsView::want(const protocol::EvaluatedSide& side) {
  if (side != m_comparison.side(Which::a) && side != m_comparison.side(Which::b)) Q_EMIT sideWanted(side);
}

/// The model is said where there are two.
QString ResultsView::nameOf(const protocol::EvaluatedSide& side) const {
  const Which which = side.run == m_comparison.side(Which::a).run ? Which::a : Which::b;
  const Comparison::Results* results = m_comparison.results(which);
  if (results == nullptr) return QString::fromStdString(side.map);
  const QString label = labelOf(*results, side.map);
  const Comparison::Results *a = m_comparison.results(Which::a), *b = m_comparison.results(Which::b);
  const bool isOne = b == nullptr || (a->model == b->model && a->adapter == b->adapter);
  if (isOne && m_comparison.side(Which::a).run == m_comparison.side(Which::b).run) return label;
  return tr("%1, %2").arg(m_session.modelName(knownModel(m_session, results->model, results->adapter)), label);
}

void ResultsView::show() {
  m_showing = true;
  m_conclusion->setText(conclusionOf(m_comparison, m_startingB));
  m_conclusion->setVisible(!m_conclusion->text().isEmpty());
  m_evidence->setText(evidenceOf(m_comparison));
  m_evidence->setVisible(!m_evidence->text().isEmpty());
  showDifferences();
  showScores();
  showTable();
  m_showing = false;
}

void ResultsView::showDifferences() {
  const protocol::CompareEvaluations::Answer* compared = m_comparison.compared();
  m_differences.clear();
  std::vector<DifferenceRow> rows;
  int current = -1;
  const std::string metric = compared != nullptr ? compared->metric : std::string();
  for (const Comparison::Pair& pair : compared != nullptr ? compared->pairs : std::vector<Comparison::Pair>()) {
    DifferenceRow row{nameOf(pair.b), {}};
    if (pair.n > 0)
      row.difference = {inUnit(metric, pair.difference), inUnit(metric, pair.low), inUnit(metric, pair.high)};
    if (pair.b == m_comparison.side(Which::b)) current = static_cast<int>(rows.size());
    rows.push_back(row);
    m_differences.push_back(pair.b);
  }
  m_difference->setTitle(metric.empty() ? tr("Difference from A") : tr("%1, difference from A").arg(metricName(metric)),
                         metric.empty() ? QString() : differenceUnit(metric));
  m_difference->setDecimals(decimalsOf(metric));
  if (rows.empty()) {
    m_difference->setScores({});  // no line at zero behind the sentence
  } else {
    m_difference->setDifferences(std::move(rows), isLoss(metric) ? tr("worse →") : tr("better →"));
  }
  m_difference->setCurrentRow(current);
}

/// Of the maps that both runs have in common a row with both; of one run its two maps.
void ResultsView::showScores() {
  std::vector<ScoreRow> rows;
  std::string metric;
  const Comparison::Results *a = m_comparison.results(Which::a), *b = m_comparison.results(Which::b);
  const bool isOne = m_comparison.side(Which::a).run == m_comparison.side(Which::b).run;
  const auto add = [&](const Comparison::Results& results, const Comparison::Map& map, bool isA) {
    const QString label = labelOf(results, map.map);
    const protocol::IntervalScore* score = scoreOf(map, results.metric);
    auto row = std::find_if(rows.begin(), rows.end(), [&](const ScoreRow& each) { return each.label == label; });
    if (row == rows.end()) row = rows.insert(rows.end(), ScoreRow{label, {}, {}});
    if (score != nullptr) (isA ? row->a : row->b) = intervalOf(*score);
  };
  if (a != nullptr) {
    metric = a->metric;
    for (const auto& map : a->maps) {
      if (!isOne || map.map == m_comparison.side(Which::a).map) add(*a, map, true);
    }
  }
  if (b != nullptr && m_comparison.side(Which::a) != m_comparison.side(Which::b)) {
    for (const auto& map : b->maps) {
      if (!isOne || map.map == m_comparison.side(Which::b).map) add(*b, map, false);
    }
  }
  const bool any = std::any_of(rows.begin(), rows.end(), [](const ScoreRow& row) { return row.a || row.b; });
  m_scores->setTitle(metric.empty() ? tr("Scores") : metricName(metric), metric.empty() ? QString() : unitOf(metric));
  m_scores->setDecimals(decimalsOf(metric));
  m_scores->setScores(any ? std::move(rows) : std::vector<ScoreRow>());
}

void ResultsView::showTable() {
  m_rows.clear();
  std::vector<QStringList> lines;
  QStringList measured;
  const auto results = [&](Which which) { return m_comparison.results(which); };
  const bool isOne = m_comparison.side(Which::a).run == m_comparison.side(Which::b).run;
  for (const Which which : {Which::a, Which::b}) {
    if (results(which) == nullptr || (which == Which::b && isOne)) continue;
    for (const auto& map : results(which)->maps) {
      for (const auto& score : map.scores) {
        const QString metric = QString::fromStdString(score.metric);
        if (!measured.contains(metric)) measured << metric;
      }
    }
  }
  const std::string compared = m_comparison.compared() != nullptr ? m_comparison.compared()->metric : std::string();
  bool hasP = false, hasAdjusted = false;
  for (const Comparison::Pair& pair :
       m_comparison.compared() != nullptr ? m_comparison.compared()->pairs : std::vector<Comparison::Pair>()) {
    hasP = hasP || pair.p;
    hasAdjusted = hasAdjusted || (pair.adjustedP && m_comparison.compared()->pairs.size() > 1);
  }
  int current = -1;
  for (const Which which : {Which::a, Which::b}) {
    const Comparison::Results* all = results(which);
    if (all == nullptr || (which == Which::b && isOne)) continue;
    for (const auto& map : all->maps) {
      const protocol::EvaluatedSide side{m_comparison.side(which).run, map.map};
      const bool isA = side == m_comparison.side(Which::a), isB = side == m_comparison.side(Which::b);
      const auto share = static_cast<std::int64_t>(all->maps.size());
      const std::int64_t wanted = all->all > 0 && share > 0 ? all->all / share : 0;
      QStringList line = {
          (isA   ? tr("A: %1")
           : isB ? tr("B: %1")
                 : QStringLiteral("%1"))
              .arg(nameOf(side)),
          wanted > map.n ? tr("%1 of %2").arg(formatCount(map.n), formatCount(wanted)) : formatCount(map.n)};
      const auto addScore = [&](const QString& metric) {
        const protocol::IntervalScore* score = scoreOf(map, metric.toStdString());
        line << (score != nullptr ? intervalText(*score) : notMeasured());
      };
      if (!measured.isEmpty()) addScore(measured.first());
      const Comparison::Pair* pair = m_comparison.pairOf(side);
      const bool isMeasured = pair != nullptr && pair->n > 0;
      if (!compared.empty()) {
        line << (isA          ? QStringLiteral("–")
                 : isMeasured ? differenceText(compared, pair->difference, pair->low, pair->high)
                              : notMeasured());
      }
      if (hasP) line << (isMeasured && pair->p ? shortChance(*pair->p) : QStringLiteral("–"));
      if (hasAdjusted) {
        line << (isMeasured && pair->adjustedP ? shortChance(*pair->adjustedP) : QStringLiteral("–"));
      }
      line << (map.kvBytesPerToken > 0 ? formatBytes(map.kvBytesPerToken) : notMeasured());
      for (const QString& metric : measured.mid(1)) addScore(metric);
      if (isB) current = static_cast<int>(lines.size());
      lines.push_back(line);
      m_rows.push_back(side);
    }
  }
  const auto scoreName = [](const QString& metric) {
    return tr("%1 (%2)").arg(metricName(metric.toStdString()), unitOf(metric.toStdString()));
  };
  QStringList names = {tr("Map"), tr("Answered")};
  if (!measured.isEmpty()) names << scoreName(measured.first());
  if (!compared.empty()) names << tr("Difference from A (%1)").arg(differenceUnit(compared));
  if (hasP) names << tr("McNemar's p");
  if (hasAdjusted) names << tr("p after Holm");
  names << tr("KV per token");
  for (const QString& metric : measured.mid(1)) names << scoreName(metric);
  m_table->setRows(names, std::move(lines));
  if (current >= 0) m_view->setCurrentIndex(m_table->index(current, 0));
  const int rows = static_cast<int>(m_rows.size());
  m_view->setVisible(rows > 0);
  m_view->setFixedHeight(m_view->header()->sizeHint().height() + rows * metrics().control +
                         m_view->horizontalScrollBar()->sizeHint().height());
}

}  // namespace strata
