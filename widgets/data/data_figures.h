#pragma once
// The counts of a data set: rows, what is left out, cut and double, tokens and those that count in the loss.

#include <QWidget>

#include "core/protocol/data_messages.h"

namespace strata {

class Label;

class DataFigures : public QWidget {
  Q_OBJECT

 public:
  explicit DataFigures(QWidget* parent = nullptr);
  void show(const protocol::CheckData::Answer& answer);

 private:
  struct Figure {
    Label* value;
    Label* name;
  };
  Figure m_figures[6];
};

}  // namespace strata
