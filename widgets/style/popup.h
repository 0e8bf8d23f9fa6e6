#pragma once
// A pane that opens beside the control that asked for it, and closes by Esc or a click elsewhere.
//
//   auto* popup = new Popup(this);
//   popup->content()->addWidget(…);
//   popup->openAt(button);

#include <QPointer>
#include <QVBoxLayout>
#include <QWidget>

namespace strata {

class Popup : public QWidget {
  Q_OBJECT

 public:
  explicit Popup(QWidget* parent);

  QVBoxLayout* content() const { return m_content; }
  /// Below the anchor, or above it where there is no room; inside the window's screen. The focus returns to the anchor.
  void openAt(QWidget* anchor);
  /// In the middle of the upper part of a widget.
  void openOver(QWidget* area);

 Q_SIGNALS:
  void closed();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void hideEvent(QHideEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void place();
  QVBoxLayout* m_content;
  QPointer<QWidget> m_anchor;
  bool m_over = false;
};

}  // namespace strata
