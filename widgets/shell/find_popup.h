#pragma once
// Ctrl+K: finds anything by name, and does it.

#include <functional>
#include <vector>

#include "widgets/style/popup.h"

class QLineEdit;
class QListWidget;

namespace strata {

struct Findable {
  QString kind;      // "Page", "Model", "Run", "Setting", "Action"
  QString name;      // "Regenerate both answers"
  QString shortcut;  // empty: none
  std::function<void()> run;
};

class FindPopup : public Popup {
  Q_OBJECT

 public:
  FindPopup(std::vector<Findable> all, QWidget* parent);

  /// Those whose name or kind holds every word, those that begin with the text first.
  static std::vector<const Findable*> found(const std::vector<Findable>& all, const QString& text);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void fill();
  void run();
  std::vector<Findable> m_all;
  std::vector<const Findable*> m_found;
  QLineEdit* m_text;
  QListWidget* m_list;
};

}  // namespace strata
