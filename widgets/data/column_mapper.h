#pragma once
// Which key of a record stands for what, where the names are not the usual ones: a combo box for each role of the
// chosen kind of data.

#include <QWidget>
#include <map>
#include <string>
#include <vector>

#include "core/protocol/data_messages.h"

class QComboBox;
class QGridLayout;

namespace strata {

class Button;
class Field;
class Label;
class SegmentedButtons;

class ColumnMapper : public QWidget {
  Q_OBJECT

 public:
  using Columns = std::map<std::string, std::string>;
  explicit ColumnMapper(QWidget* parent = nullptr);

  /// `keys`: of the first record, with their values. `columns`: as they are mapped now.
  void show(const std::vector<protocol::DataKey>& keys, const Columns& columns);
  /// As the combo boxes stand.
  Columns columns() const;
  /// Why they cannot be used yet; empty: they can.
  QString problem() const;

 Q_SIGNALS:
  void wanted(const strata::ColumnMapper::Columns& columns);
  /// Back to recognising the keys.
  void cleared();

 private:
  void build(int kind);
  void refresh();
  /// The first record's value of what a box names; "" where it is no key.
  QString sampleOf(const QString& key) const;
  std::vector<protocol::DataKey> m_keys;
  Columns m_columns;
  int m_kind = 0;
  std::map<std::string, QComboBox*> m_boxes;
  std::map<std::string, Field*> m_fields;
  SegmentedButtons* m_kinds;
  QGridLayout* m_grid;
  Label* m_problem;
  Button* m_use;
  Button* m_clear;
};

}  // namespace strata
