#include "widgets/style/state_covers.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QProgressBar>
#include <QSplitterHandle>
#include <QVBoxLayout>
#include <array>

#include "widgets/style/button.h"
#include "widgets/style/labels.h"
#include "widgets/style/pane.h"
#include "widgets/style/separator.h"
#include "widgets/style/style_painters.h"

namespace strata {
namespace {

constexpr double kVeil = 0.35;  // leaves text its 4.5:1

/// The ground that the covered pane stands on.
QColor groundOf(const QWidget* widget) {
  return widget->palette().color(widget->backgroundRole());
}

/// A part's shape: a box, or, where lists and texts will be, a few lines of unequal length.
void drawShape(QPainter& painter, const QRect& place) {
  constexpr int kLines = 6;
  constexpr std::array kLengths = {0.85, 0.6, 0.75};
  const int pitch = metrics().control;
  if (place.height() < 4 * pitch) return paint::box(painter, place, colors().raised, {});
  const int width = std::min(place.width() - 2 * kGapRelated, metrics().textWidth);
  for (int i = 0; i < kLines && (i + 1) * pitch <= place.height(); ++i) {
    const double part = kLengths[static_cast<std::size_t>(i) % kLengths.size()];
    const QRect line(place.left() + kGapRelated, place.top() + i * pitch + pitch / 4, static_cast<int>(width * part),
                     pitch / 2);
    paint::box(painter, line, colors().raised, {}, 1, 4);
  }
}

/// Draws the outline of a widget in the coordinates of `of`: grounds and lines of panes as they are, a grey shape for
/// each other leaf.
void drawOutline(QPainter& painter, const QWidget* widget, const QWidget* of) {
  const QRect place(widget->mapTo(of, QPoint(0, 0)), widget->size());
  if (const auto* pane = qobject_cast<const Pane*>(widget)) {
    paint::box(painter, place, pane->groundColor(), {}, 1, pane->isRounded() ? kRadius : 0);
  }
  if (qobject_cast<const Separator*>(widget) != nullptr || qobject_cast<const QSplitterHandle*>(widget) != nullptr) {
    // A handle is wider than its line, to be caught with the mouse.
    painter.fillRect(widget->contentsRect().translated(place.topLeft()), colors().line);
    return;
  }
  bool leaf = true;
  for (const QObject* child : widget->children()) {
    const auto* part = qobject_cast<const QWidget*>(child);
    if (part == nullptr || part->isWindow() || part->isHidden()) continue;
    leaf = false;
    drawOutline(painter, part, of);
  }
  if (!leaf || place.width() <= 2 * kGapRelated || place.height() < kGapRelated) return;
  QSize size = place.size();
  if (qobject_cast<const QLabel*>(widget) != nullptr) {
    // A label's text seldom fills it; one without text yet will have some.
    size = size.boundedTo(widget->sizeHint().expandedTo(QSize(scaled(80), 0)));
  }
  drawShape(painter, QRect(place.topLeft(), size));
}

}  // namespace

EmptyCover::EmptyCover(QWidget* parent)
    : QWidget(parent),
      m_sentence(bodyLabel({}, this)),
      m_button(makeButton({}, ButtonKind::accent, this)),
      m_link(makeButton({}, ButtonKind::link, this)) {
  setObjectName(QStringLiteral("emptyCover"));
  m_sentence->setObjectName(QStringLiteral("emptySentence"));
  m_button->setObjectName(QStringLiteral("emptyButton"));
  m_link->setObjectName(QStringLiteral("emptyLink"));
  m_sentence->setAlignment(Qt::AlignHCenter);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  column->setSpacing(kGapGroups);
  column->addStretch(2);
  column->addWidget(m_sentence, 0);
  column->addWidget(m_button, 0, Qt::AlignHCenter);
  column->addWidget(m_link, 0, Qt::AlignHCenter);
  column->addStretch(3);
  connect(m_button, &Button::clicked, this, [this] {
    const auto action = m_onClick;
    if (action) action();
  });
  connect(m_link, &Button::clicked, this, [this] {
    const auto action = m_onLink;
    if (action) action();
  });
}

void EmptyCover::fill(const QString& sentence, const QString& buttonText, std::function<void()> onClick,
                      const QString& linkText, std::function<void()> onLink) {
  m_sentence->setText(sentence);
  m_button->setText(buttonText);
  m_button->setVisible(!buttonText.isEmpty());
  m_link->setText(linkText);
  m_link->setVisible(!linkText.isEmpty());
  m_onClick = std::move(onClick);
  m_onLink = std::move(onLink);
  setAccessibleName(sentence);
}

void EmptyCover::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), groundOf(parentWidget()));
}

LoadingCover::LoadingCover(QWidget* content, QWidget* parent) : QWidget(parent), m_content(content) {
  setObjectName(QStringLiteral("loadingCover"));
  auto* box = new Pane(Ground::surface, this);
  box->setRounded(true);
  m_box = box;
  m_what = new Label({}, TextRole::strong, Tone::normal, box);
  m_far = new Label({}, TextRole::mono, Tone::second, box);
  m_bar = new QProgressBar(box);
  m_bar->setTextVisible(false);
  m_stop = makeButton(tr("Stop"), ButtonKind::plain, box);
  m_what->setObjectName(QStringLiteral("loadingWhat"));
  m_far->setObjectName(QStringLiteral("loadingFar"));
  m_stop->setObjectName(QStringLiteral("loadingStop"));
  auto* inside = new QVBoxLayout(box);
  inside->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  inside->setSpacing(kGapRelated);
  auto* words = new QHBoxLayout;
  words->setSpacing(kGapGroups);
  words->addWidget(m_what, 1);
  words->addWidget(m_far);
  inside->addLayout(words);
  inside->addWidget(m_bar);
  inside->addWidget(m_stop, 0, Qt::AlignLeft);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  column->addStretch(2);
  column->addWidget(box, 0, Qt::AlignHCenter);
  column->addStretch(3);
  m_box->setMinimumWidth(320);
  connect(m_stop, &Button::clicked, this, &LoadingCover::stopClicked);
  reset();
}

void LoadingCover::reset() {
  m_box->hide();
}

void LoadingCover::showProgress(const QString& what, const QString& far, double part, bool canStop) {
  m_what->setText(what);
  m_far->setText(far);
  m_bar->setRange(0, part < 0 ? 0 : 1000);
  if (part >= 0) m_bar->setValue(static_cast<int>(part * 1000));
  m_bar->setAccessibleName(what);
  m_stop->setVisible(canStop);
  m_box->show();
}

void LoadingCover::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), groundOf(parentWidget()));
  drawOutline(painter, m_content, parentWidget());
}

StaleVeil::StaleVeil(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("staleVeil"));
  setAttribute(Qt::WA_TransparentForMouseEvents);
  setFocusPolicy(Qt::NoFocus);
}

void StaleVeil::paintEvent(QPaintEvent*) {
  QColor veil = colors().window;
  veil.setAlphaF(kVeil);
  QPainter(this).fillRect(rect(), veil);
}

}  // namespace strata
