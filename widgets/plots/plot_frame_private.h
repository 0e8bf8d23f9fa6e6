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

struct PlotFrame::Private {
  QString title, emptyText;
  QCustomPlot* canvas = nullptr;
  QTableView* table = nullptr;
  QStackedWidget* stack = nullptr;
  ElidedLabel* state = nullptr;
  QMenu* menu = nullptr;
  QAction* firstShared = nullptr;
  QAction* showTable = nullptr;
  QTimer frame;
  QElapsedTimer sinceFrame;
  bool stale = true;
  bool exporting = false;
};

}  // namespace strata
