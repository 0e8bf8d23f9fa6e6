#pragma once
// A button that shows what is chosen and opens the choices; a long name is shortened, and whole in its tooltip.

#include "widgets/style/controls.h"

namespace strata {

class PickerButton : public Button {
  Q_OBJECT

 public:
  /// `subject`: what is chosen ("Model of side A"), for screen readers. `widest`: at 100 % text, in pixels.
  PickerButton(const QString& subject, int widest, QWidget* parent = nullptr);

  void setChoice(const QString& text, const QString& details = {});
  /// A choice that must not be shortened: a figure.
  void setWhole(bool whole);
  const QString& choice() const { return m_choice; }

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void initStyleOption(QStyleOptionButton* option) const override;
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  int around() const;
  void shorten();
  QString m_subject, m_choice, m_details;
  int m_widest;
  bool m_whole = false;
};

}  // namespace strata
