#include "widgets/style/strata_style.h"

#include <QAbstractScrollArea>
#include <QApplication>
#include <QComboBox>
#include <QHeaderView>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QSpinBox>
#include <QTableView>
#include <QTextEdit>
#include <QTreeView>

#include "widgets/style/style_drawing.h"

namespace strata {

bool isTextEdit(const QWidget* widget) {
  return qobject_cast<const QTextEdit*>(widget) != nullptr || qobject_cast<const QPlainTextEdit*>(widget) != nullptr;
}

StrataStyle* strataStyle() {
  return qobject_cast<StrataStyle*>(QApplication::style());
}

StrataStyle::StrataStyle(Theme* theme)
    : QProxyStyle(QStringLiteral("Fusion")), m_look(lookOf(Scheme::light, 100)), m_theme(theme) {}

void StrataStyle::polish(QWidget* widget) {
  QProxyStyle::polish(widget);
  if (auto* area = qobject_cast<QAbstractScrollArea*>(widget); area != nullptr && !isTextEdit(widget)) {
    area->setFrameShape(QFrame::NoFrame);
  }
  if (auto* bar = qobject_cast<QScrollBar*>(widget)) bar->setAttribute(Qt::WA_OpaquePaintEvent, false);
  if (auto* spin = qobject_cast<QAbstractSpinBox*>(widget)) spin->setButtonSymbols(QAbstractSpinBox::NoButtons);
  if (qobject_cast<QComboBox*>(widget) != nullptr || qobject_cast<QAbstractSpinBox*>(widget) != nullptr ||
      qobject_cast<QLineEdit*>(widget) != nullptr || qobject_cast<QAbstractButton*>(widget) != nullptr) {
    widget->setAttribute(Qt::WA_Hover);
  }
  if (auto* table = qobject_cast<QTableView*>(widget)) {
    table->setShowGrid(false);
    table->setWordWrap(false);
  }
  if (auto* header = qobject_cast<QHeaderView*>(widget)) {
    header->setHighlightSections(false);
    header->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    const bool rows = header->orientation() == Qt::Vertical;
    followTheme(header, [header, rows] {
      header->setFont(fonts().caption);
      if (!rows) return;
      header->setMinimumSectionSize(metrics().compactRow);
      header->setDefaultSectionSize(metrics().control);
    });
  }
}

void StrataStyle::drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                                const QWidget* widget) const {
  const Colors& c = m_look.colors;
  switch (element) {
    case PE_PanelButtonCommand:
      return draw::buttonPanel(*option, *painter, widget, c);
    case PE_PanelButtonTool:
      return draw::toolButtonPanel(*option, *painter, c);
    case PE_PanelLineEdit:
      return draw::lineEdit(*option, *painter, widget, c);
    case PE_FrameLineEdit:
      return;  // drawn with its ground
    case PE_Frame:
      if (isTextEdit(widget)) return draw::textEdit(*option, *painter, widget, c);
      return draw::frame(*option, *painter, widget, c);
    case PE_FrameFocusRect:
      return draw::focusRect(*option, *painter, widget, c);
    case PE_IndicatorCheckBox:
      return draw::checkBox(*option, *painter, c);
    case PE_IndicatorItemViewItemCheck:
      return draw::checkBox(*option, *painter, c);
    case PE_IndicatorRadioButton:
      return draw::radioButton(*option, *painter, c);
    case PE_IndicatorArrowDown:
      return paint::chevron(*painter, option->rect, QStringLiteral("chevron-down"));
    case PE_IndicatorArrowUp:
      return paint::chevron(*painter, option->rect, QStringLiteral("chevron-up"));
    case PE_IndicatorArrowLeft:
      return paint::chevron(*painter, option->rect, QStringLiteral("chevron-left"));
    case PE_IndicatorArrowRight:
      return paint::chevron(*painter, option->rect, QStringLiteral("chevron-right"));
    case PE_IndicatorHeaderArrow:
      return;  // drawn with the label
    case PE_IndicatorBranch:
      return draw::branch(*option, *painter);
    case PE_PanelItemViewRow:
      return draw::viewRow(*option, *painter, widget, c);
    case PE_PanelItemViewItem:
      return draw::viewItem(*option, *painter, widget, c);
    case PE_PanelMenu:
      return draw::popup(*option, *painter, c.surface, c);
    case PE_FrameMenu:
      return;
    case PE_PanelTipLabel:
      return draw::popup(*option, *painter, c.raised, c);
    case PE_PanelScrollAreaCorner:
    case PE_FrameStatusBarItem:
    case PE_PanelStatusBar:
    case PE_FrameGroupBox:
    case PE_FrameDockWidget:
    case PE_FrameTabWidget:
    case PE_PanelToolBar:
    case PE_FrameButtonBevel:
    case PE_FrameDefaultButton:
      return;
    default:
      break;
  }
  QProxyStyle::drawPrimitive(element, option, painter, widget);
}

void StrataStyle::drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                              const QWidget* widget) const {
  const Colors& c = m_look.colors;
  switch (element) {
    case CE_PushButton:
    case CE_PushButtonBevel:
      if (const auto* button = qstyleoption_cast<const QStyleOptionButton*>(option)) {
        draw::buttonPanel(*option, *painter, widget, c);
        if (element == CE_PushButton) draw::buttonLabel(*button, *painter, widget, c);
        return;
      }
      break;
    case CE_PushButtonLabel:
      if (const auto* button = qstyleoption_cast<const QStyleOptionButton*>(option)) {
        return draw::buttonLabel(*button, *painter, widget, c);
      }
      break;
    case CE_ComboBoxLabel:
      if (const auto* combo = qstyleoption_cast<const QStyleOptionComboBox*>(option)) {
        return draw::comboLabel(*combo, *painter, widget, *this, c);
      }
      break;
    case CE_MenuItem:
      if (const auto* item = qstyleoption_cast<const QStyleOptionMenuItem*>(option)) {
        return draw::menuItem(*item, *painter, c);
      }
      break;
    case CE_MenuEmptyArea:
    case CE_MenuTearoff:
      return;
    case CE_ProgressBarGroove:
      return;
    case CE_ProgressBarLabel:
      return;
    case CE_ProgressBarContents:
      return;
    case CE_ProgressBar:
      if (const auto* bar = qstyleoption_cast<const QStyleOptionProgressBar*>(option)) {
        return draw::progressBar(*bar, *painter, widget, c);
      }
      break;
    case CE_Splitter:
      return painter->fillRect(option->rect, c.line);
    case CE_Header:
      // In one go: Qt would place the label by Fusion's margins, without asking this style.
      if (const auto* header = qstyleoption_cast<const QStyleOptionHeader*>(option)) {
        draw::headerSection(*option, *painter, c);
        return draw::headerLabel(*header, *painter, c);
      }
      break;
    case CE_HeaderSection:
      return draw::headerSection(*option, *painter, c);
    case CE_HeaderEmptyArea:
      return draw::headerSection(*option, *painter, c);
    case CE_HeaderLabel:
      if (const auto* header = qstyleoption_cast<const QStyleOptionHeader*>(option)) {
        return draw::headerLabel(*header, *painter, c);
      }
      break;
    case CE_ItemViewItem:
      if (const auto* item = qstyleoption_cast<const QStyleOptionViewItem*>(option)) {
        return draw::itemView(*item, *painter, widget, *this, c);
      }
      break;
    case CE_ShapedFrame:
      if (const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(option)) {
        if (frame->frameShape == QFrame::HLine || frame->frameShape == QFrame::VLine) {
          return draw::lineFrame(*frame, *painter, c);
        }
      }
      break;
    case CE_RubberBand: {
      QColor tint = c.accent;
      tint.setAlphaF(0.15F);
      return paint::box(*painter, option->rect, tint, c.accent, 1, 0);
    }
    case CE_SizeGrip:
    case CE_DockWidgetTitle:
      return;
    default:
      break;
  }
  QProxyStyle::drawControl(element, option, painter, widget);
}

void StrataStyle::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                                     const QWidget* widget) const {
  const Colors& c = m_look.colors;
  switch (control) {
    case CC_ComboBox:
      if (const auto* combo = qstyleoption_cast<const QStyleOptionComboBox*>(option)) {
        return draw::comboBox(*combo, *painter, c);
      }
      break;
    case CC_SpinBox:
      if (const auto* spin = qstyleoption_cast<const QStyleOptionSpinBox*>(option)) {
        if (spin->frame) {
          paint::field(*painter, option->rect, c, option->state & State_Enabled, option->state & State_HasFocus);
        }
        return;
      }
      break;
    case CC_ScrollBar:
      if (const auto* bar = qstyleoption_cast<const QStyleOptionSlider*>(option)) {
        return draw::scrollBar(*bar, *painter, widget, subControlRect(control, option, SC_ScrollBarSlider, widget), c);
      }
      break;
    case CC_Slider:
      if (const auto* slider = qstyleoption_cast<const QStyleOptionSlider*>(option)) {
        return draw::slider(*slider, *painter, subControlRect(control, option, SC_SliderHandle, widget), c);
      }
      break;
    case CC_ToolButton:
      if (const auto* button = qstyleoption_cast<const QStyleOptionToolButton*>(option)) {
        draw::toolButtonPanel(*option, *painter, c);
        QStyleOptionToolButton label = *button;
        label.rect = subControlRect(control, option, SC_ToolButton, widget);
        return drawControl(CE_ToolButtonLabel, &label, painter, widget);
      }
      break;
    default:
      break;
  }
  QProxyStyle::drawComplexControl(control, option, painter, widget);
}

}  // namespace strata
