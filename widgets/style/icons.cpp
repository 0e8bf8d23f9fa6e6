#include "widgets/style/icons.h"

#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QPixmapCache>
#include <QSvgRenderer>

#include "widgets/style/theme.h"

// In the global namespace, as the macro asks: a static library's resources are dropped unless something names them.
static void loadIconResource() {
  Q_INIT_RESOURCE(strata_icons);
}

namespace strata {
namespace {

QString pathOf(const QString& name) {
  return QStringLiteral(":/icons/") + name + QStringLiteral(".svg");
}

const QColor& colorOf(Ink ink, const Colors& c) {
  switch (ink) {
    case Ink::text:
      return c.text;
    case Ink::second:
      return c.second;
    case Ink::accent:
      return c.accent;
    case Ink::onAccent:
      return c.onAccent;
    case Ink::good:
      return c.good;
    case Ink::warn:
      return c.warn;
    case Ink::bad:
      return c.bad;
  }
  return c.text;
}

class ThemedIcon : public QIconEngine {
 public:
  ThemedIcon(QString name, Ink ink) : m_name(std::move(name)), m_ink(ink) {}

  void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State state) override {
    const qreal ratio = painter->device() != nullptr ? painter->device()->devicePixelRatioF() : 1;
    QPixmap drawn = scaledPixmap(rect.size() * ratio, mode, state, ratio);
    drawn.setDevicePixelRatio(ratio);
    painter->drawPixmap(rect.topLeft(), drawn);
  }

  QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
    return scaledPixmap(size, mode, state, 1);
  }

  QPixmap scaledPixmap(const QSize& size, QIcon::Mode mode, QIcon::State, qreal) override {
    QColor color = colorOf(m_ink, colors());
    if (mode == QIcon::Disabled) color = mixed(colors().second, colors().window, 0.7);
    const QString key =
        QStringLiteral("strata-icon %1 %2 %3 %4").arg(m_name, color.name()).arg(size.width()).arg(size.height());
    QPixmap found;
    if (QPixmapCache::find(key, &found)) return found;
    QFile file(pathOf(m_name));
    QByteArray svg = file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    svg.replace("currentColor", color.name().toLatin1());
    found = QPixmap(size);
    found.fill(Qt::transparent);
    QSvgRenderer renderer(svg);
    renderer.setAspectRatioMode(Qt::KeepAspectRatio);
    QPainter painter(&found);
    renderer.render(&painter);
    painter.end();
    QPixmapCache::insert(key, found);
    return found;
  }

  QIconEngine* clone() const override { return new ThemedIcon(m_name, m_ink); }
  QString key() const override { return QStringLiteral("strata"); }
  QString iconName() override { return m_name; }
  QList<QSize> availableSizes(QIcon::Mode, QIcon::State) override { return {QSize(16, 16), QSize(20, 20)}; }
  bool isNull() override { return !hasIcon(m_name); }

 private:
  QString m_name;
  Ink m_ink;
};

}  // namespace

bool hasIcon(const QString& name) {
  loadIconResource();
  return QFile::exists(pathOf(name));
}

QIcon icon(const QString& name, Ink ink) {
  const bool known = hasIcon(name);
  Q_ASSERT_X(known, "icon", qPrintable(name));
  if (!known) qWarning("resources/icons.txt has no icon \"%s\".", qPrintable(name));
  return QIcon(new ThemedIcon(name, ink));
}

}  // namespace strata
