#include "widgets/training/run_card.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QProgressBar>
#include <QVBoxLayout>
#include <algorithm>
#include <array>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/scrolled.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

using protocol::TrainMemory;

struct Part {
  const char* name;
  std::int64_t TrainMemory::*bytes;
  const char* objectName;
};
constexpr std::array<Part, 7> kParts = {{
    {QT_TRANSLATE_NOOP("strata::RunCard", "Weights"), &TrainMemory::weights, "weights"},
    {QT_TRANSLATE_NOOP("strata::RunCard", "Gradients"), &TrainMemory::gradients, "gradients"},
    {QT_TRANSLATE_NOOP("strata::RunCard", "Optimiser"), &TrainMemory::optimizer, "optimizer"},
    {QT_TRANSLATE_NOOP("strata::RunCard", "Activations"), &TrainMemory::activations, "activations"},
    {QT_TRANSLATE_NOOP("strata::RunCard", "Logits"), &TrainMemory::logits, "logits"},
    {QT_TRANSLATE_NOOP("strata::RunCard", "Process"), &TrainMemory::process, "process"},
    {QT_TRANSLATE_NOOP("strata::RunCard", "Peak"), &TrainMemory::total, "total"},
}};

QVBoxLayout* section(const QString& title, QVBoxLayout* into) {
  auto* column = new QVBoxLayout;
  column->setSpacing(kGapInside);
  column->addWidget(sectionLabel(title));
  into->addLayout(column);
  return column;
}

/// Of an estimate that knows whether it fits; `open`: bytes of the weights that are open in the engine.
QString fitSentence(const RunCard::Estimate& estimate, std::int64_t open) {
  const bool isHost = estimate.device == "cpu";
  const QString free = formatFree(estimate.available, estimate.device);
  const bool together = isHost && estimate.ranks > 1;
  if (*estimate.fits) {
    return (together ? RunCard::tr("Fits, even if all ranks run on this machine: %1.") : RunCard::tr("Fits: %1."))
        .arg(free);
  }
  const std::int64_t needed = (together ? estimate.ranks : 1) * estimate.memory.total;
  if (open > 0 && needed <= estimate.available + open) {
    return RunCard::tr("Does not fit beside the open models: %1, and the models hold %2.").arg(free, formatBytes(open));
  }
  return (together ? RunCard::tr("All ranks together do not fit on this machine: %1. Start fewer here, or "
                                 "choose a smaller micro-batch.")
                   : RunCard::tr("Does not fit: %1. Unload models, or choose a smaller micro-batch, a shorter "
                                 "length or activation checkpointing."))
      .arg(free);
}

}  // namespace

RunCard::RunCard(QWidget* parent) : Pane(Ground::surface, parent) {
  named(this, "runCard", tr("Run card"));
  auto* inside = new QWidget;
  auto* column = new QVBoxLayout(inside);
  column->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  column->setSpacing(kGapGroups);
  m_title = named(titleLabel({}), "runReady");
  m_summary = named(bodyLabel({}), "runSummary");
  auto* head = new QVBoxLayout;
  head->setSpacing(kGapInside);
  head->addWidget(m_title);
  head->addWidget(m_summary);
  column->addLayout(head);
  m_reasons = new QVBoxLayout;
  m_reasons->setSpacing(kGapRelated);
  column->addLayout(m_reasons);
  column->addWidget(buildMemory());
  column->addWidget(buildTime());
  m_disk = named(bodyLabel({}), "runDisk");
  section(tr("Disk"), column)->addWidget(m_disk);
  column->addStretch(1);

  auto* scroll = named(scrolled(inside), "runCardScroll", tr("Run card"));
  m_start = named(makeButton(tr("Start"), ButtonKind::accent), "startRun");
  m_startNote = named(captionLabel({}), "startNote");
  m_startNote->hide();
  auto* foot = new QVBoxLayout;
  foot->setContentsMargins(kGapGroups, kGapRelated, kGapGroups, kGapGroups);
  foot->setSpacing(kGapInside);
  foot->addWidget(m_start);
  foot->addWidget(m_startNote);
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(0, 0, 0, 0);
  outer->setSpacing(0);
  outer->addWidget(scroll, 1);
  outer->addLayout(foot);
  connect(m_start, &Button::clicked, this, &RunCard::startWanted);
  connect(m_measure, &Button::clicked, this,
          [this] { m_measuring ? Q_EMIT stopMeasuringWanted() : Q_EMIT measureWanted(); });
  setProblems({});
  setEstimate({});
  setProbe({});
}

QWidget* RunCard::buildMemory() {
  auto* part = new QWidget;
  auto* column = new QVBoxLayout(part);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapInside);
  column->addWidget(sectionLabel(tr("Memory")));
  auto* grid = new QGridLayout;
  grid->setHorizontalSpacing(kGapRelated);
  grid->setVerticalSpacing(2);
  grid->setColumnStretch(0, 1);
  grid->addWidget(new Label(tr("predicted"), TextRole::caption, Tone::second), 0, 1, Qt::AlignRight);
  m_measuredHead = new Label(tr("measured"), TextRole::caption, Tone::second);
  grid->addWidget(m_measuredHead, 0, 2, Qt::AlignRight);
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    const bool isTotal = i + 1 == kParts.size();
    const int row = static_cast<int>(i) + 1;
    grid->addWidget(new Label(tr(kParts[i].name), isTotal ? TextRole::strong : TextRole::body), row, 0);
    for (auto* labels : {&m_predicted, &m_measured}) {
      auto* label = new Label({}, TextRole::mono, isTotal ? Tone::normal : Tone::second);
      label->setObjectName(QString(labels == &m_predicted ? "predicted-" : "measured-") + kParts[i].objectName);
      grid->addWidget(label, row, labels == &m_predicted ? 1 : 2, Qt::AlignRight);
      labels->push_back(label);
    }
  }
  column->addLayout(grid);
  m_ranks = named(captionLabel({}), "runRanks");
  column->addWidget(m_ranks);
  m_fits = named(bodyLabel({}), "runFits");
  column->addWidget(m_fits);
  m_unload = named(makeButton(tr("Unload open models")), "unloadModels");
  m_unload->setToolTip(tr("Makes room for the run. A chat loads its model again with the next question."));
  m_unload->hide();
  connect(m_unload, &Button::clicked, this, &RunCard::unloadWanted);
  column->addWidget(m_unload, 0, Qt::AlignLeft);
  return part;
}

QWidget* RunCard::buildTime() {
  auto* part = new QWidget;
  auto* column = new QVBoxLayout(part);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapInside);
  column->addWidget(sectionLabel(tr("Time")));
  m_time = named(bodyLabel({}), "runTime");
  m_timeNote = named(captionLabel({}), "runTimeNote");
  m_bar = named(new QProgressBar, "probeBar", tr("Measuring"));
  m_bar->setTextVisible(false);
  m_bar->hide();
  m_measure = named(makeButton(tr("Measure two steps")), "measureRun");
  m_measure->setWhatsThis(tr(
      "Trains two steps in a process of its own and throws them away: then time and memory are known, not guessed."));
  column->addWidget(m_time);
  column->addWidget(m_timeNote);
  column->addWidget(m_bar);
  column->addWidget(m_measure, 0, Qt::AlignLeft);
  return part;
}

void RunCard::setSummary(const QString& sentence) {
  m_summary->setText(sentence);
}

void RunCard::setProblems(const QList<Problem>& problems) {
  const bool same = problems == m_problems && !m_title->text().isEmpty();
  m_problems = problems;
  m_title->setText(problems.isEmpty() ? tr("Ready") : tr("Not ready"));
  m_title->setTone(problems.isEmpty() ? Tone::good : Tone::warn);
  m_start->setEnabled(problems.isEmpty());
  if (same) return;
  while (QLayoutItem* item = m_reasons->takeAt(0)) {
    item->widget()->hide();
    item->widget()->deleteLater();
    delete item;
  }
  int number = 0;
  for (const Problem& problem : problems) {
    auto* reason = new QWidget;
    auto* column = new QVBoxLayout(reason);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* words = bodyLabel(problem.sentence);
    words->setObjectName(QString("reason-%1").arg(++number));
    words->setTone(Tone::warn);
    column->addWidget(words);
    if (!problem.field.isEmpty()) {
      auto* link =
          named(makeButton(tr("Go to the field"), ButtonKind::link), qPrintable(QString("reason-%1-go").arg(number)));
      link->setCompact(true);
      connect(link, &Button::clicked, this, [this, field = problem.field] { Q_EMIT fieldWanted(field); });
      column->addWidget(link, 0, Qt::AlignLeft);
    }
    m_reasons->addWidget(reason);
  }
}

void RunCard::setEstimate(const std::optional<Estimate>& estimate) {
  m_estimate = estimate;
  showMemory();
}

void RunCard::setRuns(int count) {
  m_runs = std::max(count, 1);
  showMemory();
  if (m_probe && !m_measuring) showTime();
}

void RunCard::setOpenModels(std::int64_t bytes) {
  m_open = bytes;
  showMemory();
}

void RunCard::setProbe(const std::optional<Probe>& probe) {
  m_probe = probe;
  showMemory();
  showTime();
}

void RunCard::showMemory() {
  const bool known = m_estimate && m_estimate->memory.total > 0;
  m_measuredHead->setVisible(m_probe.has_value());
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    m_predicted[i]->setText(known ? formatBytes(m_estimate->memory.*kParts[i].bytes) : QStringLiteral("–"));
    m_measured[i]->setVisible(m_probe.has_value());
    if (!m_probe) continue;
    const std::int64_t bytes = m_probe->peak.*kParts[i].bytes;
    // Measured logits are part of the activations.
    m_measured[i]->setText(bytes > 0 ? formatBytes(bytes) : QStringLiteral("–"));
  }
  const int ranks = known ? m_estimate->ranks : 1;
  m_ranks->setVisible(ranks != 1);
  m_ranks->setText(ranks > 1
                       ? tr("Memory of each of the %1 ranks that the launcher starts.").arg(ranks)
                       : tr("The launcher does not say how many ranks it starts; this is the memory of a run on one."));
  if (!known) {
    m_fits->setText(tr("Not known yet."));
    m_fits->setTone(Tone::second);
  } else if (!m_estimate->fits) {
    m_fits->setText(tr("What is free on %1 is not known.").arg(QString::fromStdString(m_estimate->device)));
    m_fits->setTone(Tone::second);
  } else {
    m_fits->setText(fitSentence(*m_estimate, m_open));
    m_fits->setTone(*m_estimate->fits ? Tone::normal : Tone::bad);
  }
  m_unload->setVisible(known && m_estimate->fits && !*m_estimate->fits && m_open > 0);
  if (!known) {
    m_disk->setText(QStringLiteral("–"));
    return;
  }
  const std::int64_t disk = m_runs * m_estimate->disk;
  const QString needed =
      (m_runs > 1 ? tr("%1 for the checkpoints of %n run(s)", nullptr, m_runs) : tr("%1 for checkpoints"))
          .arg(formatBytes(disk));
  const QString free = formatBytes(m_estimate->diskFree);
  const bool enough = m_estimate->diskFree == 0 || disk <= m_estimate->diskFree;
  m_disk->setTone(enough ? Tone::normal : Tone::bad);
  m_disk->setText(m_estimate->diskFree == 0 ? needed
                  : enough                  ? tr("%1, %2 free").arg(needed, free)
                           : tr("%1, but only %2 free. Make room, or choose another project.").arg(needed, free));
}

void RunCard::showTime() {
  if (!m_probe) {
    m_time->setText(tr("Not measured"));
    m_time->setTone(Tone::second);
    m_timeNote->setText({});
    m_timeNote->hide();
    return;
  }
  m_time->setText(
      (m_runs > 1 ? tr("%1 for each run of %2") : tr("%1 for %2"))
          .arg(formatTimeLeft(m_probe->seconds), tr("%n step(s)", nullptr, static_cast<int>(m_probe->steps))));
  m_time->setTone(Tone::normal);
  m_timeNote->setText(
      tr("%1 a step, %2; %3 of the positions are padding")
          .arg(formatSeconds(m_probe->stepS), formatSpeed(m_probe->tokensS), formatPercent(m_probe->padding)));
  m_timeNote->setTone(Tone::second);
  m_timeNote->show();
}

void RunCard::setMeasuring(bool measuring, const QString& stage, double part) {
  m_measuring = measuring;
  m_bar->setVisible(measuring);
  m_measure->setText(measuring ? tr("Stop measuring") : tr("Measure two steps"));
  if (!measuring) return showTime();
  m_bar->setRange(0, part < 0 ? 0 : 1000);
  if (part >= 0) m_bar->setValue(static_cast<int>(part * 1000));
  m_time->setText(stage.isEmpty() ? tr("Measuring") : stage);
  m_time->setTone(Tone::second);
  m_timeNote->hide();
}

void RunCard::setProbeProblem(const QString& sentence) {
  if (sentence.isEmpty()) return;
  m_timeNote->setText(sentence);
  m_timeNote->setTone(Tone::bad);
  m_timeNote->show();
}

void RunCard::setStartEnabled(bool enabled, const QString& why) {
  m_start->setEnabled(enabled && m_problems.isEmpty());
  m_startNote->setText(why);
  m_startNote->setVisible(!why.isEmpty());
}

void RunCard::setStartText(const QString& text) {
  m_start->setText(text);
}

}  // namespace strata
