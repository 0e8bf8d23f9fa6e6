#pragma once
// What the two sides would have said at one token: read out here on hover, and walked through with the arrow keys.

#include "widgets/chat/differences.h"
#include "widgets/style/pane.h"

class QProgressBar;

namespace strata {

class Button;
class ElidedLabel;
class SegmentedButtons;

class DifferenceBar : public Pane {
  Q_OBJECT

 public:
  explicit DifferenceBar(Differences& differences, QWidget* parent = nullptr);
  /// Left and Right go through the tokens, Home to where the answers part.
  void keyPressEvent(QKeyEvent* event) override;
  QString readOut() const;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;

 private:
  void refresh();
  void showToken();
  Differences& m_differences;
  SegmentedButtons* m_text;
  ElidedLabel* m_summary;
  QProgressBar* m_progress;
  Button *m_stop, *m_before, *m_next, *m_first;
  ElidedLabel *m_token, *m_a, *m_b;
  QWidget* m_read;
};

}  // namespace strata
