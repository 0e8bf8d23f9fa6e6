#pragma once
// How long the rows of a data set are: a bar for each range of tokens, and a line where rows are cut.

#include <QWidget>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace strata {

struct LengthRange {
  std::int64_t from = 0, to = 0;  // tokens; `to` is not included
  std::int64_t rows = 0;
};

class LengthsChart : public QWidget {
  Q_OBJECT

 public:
  explicit LengthsChart(QWidget* parent = nullptr);
  ~LengthsChart() override;

  /// Ranges in rising order; `limit`: the tokens at which rows are cut, drawn in `warn` from there on.
  void setLengths(const std::vector<LengthRange>& ranges, std::optional<std::int64_t> limit = {});
  /// What the chart says, for people who do not see it: also its accessible description.
  QString summary() const;
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void fill();
  struct Private;
  std::unique_ptr<Private> m_private;
};

}  // namespace strata
