#pragma once
// What a sampler draws: a triangle with a row for each layer and a column for each layer it may read, tinted by how
// often it does; eight routings as a seed draws them; and what that means in a sentence.
//
//   picture->show(*RoutingSampler::parse("uniform"), 0.5, 12, seed);

#include <QWidget>
#include <optional>
#include <vector>

#include "core/routing/sampler.h"

namespace strata {

class RoutingPicture : public QWidget {
  Q_OBJECT

 public:
  explicit RoutingPicture(QWidget* parent = nullptr);

  void show(const RoutingSampler& sampler, double pCross, int layers, std::uint64_t seed);
  /// Why there is nothing to show.
  void showNothing(const QString& sentence);
  /// "When a layer borrows, it reads one of the 3 layers below it in 62 % of draws. …"; what a screen reader hears.
  QString sentence() const { return m_sentence; }

  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override;
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;

 private:
  struct Layout;
  Layout layoutFor(int width) const;
  void paintTriangle(QPainter& painter, const QRect& area) const;
  void paintDraw(QPainter& painter, const QRect& area, const SharingMap& routing) const;
  void paintLegend(QPainter& painter, const QRect& area) const;

  int m_layers = 0;
  std::vector<std::vector<double>> m_probabilities;
  std::vector<SharingMap> m_draws;
  QString m_sentence;
};

/// Of the reads of other layers, the share that goes to one of the `distance` layers below the reader; nothing where no
/// layer ever borrows.
std::optional<double> shareOfNearReads(const std::vector<std::vector<double>>& probabilities, int distance);
/// Probability that one draw is `map` as a whole, from the definition of each sampler (design.md section 2).
double probabilityOf(const SharingMap& map, const RoutingSampler& sampler, double pCross);

}  // namespace strata
