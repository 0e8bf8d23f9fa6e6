#pragma once
// A model's chat template: where it was found, and folded below it its source, to read and copy.

#include <QWidget>

#include "core/protocol/model_messages.h"

class QPlainTextEdit;

namespace strata {

class Button;
class Label;

class TemplatePreview : public QWidget {
  Q_OBJECT

 public:
  explicit TemplatePreview(QWidget* parent = nullptr);
  void show(const protocol::ModelCard& card);
  void setOpen(bool open);
  bool isOpen() const;

 private:
  Label* m_origin;
  Button* m_toggle;
  QPlainTextEdit* m_source;
};

}  // namespace strata
