#include "widgets/evaluation/comparison_chooser.h"

#include <QAbstractItemView>
#include <QComboBox>
#include <QVBoxLayout>

#include "core/protocol/job_kinds.h"
#include "widgets/evaluation/evaluation_words.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kRunCharacters = 22, kMapCharacters = 9;

QString runText(Session& session, const protocol::JobInfo& job) {
  const QString name = job.name.empty() ? session.modelName(knownModel(session, job.model, {})) : RunTable::title(job);
  return ComparisonChooser::tr("%1, %2").arg(name, timeText(job.created));
}

/// Questions that a side has in common with another are of one task and data.
bool isAlike(const protocol::JobInfo& job, const protocol::JobInfo* other) {
  return other == nullptr || (job.task == other->task && job.data == other->data);
}

}  // namespace

QComboBox* narrowChoice(const char* name, const QString& accessibleName, int characters) {
  auto* box = named(new QComboBox, name, accessibleName);
  box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  box->setMinimumContentsLength(characters);
  QObject::connect(box, &QComboBox::currentTextChanged, box,
                   [box](const QString& text) { box->setToolTip(tipOf(text)); });
  return box;
}

ComparisonChooser::ComparisonChooser(Session& session, Comparison& comparison, QWidget* parent)
    : QWidget(parent), m_session(session), m_comparison(comparison) {
  named(this, "comparisonChooser", tr("What is compared"));
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapRelated);
  QWidget* a = buildSide(Which::a);
  column->addWidget(new FoldingRow(a, buildSide(Which::b)));
  for (const Which which : {Which::a, Which::b}) column->addWidget(buildProgress(which));
  connect(&comparison, &Comparison::changed, this, &ComparisonChooser::fill);
  connect(&comparison, &Comparison::sidesChanged, this, &ComparisonChooser::fill);
  connect(&session.runs(), &RunTable::changed, this, &ComparisonChooser::fill);
  connect(&session.models(), &ModelTable::changed, this, &ComparisonChooser::fill);
  fill();
}

QWidget* ComparisonChooser::buildSide(Which which) {
  const bool isA = which == Which::a;
  Row& one = row(which);
  one.run = narrowChoice(isA ? "comparedRunA" : "comparedRunB", isA ? tr("Evaluation of A") : tr("Evaluation of B"),
                         kRunCharacters);
  one.map = narrowChoice(isA ? "comparedMapA" : "comparedMapB", isA ? tr("Map of A") : tr("Map of B"), kMapCharacters);
  one.run->setWhatsThis(isA ? tr("The evaluation that is compared with.")
                            : tr("The evaluation that is compared; of the same questions as the other side's."));
  one.map->setWhatsThis(tr("One of the maps that this evaluation measured."));
  auto* badge = new SideBadge(isA ? BadgeSide::a : BadgeSide::b);
  QWidget* whole = rowOf({badge, one.run, one.map});
  auto* layout = static_cast<QHBoxLayout*>(whole->layout());
  layout->setStretchFactor(one.run, 3);
  layout->setStretchFactor(one.map, 2);
  whole->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  connect(one.run, &QComboBox::activated, this, [this, which] {
    row(which).map->setCurrentIndex(-1);
    choose(which);
  });
  connect(one.map, &QComboBox::activated, this, [this, which] { choose(which); });
  return whole;
}

QWidget* ComparisonChooser::buildProgress(Which which) {
  const bool isA = which == Which::a;
  Row& one = row(which);
  one.state = named(new ElidedLabel({}, TextRole::body, Tone::second), isA ? "progressA" : "progressB");
  one.stop = named(makeButton(tr("Stop")), isA ? "stopA" : "stopB",
                   isA ? tr("Stop the evaluation of A") : tr("Stop the evaluation of B"));
  one.stop->setToolTip(
      tr("Ends after the questions that are being asked; what is scored stays, and it can go on later"));
  one.resume = named(makeButton(tr("Resume")), isA ? "resumeA" : "resumeB",
                     isA ? tr("Resume the evaluation of A") : tr("Resume the evaluation of B"));
  one.resume->setToolTip(tr("Asks the questions that have no answer yet"));
  for (Button* button : {one.stop, one.resume}) button->setCompact(true);
  one.progress = rowOf({new SideBadge(isA ? BadgeSide::a : BadgeSide::b), one.state, one.stop, one.resume});
  static_cast<QHBoxLayout*>(one.progress->layout())->setStretchFactor(one.state, 1);
  one.progress->hide();
  connect(one.stop, &Button::clicked, this, [this, which] { m_session.runs().stop(m_comparison.side(which).run); });
  connect(one.resume, &Button::clicked, this,
          [this, which] { Q_EMIT resumeWanted(QString::fromStdString(m_comparison.side(which).run)); });
  return one.progress;
}

void ComparisonChooser::fill() {
  for (const Which which : {Which::a, Which::b}) {
    fillSide(which);
    showProgress(which);
  }
}

void ComparisonChooser::fillSide(Which which) {
  Row& one = row(which);
  const protocol::EvaluatedSide& side = m_comparison.side(which);
  const protocol::JobInfo* other = which == Which::b ? m_session.runs().find(m_comparison.side(Which::a).run) : nullptr;
  QList<QPair<QString, QString>> runs;
  for (const protocol::JobInfo& job : m_session.runs().rows()) {
    if (job.kind != kEvalKind || !isAlike(job, other)) continue;
    runs.append({runText(m_session, job), QString::fromStdString(job.id)});
  }
  QList<QPair<QString, QString>> maps;
  if (const Comparison::Results* all = m_comparison.results(which)) {
    const QStringList labels = mapLabels(all->maps);
    for (std::size_t i = 0; i < all->maps.size(); ++i) {
      maps.append({labels[static_cast<qsizetype>(i)], QString::fromStdString(all->maps[i].map)});
    }
  }
  const auto show = [](QComboBox* box, const QList<QPair<QString, QString>>& entries, const std::string& current) {
    QList<QPair<QString, QString>> now;
    for (int i = 0; i < box->count(); ++i) now.append({box->itemText(i), box->itemData(i).toString()});
    if (now != entries && !box->view()->isVisible()) {
      box->clear();
      for (const auto& [text, value] : entries) box->addItem(text, value);
    }
    box->setCurrentIndex(box->findData(QString::fromStdString(current)));
    box->setEnabled(box->count() > 0);
  };
  show(one.run, runs, side.run);
  show(one.map, maps, side.map);
}

void ComparisonChooser::showProgress(Which which) {
  Row& one = row(which);
  const std::string& run = m_comparison.side(which).run;
  const protocol::JobInfo* job = m_session.runs().find(run);
  const bool isSame = which == Which::b && run == m_comparison.side(Which::a).run;
  const bool isOver = job == nullptr || job->state == "done";
  one.progress->setVisible(!isSame && !isOver);
  if (isSame || isOver) return;
  const bool isAlive = job->alive || job->state == "queued";
  QStringList parts = {m_session.runs().stopping(run) ? tr("stopping") : RunTable::stateText(*job)};
  const QString count = tr("%1 answer(s)", nullptr, pluralOf(job->step)).arg(formatCount(job->step));
  parts << (job->steps > 0 ? tr("%1 of %2").arg(formatCount(job->step), formatCount(job->steps)) : count);
  if (job->alive && job->secondsLeft >= 0) parts << tr("%1 left").arg(formatTimeLeft(job->secondsLeft));
  if (!isAlive && !job->message.empty()) parts << QString::fromStdString(job->message);
  one.state->setText(parts.join(QStringLiteral(" · ")));
  one.state->setTone(job->state == "failed" ? Tone::bad : Tone::second);
  one.stop->setVisible(isAlive);
  one.resume->setVisible(!isAlive);
  const bool ready = m_session.engine().ready();
  one.stop->setEnabled(ready && !m_session.runs().stopping(run));
  one.resume->setEnabled(ready);
}

void ComparisonChooser::choose(Which which) {
  std::array<protocol::EvaluatedSide, 2> sides = {m_comparison.side(Which::a), m_comparison.side(Which::b)};
  protocol::EvaluatedSide& changed = sides[which == Which::a ? 0 : 1];
  changed.run = row(which).run->currentData().toString().toStdString();
  changed.map = row(which).map->currentData().toString().toStdString();
  // A side B of other questions cannot stay.
  const protocol::JobInfo* a = m_session.runs().find(sides[0].run);
  const protocol::JobInfo* b = m_session.runs().find(sides[1].run);
  if (a != nullptr && b != nullptr && !isAlike(*b, a)) sides[1] = {};
  m_comparison.choose(sides[0], sides[1]);
  Q_EMIT chosen();
}

}  // namespace strata
