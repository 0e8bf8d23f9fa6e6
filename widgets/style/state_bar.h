#pragma once
// The bar above a pane's content: what failed and what to do, or where stale figures are from.

#include <QWidget>
#include <functional>

#include "core/base/error.h"

namespace strata {

class Button;
class Label;

class StateBar : public QWidget {
  Q_OBJECT

 public:
  explicit StateBar(QWidget* parent = nullptr);

  void showError(const Error& error, const QString& actionText, std::function<void()> onAction);
  void showStale(const QString& from, const QString& actionText, std::function<void()> onAction);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void arrange(const QString& sentence, const QString& actionText, std::function<void()> onAction);
  bool m_failed = false;
  Label* m_sentence;
  Button* m_action;
  Button* m_copy;
  QString m_details;
  std::function<void()> m_onAction;
};

}  // namespace strata
