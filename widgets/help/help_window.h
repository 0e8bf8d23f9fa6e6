#pragma once
// The guide in a window of its own: contents and search at the left, the page at the right, back and forward. Links to
// pages stay in it; others open in the browser.
//
//   auto* help = new HelpWindow(Guide::shipped(), this);
//   help->open("train");

#include <QUrl>
#include <QWidget>
#include <vector>

#include "widgets/help/guide.h"

class QLineEdit;
class QListWidget;
class QSplitter;

namespace strata {

class Button;
class GuideText;
class Label;

class HelpWindow : public QWidget {
  Q_OBJECT

 public:
  explicit HelpWindow(const Guide& guide, QWidget* parent = nullptr);

  /// A page by its id, at a heading; brings the window to the front.
  void open(const QString& page, const QString& anchor = {});
  QString page() const { return m_place < 0 ? QString() : m_places[static_cast<std::size_t>(m_place)].page; }

 Q_SIGNALS:
  /// No program opens the address.
  void failed(const QString& sentence);

 protected:
  void keyPressEvent(QKeyEvent* event) override;
  void paintEvent(QPaintEvent* event) override;

 private:
  struct At {
    QString page, anchor;
    int scrolled = 0;
  };
  QWidget* makeSide();
  QWidget* makeReading();
  void go(const QString& page, const QString& anchor);
  void step(int by);
  void follow(const QUrl& link);
  void showPlace();
  void showList();
  void chooseRow(int row);
  void leave();

  const Guide& m_guide;
  std::vector<At> m_places;  // back and forward
  int m_place = -1;
  QLineEdit* m_search;
  QListWidget* m_list;  // the contents, or what was found
  Label* m_nothing;
  Button *m_back, *m_forward;
  GuideText* m_text;
  QSplitter* m_splitter;
};

}  // namespace strata
