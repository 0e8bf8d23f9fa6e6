#pragma once
// What stands in the place of a pane's content, or over it: emptiness, loading, the veil of stale figures.

#include <QWidget>
#include <functional>

class QProgressBar;

namespace strata {

class Button;
class Label;

/// One sentence, one main button, a link.
class EmptyCover : public QWidget {
  Q_OBJECT

 public:
  explicit EmptyCover(QWidget* parent);
  void fill(const QString& sentence, const QString& buttonText, std::function<void()> onClick, const QString& linkText,
            std::function<void()> onLink);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  Label* m_sentence;
  Button* m_button;
  Button* m_link;
  std::function<void()> m_onClick;
  std::function<void()> m_onLink;
};

/// The content's own outline: a grey shape where each of its parts will be.
class LoadingCover : public QWidget {
  Q_OBJECT

 public:
  LoadingCover(QWidget* content, QWidget* parent);
  void reset();
  /// `part`: 0..1, or below 0 where it is not known.
  void showProgress(const QString& what, const QString& far, double part, bool canStop);

 Q_SIGNALS:
  void stopClicked();

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QWidget* m_content;
  QWidget* m_box;
  Label* m_what;
  Label* m_far;
  QProgressBar* m_bar;
  Button* m_stop;
};

/// Greys what is below it; the mouse goes through.
class StaleVeil : public QWidget {
  Q_OBJECT

 public:
  explicit StaleVeil(QWidget* parent);

 protected:
  void paintEvent(QPaintEvent* event) override;
};

}  // namespace strata
