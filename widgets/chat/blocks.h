#pragma once
// What a transcript is made of: the line of a turn, and pieces of an answer. (Below an answer stands an AnswerFoot.)

#include <memory>
#include <vector>

#include "widgets/chat/block_list.h"
#include "widgets/chat/text_view.h"

namespace strata {

class ElidedLabel;

/// Where a turn begins: a line with its number. The question itself stands once, above both panes (PromptBar); here its
/// title tells one answer from another where the chat has several.
class TurnLine : public Block {
  Q_OBJECT

 public:
  /// `title`: empty where it is not wanted. `shown`: false takes no room, for a chat of one question.
  TurnLine(const QString& title, int turn, bool shown, QWidget* parent = nullptr);
  int heightFor(int width) override;

 Q_SIGNALS:
  void editWanted();
  void branchWanted();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  ElidedLabel* m_text;
  QWidget* m_actions;
  bool m_shown;
};

/// Some pieces of an answer, one below the other.
class PiecesBlock : public Block {
  Q_OBJECT

 public:
  /// `goesOn`: what follows continues the last paragraph, without a gap.
  PiecesBlock(const std::vector<Piece>& pieces, const QString& name, bool goesOn = false, QWidget* parent = nullptr);
  int heightFor(int width) override;
  /// The same place of an answer that has grown.
  void show(const std::vector<Piece>& pieces);
  void setMarks(const std::vector<Mark>& marks);
  const std::vector<TextView*>& views() const { return m_views; }
  /// The part of the answer that it shows.
  qsizetype begin() const { return m_begin; }
  qsizetype end() const { return m_end; }

 Q_SIGNALS:
  void hovered(qsizetype source);

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  struct Part {
    TextView* view = nullptr;
    QWidget* bar = nullptr;  // of code: its language and the copy button
    QString language = {};   // in it
    bool continues = false;  // the paragraph or the code before
  };
  void fill(const std::vector<Piece>& pieces);
  int arrange(int width);
  QWidget* makeBar(const Piece& piece, TextView* view);
  std::vector<Part> m_parts;
  std::vector<TextView*> m_views;
  QString m_name;
  qsizetype m_begin = 0, m_end = 0;
  bool m_goesOn;
};

/// The end of a long answer that is being made: plain text that grows.
class StreamBlock : public Block {
  Q_OBJECT

 public:
  StreamBlock(const QString& text, qsizetype source, const QString& name, QWidget* parent = nullptr);
  int heightFor(int width) override;
  void append(const QString& text);
  TextView* view() const { return m_view; }

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  TextView* m_view;
  int m_height = -1;
};

}  // namespace strata
