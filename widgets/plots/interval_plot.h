#pragma once
// Values with their intervals: a row for each label, a dot with a line on each side A and B; or paired differences
// around zero. Every value is written beside its dot.
//
//   auto* f1 = new IntervalPlot(tr("F1"), tr("%"), this);
//   f1->setScores({{tr("full cache"), Interval{88.2, 86.0, 90.1}, Interval{87.9, 85.7, 89.9}}, …});
//   f1->setDifferences({{tr("half"), Interval{-0.3, -1.1, 0.4}}, …}, tr("B - A"));
// Values are in the plot's unit. Up and Down choose a row. GUI thread.

#include <optional>
#include <vector>

#include "widgets/plots/plot_frame.h"

namespace strata {

struct Interval {
  double value = 0, low = 0, high = 0;  // low <= value <= high
};

struct ScoreRow {
  QString label;
  std::optional<Interval> a, b;  // nothing: not measured
};

struct DifferenceRow {
  QString label;
  std::optional<Interval> difference;
};

class IntervalPlot : public PlotFrame {
  Q_OBJECT

 public:
  explicit IntervalPlot(const QString& title, const QString& unit = {}, QWidget* parent = nullptr);
  ~IntervalPlot() override;

  void setScores(std::vector<ScoreRow> rows);
  /// `meaning`: what the sign says, "B - A"; it stands below the axis.
  void setDifferences(std::vector<DifferenceRow> rows, const QString& meaning);
  /// 1 by default.
  void setDecimals(int decimals);
  /// -1: none.
  int currentRow() const;
  void setCurrentRow(int row);

  QString summary() const override;
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 Q_SIGNALS:
  void currentRowChanged(int row);

 protected:
  void redraw() override;
  void refreshTable() override;
  TableText tableText() const override;
  bool isEmpty() const override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Private;
  std::unique_ptr<Private> m_private;
};

}  // namespace strata
