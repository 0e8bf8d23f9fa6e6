#pragma once
// Text in the few sizes and colours there are; each follows the theme.

#include <QLabel>
#include <algorithm>

class QFont;

namespace strata {

enum class TextRole { body, strong, caption, section, title, mono, monoCaption };
enum class Tone { normal, second, accent, good, warn, bad };

const QFont& fontOf(TextRole role);

/// A tooltip that reads as the text does: a tooltip takes what looks like HTML for HTML, and loads its images.
QString tipOf(const QString& text);

class Label : public QLabel {
  Q_OBJECT

 public:
  explicit Label(const QString& text, TextRole role = TextRole::body, Tone tone = Tone::normal,
                 QWidget* parent = nullptr);

  void setRole(TextRole role);
  void setTone(Tone tone);
  Tone tone() const { return m_tone; }
  /// Of text that wraps: a place that is wider than the label may be does not make it lower.
  int heightForWidth(int width) const override { return QLabel::heightForWidth(std::min(width, maximumWidth())); }

 private:
  void restyle();
  TextRole m_role;
  Tone m_tone;
};

/// One line that gives way: shortened with "…", the whole text in its tooltip while it is, and to screen readers
/// always.
class ElidedLabel : public Label {
  Q_OBJECT

 public:
  explicit ElidedLabel(const QString& text, TextRole role = TextRole::body, Tone tone = Tone::normal,
                       QWidget* parent = nullptr);
  /// Qt::ElideMiddle suits paths.
  void setElideMode(Qt::TextElideMode mode);
  /// Where the text is too long, whole parts between these are left out, from its end.
  void setSeparator(const QString& separator);
  bool isElided() const;
  /// As it is drawn.
  QString shownText() const;
  QSize minimumSizeHint() const override;
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;

 private:
  Qt::TextElideMode m_mode = Qt::ElideRight;
  QString m_separator;
};

Label* titleLabel(const QString& text, QWidget* parent = nullptr);
Label* sectionLabel(const QString& text, QWidget* parent = nullptr);
/// Wraps.
Label* bodyLabel(const QString& text, QWidget* parent = nullptr);
/// Small, in the second colour; wraps.
Label* captionLabel(const QString& text, QWidget* parent = nullptr);
/// Can be selected with the mouse.
Label* monoLabel(const QString& text, QWidget* parent = nullptr);

}  // namespace strata
