#include "widgets/plots/series_table_model.h"

#include <QLocale>
#include <algorithm>
#include <cmath>

#include "widgets/plots/plot_ticks.h"

namespace strata {
namespace {

/// Every x of the columns once, in rising order.
std::vector<double> mergedX(PlotAxis axis, const std::vector<SeriesTableColumn>& columns) {
  std::vector<double> merged;
  for (const SeriesTableColumn& column : columns) {
    const std::vector<double>& x = column.data->columns().x(axis);
    std::vector<double> both;
    both.reserve(merged.size() + x.size());
    std::set_union(merged.begin(), merged.end(), x.begin(), x.end(), std::back_inserter(both));
    merged = std::move(both);
  }
  merged.erase(std::unique(merged.begin(), merged.end()), merged.end());
  return merged;
}

QByteArray number(double value) {
  return std::isnan(value) ? QByteArray("nan") : QByteArray::number(value, 'g', QLocale::FloatingPointShortest);
}

struct TextColumn {
  QString name;
  std::vector<double> x, value, min, max;
};

QByteArray written(const QString& xName, const std::vector<TextColumn>& columns, char separator) {
  QByteArray text = textField(xName, separator);
  for (const TextColumn& column : columns) {
    text += separator + textField(column.name, separator);
    if (column.min.empty()) continue;
    text += separator + textField(column.name + QLatin1String(" min"), separator);
    text += separator + textField(column.name + QLatin1String(" max"), separator);
  }
  text += '\n';
  std::vector<std::size_t> next(columns.size(), 0);
  for (;;) {
    double x = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (next[i] < columns[i].x.size()) x = std::min(x, columns[i].x[next[i]]);
    }
    if (std::isinf(x)) return text;
    text += number(x);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const TextColumn& column = columns[i];
      const std::size_t at = next[i];
      const bool has = at < column.x.size() && column.x[at] == x;
      text += separator + (has ? number(column.value[at]) : QByteArray());
      if (!column.min.empty()) {
        text += separator + (has ? number(column.min[at]) : QByteArray());
        text += separator + (has ? number(column.max[at]) : QByteArray());
      }
      if (has) ++next[i];
    }
    text += '\n';
  }
}

}  // namespace

QByteArray textField(QString name, char separator) {
  if (separator == '\t') return name.replace(u'\t', u' ').replace(u'\n', u' ').toUtf8();
  if (!name.contains(u',') && !name.contains(u'"') && !name.contains(u'\n')) return name.toUtf8();
  return '"' + name.replace(u'"', QLatin1String("\"\"")).toUtf8() + '"';
}

SeriesTableModel::SeriesTableModel(Format format, QObject* parent)
    : QAbstractTableModel(parent), m_format(std::move(format)) {}

void SeriesTableModel::refresh(PlotAxis axis, const std::vector<SeriesTableColumn>& columns) {
  const auto sameColumn = [](const SeriesTableColumn& a, const SeriesTableColumn& b) {
    return a.data == b.data && a.name == b.name;
  };
  std::vector<double> x = mergedX(axis, columns);
  const bool grown = axis == m_axis && x.size() >= m_x.size() && !m_x.empty() &&
                     std::equal(columns.begin(), columns.end(), m_columns.begin(), m_columns.end(), sameColumn) &&
                     std::equal(m_x.begin(), m_x.end(), x.begin());
  if (grown) {
    if (x.size() == m_x.size()) return;
    beginInsertRows({}, static_cast<int>(m_x.size()), static_cast<int>(x.size()) - 1);
    m_x = std::move(x);
    return endInsertRows();
  }
  beginResetModel();
  m_axis = axis;
  m_columns = columns;
  m_x = std::move(x);
  endResetModel();
}

int SeriesTableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_x.size());
}

int SeriesTableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_columns.size()) + 1;
}

QVariant SeriesTableModel::data(const QModelIndex& index, int role) const {
  if (role == Qt::TextAlignmentRole) return static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);
  if (role != Qt::DisplayRole || !index.isValid()) return {};
  const double x = m_x[static_cast<std::size_t>(index.row())];
  if (index.column() == 0) return m_axis == PlotAxis::seconds ? formatFigure(x) : formatTick(x, 1);
  const SeriesData& series = *m_columns[static_cast<std::size_t>(index.column()) - 1].data;
  const std::vector<double>& all = series.columns().x(m_axis);
  const auto found = std::lower_bound(all.begin(), all.end(), x);
  if (found == all.end() || *found != x) return {};
  const auto element = static_cast<std::size_t>(found - all.begin());
  const QString value = m_format(series.at(SeriesLine::raw, element));
  const Extent extent = series.extent(SeriesLine::raw, element, element + 1);
  if (!series.bucketed() || !(extent.min < extent.max)) return value;
  return tr("%1 (%2 to %3)").arg(value, m_format(extent.min), m_format(extent.max));
}

QVariant SeriesTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole) return static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);
  if (role != Qt::DisplayRole) return {};
  if (section == 0) return nameOf(m_axis);
  return m_columns[static_cast<std::size_t>(section) - 1].name;
}

std::function<QByteArray(char separator)> linesText(std::vector<QStringList> lines) {
  return [lines = std::move(lines)](char separator) {
    QByteArray text;
    for (const QStringList& line : lines) {
      for (int i = 0; i < line.size(); ++i)
        text += (i > 0 ? QByteArray(1, separator) : QByteArray()) + textField(line[i], separator);
      text += '\n';
    }
    return text;
  };
}

std::function<QByteArray(char separator)> seriesText(PlotAxis axis, const std::vector<SeriesTableColumn>& columns) {
  std::vector<TextColumn> copies;
  for (const SeriesTableColumn& column : columns) {
    const PlotColumns& data = column.data->columns();
    copies.push_back({column.name, data.x(axis), data.value, data.min, data.max});
  }
  return
      [xName = nameOf(axis), copies = std::move(copies)](char separator) { return written(xName, copies, separator); };
}

}  // namespace strata
