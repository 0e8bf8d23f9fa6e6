#pragma once
// What serving a model needs in memory: predicted, by part, against what the device has free; once it is loaded, what
// the engine counts beside it.

#include <QWidget>
#include <cstdint>
#include <optional>

#include "core/protocol/model_messages.h"

class QGridLayout;

namespace strata {

class Label;
class MemoryBar;

/// Bytes that the engine counted; what it cannot tell for this model alone is absent.
struct MeasuredMemory {
  std::int64_t weights = 0;
  std::optional<std::int64_t> kv, other;
};

class MemorySection : public QWidget {
  Q_OBJECT

 public:
  using Estimate = protocol::EstimateMemory::Answer;
  explicit MemorySection(QWidget* parent = nullptr);

  /// `what`: "32k tokens x 1 chat at 50 %".
  void setPredicted(const std::optional<Estimate>& estimate, const QString& what);
  /// Nothing: it is not loaded.
  void setMeasured(const std::optional<MeasuredMemory>& measured);
  /// Why it cannot be predicted.
  void setProblem(const QString& sentence);

 private:
  void refresh();
  std::optional<Estimate> m_estimate;
  std::optional<MeasuredMemory> m_measured;
  QString m_what, m_problem;
  Label* m_sentence;
  MemoryBar* m_bar;
  Label* m_numbers[4][2];  // weights, KV, activations, all; predicted, measured
};

/// Whether it fits, in words.
QString fitSentence(const protocol::EstimateMemory::Answer& estimate);
/// Whether it fits: nothing where the free memory is not known.
std::optional<bool> fits(const protocol::EstimateMemory::Answer& estimate);

}  // namespace strata
