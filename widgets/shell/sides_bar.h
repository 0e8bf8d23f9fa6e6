#pragma once
// The bar above the pages that compare: sides A and B, what their caches are for, and what their weights take.

#include <QWidget>

#include "widgets/session/session.h"

class QBoxLayout;
class QComboBox;
class QSpinBox;

namespace strata {

class Button;
class ElidedLabel;
class Label;
class SidePicker;

class SidesBar : public QWidget {
  Q_OBJECT

 public:
  explicit SidesBar(Session& session, QWidget* parent = nullptr);

  QSize minimumSizeHint() const override;

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void paintEvent(QPaintEvent* event) override;

 private:
  void show();
  void arrange();
  void fillContexts();
  QString weightsText(bool brief) const;

  Session& m_session;
  SidePicker *m_a, *m_b;
  Button *m_swap, *m_copy;
  QComboBox* m_context;
  QSpinBox* m_chats;
  Label* m_chatsUnit;
  Label* m_weights;
  QWidget *m_sides, *m_rest;
  QBoxLayout* m_layout;
};

}  // namespace strata
