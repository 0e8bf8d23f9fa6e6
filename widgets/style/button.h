#pragma once
// Push buttons. A page has one accent button at most; quiet ones have no ground until the pointer is on them.

#include <QPushButton>

namespace strata {

enum class ButtonKind {
  plain,
  accent,
  quiet,   // flat: in bars, beside text, icons alone
  danger,  // plain, its text in `bad`
  link     // flat, its text in the accent colour
};

class Button : public QPushButton {
  Q_OBJECT

 public:
  explicit Button(const QString& text, ButtonKind kind = ButtonKind::plain, QWidget* parent = nullptr);

  ButtonKind kind() const { return m_kind; }
  void setKind(ButtonKind kind);
  /// 24 high, for rows and strips.
  bool compact() const { return m_compact; }
  void setCompact(bool compact);

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 private:
  ButtonKind m_kind;
  bool m_compact = false;
};

Button* makeButton(const QString& text, ButtonKind kind = ButtonKind::plain, QWidget* parent = nullptr);
/// A quiet button with an icon alone: `name` is its tooltip and accessible name, `shortcut` ("Ctrl+R") stands in the
/// tooltip and is not bound here.
Button* makeIconButton(const QString& iconName, const QString& name, const QString& shortcut = {},
                       QWidget* parent = nullptr);

/// A button of the rail: icon over word; the checked one has the accent edge.
class RailButton : public QAbstractButton {
  Q_OBJECT

 public:
  RailButton(const QString& iconName, const QString& word, QWidget* parent = nullptr);
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return sizeHint(); }

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;
};

}  // namespace strata
