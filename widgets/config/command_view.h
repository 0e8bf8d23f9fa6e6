#pragma once
// A command line to read, select and copy; as high as its text.

#include <QPlainTextEdit>

namespace strata {

class Button;

class CommandView : public QWidget {
  Q_OBJECT

 public:
  explicit CommandView(QWidget* parent = nullptr);
  void setCommand(const QString& command);
  QString command() const { return m_text->toPlainText(); }

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void fit();
  QPlainTextEdit* m_text;
  Button* m_copy;
};

}  // namespace strata
