#pragma once
// The points of a plot as a table: a row for each x, a column for each series; with least and greatest where elements
// are buckets. For people who do not see the curves, and for CSV and the clipboard.

#include <QAbstractTableModel>
#include <QByteArray>
#include <functional>
#include <vector>

#include "widgets/plots/series_data.h"

namespace strata {

struct SeriesTableColumn {
  QString name;
  const SeriesData* data;
};

class SeriesTableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  using Format = std::function<QString(double)>;
  explicit SeriesTableModel(Format format, QObject* parent = nullptr);

  /// Series with points on that axis. Rows that are new at the end are inserted; anything else resets the table. Call
  /// it again before the event loop goes on where a series changed: the model reads the data that it was given.
  void refresh(PlotAxis axis, const std::vector<SeriesTableColumn>& columns);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  Format m_format;
  PlotAxis m_axis = PlotAxis::step;
  std::vector<SeriesTableColumn> m_columns;
  std::vector<double> m_x;  // of the rows
};

/// A name as a field of text: quoted in CSV where it must be.
QByteArray textField(QString name, char separator);
/// Lines of fields as text. Holds a copy, so it may run on another thread.
std::function<QByteArray(char separator)> linesText(std::vector<QStringList> lines);

/// The same as text, with a line of names first; every digit that tells a number from its neighbours. Holds copies, so
/// it may run on another thread.
std::function<QByteArray(char separator)> seriesText(PlotAxis axis, const std::vector<SeriesTableColumn>& columns);

}  // namespace strata
