#pragma once
// One sentence on what just happened, with a way back.

#include <functional>

#include "widgets/style/pane.h"

namespace strata {

class Button;
class ElidedLabel;

class NoticeBar : public Pane {
  Q_OBJECT

 public:
  explicit NoticeBar(QWidget* parent = nullptr);
  /// `action`: the button's text; empty: none.
  void show(const QString& sentence, const QString& action = {}, std::function<void()> onAction = {});
  QString sentence() const;

 private:
  ElidedLabel* m_sentence;
  Button* m_action;
  std::function<void()> m_onAction;
};

}  // namespace strata
