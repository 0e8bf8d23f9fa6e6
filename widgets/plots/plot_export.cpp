#include <QAction>
#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QMenu>
#include <QPointer>
#include <QSaveFile>
#include <QSvgGenerator>
#include <QThreadPool>

#include "widgets/plots/plot_frame_private.h"
#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr double kPngScale = 2;

/// Title and plot, in logical pixels.
void paintPlot(QCustomPlot& canvas, const QString& title, QCPPainter& painter, QSize size, int head) {
  painter.fillRect(QRect(QPoint(), size), colors().surface);
  painter.setFont(fonts().strong);
  painter.setPen(colors().text);
  painter.drawText(QRect(kGapGroups, 0, size.width(), head), Qt::AlignLeft | Qt::AlignVCenter, title);
  painter.translate(0, head);
  canvas.toPainter(&painter, size.width(), size.height() - head);
}

QString writeFile(const QString& path, const QByteArray& bytes) {
  QSaveFile file(path);
  if (file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit()) return {};
  return PlotFrame::tr("%1 could not be written: %2").arg(path, file.errorString());
}

}  // namespace

void PlotFrame::addExportActions() {
  Private& p = *m_frame;
  p.firstShared = p.menu->addSeparator();
  p.showTable = addPlotChoice(tr("Show as table"), QKeySequence(Qt::Key_T), [this](bool on) { setTableShown(on); });
  QAction* copy = addPlotAction(tr("Copy data"), QKeySequence(QKeySequence::Copy), [this] { copyData(); });
  copy->setIcon(icon(QStringLiteral("clipboard")));
  const auto add = [this](const QString& text, const QString& suffix, const QString& filter) {
    return addPlotAction(text, {}, [this, suffix, filter] { askPath(suffix, filter); });
  };
  QAction* svg = add(tr("Export SVG…"), QStringLiteral("svg"), tr("SVG image (*.svg)"));
  QAction* png = add(tr("Export PNG…"), QStringLiteral("png"), tr("PNG image (*.png)"));
  QAction* csv = add(tr("Export CSV…"), QStringLiteral("csv"), tr("Comma-separated values (*.csv)"));
  // Behind the separator; what plots add later stands before it.
  for (QAction* action : {p.showTable, copy, svg, png, csv}) {
    p.menu->removeAction(action);
    p.menu->addAction(action);
  }
}

void PlotFrame::askPath(const QString& suffix, const QString& filter) {
  auto* dialog = new QFileDialog(this, tr("Export the plot"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setAcceptMode(QFileDialog::AcceptSave);
  dialog->setDefaultSuffix(suffix);
  dialog->setNameFilter(filter);
  QString name = m_frame->title;
  for (QChar& letter : name) {
    if (!letter.isLetterOrNumber() && letter != u' ' && letter != u'-') letter = u'_';
  }
  dialog->selectFile(name + u'.' + suffix);
  connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) { exportTo(path); });
  dialog->open();
}

void PlotFrame::exportTo(const QString& path) {
  if (QFileInfo(path).suffix().compare(QLatin1String("csv"), Qt::CaseInsensitive) == 0) {
    QThreadPool::globalInstance()->start([frame = QPointer(this), path, text = tableText()] {
      const QString error = writeFile(path, text(','));
      QMetaObject::invokeMethod(
          qApp,
          [frame, path, error] {
            if (frame) Q_EMIT frame->exported(path, error);
          },
          Qt::QueuedConnection);
    });
    return;
  }
  Q_EMIT exported(path, saveImage(path));
}

void PlotFrame::copyData() {
  QThreadPool::globalInstance()->start([frame = QPointer(this), text = tableText()] {
    const QString words = QString::fromUtf8(text('\t'));
    QMetaObject::invokeMethod(
        qApp,
        [frame, words] {
          QGuiApplication::clipboard()->setText(words);
          if (frame) Q_EMIT frame->exported({}, {});
        },
        Qt::QueuedConnection);
  });
}

QString PlotFrame::saveImage(const QString& path) {
  Private& p = *m_frame;
  const int head = QFontMetrics(fonts().strong).height() + kGapRelated;
  const QSize size(p.canvas->width(), p.canvas->height() + head);
  const QString suffix = QFileInfo(path).suffix().toLower();
  if (suffix != QLatin1String("svg") && suffix != QLatin1String("png")) {
    return tr("A plot is exported as .svg, .png or .csv; %1 is none of them.").arg(path);
  }
  redraw();
  p.exporting = true;
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  if (suffix == QLatin1String("svg")) {
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(size);
    generator.setViewBox(QRect(QPoint(), size));
    generator.setTitle(p.title);
    generator.setDescription(summary());
    QCPPainter painter;
    painter.begin(&generator);
    painter.setMode(QCPPainter::pmVectorized);
    painter.setMode(QCPPainter::pmNoCaching);
    paintPlot(*p.canvas, p.title, painter, size, head);
    painter.end();
  } else {
    QImage image(size * kPngScale, QImage::Format_ARGB32_Premultiplied);
    QCPPainter painter;
    painter.begin(&image);
    painter.scale(kPngScale, kPngScale);
    painter.setMode(QCPPainter::pmNoCaching);
    paintPlot(*p.canvas, p.title, painter, size, head);
    painter.end();
    image.save(&buffer, "PNG");
  }
  p.exporting = false;
  // toPainter() laid the plot out for the export's size.
  p.canvas->replot(QCustomPlot::rpQueuedRefresh);
  return writeFile(path, bytes);
}

}  // namespace strata
