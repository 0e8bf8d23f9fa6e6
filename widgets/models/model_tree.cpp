#include "widgets/models/model_tree.h"

#include <algorithm>

#include "widgets/session/model_table.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/labels.h"

namespace strata {
namespace {

constexpr int kEntryRole = Qt::UserRole + 1;  // index into the entries; none on a heading

QString text(const std::string& bytes) {
  return QString::fromStdString(bytes);
}

QString headingOf(const std::string& source) {
  if (source == "project") return ModelTree::tr("In the project");
  if (source == "folder") return ModelTree::tr("In model folders");
  if (source == "hub") return ModelTree::tr("Hugging Face cache");
  return ModelTree::tr("Runs and adapters of other models");
}

/// What a screen reader says of a row.
QString spoken(const protocol::ModelEntry& entry) {
  const QString kind = entry.source == "run"       ? ModelTree::tr("run %1")
                       : entry.source == "adapter" ? ModelTree::tr("adapter %1")
                                                   : ModelTree::tr("model %1");
  QString words = kind.arg(text(entry.name));
  if (!entry.problem.empty()) return words + ", " + ModelTree::tr("cannot be opened: %1").arg(text(entry.problem));
  return words + ", " + formatBytes(entry.bytes);
}

QString aboutOf(const protocol::ModelEntry& entry) {
  QStringList lines{nameOf(entry)};
  if (!entry.path.empty()) lines << text(entry.path);
  if (!entry.problem.empty()) {
    lines << text(entry.problem);
  } else if (entry.layers > 0) {
    lines << ModelTree::tr("%1, %2 layer(s), %3 parameters", nullptr, entry.layers)
                 .arg(text(entry.architecture))
                 .arg(entry.layers)
                 .arg(formatParameters(entry.parameters));
  }
  return lines.join('\n');
}

bool isParentOf(const protocol::ModelEntry& model, const protocol::ModelEntry& made) {
  if (!model.adapter.empty()) return false;
  return made.parent == model.model || made.parent == model.path || made.parent == model.name;
}

const char* signOf(const protocol::ModelEntry& entry) {
  return entry.source == "run" ? "mortarboard" : entry.source == "adapter" ? "sliders" : "box-seam";
}

}  // namespace

ModelTree::ModelTree(QObject* parent) : QStandardItemModel(parent) {
  setColumnCount(2);
}

QStandardItem* ModelTree::add(QStandardItem* under, std::size_t number) {
  const protocol::ModelEntry& entry = m_entries[number];
  auto* name = new QStandardItem(text(entry.name));
  auto* size = new QStandardItem(entry.bytes > 0 ? formatBytes(entry.bytes) : QString());
  if (!entry.problem.empty()) {
    name->setIcon(icon("exclamation-triangle", Ink::bad));
  } else {
    name->setIcon(icon(signOf(entry), Ink::second));
  }
  size->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
  size->setFont(fontOf(TextRole::monoCaption));
  for (QStandardItem* item : {name, size}) {
    item->setEditable(false);
    item->setData(static_cast<int>(number), kEntryRole);
    item->setToolTip(strata::tipOf(aboutOf(entry)));
    item->setData(spoken(entry), Qt::AccessibleTextRole);
  }
  under->appendRow({name, size});
  return name;
}

void ModelTree::show(std::vector<protocol::ModelEntry> entries) {
  clear();
  setColumnCount(2);
  m_entries = std::move(entries);
  std::vector<QStandardItem*> items(m_entries.size(), nullptr);
  const auto heading = [&](const std::string& source) {
    auto* item = new QStandardItem(headingOf(source));
    item->setFlags(Qt::ItemIsEnabled);
    item->setFont(fontOf(TextRole::caption));
    auto* rest = new QStandardItem;
    rest->setFlags(Qt::ItemIsEnabled);
    appendRow({item, rest});
    return item;
  };
  for (const char* source : {"project", "folder", "hub"}) {
    QStandardItem* place = nullptr;
    for (std::size_t i = 0; i < m_entries.size(); ++i) {
      if (m_entries[i].source != source) continue;
      if (place == nullptr) place = heading(source);
      items[i] = add(place, i);
    }
  }
  addMade(items);
  QStandardItem* orphans = nullptr;
  for (std::size_t i = 0; i < m_entries.size(); ++i) {
    if (items[i] != nullptr) continue;
    if (orphans == nullptr) orphans = heading({});
    items[i] = add(orphans, i);
  }
}

/// A run may hang under another run.
void ModelTree::addMade(std::vector<QStandardItem*>& items) {
  bool placed = true;
  while (placed) {
    placed = false;
    for (std::size_t i = 0; i < m_entries.size(); ++i) {
      if (items[i] != nullptr) continue;
      for (std::size_t above = 0; above < m_entries.size() && items[i] == nullptr; ++above) {
        if (above == i || items[above] == nullptr || !isParentOf(m_entries[above], m_entries[i])) continue;
        items[i] = add(items[above], i);
        placed = true;
      }
    }
  }
}

const protocol::ModelEntry* ModelTree::entryAt(const QModelIndex& index) const {
  const QVariant number = index.data(kEntryRole);
  return number.isValid() ? &m_entries[static_cast<std::size_t>(number.toInt())] : nullptr;
}

QModelIndex ModelTree::find(const std::string& model) const {
  for (std::size_t i = 0; i < m_entries.size(); ++i) {
    if (keyOf(m_entries[i]) != model && m_entries[i].path != model) continue;
    const QModelIndexList found =
        match(index(0, 0), kEntryRole, static_cast<int>(i), 1, Qt::MatchExactly | Qt::MatchRecursive);
    return found.isEmpty() ? QModelIndex() : found.first();
  }
  return {};
}

ModelFilter::ModelFilter(ModelTree* tree, QObject* parent) : QSortFilterProxyModel(parent), m_tree(tree) {
  setSourceModel(tree);
  setRecursiveFilteringEnabled(true);
}

void ModelFilter::setWords(const QString& words) {
  m_words = words.simplified().toLower().split(' ', Qt::SkipEmptyParts);
  invalidateFilter();
}

bool ModelFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
  const protocol::ModelEntry* entry = m_tree->entryAt(m_tree->index(row, 0, parent));
  if (m_words.isEmpty()) return true;
  if (entry == nullptr) return false;
  const QString all = text(entry->name + ' ' + entry->path + ' ' + entry->architecture).toLower();
  return std::all_of(m_words.begin(), m_words.end(), [&](const QString& word) { return all.contains(word); });
}

}  // namespace strata
