#pragma once
// A command line to read, select and copy; as high as its text.

#include <QPlainTextEdit>

namespace strata {

class Button;

class CommandView : public QWidget {
  Q_OBJECT

 public:
  explicit CommandView(QWidget* parent = nullptr);
  /// One line or several.
  void setCommand(const QString& command);
  /// For screen readers and as help, where it is not the command that does what a form shows.
  void setPurpose(const QString& name, const QString& copyName, const QString& help);
  QString command() const { return m_text->toPlainText(); }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void fit();
  QPlainTextEdit* m_text;
  Button* m_copy;
};

}  // namespace strata
