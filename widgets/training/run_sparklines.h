#pragma once
// The loss of a run as a line in its row. Curves are asked for when a row is painted, one at a time and a few a second,
// the row painted last first; of a live run again once it has gone on.
//
//   auto* lines = new RunSparklines(session.engine(), this);
//   lines->setIsShown([this](const std::string& run) { … });
//   connect(lines, &RunSparklines::arrived, …repaint the row…);
//   view->setItemDelegate(new RunRowDelegate(*lines, *shown, view));
// GUI thread.

#include <QStyledItemDelegate>
#include <QTimer>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "widgets/client/engine_client.h"
#include "widgets/training/training_runs.h"

namespace strata {

class RunSparklines : public QObject {
  Q_OBJECT

 public:
  static constexpr int kPauseMs = 200;  // between requests

  explicit RunSparklines(EngineClient& engine, QObject* parent = nullptr);

  /// The losses from the first step to the last; empty: not known (yet).
  const std::vector<double>& of(const protocol::JobInfo& run);
  /// Whether a run's row is on the screen: no other is asked for.
  void setIsShown(std::function<bool(const std::string& run)> isShown) { m_isShown = std::move(isShown); }
  void forget();
  int requests() const { return m_requests; }

 Q_SIGNALS:
  void arrived(const QString& run);

 private:
  struct Line {
    std::vector<double> loss;
    std::int64_t step = -1;  // of the run when it was asked for
  };
  void next();

  EngineClient& m_engine;
  std::function<bool(const std::string&)> m_isShown;
  std::map<std::string, Line> m_lines;
  std::vector<std::pair<std::string, std::int64_t>> m_wanted;  // the newest wish last
  bool m_asking = false;
  int m_requests = 0;
  QTimer m_timer;
};

/// Draws a row's line, and beside its tick the colour that its curves have in the plots.
class RunRowDelegate : public QStyledItemDelegate {
  Q_OBJECT

 public:
  RunRowDelegate(RunSparklines& lines, const ShownRuns& runs, QObject* parent = nullptr)
      : QStyledItemDelegate(parent), m_lines(lines), m_runs(runs) {}
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;

 private:
  RunSparklines& m_lines;
  const ShownRuns& m_runs;
};

}  // namespace strata
