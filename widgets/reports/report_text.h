#pragma once
// A report's Markdown to read: headings, lists and tables in the window's own sizes. It loads nothing and follows no
// link, whatever the text says.

#include <QTextBrowser>

namespace strata {

class ReportText : public QTextBrowser {
  Q_OBJECT

 public:
  explicit ReportText(QWidget* parent = nullptr);

  void show(const QString& markdown);
  QVariant loadResource(int type, const QUrl& name) override;

 protected:
  void doSetSource(const QUrl& name, QTextDocument::ResourceType type) override;

 private:
  void fill();
  QString m_markdown;
};

}  // namespace strata
