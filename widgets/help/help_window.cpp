#include "widgets/help/help_window.h"

#include <QDesktopServices>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QPainter>
#include <QScrollBar>
#include <QShortcut>
#include <QSplitter>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include "widgets/help/guide_text.h"
#include "widgets/style/controls.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/style_painters.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr QSize kFirstSize{1120, 780};
constexpr int kSideWidth = 240;
constexpr int kPageRole = Qt::UserRole, kAnchorRole = Qt::UserRole + 1, kWhereRole = Qt::UserRole + 2,
              kExcerptRole = Qt::UserRole + 3;
constexpr int kExcerptLines = 2;

/// Of what was found: where, and below it some of the words. A page of the contents is drawn as any item.
class HitDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;

  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    if (!index.data(kExcerptRole).isValid()) return QStyledItemDelegate::sizeHint(option, index);
    const int strong = QFontMetrics(fonts().strong).height(), caption = QFontMetrics(fonts().caption).lineSpacing();
    return {scaled(kSideWidth) / 2, strong + kGapInside + kExcerptLines * caption + 2 * kGapRelated};
  }

  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    if (!index.data(kExcerptRole).isValid()) return QStyledItemDelegate::paint(painter, option, index);
    painter->save();
    if (option.state & QStyle::State_Selected) paint::selection(*painter, option.rect, colors(), true);
    QRect room = option.rect.adjusted(kGapRelated, kGapRelated, -kGapRelated, -kGapRelated);
    const QFontMetrics strong(fonts().strong);
    painter->setFont(fonts().strong);
    painter->setPen(colors().text);
    painter->drawText(room.left(), room.top() + strong.ascent(),
                      strong.elidedText(index.data(kWhereRole).toString(), Qt::ElideRight, room.width()));
    room.setTop(room.top() + strong.height() + kGapInside);
    painter->setFont(fonts().caption);
    painter->setPen(colors().second);
    painter->drawText(room, Qt::AlignLeft | Qt::TextWordWrap, index.data(kExcerptRole).toString());
    if (paint::showsFocus(option)) paint::focusRing(*painter, option.rect, colors());
    painter->restore();
  }
};

}  // namespace

HelpWindow::HelpWindow(const Guide& guide, QWidget* parent) : QWidget(parent, Qt::Window), m_guide(guide) {
  named(this, "helpWindow", tr("Help"));
  setWindowTitle(tr("Help - Strata"));
  m_splitter = named(new QSplitter(Qt::Horizontal), "helpSplitter");
  m_splitter->setChildrenCollapsible(false);
  m_splitter->setHandleWidth(1);
  m_splitter->addWidget(makeSide());
  m_splitter->addWidget(makeReading());
  m_splitter->setStretchFactor(1, 1);
  m_splitter->setSizes({scaled(kSideWidth), kFirstSize.width() - scaled(kSideWidth)});
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(m_splitter);
  const auto bind = [this](const QKeySequence& keys, auto act) {
    connect(new QShortcut(keys, this), &QShortcut::activated, this, act);
  };
  bind(QKeySequence("Alt+Left"), [this] { step(-1); });
  bind(QKeySequence("Alt+Right"), [this] { step(1); });
  bind(QKeySequence("Ctrl+F"), [this] {
    m_search->setFocus(Qt::ShortcutFocusReason);
    m_search->selectAll();
  });
  resize(kFirstSize);
  showList();
}

QWidget* HelpWindow::makeSide() {
  auto* side = new Pane(Ground::window);
  m_search = named(new QLineEdit, "helpSearch", tr("Search the guide"));
  m_search->setPlaceholderText(tr("Search"));
  m_search->setClearButtonEnabled(true);
  m_search->setWhatsThis(tr("Words to look for in all pages of the guide. Ctrl+F comes here."));
  m_list = named(new QListWidget, "helpContents", tr("Pages of the guide"));
  m_list->setFrameShape(QFrame::NoFrame);
  m_list->setWordWrap(true);
  m_list->setItemDelegate(new HitDelegate(m_list));
  m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_nothing = named(captionLabel(tr("Nothing found. Try fewer words.")), "helpNothing");
  auto* column = new QVBoxLayout(side);
  column->setContentsMargins(kGapRelated, kGapRelated, kGapRelated, kGapRelated);
  column->setSpacing(kGapRelated);
  column->addWidget(m_search);
  column->addWidget(m_nothing);
  column->addWidget(m_list, 1);
  followTheme(side, [side] { side->setMinimumWidth(scaled(kSideWidth) * 3 / 4); });
  connect(m_search, &QLineEdit::textChanged, this, &HelpWindow::showList);
  connect(m_search, &QLineEdit::returnPressed, this, [this] {
    if (m_list->count() > 0) chooseRow(std::max(0, m_list->currentRow()));
  });
  connect(m_list, &QListWidget::itemClicked, this, [this](QListWidgetItem* item) { chooseRow(m_list->row(item)); });
  connect(m_list, &QListWidget::itemActivated, this, [this](QListWidgetItem* item) { chooseRow(m_list->row(item)); });
  return side;
}

QWidget* HelpWindow::makeReading() {
  auto* reading = new Pane(Ground::surface);
  m_back = named(makeIconButton("chevron-left", tr("Back"), "Alt+Left"), "helpBack");
  m_forward = named(makeIconButton("chevron-right", tr("Forward"), "Alt+Right"), "helpForward");
  auto* contents = named(makeButton(tr("Contents"), ButtonKind::quiet), "helpHome");
  m_text = named(new GuideText(m_guide), "helpText", tr("Page of the guide"));
  auto* bar = new QHBoxLayout;
  bar->setContentsMargins(kGapRelated, kGapInside, kGapRelated, kGapInside);
  bar->setSpacing(kGapInside);
  bar->addWidget(m_back);
  bar->addWidget(m_forward);
  bar->addWidget(contents);
  bar->addStretch(1);
  auto* column = new QVBoxLayout(reading);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addLayout(bar);
  column->addWidget(m_text, 1);
  connect(m_back, &QPushButton::clicked, this, [this] { step(-1); });
  connect(m_forward, &QPushButton::clicked, this, [this] { step(1); });
  connect(contents, &QPushButton::clicked, this, [this] { go(QString::fromLatin1(kGuideContents), {}); });
  connect(m_text, &QTextBrowser::anchorClicked, this, &HelpWindow::follow);
  return reading;
}

void HelpWindow::open(const QString& page, const QString& anchor) {
  setWindowState(windowState() & ~Qt::WindowMinimized);
  show();
  raise();
  activateWindow();
  go(page, anchor);
  m_text->setFocus(Qt::OtherFocusReason);
}

/// Where the page was scrolled to, for coming back.
void HelpWindow::leave() {
  if (m_place >= 0) m_places[static_cast<std::size_t>(m_place)].scrolled = m_text->verticalScrollBar()->value();
}

void HelpWindow::go(const QString& page, const QString& anchor) {
  if (m_guide.find(page) == nullptr) return;
  if (m_place >= 0) {
    const At& now = m_places[static_cast<std::size_t>(m_place)];
    if (now.page == page && anchor.isEmpty() && now.anchor.isEmpty()) return;
  }
  leave();
  m_places.resize(static_cast<std::size_t>(m_place + 1));
  m_places.push_back({page, anchor});
  ++m_place;
  showPlace();
}

void HelpWindow::step(int by) {
  const int to = m_place + by;
  if (to < 0 || to >= static_cast<int>(m_places.size())) return;
  leave();
  m_place = to;
  showPlace();
  m_text->verticalScrollBar()->setValue(m_places[static_cast<std::size_t>(to)].scrolled);
}

void HelpWindow::showPlace() {
  const At& at = m_places[static_cast<std::size_t>(m_place)];
  const GuidePage* page = m_guide.find(at.page);
  m_text->show(*page, at.anchor);
  m_text->setAccessibleName(page->title);
  setWindowTitle(tr("%1 - Help").arg(page->title));
  m_back->setEnabled(m_place > 0);
  m_forward->setEnabled(m_place + 1 < static_cast<int>(m_places.size()));
  if (m_search->text().trimmed().isEmpty()) showList();
}

/// A page of the guide by its file, a heading, or an address for the browser.
void HelpWindow::follow(const QUrl& link) {
  if (!link.isRelative()) {
    if (!QDesktopServices::openUrl(link)) Q_EMIT failed(tr("No program opens %1.").arg(link.toString()));
    return;
  }
  QString id = link.path();
  if (id.endsWith(QLatin1String(".md"))) id.chop(3);
  go(id.isEmpty() ? page() : id, link.fragment());
}

void HelpWindow::showList() {
  const QSignalBlocker quiet(m_list);
  m_list->clear();
  const QString words = m_search->text().trimmed();
  const auto add = [this](const QString& text, const QString& page, const QString& anchor, const QString& tip) {
    auto* item = new QListWidgetItem(text, m_list);
    item->setData(kPageRole, page);
    item->setData(kAnchorRole, anchor);
    item->setToolTip(tipOf(tip));
    return item;
  };
  if (words.isEmpty()) {
    for (const GuidePage& one : m_guide.pages()) {
      QListWidgetItem* item = add(one.title, one.id, {}, one.title);
      if (one.id == page()) m_list->setCurrentItem(item);
    }
  } else {
    for (const GuideHit& hit : m_guide.search(words)) {
      const QString where = hit.heading.isEmpty() ? hit.title : tr("%1: %2").arg(hit.title, hit.heading);
      QListWidgetItem* item = add(where + QLatin1Char('\n') + hit.excerpt, hit.page, hit.anchor, hit.excerpt);
      item->setData(kWhereRole, hit.heading.isEmpty() ? hit.title : hit.heading);
      item->setData(kExcerptRole, hit.heading.isEmpty() ? hit.excerpt : tr("%1: %2").arg(hit.title, hit.excerpt));
    }
  }
  m_list->setAccessibleName(words.isEmpty() ? tr("Pages of the guide") : tr("Found in the guide"));
  m_nothing->setVisible(m_list->count() == 0);
}

void HelpWindow::chooseRow(int row) {
  const QListWidgetItem* item = m_list->item(row);
  if (item == nullptr) return;
  go(item->data(kPageRole).toString(), item->data(kAnchorRole).toString());
}

void HelpWindow::keyPressEvent(QKeyEvent* event) {
  if (event->key() != Qt::Key_Escape) return QWidget::keyPressEvent(event);
  if (!m_search->text().isEmpty()) return m_search->clear();
  close();
}

void HelpWindow::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), colors().window);
}

}  // namespace strata
