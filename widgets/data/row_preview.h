#pragma once
// One row as the model will read it: its rendered text, with what is trained on tinted and underlined, and buttons to
// the next and the previous row.

#include <QWidget>

#include "core/protocol/data_messages.h"

class QTextEdit;

namespace strata {

class Button;
class DataCheck;
class Label;

class RowPreview : public QWidget {
  Q_OBJECT

 public:
  explicit RowPreview(DataCheck& check, QWidget* parent = nullptr);

  /// From the first row on.
  void restart();
  void go(std::int64_t row);
  std::int64_t current() const { return m_row; }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void refresh();
  void fill(const protocol::PreviewRow& row);
  DataCheck& m_check;
  std::int64_t m_row = 0;
  Label* m_counts;
  Label* m_legend;
  Button *m_previous, *m_next;
  QTextEdit* m_text;
};

}  // namespace strata
