#pragma once
// What fits into a memory: for each share of the cache what is needed for the bar's context and chats, the longest
// context and the most chats. Planned from the model's card: the model need not be loaded, nor the memory be here.

#include <QWidget>
#include <optional>

#include "core/routing/memory_limits.h"
#include "widgets/mapeditor/side_map.h"

class QDoubleSpinBox;
class QVBoxLayout;

namespace strata {

class Button;
class Label;

class BudgetSection : public QWidget {
  Q_OBJECT

 public:
  BudgetSection(Session& session, SideMap& side, QWidget* parent = nullptr);

  /// Bytes.
  std::int64_t memory() const;

 private:
  void heard(const protocol::Memory& memory);
  void useDevice();
  void refresh();
  std::optional<ServingLimits> limits() const;

  Session& m_session;
  SideMap& m_side;
  std::optional<protocol::Memory> m_device;  // of side B's device, as told last
  bool m_typed = false;                      // the memory is not the device's
  QDoubleSpinBox* m_memory;
  Button* m_useDevice;
  Label *m_situation, *m_verdict, *m_held;
  QVBoxLayout* m_rows;  // a line for each share
};

}  // namespace strata
