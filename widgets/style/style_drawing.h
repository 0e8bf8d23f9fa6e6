#pragma once
// How StrataStyle draws each control: one function a control, each with what it needs and nothing else.

#include <QStyleOption>

#include "widgets/style/style_painters.h"

namespace strata {

class StrataStyle;

/// Whether it shows text of several lines.
bool isTextEdit(const QWidget* widget);

namespace draw {

// draw_buttons.cpp
void buttonPanel(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& colors);
void buttonLabel(const QStyleOptionButton& option, QPainter& painter, const QWidget* widget, const Colors& colors);
void toolButtonPanel(const QStyleOption& option, QPainter& painter, const Colors& colors);
void checkBox(const QStyleOption& option, QPainter& painter, const Colors& colors);
void radioButton(const QStyleOption& option, QPainter& painter, const Colors& colors);
void focusRect(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& colors);

// draw_fields.cpp
void lineEdit(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& colors);
void textEdit(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& colors);
void frame(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& colors);
void lineFrame(const QStyleOptionFrame& option, QPainter& painter, const Colors& colors);
void comboBox(const QStyleOptionComboBox& option, QPainter& painter, const Colors& colors);
void comboLabel(const QStyleOptionComboBox& option, QPainter& painter, const QWidget* widget, const StrataStyle& style,
                const Colors& colors);
void slider(const QStyleOptionSlider& option, QPainter& painter, const QRect& handle, const Colors& colors);
void scrollBar(const QStyleOptionSlider& option, QPainter& painter, const QWidget* widget, const QRect& handle,
               const Colors& colors);
void progressBar(const QStyleOptionProgressBar& option, QPainter& painter, const QWidget* widget, const Colors& colors);

// draw_views.cpp
void popup(const QStyleOption& option, QPainter& painter, const QColor& ground, const Colors& colors);
void menuItem(const QStyleOptionMenuItem& option, QPainter& painter, const Colors& colors);
void viewRow(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& colors);
void viewItem(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& colors);
void itemView(const QStyleOptionViewItem& option, QPainter& painter, const QWidget* widget, const StrataStyle& style,
              const Colors& colors);
void headerLabel(const QStyleOptionHeader& option, QPainter& painter, const Colors& colors);
void headerSection(const QStyleOption& option, QPainter& painter, const Colors& colors);
void branch(const QStyleOption& option, QPainter& painter);

}  // namespace draw
}  // namespace strata
