#include "widgets/models/memory_section.h"

#include <QGridLayout>
#include <QPainter>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kNumberWidth = kGapGroups * 6;
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
    return MemorySection::tr("Fits: needs %1, %2 free.")
        .arg(formatBytes(estimate.total), formatBytes(estimate.available));
  }
  return MemorySection::tr("Does not fit: needs %1, %2 free. Choose a shorter context, fewer chats or a smaller cache.")
      .arg(formatBytes(estimate.total), formatBytes(estimate.available));
}

MemorySection::MemorySection(QWidget* parent)
    : QWidget(parent), m_sentence(bodyLabel(QString(), this)), m_bar(new MemoryBar(this)) {
  setObjectName("memorySection");
  setAccessibleName(tr("Memory that the model needs"));
  m_sentence->setObjectName("memorySentence");
  m_bar->setObjectName("memoryPredictedBar");
  m_bar->setAccessibleName(tr("Predicted memory against what is free"));

  m_grid = new QGridLayout;
  m_grid->setHorizontalSpacing(kGapRelated);
  m_grid->setVerticalSpacing(kGapInside);
  const QString parts[kRows] = {tr("Weights"), tr("KV cache"), tr("KV used"), tr("Activations"), tr("In all")};
  const QString names[kRows] = {"weights", "kv", "kv-used", "activations", "total"};
  const QString columns[] = {tr("Predicted"), tr("Measured")};
  for (int column = 0; column < 2; ++column) {
    Label* head = captionLabel(columns[column], this);
    head->setWordWrap(false);
    head->setAlignment(Qt::AlignRight);
    m_heads[column] = head;
  }
  const int swatches[kRows] = {0, 1, -1, 2, -1};
  for (int row = 0; row < kRows; ++row) {
    m_names[row] = new Label(parts[row], row == kTotal ? TextRole::strong : TextRole::body, Tone::normal, this);
    if (swatches[row] >= 0) m_swatches[row] = new Swatch(swatches[row], this);
    for (int column = 0; column < 2; ++column) {
      auto* number = new Label(notMeasured(), TextRole::mono, Tone::second, this);
      number->setObjectName((column == 0 ? "predicted-" : "measured-") + names[row]);
      number->setAccessibleName(parts[row] + ", " + columns[column]);
      number->setAlignment(Qt::AlignRight);
      m_numbers[row][column] = number;
    }
  }
  for (const int column : {2, 3, 4}) m_grid->setColumnStretch(column, 1);
  for (const int column : {2, 3}) m_grid->setColumnMinimumWidth(column, kNumberWidth);
  place(false);

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(kGapRelated);
  layout->addWidget(sectionLabel(tr("Memory"), this));
  layout->addWidget(m_sentence);
  layout->addWidget(m_bar);
  layout->addLayout(m_grid);
  // Once the labels have taken the new font.
  followTheme(this, [this] { QTimer::singleShot(0, this, &MemorySection::fit); });
  refresh();
}

/// Stacked, a name stands above its two figures.
void MemorySection::place(bool stacked) {
  while (QLayoutItem* item = m_grid->takeAt(0)) delete item;
  for (int column = 0; column < 2; ++column) m_grid->addWidget(m_heads[column], 0, column + 2);
  for (int row = 0; row < kRows; ++row) {
    const int at = stacked ? 2 * row + 1 : row + 1;
    if (m_swatches[row] != nullptr) m_grid->addWidget(m_swatches[row], at, 0);
    m_grid->addWidget(m_names[row], at, 1, 1, stacked ? 3 : 1);
    for (int column = 0; column < 2; ++column) {
      m_grid->addWidget(m_numbers[row][column], stacked ? at + 1 : at, column + 2);
    }
  }
  m_stacked = stacked;
}

void MemorySection::fit() {
  int names = 0, numbers = kNumberWidth;
  for (int row = 0; row < kRows; ++row) {
    names = std::max(names, m_names[row]->sizeHint().width());
    for (const Label* number : m_numbers[row]) numbers = std::max(numbers, number->sizeHint().width());
  }
  const bool stacked = kGapRelated + names + 2 * numbers + 3 * m_grid->horizontalSpacing() > width();
  if (stacked != m_stacked) place(stacked);
}

void MemorySection::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  fit();
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

  fit();

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
