#pragma once
// One sentence on what just happened, with a way back.

#include <array>
#include <functional>
#include <vector>

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
  struct Action {
    QString text;
    std::function<void()> act;
  };
  /// Two at most.
  void offer(const QString& sentence, const std::vector<Action>& actions);
  QString sentence() const;

 private:
  ElidedLabel* m_sentence;
  std::array<Button*, 2> m_buttons{};
  std::vector<Action> m_actions;
};

}  // namespace strata
