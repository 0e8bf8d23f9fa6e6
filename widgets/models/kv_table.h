#pragma once
// What a cache takes per token when all, three quarters, half, a third and a quarter of the layers keep their own keys
// and values: one row a map, with a bar of its share.

#include <QWidget>
#include <vector>

#include "widgets/session/map_library.h"

class QGridLayout;

namespace strata {

class KvTable : public QWidget {
  Q_OBJECT

 public:
  explicit KvTable(QWidget* parent = nullptr);
  /// `kvBytesPerToken`: of the full map.
  void show(const std::vector<MapLibrary::Choice>& maps, std::int64_t kvBytesPerToken);

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void fit();
  QGridLayout* m_grid;
  std::vector<QWidget*> m_bars, m_owners;  // columns that give way where there is no room: these first, then those
};

}  // namespace strata
