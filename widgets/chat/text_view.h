#pragma once
// A read-only text of a bounded size that loads nothing: no image, no file, no address, whatever its text says. A link
// is followed by nobody; its address can be copied from the context menu. Knows where in the answer each of its
// characters stands, so that places of the answer can be marked and asked for.

#include <QTextBrowser>
#include <QWheelEvent>
#include <functional>
#include <vector>

#include "widgets/chat/markdown.h"

namespace strata {

/// Part of an answer to be marked, in UTF-16 units of the whole answer.
struct Mark {
  qsizetype begin = 0, end = 0;
  int heat = -1;        // 0 … 4: tinted so strongly
  bool first = false;   // where the answers part
  bool chosen = false;  // the one that is read out
  bool operator==(const Mark&) const = default;
};

class TextView : public QTextBrowser {
  Q_OBJECT

 public:
  explicit TextView(QWidget* parent = nullptr);

  void show(const Piece& piece);
  /// Plain text that grows; `source`: where it begins in the answer.
  void startPlain(qsizetype source);
  void appendPlain(const QString& text);
  int heightFor(int width);

  void setMarks(const std::vector<Mark>& marks);
  /// Where in the answer a point of the widget lies; -1: nowhere.
  qsizetype sourceAt(const QPoint& point) const;

  /// Answers nothing to whatever is asked for, and counts.
  QVariant loadResource(int type, const QUrl& name) override;
  static int resourcesAsked();

  /// What a tooltip says of a place of the answer; empty: nothing.
  void setTip(std::function<QString(qsizetype source)> tip) { m_tip = std::move(tip); }

 Q_SIGNALS:
  void hovered(qsizetype source);
  void left();

 protected:
  void doSetSource(const QUrl& name, QTextDocument::ResourceType type) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  bool viewportEvent(QEvent* event) override;
  void wheelEvent(QWheelEvent* event) override { event->ignore(); }
  void keyPressEvent(QKeyEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  struct Run {
    int position;      // in the document
    qsizetype source;  // in the answer
    int length;
  };
  void fill(const Piece& piece);
  void insertBlock(const TextBlock& block, bool first);
  void insertSpan(const Span& span, const TextBlock& block);
  void applyMarks();
  void restyle();
  void findEndless(const QString& text);
  QFont fitting(const QFont& font) const;

  Piece m_piece;
  QString m_plain;
  qsizetype m_plainSource = -1;
  std::vector<Run> m_runs;
  bool m_endless = false;  // holds a word without end
  std::vector<Mark> m_marks;
  std::function<QString(qsizetype source)> m_tip;
};

}  // namespace strata
