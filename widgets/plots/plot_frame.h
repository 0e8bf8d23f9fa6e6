#pragma once
// What all plots of QCustomPlot have in common: a title with the unit, a menu of actions, the plot or its table, at
// most 30 repaints a second, export, and words for people who do not see it.
//
//   plot->setEmptyText(tr("The curve begins with the first step."));
//   for (QAction* action : plot->actions()) …        // for Ctrl+K; their shortcuts work while the plot has the focus
// GUI thread.

#include <QWidget>
#include <functional>
#include <memory>

class QAbstractItemModel;
class QAction;
class QCustomPlot;
class QMenu;

namespace strata {

class PlotFrame : public QWidget {
  Q_OBJECT

 public:
  PlotFrame(const QString& title, const QString& unit, QWidget* parent);
  ~PlotFrame() override;

  void setTitle(const QString& title, const QString& unit);
  QString title() const;  // "Loss (nats)"
  /// One sentence in place of the curves while there are none.
  void setEmptyText(const QString& sentence);
  /// What is shown, in words; also the accessible description.
  virtual QString summary() const = 0;

  bool tableShown() const;
  void setTableShown(bool shown);
  /// As SVG, PNG (at twice the size) or CSV, by the path's suffix; exported() tells the outcome. CSV holds all points.
  void exportTo(const QString& path);
  /// The points as tab-separated text into the clipboard; exported() tells when.
  void copyData();
  QMenu* menu() const;

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 Q_SIGNALS:
  /// A frame was drawn.
  void drawn();
  /// `path` is empty for the clipboard; `error` is a sentence, empty on success.
  void exported(const QString& path, const QString& error);
  void tableShownChanged(bool shown);

 protected:
  using TableText = std::function<QByteArray(char separator)>;

  QCustomPlot& canvas() const;
  bool isExporting() const;
  /// The next frame: now, or 1/30 s after the last one.
  void scheduleRedraw();
  /// Brings the canvas up to date; it is repainted afterwards.
  virtual void redraw() = 0;
  /// Brings the table up to date, while it is shown and when it will be.
  virtual void refreshTable() = 0;
  /// Called here, runs on another thread.
  virtual TableText tableText() const = 0;
  virtual bool isEmpty() const = 0;
  virtual QString emptyText() const;
  void setTable(QAbstractItemModel* model);
  /// Beside the title: "log, smoothed 0.9".
  void setState(const QString& state);
  /// Into the menu; the shortcut works while the plot has the focus.
  QAction* addPlotAction(const QString& text, const QKeySequence& shortcut, std::function<void()> act);
  QAction* addPlotChoice(const QString& text, const QKeySequence& shortcut, std::function<void(bool)> act);

  void showEvent(QShowEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;

 private:
  void addExportActions();
  void drawFrame();
  void askPath(const QString& suffix, const QString& filter);
  /// A sentence; empty on success.
  QString saveImage(const QString& path);
  struct Private;
  std::unique_ptr<Private> m_frame;
};

}  // namespace strata
