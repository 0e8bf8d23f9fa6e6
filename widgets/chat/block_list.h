#pragma once
// A column of blocks of different heights, of which only those near the view exist as widgets: thousands of turns and a
// megabyte of text cost what a screen of them costs. The view follows the end until it is scrolled away from it, and
// what is being read stays in place when blocks above it change. A view that follows can stop short of the end, so that
// what is there does not push out what is to be read.
//
//   list->setBlocks({{"q0", 60, [] { return new QuestionBlock(…); }}, …});
// GUI thread. Keys name blocks: a block whose key stays keeps its widget.

#include <QAbstractScrollArea>
#include <QHash>
#include <QPointer>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace strata {

/// A widget that knows its height for a width.
class Block : public QWidget {
  Q_OBJECT

 public:
  using QWidget::QWidget;
  virtual int heightFor(int width) = 0;

 Q_SIGNALS:
  /// Its height for the same width is another now.
  void resized();
};

class BlockList : public QAbstractScrollArea {
  Q_OBJECT

 public:
  struct Entry {
    QString key;
    int guess = 0;  // height before it is measured
    std::function<Block*()> make;
  };

  explicit BlockList(QWidget* parent = nullptr);

  /// Replaces all; blocks whose keys stay keep their widgets and heights.
  void setBlocks(std::vector<Entry> entries);
  /// Replaces the blocks from `first` on.
  void replaceFrom(int first, std::vector<Entry> entries);
  int count() const { return static_cast<int>(m_items.size()); }
  /// The widget of a block while it has one.
  Block* widgetOf(const QString& key) const;
  /// How many blocks are widgets just now.
  int alive() const;
  /// Forgets heights (the text's size changed).
  void measureAgain();

  bool followsEnd() const { return m_follows; }
  /// Follows the end from now on, setLeftBelow() pixels short of it.
  void followEnd();
  /// Follows the end from now on, as far short of it as that list.
  void followEndAs(const BlockList& other);
  /// How much of the column a view that follows its end leaves below, in pixels. One that was scrolled further stays
  /// there.
  void setLeftBelow(int pixels);
  /// Brings a block to the top of the view.
  void scrollToBlock(const QString& key);
  /// Where a block begins in the whole column; behind the last one, the column's end.
  int topOf(int index) const;
  /// The heights of the blocks from `first` to before `last`, without what is left free between them.
  int heightOf(int first, int last) const;
  /// Leaves room free below blocks: (index, pixels); none below the others.
  void setSpaces(const std::vector<std::pair<int, int>>& spaces);
  int viewTop() const;
  /// Scrolls without telling.
  void setViewTop(int y);

 Q_SIGNALS:
  /// The user scrolled.
  void scrolled();
  /// Blocks have other heights or places.
  void arranged();
  void followsChanged(bool follows);

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void scrollContentsBy(int dx, int dy) override;
  void keyPressEvent(QKeyEvent* event) override;
  bool viewportEvent(QEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Item {
    Entry entry;
    int height = 0;
    bool measured = false;
    int space = 0;  // left free below it
    int y = 0;
    QPointer<Block> widget;
  };
  void arrangeSoon();
  struct Anchor {
    QString key;
    int offset;
  };
  void arrange();
  void arrange(const Anchor& held);
  Anchor anchorOfNow() const;
  void placeItems();
  void orderTabs();
  bool realise(Item& item);
  void release(Item& item);
  void setFollows(bool follows);
  void follow(std::optional<int> movedTo);
  int firstVisible() const;
  int indexOf(const QString& key) const;
  int columnWidth() const;
  int contentHeight() const;
  int topAtEnd() const;
  void watch(Block* block, const QString& key);

  std::vector<Item> m_items;
  QHash<QString, int> m_places;  // of the keys in it
  bool m_follows = true;
  int m_leftBelow = 0;
  std::optional<int> m_movedTo;  // as m_leftBelow, by the user
  bool m_arranging = false;
  bool m_soon = false;
  bool m_made = false;  // blocks that stand nowhere in the order of Tab yet
};

}  // namespace strata
