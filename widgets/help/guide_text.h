#pragma once
// A page of the guide to read. Pictures are those of the theme and as wide as the pane; nothing is loaded from
// elsewhere.

#include <QTextBrowser>

#include "widgets/help/guide.h"

namespace strata {

class GuideText : public QTextBrowser {
  Q_OBJECT

 public:
  explicit GuideText(const Guide& guide, QWidget* parent = nullptr);

  /// "": none. The anchor of a heading is scrolled to; an unknown one is the top.
  void show(const GuidePage& page, const QString& anchor = {});
  QVariant loadResource(int type, const QUrl& name) override;

 protected:
  void doSetSource(const QUrl& name, QTextDocument::ResourceType type) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void fill();
  void scrollToHeading(const QString& anchor);
  const Guide& m_guide;
  QString m_markdown;
  int m_width = 0;  // that pictures and text were laid out for
  bool m_filling = false;
};

}  // namespace strata
