#pragma once
// The models that the engine found, as a tree: a heading for each place, under it the models, under a model the runs
// made from it and its adapters. Two columns: name, and size on disk.

#include <QSortFilterProxyModel>
#include <QStandardItemModel>
#include <string>
#include <vector>

#include "core/protocol/model_messages.h"

namespace strata {

class ModelTree : public QStandardItemModel {
  Q_OBJECT

 public:
  explicit ModelTree(QObject* parent = nullptr);

  void show(std::vector<protocol::ModelEntry> entries);
  const std::vector<protocol::ModelEntry>& entries() const { return m_entries; }
  /// nullptr: a heading.
  const protocol::ModelEntry* entryAt(const QModelIndex& index) const;
  /// By its key (keyOf), or by the folder; invalid where it is not listed.
  QModelIndex find(const std::string& model) const;

 private:
  QStandardItem* add(QStandardItem* under, std::size_t entry);
  /// Those made from others, under them.
  void addMade(std::vector<QStandardItem*>& items);
  std::vector<protocol::ModelEntry> m_entries;
};

/// Keeps what matches the typed words in name, folder or architecture, with the headings and models above it.
class ModelFilter : public QSortFilterProxyModel {
  Q_OBJECT

 public:
  explicit ModelFilter(ModelTree* tree, QObject* parent = nullptr);
  void setWords(const QString& text);

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

 private:
  ModelTree* m_tree;
  QStringList m_words;
};

}  // namespace strata
