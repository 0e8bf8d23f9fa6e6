#pragma once
// One of a few, side by side: 100 | 75 | 50. The arrow keys choose; a screen reader hears radio buttons.

#include <QList>
#include <QStringList>
#include <QWidget>

class QAbstractButton;
class QButtonGroup;

namespace strata {

class SegmentedButtons : public QWidget {
  Q_OBJECT

 public:
  explicit SegmentedButtons(const QStringList& names = {}, QWidget* parent = nullptr);

  void setNames(const QStringList& names);
  int count() const;
  /// -1: none.
  int current() const;
  /// Does not emit chosen().
  void setCurrent(int index);
  QAbstractButton* button(int index) const;
  void setButtonEnabled(int index, bool enabled, const QString& why = {});
  /// 24 high.
  void setCompact(bool compact);

 Q_SIGNALS:
  /// The user chose; also emitted for a click on the chosen one.
  void chosen(int index);

 private:
  /// Tab comes to the chosen one.
  void leadTab();
  QButtonGroup* m_group;
  bool m_compact = false;
};

}  // namespace strata
