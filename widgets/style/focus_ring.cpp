#include "widgets/style/focus_ring.h"

#include <QAbstractItemView>
#include <QApplication>
#include <QEvent>
#include <QPainter>
#include <QPointer>

#include "widgets/style/style_painters.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

/// Lies over a view and lets the mouse through.
class FocusRing final : public QWidget {
 public:
  explicit FocusRing(QWidget* view) : QWidget(view) {
    setObjectName("focusRing");
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setGeometry(view->rect());
    view->installEventFilter(this);
    show();
  }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override {
    if (event->type() == QEvent::Resize) setGeometry(parentWidget()->rect());
    return QWidget::eventFilter(watched, event);
  }
  void paintEvent(QPaintEvent*) override {
    if (!window()->testAttribute(Qt::WA_KeyboardFocusChange)) return;
    QPainter painter(this);
    paint::focusRing(painter, rect(), colors(), kRadius);
  }
};

bool needsRing(const QWidget* widget) {
  const auto* view = qobject_cast<const QAbstractScrollArea*>(widget);
  return view != nullptr && view->frameShape() == QFrame::NoFrame &&
         qobject_cast<const QAbstractItemView*>(view) == nullptr;
}

}  // namespace

void showFocusRings(QApplication& application) {
  QObject::connect(&application, &QApplication::focusChanged, &application,
                   [ring = QPointer<QWidget>()](QWidget*, QWidget* now) mutable {
                     delete ring;
                     if (needsRing(now)) ring = new FocusRing(now);
                   });
}

}  // namespace strata
