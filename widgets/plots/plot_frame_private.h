#pragma once
// What plot_frame.cpp and plot_export.cpp share.

#include <QElapsedTimer>
#include <QTimer>

#include "widgets/plots/plot_frame.h"
#include "widgets/plots/plot_painting.h"

class QStackedWidget;
class QTableView;

namespace strata {

class ElidedLabel;
class Label;

struct PlotFrame::Private {
  QString title, emptyText;
  Label *name = nullptr, *unit = nullptr;
  QCustomPlot* canvas = nullptr;
  QTableView* table = nullptr;
  QStackedWidget* stack = nullptr;
  ElidedLabel* state = nullptr;
  QMenu* menu = nullptr;
  QAction* firstShared = nullptr;
  QAction* showTable = nullptr;
  QTimer frame;
  QElapsedTimer clock;
  double nextFrame = 0;  // milliseconds of the clock
  double now() const { return static_cast<double>(clock.nsecsElapsed()) * 1e-6; }
  bool stale = true;
  bool exporting = false;
};

}  // namespace strata
