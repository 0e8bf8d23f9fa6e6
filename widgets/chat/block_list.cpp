#include "widgets/chat/block_list.h"

#include <QElapsedTimer>
#include <QKeyEvent>
#include <QScrollBar>
#include <QTimer>
#include <algorithm>
#include <utility>

#include "widgets/style/tokens.h"

namespace strata {
namespace {

constexpr int kMeasureMilliseconds = 5;  // one event's share; the rest follows in the next
constexpr int kAtEnd = 4;                // pixels from the end that still count as the end

}  // namespace

BlockList::BlockList(QWidget* parent) : QAbstractScrollArea(parent) {
  setFrameShape(QFrame::NoFrame);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setFocusPolicy(Qt::StrongFocus);
  verticalScrollBar()->setSingleStep(kGapSections);
}

void BlockList::setBlocks(std::vector<Entry> entries) {
  replaceFrom(0, std::move(entries));
}

void BlockList::replaceFrom(int first, std::vector<Entry> entries) {
  const Anchor anchor = anchorOfNow();
  const auto begin = static_cast<std::size_t>(std::clamp(first, 0, count()));
  std::vector<Item> old(std::make_move_iterator(m_items.begin() + static_cast<std::ptrdiff_t>(begin)),
                        std::make_move_iterator(m_items.end()));
  m_items.resize(begin);
  QHash<QString, std::size_t> places;
  places.reserve(static_cast<qsizetype>(old.size()));
  for (std::size_t i = 0; i < old.size(); ++i) {
    places.insert(old[i].entry.key, i);
    m_places.remove(old[i].entry.key);
  }
  for (Entry& entry : entries) {
    Item item;
    item.height = entry.guess;
    if (const auto place = places.constFind(entry.key); place != places.constEnd()) {
      Item& before = old[*place];
      item.height = before.height;
      item.measured = before.measured;
      item.space = before.space;
      item.widget = std::exchange(before.widget, nullptr);
      places.erase(place);
    }
    m_places.insert(entry.key, count());
    item.entry = std::move(entry);
    m_items.push_back(std::move(item));
  }
  for (Item& item : old) release(item);
  arrange(anchor);
}

int BlockList::indexOf(const QString& key) const {
  return m_places.value(key, -1);
}

Block* BlockList::widgetOf(const QString& key) const {
  const int index = indexOf(key);
  return index < 0 ? nullptr : m_items[static_cast<std::size_t>(index)].widget.data();
}

int BlockList::alive() const {
  return static_cast<int>(
      std::count_if(m_items.begin(), m_items.end(), [](const Item& item) { return !item.widget.isNull(); }));
}

void BlockList::measureAgain() {
  for (Item& item : m_items) item.measured = false;
  arrange();
}

int BlockList::columnWidth() const {
  return std::max(1, viewport()->width() - 2 * kGapGroups);
}

int BlockList::contentHeight() const {
  if (m_items.empty()) return 0;
  const Item& last = m_items.back();
  return last.y + last.height + last.space + kGapGroups;
}

/// Where a view that follows the end begins.
int BlockList::topAtEnd() const {
  return std::max(0, contentHeight() - viewport()->height() - m_movedTo.value_or(m_leftBelow));
}

void BlockList::placeItems() {
  int y = kGapGroups;
  for (Item& item : m_items) {
    item.y = y;
    y += item.height + item.space;
  }
}

int BlockList::firstVisible() const {
  const int top = verticalScrollBar()->value();
  for (int i = 0; i < count(); ++i) {
    const Item& item = m_items[static_cast<std::size_t>(i)];
    if (item.y + item.height > top) return i;
  }
  return -1;
}

void BlockList::watch(Block* block, const QString& key) {
  block->setParent(viewport());
  block->installEventFilter(this);
  connect(block, &Block::resized, this, [this, key] {
    const int index = indexOf(key);
    if (index < 0) return;
    m_items[static_cast<std::size_t>(index)].measured = false;
    arrangeSoon();
  });
}

/// True where it had to be measured.
bool BlockList::realise(Item& item) {
  if (!item.widget) {
    Block* block = item.entry.make();
    watch(block, item.entry.key);
    item.widget = block;
    item.measured = false;
    m_made = true;
    block->show();
  }
  if (item.measured) return false;
  item.height = item.widget->heightFor(columnWidth());
  item.measured = true;
  return true;
}

void BlockList::release(Item& item) {
  if (!item.widget) return;
  item.widget->hide();
  item.widget->deleteLater();
  item.widget = nullptr;
}

void BlockList::arrangeSoon() {
  if (m_soon) return;
  m_soon = true;
  QTimer::singleShot(0, this, [this] {
    m_soon = false;
    arrange();
  });
}

void BlockList::arrange() {
  arrange(anchorOfNow());
}

/// The block at the top of the view, and how far down in it the view begins.
BlockList::Anchor BlockList::anchorOfNow() const {
  const int first = m_follows ? -1 : firstVisible();
  if (first < 0) return {{}, 0};
  const Item& item = m_items[static_cast<std::size_t>(first)];
  return {item.entry.key, verticalScrollBar()->value() - item.y};
}

/// Makes the blocks near the view, measures them as long as one event may take, and keeps the read line in place.
void BlockList::arrange(const Anchor& held) {
  if (m_arranging) return;
  m_arranging = true;
  QElapsedTimer spent;
  spent.start();
  const int view = viewport()->height();
  const int anchor = held.key.isEmpty() ? -1 : indexOf(held.key);
  const int offset = held.offset;
  const int value = verticalScrollBar()->value();  // where the block is gone
  const auto top = [&] {
    if (m_follows) return topAtEnd();
    return anchor < 0 ? value : m_items[static_cast<std::size_t>(anchor)].y + offset;
  };
  placeItems();
  bool changed = true;
  bool unfinished = false;
  bool missing = false;
  while (changed && !unfinished) {  // measuring moves what follows, which may bring others into view
    changed = false;
    const int begin = top() - view / 2;
    const int end = top() + view + view / 2;
    for (Item& item : m_items) {
      if (item.y + item.height < begin || item.y > end) continue;
      const bool seen = item.y + item.height > top() && item.y < top() + view;
      if (!seen && spent.elapsed() > kMeasureMilliseconds / 2) {
        missing = missing || !item.measured;
        continue;
      }
      const int before = item.height;
      if (realise(item) && item.height != before) {
        changed = true;
        placeItems();
      }
      if (spent.elapsed() > kMeasureMilliseconds) {
        unfinished = true;
        break;
      }
    }
    placeItems();
  }
  const int begin = top() - view;
  const int end = top() + 2 * view;
  for (Item& item : m_items) {
    const bool near = item.y + item.height >= begin && item.y <= end;
    const bool focused = item.widget && item.widget->isAncestorOf(window()->focusWidget());
    if (!near && !focused) release(item);
  }
  verticalScrollBar()->setRange(0, std::max(0, contentHeight() - view));
  verticalScrollBar()->setPageStep(std::max(1, view - kGapSections));
  verticalScrollBar()->setValue(top());
  const int shown = verticalScrollBar()->value();
  for (Item& item : m_items) {
    if (item.widget) item.widget->setGeometry(kGapGroups, item.y - shown, columnWidth(), item.height);
  }
  if (m_made) orderTabs();
  m_arranging = false;
  if (missing || unfinished) arrangeSoon();
  Q_EMIT arranged();
}

/// Tab goes through the blocks from above, behind the list itself.
void BlockList::orderTabs() {
  m_made = false;
  QWidget* before = this;
  for (const Item& item : m_items) {
    if (!item.widget) continue;
    for (QWidget* child : item.widget->findChildren<QWidget*>()) {
      if ((child->focusPolicy() & Qt::TabFocus) == 0 || child->focusProxy() != nullptr) continue;
      setTabOrder(before, child);
      before = child;
    }
  }
}

void BlockList::setFollows(bool follows) {
  if (m_follows == follows) return;
  m_follows = follows;
  Q_EMIT followsChanged(follows);
}

void BlockList::follow(std::optional<int> movedTo) {
  m_movedTo = movedTo;
  setFollows(true);
  arrange();
}

void BlockList::followEnd() {
  follow({});
}

void BlockList::followEndAs(const BlockList& other) {
  follow(other.m_movedTo);
}

void BlockList::setLeftBelow(int pixels) {
  if (m_leftBelow == pixels) return;
  const int before = topAtEnd();
  m_leftBelow = pixels;
  if (m_movedTo) m_movedTo = std::min(*m_movedTo, pixels);
  if (m_follows && topAtEnd() != before) arrange();
}

void BlockList::scrollToBlock(const QString& key) {
  const int index = indexOf(key);
  if (index >= 0) setViewTop(topOf(index));
}

int BlockList::topOf(int index) const {
  return index < count() ? m_items[static_cast<std::size_t>(index)].y : contentHeight();
}

int BlockList::heightOf(int first, int last) const {
  int sum = 0;
  for (int i = std::max(0, first); i < std::min(last, count()); ++i) sum += m_items[static_cast<std::size_t>(i)].height;
  return sum;
}

void BlockList::setSpaces(const std::vector<std::pair<int, int>>& spaces) {
  bool changed = false;
  auto next = spaces.begin();
  for (int i = 0; i < count(); ++i) {
    Item& item = m_items[static_cast<std::size_t>(i)];
    const int space = next != spaces.end() && next->first == i ? (next++)->second : 0;
    changed = changed || item.space != space;
    item.space = space;
  }
  if (changed) arrange();
}

int BlockList::viewTop() const {
  return verticalScrollBar()->value();
}

void BlockList::setViewTop(int y) {
  const QSignalBlocker quiet(this);
  verticalScrollBar()->setValue(y);
}

void BlockList::resizeEvent(QResizeEvent* event) {
  QAbstractScrollArea::resizeEvent(event);
  measureAgain();
}

void BlockList::scrollContentsBy(int, int) {
  if (m_arranging) return;
  const int below = verticalScrollBar()->maximum() - verticalScrollBar()->value();
  setFollows(below <= std::max(kAtEnd, m_leftBelow));
  m_movedTo = below > kAtEnd ? below : 0;
  if (m_movedTo == m_leftBelow) m_movedTo.reset();
  arrange();
  Q_EMIT scrolled();
}

void BlockList::keyPressEvent(QKeyEvent* event) {
  QScrollBar* bar = verticalScrollBar();
  switch (event->key()) {
    case Qt::Key_Up:
      bar->triggerAction(QAbstractSlider::SliderSingleStepSub);
      break;
    case Qt::Key_Down:
      bar->triggerAction(QAbstractSlider::SliderSingleStepAdd);
      break;
    case Qt::Key_PageUp:
      bar->triggerAction(QAbstractSlider::SliderPageStepSub);
      break;
    case Qt::Key_PageDown:
    case Qt::Key_Space:
      bar->triggerAction(QAbstractSlider::SliderPageStepAdd);
      break;
    case Qt::Key_Home:
      bar->setValue(0);
      break;
    case Qt::Key_End:
      follow(0);
      Q_EMIT scrolled();
      break;
    default:
      event->ignore();
      return;
  }
  event->accept();
}

bool BlockList::viewportEvent(QEvent* event) {
  if (event->type() == QEvent::LayoutRequest) return false;
  return QAbstractScrollArea::viewportEvent(event);
}

/// A wheel over a block scrolls the list.
bool BlockList::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) {
    for (Item& item : m_items) {
      if (item.widget == watched) item.measured = false;
    }
    arrangeSoon();
  }
  return QAbstractScrollArea::eventFilter(watched, event);
}

}  // namespace strata
