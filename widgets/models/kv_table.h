#pragma once
// What a cache takes per token when all, three quarters, half, a third and a quarter of the layers keep their own keys
// and values: one row a map, with a bar of its share.

#include <QWidget>
#include <vector>

#include "core/protocol/model_messages.h"

class QGridLayout;

namespace strata {

class KvTable : public QWidget {
  Q_OBJECT

 public:
  explicit KvTable(QWidget* parent = nullptr);
  /// The maps of shownMaps().
  void show(const std::vector<protocol::MapBytes>& maps, int layers);

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void fit();
  QGridLayout* m_grid;
  std::vector<QWidget*> m_bars, m_owners;  // columns that give way where there is no room: these first, then those
};

/// The card's maps without repetitions and, where it is none of them, the model's own.
std::vector<protocol::MapBytes> shownMaps(const protocol::ModelCard& card);

/// The number of the model's own map among them; 0 where it names none that can be read.
int ownMap(const std::vector<protocol::MapBytes>& shown, const protocol::ModelCard& card);

}  // namespace strata
