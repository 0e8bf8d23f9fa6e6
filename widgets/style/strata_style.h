#pragma once
// Draws every control of the window, over Fusion's geometry. Holds the look that colors(), fonts() and metrics() read.
// Owned by the application.

#include <QPointer>
#include <QProxyStyle>

#include "widgets/style/theme.h"

namespace strata {

class StrataStyle : public QProxyStyle {
  Q_OBJECT

 public:
  explicit StrataStyle(Theme* theme = nullptr);

  const Look& look() const { return m_look; }
  void setLook(const Look& look) { m_look = look; }
  Theme* theme() const { return m_theme; }

  void polish(QWidget* widget) override;
  using QProxyStyle::polish;
  void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override;
  void drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                   const QWidget* widget) const override;
  void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                          const QWidget* widget) const override;
  QSize sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& size,
                         const QWidget* widget) const override;
  QRect subElementRect(SubElement element, const QStyleOption* option, const QWidget* widget) const override;
  QRect subControlRect(ComplexControl control, const QStyleOptionComplex* option, SubControl sub,
                       const QWidget* widget) const override;
  int pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const override;
  int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                QStyleHintReturn* answer) const override;

 private:
  Look m_look;
  QPointer<Theme> m_theme;
};

/// The application's, if it has one.
StrataStyle* strataStyle();

}  // namespace strata
