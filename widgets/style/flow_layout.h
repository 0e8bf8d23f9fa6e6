#pragma once
// Widgets side by side, in as many rows as they need; those below one another begin at the
// same edge while at least two stand side by side so.

#include <QLayout>
#include <QList>
#include <memory>
#include <vector>

namespace strata {

class FlowLayout : public QLayout {
 public:
  explicit FlowLayout(int horizontalGap, int verticalGap, QWidget* parent = nullptr);

  void addItem(QLayoutItem* item) override { m_items.emplace_back(item); }
  int count() const override { return static_cast<int>(m_items.size()); }
  QLayoutItem* itemAt(int index) const override;
  QLayoutItem* takeAt(int index) override;
  Qt::Orientations expandingDirections() const override { return {}; }
  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override { return place(QRect(0, 0, width, 0), false); }
  void setGeometry(const QRect& rect) override;
  QSize sizeHint() const override { return minimumSize(); }
  QSize minimumSize() const override;

 private:
  int place(const QRect& rect, bool apply) const;
  struct Columns {
    QList<int> widths;
    int gap = 0;
  };
  Columns columnsFor(int width) const;
  std::vector<std::unique_ptr<QLayoutItem>> m_items;
  int m_horizontalGap, m_verticalGap;
};

}  // namespace strata
