#include "widgets/style/state_pane.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QEvent>
#include <QPointer>
#include <QTimer>
#include <QVBoxLayout>

#include "widgets/style/format.h"
#include "widgets/style/state_bar.h"
#include "widgets/style/state_covers.h"

namespace strata {
namespace {

constexpr int kShowOutlineAfter = 200;  // ms
constexpr int kShowWhatAfter = 1000;
constexpr int kShowTimeLeftAfter = 5000;

}  // namespace

struct StatePane::Private {
  State state = State::working;
  QWidget* content = nullptr;
  StateBar* bar = nullptr;
  QWidget* body = nullptr;
  EmptyCover* empty = nullptr;
  LoadingCover* loading = nullptr;
  StaleVeil* veil = nullptr;
  QTimer tick;
  QElapsedTimer since;
  QString what;
  Action onStop;
  double done = 0;
  double total = 0;
  QPointer<QWidget> focusBefore;  // was covered, and gets the focus back
  QPointer<QWidget> focusMeanwhile;

  /// Shows what the state shows.
  void arrange() {
    bar->setVisible(state == State::failed || state == State::stale);
    empty->setVisible(state == State::empty);
    loading->setVisible(state == State::loading);
    veil->setVisible(state == State::stale);
    for (QWidget* cover : std::initializer_list<QWidget*>{veil, loading, empty}) {
      cover->setGeometry(body->rect());
      cover->raise();
    }
    // Covered content keeps its place, so that nothing jumps, but takes no keys.
    const bool covered = state == State::empty || state == State::loading;
    if (covered == !content->isEnabled()) return;
    QWidget* focus = QApplication::focusWidget();
    if (covered && focus != nullptr && (focus == content || content->isAncestorOf(focus))) focusBefore = focus;
    content->setEnabled(!covered);
    if (covered) {
      focusMeanwhile = QApplication::focusWidget();
    } else if (focusBefore != nullptr) {
      if (QApplication::focusWidget() == focusMeanwhile) focusBefore->setFocus(Qt::OtherFocusReason);
      focusBefore = nullptr;
    }
  }

  void showProgress() {
    const qint64 passed = since.elapsed();
    if (passed >= kShowOutlineAfter && loading->isHidden()) arrange();
    if (passed < kShowWhatAfter) return;
    QString far;
    double part = -1;
    if (total > 0) {
      part = std::min(done / total, 1.0);
      far = formatPercent(part);
      if (passed >= kShowTimeLeftAfter && part > 0) {
        far = tr("%1, %2 left").arg(far, formatTimeLeft(static_cast<double>(passed) / 1000 * (1 - part) / part));
      }
    } else if (passed >= kShowTimeLeftAfter) {
      far = tr("%1 s so far").arg(passed / 1000);
    }
    loading->showProgress(what, far, part, onStop != nullptr);
  }
};

StatePane::StatePane(QWidget* content, QWidget* parent) : QWidget(parent), m_private(std::make_unique<Private>()) {
  Private& p = *m_private;
  p.content = content;
  p.bar = new StateBar(this);
  p.body = new QWidget(this);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(p.bar);
  column->addWidget(p.body, 1);
  auto* inside = new QVBoxLayout(p.body);
  inside->setContentsMargins(0, 0, 0, 0);
  inside->addWidget(content);
  p.empty = new EmptyCover(p.body);
  p.loading = new LoadingCover(content, p.body);
  p.veil = new StaleVeil(p.body);
  for (QWidget* cover : std::initializer_list<QWidget*>{p.empty, p.loading, p.veil}) {
    cover->hide();
  }
  p.body->installEventFilter(this);
  p.bar->hide();
  p.tick.setInterval(100);
  connect(&p.tick, &QTimer::timeout, this, [this] { m_private->showProgress(); });
  connect(p.loading, &LoadingCover::stopClicked, this, [this] {
    const Action stop = m_private->onStop;
    if (stop) stop();
  });
}

StatePane::~StatePane() = default;

QWidget* StatePane::content() const {
  return m_private->content;
}

StatePane::State StatePane::state() const {
  return m_private->state;
}

void StatePane::enter(State state) {
  Private& p = *m_private;
  p.state = state;
  p.tick.stop();
  if (state == State::loading) {
    p.since.start();  // for the first 200 ms all stays as it is
    p.tick.start();
  } else {
    p.arrange();
  }
  Q_EMIT stateChanged();
}

void StatePane::setEmpty(const QString& sentence, const QString& buttonText, Action onClick, const QString& linkText,
                         Action onLink) {
  m_private->empty->fill(sentence, buttonText, std::move(onClick), linkText, std::move(onLink));
  enter(State::empty);
}

void StatePane::setLoading(const QString& what, Action onStop) {
  Private& p = *m_private;
  const bool anew = p.state != State::loading;
  p.what = what;
  p.onStop = std::move(onStop);
  p.done = p.total = 0;
  if (!anew) return;
  p.loading->reset();
  enter(State::loading);
}

void StatePane::setProgress(double done, double total) {
  m_private->done = done;
  m_private->total = total;
}

void StatePane::setWorking() {
  enter(State::working);
}

void StatePane::setFailed(const Error& error, const QString& actionText, Action onAction) {
  m_private->bar->showError(error, actionText, std::move(onAction));
  enter(State::failed);
}

void StatePane::setStale(const QString& from, Action onRedo, const QString& redoText) {
  m_private->bar->showStale(from, redoText.isEmpty() ? tr("Redo") : redoText, std::move(onRedo));
  enter(State::stale);
}

bool StatePane::eventFilter(QObject* watched, QEvent* event) {
  Private& p = *m_private;
  if (watched == p.body && event->type() == QEvent::Resize) {
    p.empty->setGeometry(p.body->rect());
    p.loading->setGeometry(p.body->rect());
    p.veil->setGeometry(p.body->rect());
  }
  return QWidget::eventFilter(watched, event);
}

}  // namespace strata
