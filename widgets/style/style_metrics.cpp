// StrataStyle's sizes, places and hints.

#include <QAbstractItemView>
#include <QMenu>

#include "widgets/style/strata_style.h"
#include "widgets/style/style_drawing.h"
#include "widgets/style/style_painters.h"

namespace strata {
namespace {

constexpr int kScrollBar = 12;
constexpr int kShortestThumb = 32;

}  // namespace

QSize StrataStyle::sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& size,
                                    const QWidget* widget) const {
  const Metrics& sizes = m_look.metrics;
  switch (type) {
    case CT_PushButton:
      return {std::max(size.width() + 2 * 12, scaled(64)), sizes.control};
    case CT_LineEdit:
      return {size.width() + 2 * kGapInside, sizes.control};
    case CT_ComboBox:
      return {size.width() + sizes.icon + 2 * kGapRelated + kGapInside, sizes.control};
    case CT_SpinBox:
      return {size.width() + 2 * kGapRelated, sizes.control};
    case CT_CheckBox:
    case CT_RadioButton: {
      const QSize fusion = QProxyStyle::sizeFromContents(type, option, size, widget);
      return {fusion.width() + kGapRelated, std::max(fusion.height(), sizes.control)};
    }
    case CT_ToolButton:
      return {std::max(size.width() + 2 * kGapInside, sizes.control), sizes.control};
    case CT_MenuItem: {
      const auto* item = qstyleoption_cast<const QStyleOptionMenuItem*>(option);
      if (item == nullptr) break;
      if (item->menuItemType == QStyleOptionMenuItem::Separator) return {size.width(), kGapRelated + 1};
      const bool signs = item->maxIconWidth > 0 || item->menuHasCheckableItems;
      int width = 2 * (kGapRelated + kGapInside) + kGapGroups + (signs ? sizes.icon + kGapRelated : 0);
      for (const QString& half : item->text.split(u'\t')) {
        width += QFontMetrics(item->font).horizontalAdvance(paint::withoutMnemonic(half));
      }
      if (item->text.contains(u'\t')) width += kGapSections;
      return {width, sizes.control};
    }
    case CT_ItemViewItem: {
      const QSize item = QProxyStyle::sizeFromContents(type, option, size, widget);
      return {item.width() + 2 * kGapInside, std::max(item.height(), sizes.control)};
    }
    case CT_HeaderSection: {
      const auto* header = qstyleoption_cast<const QStyleOptionHeader*>(option);
      if (header == nullptr) break;
      const int sign = header->sortIndicator != QStyleOptionHeader::None ? sizes.icon : 0;
      return {header->fontMetrics.horizontalAdvance(header->text.simplified()) + 2 * kGapRelated + 2 + sign,
              sizes.compactRow};
    }
    case CT_Slider: {
      const auto* slider = qstyleoption_cast<const QStyleOptionSlider*>(option);
      const bool across = slider == nullptr || slider->orientation == Qt::Horizontal;
      return across ? QSize(size.width(), sizes.control) : QSize(sizes.control, size.height());
    }
    case CT_ProgressBar:
      return {std::max(size.width(), scaled(80)), scaled(16)};
    default:
      break;
  }
  return QProxyStyle::sizeFromContents(type, option, size, widget);
}

QRect StrataStyle::subElementRect(SubElement element, const QStyleOption* option, const QWidget* widget) const {
  switch (element) {
    case SE_LineEditContents: {
      const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(option);
      if (frame == nullptr || frame->lineWidth <= 0) return option->rect;
      return option->rect.adjusted(kGapInside + 2, 0, -kGapInside - 2, 0);
    }
    default:
      break;
  }
  return QProxyStyle::subElementRect(element, option, widget);
}

QRect StrataStyle::subControlRect(ComplexControl control, const QStyleOptionComplex* option, SubControl sub,
                                  const QWidget* widget) const {
  const QRect& r = option->rect;
  if (control == CC_ComboBox) {
    const int arrow = m_look.metrics.icon + kGapInside + 2;
    if (sub == SC_ComboBoxEditField) {
      const auto* combo = qstyleoption_cast<const QStyleOptionComboBox*>(option);
      // A line edit brings 2 px of its own.
      const int left = combo != nullptr && combo->editable ? kGapRelated - 2 : kGapRelated;
      return r.adjusted(left, 2, -arrow - kGapInside, -2);
    }
    if (sub == SC_ComboBoxArrow) return {r.right() - arrow + 1, r.top(), arrow, r.height()};
    if (sub == SC_ComboBoxListBoxPopup) return r;
  }
  if (control == CC_SpinBox) {
    if (sub == SC_SpinBoxEditField) return r.adjusted(kGapRelated - 2, 2, -kGapRelated + 2, -2);
    if (sub == SC_SpinBoxUp || sub == SC_SpinBoxDown) return {};
  }
  if (control == CC_ScrollBar) {
    const auto* bar = qstyleoption_cast<const QStyleOptionSlider*>(option);
    if (bar == nullptr) return QProxyStyle::subControlRect(control, option, sub, widget);
    const bool across = bar->orientation == Qt::Horizontal;
    const int length = across ? r.width() : r.height();
    const qint64 range = qint64(bar->maximum) - bar->minimum;
    int thumb = length;
    if (range > 0) {
      thumb = static_cast<int>(qint64(bar->pageStep) * length / std::max<qint64>(1, range + bar->pageStep));
      thumb = std::clamp(thumb, std::min(kShortestThumb, length), length);
    }
    const int start =
        sliderPositionFromValue(bar->minimum, bar->maximum, bar->sliderPosition, length - thumb, bar->upsideDown);
    const auto along = [&](int from, int size) {
      return across ? QRect(r.left() + from, r.top(), size, r.height())
                    : QRect(r.left(), r.top() + from, r.width(), size);
    };
    QRect part;
    switch (sub) {
      case SC_ScrollBarGroove:
        part = r;
        break;
      case SC_ScrollBarSlider:
        part = along(start, thumb);
        break;
      case SC_ScrollBarSubPage:
        part = along(0, start);
        break;
      case SC_ScrollBarAddPage:
        part = along(start + thumb, length - start - thumb);
        break;
      default:
        return {};  // no arrows
    }
    return visualRect(bar->direction, r, part);
  }
  return QProxyStyle::subControlRect(control, option, sub, widget);
}

int StrataStyle::pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const {
  switch (metric) {
    case PM_DefaultFrameWidth:
      // Wide enough that a text's square corners stay inside the round ones.
      if (isTextEdit(widget)) return 3;
      return 1;
    case PM_ButtonMargin:
      return 2 * kGapInside;
    case PM_ButtonShiftHorizontal:
    case PM_ButtonShiftVertical:
      return 0;
    case PM_ButtonIconSize:
    case PM_SmallIconSize:
    case PM_ListViewIconSize:
    case PM_ToolBarIconSize:
      return m_look.metrics.icon;
    case PM_IndicatorWidth:
    case PM_IndicatorHeight:
    case PM_ExclusiveIndicatorWidth:
    case PM_ExclusiveIndicatorHeight:
      return scaled(16);
    case PM_CheckBoxLabelSpacing:
    case PM_RadioButtonLabelSpacing:
      return kGapRelated;
    case PM_ScrollBarExtent:
      return kScrollBar;
    case PM_ScrollBarSliderMin:
      return kShortestThumb;
    case PM_ScrollView_ScrollBarSpacing:
    case PM_ScrollView_ScrollBarOverlap:
      return 0;
    case PM_SplitterWidth:
      return 1;
    case PM_MenuPanelWidth:
      return 1;
    case PM_MenuVMargin:
      return kGapInside;
    case PM_MenuHMargin:
      return 0;
    case PM_ToolTipLabelFrameWidth:
      return kGapInside + 2;
    case PM_HeaderMargin:
      return kGapRelated;
    case PM_HeaderGripMargin:
      return 4;
    case PM_HeaderMarkSize:
      return scaled(12);
    case PM_FocusFrameHMargin:
      return kGapInside - 1;  // Qt adds 1, and draw::itemView() insets the cell by as much again
    case PM_FocusFrameVMargin:
      return 2;
    case PM_SliderThickness:
    case PM_SliderControlThickness:
    case PM_SliderLength:
      return scaled(16);
    case PM_TreeViewIndentation:
      return m_look.metrics.icon + kGapInside;
    case PM_LayoutLeftMargin:
    case PM_LayoutTopMargin:
    case PM_LayoutRightMargin:
    case PM_LayoutBottomMargin:
      return widget != nullptr && widget->isWindow() ? kGapGroups : 0;
    case PM_LayoutHorizontalSpacing:
    case PM_LayoutVerticalSpacing:
      return kGapRelated;
    default:
      break;
  }
  return QProxyStyle::pixelMetric(metric, option, widget);
}

int StrataStyle::styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                           QStyleHintReturn* answer) const {
  switch (hint) {
    case SH_ComboBox_Popup:
      return 0;
    case SH_ComboBox_PopupFrameStyle:
      return QFrame::StyledPanel | QFrame::Plain;
    case SH_EtchDisabledText:
    case SH_DitherDisabledText:
    case SH_UnderlineShortcut:
    case SH_ScrollBar_Transient:
    case SH_Table_GridLineColor:
    case SH_Widget_Animate:
    case SH_Widget_Animation_Duration:
    case SH_DialogButtonBox_ButtonsHaveIcons:
      return 0;
    case SH_ToolTip_WakeUpDelay:
      return 500;
    case SH_ItemView_ShowDecorationSelected:
      return 1;
    case SH_ScrollView_FrameOnlyAroundContents:
      return 0;
    case SH_ScrollBar_LeftClickAbsolutePosition:
      return 0;
    case SH_ToolTipLabel_Opacity:
      return 255;
    default:
      break;
  }
  return QProxyStyle::styleHint(hint, option, widget, answer);
}

}  // namespace strata
