#pragma once
// What serving a model needs in memory, by part. Before it answers: predicted for a number of chats, against what the
// device has free. Once chats hold caches: predicted and measured for exactly these.

#include <QWidget>
#include <cstdint>
#include <optional>

#include "core/protocol/model_messages.h"
#include "widgets/models/held_memory.h"

class QGridLayout;

namespace strata {

class Label;
class MemoryBar;

class MemorySection : public QWidget {
  Q_OBJECT

 public:
  using Estimate = protocol::EstimateMemory::Answer;
  explicit MemorySection(QWidget* parent = nullptr);

  /// `what`: "32k tokens x 1 chat at 50 %".
  void setPredicted(const std::optional<Estimate>& estimate, const QString& what);
  /// Bytes of the weights as loaded (nothing: it is not), and what its chats hold (nothing: there are none).
  void setLoaded(const std::optional<std::int64_t>& weights, const std::optional<HeldMemory>& held);
  /// Why it cannot be predicted.
  void setProblem(const QString& sentence);

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void refresh();
  void place(bool stacked);
  void fit();
  std::optional<Estimate> m_estimate;
  std::optional<std::int64_t> m_loaded;
  std::optional<HeldMemory> m_held;
  QString m_what, m_problem;
  Label* m_sentence;
  MemoryBar* m_bar;
  static constexpr int kRows = 5;
  QGridLayout* m_grid;
  bool m_stacked = false;
  Label* m_heads[2];
  QWidget* m_swatches[kRows] = {};
  Label* m_names[kRows];
  Label* m_numbers[kRows][2];  // predicted, measured
};

/// Whether it fits, in words.
QString fitSentence(const protocol::EstimateMemory::Answer& estimate);
/// Whether it fits: nothing where the free memory is not known.
std::optional<bool> fits(const protocol::EstimateMemory::Answer& estimate);

}  // namespace strata
