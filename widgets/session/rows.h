#pragma once
// A list of values as a table model that changes only the rows that changed: views keep their selection and scroll
// position, and repaint nothing else.
//
//   class ModelTable : public Rows<protocol::ModelEntry> { … };
//   table.setRows(answer.models);   // removes, inserts, moves and changes what differs

#include <QAbstractTableModel>
#include <algorithm>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace strata {

template <class T>
class Rows : public QAbstractTableModel {
 public:
  using QAbstractTableModel::QAbstractTableModel;

  const std::vector<T>& rows() const { return m_rows; }
  int rowCount(const QModelIndex& parent = {}) const override {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
  }
  const T& at(int row) const { return m_rows[static_cast<std::size_t>(row)]; }
  /// -1: there is none.
  int rowOf(const std::string& key) const {
    const auto found = std::find_if(m_rows.begin(), m_rows.end(), [&](const T& row) { return keyOf(row) == key; });
    return found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
  }
  const T* find(const std::string& key) const {
    const int row = rowOf(key);
    return row < 0 ? nullptr : &at(row);
  }

 protected:
  /// What tells rows apart, whatever else of them changes.
  virtual std::string keyOf(const T& row) const = 0;

  void setRows(std::vector<T> wanted) {
    std::unordered_set<std::string> kept;
    // Of rows with one key the first: the engine may be another version, or wrong.
    std::erase_if(wanted, [&](const T& row) { return !kept.insert(keyOf(row)).second; });
    for (int row = rowCount() - 1; row >= 0; --row) {
      if (!kept.contains(keyOf(at(row)))) removeRow(row);
    }
    for (int row = 0; row < static_cast<int>(wanted.size()); ++row) {
      T& value = wanted[static_cast<std::size_t>(row)];
      const std::string key = keyOf(value);
      if (row >= rowCount() || keyOf(at(row)) != key) {
        const int from = rowOf(key);
        if (from < 0) {
          insertRow(row, std::move(value));
          continue;
        }
        moveRow(from, row);
      }
      changeRow(row, std::move(value));
    }
  }
  void insertRow(int row, T value) {
    beginInsertRows({}, row, row);
    m_rows.insert(m_rows.begin() + row, std::move(value));
    endInsertRows();
  }
  void changeRow(int row, T value) {
    T& now = m_rows[static_cast<std::size_t>(row)];
    if (now == value) return;
    now = std::move(value);
    Q_EMIT dataChanged(index(row, 0), index(row, columnCount() - 1));
  }
  void removeRow(int row) {
    beginRemoveRows({}, row, row);
    m_rows.erase(m_rows.begin() + row);
    endRemoveRows();
  }
  void moveRow(int from, int to) {
    if (from == to) return;
    beginMoveRows({}, from, from, {}, to > from ? to + 1 : to);
    const auto begin = m_rows.begin();
    if (from < to) {
      std::rotate(begin + from, begin + from + 1, begin + to + 1);
    } else {
      std::rotate(begin + to, begin + from, begin + from + 1);
    }
    endMoveRows();
  }

 private:
  std::vector<T> m_rows;
};

}  // namespace strata
