#pragma once
// What the map saves and costs, above its rows: "KV 1.13 GiB at 32k x 1 (-75 %) · 9 owners of 36 · NLL +0.110, …".
// During a drag the same figures change in place, the old value in grey before the new one.

#include <QWidget>
#include <vector>

#include "widgets/mapeditor/map_cost.h"

namespace strata {

class CostLine : public QWidget {
  Q_OBJECT

 public:
  explicit CostLine(QWidget* parent = nullptr);

  /// `preview`: what a drop would make; nullptr: nothing is dragged. Without a cost the line is empty.
  void show(const MapCost* cost, const SharingMap& map, const SharingMap* preview = nullptr);
  /// The whole line as a sentence, as screen readers hear it.
  QString text() const;

  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override;
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  /// A piece that is not broken over lines.
  struct Piece {
    QString before, value, after;  // "at", "1.13 GiB", ""
    QString old;                   // the value that it replaces; empty: the same
    bool strong = false;
    bool joined = false;  // to the piece before: no dot between them
  };
  void addQuality(const MapQuality& now, const MapQuality& before);
  int widthOf(const Piece& piece, bool roomForOld) const;
  template <class F>
  int flow(int width, bool roomForOld, F place) const;

  std::vector<Piece> m_pieces;
  QString m_tip;
};

}  // namespace strata
