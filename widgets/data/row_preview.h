#pragma once
// Rows as the model will read them: the rendered text, with what is trained on tinted and underlined; as many from the
// current one on as there is room for, and buttons to the next and the previous.

#include <QWidget>

#include "core/protocol/data_messages.h"

class QTextCursor;
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
  void resizeEvent(QResizeEvent* event) override;

 private:
  void refresh();
  void fill();
  qsizetype insertParts(QTextCursor& cursor, const protocol::PreviewRow& row, qsizetype room);
  DataCheck& m_check;
  std::int64_t m_row = 0;
  int m_filledHeight = 0;  // of the pane when it was filled
  Label* m_counts;
  Label* m_legend;
  Button *m_previous, *m_next;
  QTextEdit* m_text;
};

}  // namespace strata
