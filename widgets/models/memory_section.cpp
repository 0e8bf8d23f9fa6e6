#include "widgets/models/memory_section.h"

#include <QGridLayout>
#include <QPainter>
#include <QVBoxLayout>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

enum MemoryRow { kWeights, kKv, kKvUsed, kActivations, kTotal };

/// The colour that a part has in the bar.
class Swatch : public QWidget {
 public:
  Swatch(int part, QWidget* parent) : QWidget(parent), m_part(part) { setFixedSize(kGapRelated, kGapRelated); }

 protected:
  void paintEvent(QPaintEvent*) override {
    const QColor inks[] = {colors().series[2], colors().series[3], colors().edge};
    QPainter(this).fillRect(rect(), inks[m_part]);
  }

 private:
  int m_part;
};

}  // namespace

std::optional<bool> fits(const protocol::EstimateMemory::Answer& estimate) {
  if (estimate.available <= 0) return std::nullopt;
  return estimate.total <= estimate.available;
}

QString fitSentence(const protocol::EstimateMemory::Answer& estimate) {
  const std::optional<bool> fit = fits(estimate);
  if (!fit) return MemorySection::tr("What the device has free is not known.");
  if (*fit) {
    return MemorySection::tr("Fits: needs %1 of the %2 that are free.")
        .arg(formatBytes(estimate.total), formatBytes(estimate.available));
  }
  return MemorySection::tr(
             "Does not fit: needs %1, and %2 are free. Take a shorter context, fewer chats or a smaller cache.")
      .arg(formatBytes(estimate.total), formatBytes(estimate.available));
}

MemorySection::MemorySection(QWidget* parent)
    : QWidget(parent), m_sentence(bodyLabel(QString(), this)), m_bar(new MemoryBar(this)) {
  setObjectName("memorySection");
  setAccessibleName(tr("Memory that the model needs"));
  m_sentence->setObjectName("memorySentence");
  m_bar->setObjectName("memoryPredictedBar");
  m_bar->setAccessibleName(tr("Predicted memory against what is free"));

  auto* grid = new QGridLayout;
  grid->setHorizontalSpacing(kGapRelated);
  grid->setVerticalSpacing(kGapInside);
  const QString parts[kRows] = {tr("Weights"), tr("KV cache"), tr("KV used"), tr("Activations"), tr("In all")};
  const QString names[kRows] = {"weights", "kv", "kv-used", "activations", "total"};
  const QString columns[] = {tr("Predicted"), tr("Measured")};
  for (int column = 0; column < 2; ++column) {
    Label* head = captionLabel(columns[column], this);
    head->setWordWrap(false);
    head->setAlignment(Qt::AlignRight);
    grid->addWidget(head, 0, column + 2);
  }
  const int swatches[kRows] = {0, 1, -1, 2, -1};
  for (int row = 0; row < kRows; ++row) {
    m_names[row] = new Label(parts[row], row == kTotal ? TextRole::strong : TextRole::body, Tone::normal, this);
    grid->addWidget(m_names[row], row + 1, 1);
    if (swatches[row] >= 0) grid->addWidget(new Swatch(swatches[row], this), row + 1, 0);
    for (int column = 0; column < 2; ++column) {
      auto* number = new Label(notMeasured(), TextRole::mono, Tone::second, this);
      number->setObjectName((column == 0 ? "predicted-" : "measured-") + names[row]);
      number->setAccessibleName(parts[row] + ", " + columns[column]);
      number->setAlignment(Qt::AlignRight);
      m_numbers[row][column] = number;
      grid->addWidget(number, row + 1, column + 2);
    }
  }
  for (const int column : {2, 3, 4}) grid->setColumnStretch(column, 1);
  grid->setColumnMinimumWidth(2, kGapGroups * 6);
  grid->setColumnMinimumWidth(3, kGapGroups * 6);

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(kGapRelated);
  layout->addWidget(sectionLabel(tr("Memory"), this));
  layout->addWidget(m_sentence);
  layout->addWidget(m_bar);
  layout->addLayout(grid);
  refresh();
}

void MemorySection::setPredicted(const std::optional<Estimate>& estimate, const QString& what) {
  m_estimate = estimate;
  m_what = what;
  m_problem.clear();
  refresh();
}

void MemorySection::setLoaded(const std::optional<std::int64_t>& weights, const std::optional<HeldMemory>& held) {
  m_loaded = weights;
  m_held = held;
  refresh();
}

void MemorySection::setProblem(const QString& sentence) {
  m_estimate.reset();
  m_problem = sentence;
  refresh();
}

void MemorySection::refresh() {
  MemoryFigures predicted, measured;
  if (m_held) {
    predicted = m_held->predicted;
    measured = m_held->measured;
  } else {
    if (m_estimate) predicted = {m_estimate->weights, m_estimate->kv, std::nullopt, m_estimate->activations};
    measured.weights = m_loaded;
  }
  const MemoryFigures& drawn = m_held ? measured : predicted;
  MemoryParts parts;
  parts.weights = drawn.weights;
  parts.kv = drawn.kv;
  parts.other = drawn.activations;
  if (m_estimate && m_estimate->available > 0) parts.total = m_estimate->available;
  m_bar->setParts(parts);

  m_names[kKv]->setText(m_held ? tr("KV reserved") : tr("KV cache"));
  m_names[kKvUsed]->setVisible(m_held.has_value());
  const MemoryFigures* const columns[] = {&predicted, &measured};
  for (int column = 0; column < 2; ++column) {
    const MemoryFigures& figures = *columns[column];
    const std::optional<std::int64_t> rows[kRows] = {figures.weights, figures.kv, figures.kvUsed, figures.activations,
                                                     figures.total()};
    for (int row = 0; row < kRows; ++row) {
      Label* number = m_numbers[row][column];
      number->setText(rows[row] ? formatBytes(rows[row]) : column == 0 ? tr("not predicted") : notMeasured());
      number->setTone(rows[row] ? Tone::normal : Tone::second);
    }
    m_numbers[kKvUsed][column]->setVisible(m_held.has_value());
  }

  m_sentence->setTone(Tone::normal);
  if (m_held) {
    m_sentence->setText(m_held->what);
  } else if (!m_problem.isEmpty()) {
    m_sentence->setText(m_problem);
    m_sentence->setTone(Tone::bad);
  } else if (m_estimate) {
    m_sentence->setText(tr("%1. %2").arg(m_what, fitSentence(*m_estimate)));
    if (!fits(*m_estimate).value_or(true)) m_sentence->setTone(Tone::bad);
  } else {
    m_sentence->setText(m_what);
    m_sentence->setTone(Tone::second);
  }
}

}  // namespace strata
