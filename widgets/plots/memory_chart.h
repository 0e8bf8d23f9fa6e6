#pragma once
// Memory over time, stacked: weights, KV, other; and a line at what the device has. Keeps the last `span` seconds.

#include <QWidget>
#include <memory>

#include "widgets/style/memory_bar.h"

namespace strata {

class MemoryChart : public QWidget {
  Q_OBJECT

 public:
  explicit MemoryChart(QWidget* parent = nullptr);
  ~MemoryChart() override;

  /// Seconds shown; 600 at first.
  void setSpan(double seconds);
  /// `seconds`: of a clock that only rises.
  void add(double seconds, const MemoryParts& parts);
  void clear();
  QString summary() const;
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 private:
  void redraw();
  struct Private;
  std::unique_ptr<Private> m_private;
};

}  // namespace strata
