#include "widgets/shell/find_popup.h"

#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QTimer>
#include <algorithm>

#include "widgets/style/controls.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kWidth = 520;
constexpr int kRows = 12;

}  // namespace

FindPopup::FindPopup(std::vector<Findable> all, QWidget* parent) : Popup(parent), m_all(std::move(all)) {
  setAttribute(Qt::WA_DeleteOnClose);
  named(this, "find-popup", tr("Find"));
  m_text = named(new QLineEdit(this), "find-text", tr("Find a page, model, run, setting or action"));
  m_text->setWhatsThis(tr("Lists entries with all of these words. Enter runs the first."));
  m_text->setPlaceholderText(tr("A page, model, run, setting or action"));
  m_text->setMinimumWidth(scaled(kWidth));
  m_text->installEventFilter(this);
  m_list = named(new QListWidget(this), "find-list", tr("Found"));
  m_list->setMinimumHeight(kRows * metrics().compactRow);
  m_list->setFocusPolicy(Qt::NoFocus);  // the arrow keys move in it while the text is typed
  content()->addWidget(m_text);
  content()->addWidget(m_list);
  connect(m_text, &QLineEdit::textChanged, this, &FindPopup::fill);
  connect(m_text, &QLineEdit::returnPressed, this, &FindPopup::run);
  connect(m_list, &QListWidget::itemClicked, this, &FindPopup::run);
  fill();
  m_text->setFocus();
}

std::vector<const Findable*> FindPopup::found(const std::vector<Findable>& all, const QString& text) {
  const QStringList words = text.split(' ', Qt::SkipEmptyParts);
  std::vector<const Findable*> found;
  for (const Findable& one : all) {
    const QString where = one.name + ' ' + one.kind;
    const bool holds = std::all_of(words.begin(), words.end(),
                                   [&](const QString& word) { return where.contains(word, Qt::CaseInsensitive); });
    if (holds) found.push_back(&one);
  }
  std::stable_partition(found.begin(), found.end(),
                        [&](const Findable* one) { return one->name.startsWith(text.trimmed(), Qt::CaseInsensitive); });
  return found;
}

void FindPopup::fill() {
  m_found = found(m_all, m_text->text());
  m_list->clear();
  for (const Findable* one : m_found) {
    QString line = one->kind + "   " + one->name;
    if (!one->shortcut.isEmpty()) line += "   " + one->shortcut;
    m_list->addItem(line);
  }
  if (m_found.empty()) {
    auto* none = new QListWidgetItem(tr("Nothing is called that."), m_list);
    none->setFlags(Qt::NoItemFlags);
  }
  m_list->setCurrentRow(m_found.empty() ? -1 : 0);
}

void FindPopup::run() {
  const int row = m_list->currentRow();
  if (row < 0 || row >= static_cast<int>(m_found.size())) return;
  // The action may open a popup of its own: this one is closed before.
  const auto act = m_found[static_cast<std::size_t>(row)]->run;
  QTimer::singleShot(0, parent(), act);
  close();
}

bool FindPopup::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::KeyPress) {
    const int key = static_cast<QKeyEvent*>(event)->key();
    const int page = std::max(1, kRows - 1);
    const int step = key == Qt::Key_Down       ? 1
                     : key == Qt::Key_Up       ? -1
                     : key == Qt::Key_PageDown ? page
                     : key == Qt::Key_PageUp   ? -page
                                               : 0;
    if (step != 0 && !m_found.empty()) {
      m_list->setCurrentRow(std::clamp(m_list->currentRow() + step, 0, static_cast<int>(m_found.size()) - 1));
      return true;
    }
  }
  return Popup::eventFilter(watched, event);
}

}  // namespace strata
