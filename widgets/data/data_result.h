#pragma once
// What a check found: the verdict, the counts, one rendered row, the lengths and what is left out.

#include <QWidget>
#include <map>
#include <string>

#include "core/protocol/data_messages.h"

class QBoxLayout;

namespace strata {

class Button;
class ColumnMapper;
class DataCheck;
class DataFigures;
class DroppedTable;
class ElidedLabel;
class Label;
class LengthsChart;
class RowPreview;

class DataResult : public QWidget {
  Q_OBJECT

 public:
  explicit DataResult(DataCheck& check, QWidget* parent = nullptr);

  /// The head alone: this path is being read, or could not be.
  void begin(const QString& path);
  /// What the check answered.
  void refresh();
  RowPreview* preview() const { return m_preview; }
  QSize minimumSizeHint() const override;

 Q_SIGNALS:
  void columnsWanted(const std::map<std::string, std::string>& columns);

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void arrange();
  void showMapper(bool shown);
  void showSign();
  QString verdict(const protocol::CheckData::Answer& answer) const;
  /// What training would leave out of it; empty: nothing.
  QString losses(const protocol::CheckData::Answer& answer) const;
  DataCheck& m_check;
  ElidedLabel *m_name, *m_path;
  Label *m_sign, *m_verdict;
  Button* m_mapButton;
  DataFigures* m_figures;
  RowPreview* m_preview;
  LengthsChart* m_lengths;
  DroppedTable* m_dropped;
  ColumnMapper* m_mapper;
  QWidget *m_lengthsBox, *m_side, *m_body;
  QBoxLayout* m_columns;
  Label* m_unread;
};

}  // namespace strata
