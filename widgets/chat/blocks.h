#pragma once
// What a transcript is made of: a question, and pieces of an answer. (Below an answer stands an AnswerFoot.)

#include <memory>
#include <vector>

#include "widgets/chat/block_list.h"
#include "widgets/chat/text_view.h"

namespace strata {

class Button;

/// A question, cut to a few lines until it is asked for whole.
class QuestionBlock : public Block {
  Q_OBJECT

 public:
  QuestionBlock(const QString& question, int turn, bool whole, QWidget* parent = nullptr);
  int heightFor(int width) override;

 Q_SIGNALS:
  void editWanted();
  void branchWanted();
  void wholeChanged(bool whole);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void fill();
  int arrange(int width);
  QString m_question;
  bool m_whole;
  TextView* m_text;
  Button* m_more;
  QWidget* m_actions;
};

/// Some pieces of an answer, one below the other.
class PiecesBlock : public Block {
  Q_OBJECT

 public:
  /// `goesOn`: what follows continues the last paragraph, without a gap.
  PiecesBlock(const std::vector<Piece>& pieces, const QString& name, bool goesOn = false, QWidget* parent = nullptr);
  int heightFor(int width) override;
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
    bool continues = false;  // the paragraph or the code before
  };
  int arrange(int width);
  QWidget* makeBar(const Piece& piece, TextView* view);
  std::vector<Part> m_parts;
  std::vector<TextView*> m_views;
  qsizetype m_begin = 0, m_end = 0;
  bool m_goesOn;
};

/// The end of an answer that is being made: plain text that grows.
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
