#include "widgets/models/memory_section.h"

#include <QGridLayout>
#include <QPainter>
#include <QVBoxLayout>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

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
  const QString parts[] = {tr("Weights"), tr("KV cache"), tr("Activations"), tr("In all")};
  const QString names[] = {"weights", "kv", "activations", "total"};
  const QString columns[] = {tr("Predicted"), tr("Measured")};
  for (int column = 0; column < 2; ++column) {
    Label* head = captionLabel(columns[column], this);
    head->setWordWrap(false);
    head->setAlignment(Qt::AlignRight);
    grid->addWidget(head, 0, column + 2);
  }
  for (int row = 0; row < 4; ++row) {
    grid->addWidget(new Label(parts[row], row == 3 ? TextRole::strong : TextRole::body, Tone::normal, this), row + 1,
                    1);
    if (row < 3) grid->addWidget(new Swatch(row, this), row + 1, 0);
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

void MemorySection::setMeasured(const std::optional<MeasuredMemory>& measured) {
  m_measured = measured;
  refresh();
}

void MemorySection::setProblem(const QString& sentence) {
  m_estimate.reset();
  m_problem = sentence;
  refresh();
}

void MemorySection::refresh() {
  MemoryParts parts;
  std::optional<std::int64_t> predicted[4], measured[4];
  if (m_estimate) {
    predicted[0] = parts.weights = m_estimate->weights;
    predicted[1] = parts.kv = m_estimate->kv;
    predicted[2] = parts.other = m_estimate->activations;
    predicted[3] = m_estimate->total;
    if (m_estimate->available > 0) parts.total = m_estimate->available;
  }
  if (m_measured) {
    measured[0] = m_measured->weights;
    measured[1] = m_measured->kv;
    measured[2] = m_measured->other;
    if (m_measured->kv && m_measured->other) measured[3] = m_measured->weights + *m_measured->kv + *m_measured->other;
  }
  for (int row = 0; row < 4; ++row) {
    m_numbers[row][0]->setText(predicted[row] ? formatBytes(predicted[row]) : tr("not predicted"));
    m_numbers[row][0]->setTone(predicted[row] ? Tone::normal : Tone::second);
    m_numbers[row][1]->setText(measured[row] ? formatBytes(measured[row]) : notMeasured());
    m_numbers[row][1]->setTone(measured[row] ? Tone::normal : Tone::second);
  }
  m_bar->setParts(parts);
  if (!m_problem.isEmpty()) {
    m_sentence->setText(m_problem);
    m_sentence->setTone(Tone::bad);
  } else if (m_estimate) {
    m_sentence->setText(tr("%1. %2").arg(m_what, fitSentence(*m_estimate)));
    m_sentence->setTone(fits(*m_estimate).value_or(true) ? Tone::normal : Tone::bad);
  } else {
    m_sentence->setText(m_what);
    m_sentence->setTone(Tone::second);
  }
}

}  // namespace strata
