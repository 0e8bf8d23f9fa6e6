#pragma once
// The memory of the engine in parts and over time, and what can be given back.

#include "widgets/shell/memory_log.h"
#include "widgets/style/popup.h"

namespace strata {

class Label;
class MemoryChart;

class MemoryPopup : public Popup {
  Q_OBJECT

 public:
  MemoryPopup(Session& session, MemoryLog& log, QWidget* parent);

 private:
  void showNow();
  void fillModels();
  Session& m_session;
  MemoryLog& m_log;
  MemoryBar* m_bar;
  MemoryChart* m_curve;
  Label *m_resident, *m_problem;
  QVBoxLayout* m_models;
};

}  // namespace strata
