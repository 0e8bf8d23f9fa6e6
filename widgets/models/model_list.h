#pragma once
// The left pane of Models: a search field, the tree of models, and below it what to do when a model is not listed.

#include <QWidget>

#include "widgets/models/model_tree.h"

class QLineEdit;
class QTreeView;

namespace strata {

class Button;
class Label;

class ModelList : public QWidget {
  Q_OBJECT

 public:
  explicit ModelList(QWidget* parent = nullptr);

  /// `hub`: the folder of the Hugging Face cache that was looked in. The chosen model stays chosen where it is still
  /// listed.
  void show(std::vector<protocol::ModelEntry> entries, const QString& hub);
  /// nullptr: none.
  const protocol::ModelEntry* chosen() const;
  /// By its key (keyOf), or by its folder; false: it is not listed.
  bool choose(const std::string& model);
  const std::vector<protocol::ModelEntry>& entries() const { return m_tree->entries(); }
  /// A sentence with one button, until the next one: what was just removed.
  void offer(const QString& sentence, const QString& action, std::function<void()> run);
  void focusSearch();

 Q_SIGNALS:
  void chosenChanged();
  void browseWanted();

 private:
  void showHub(const QString& hub);
  void widen();
  QLineEdit* m_search;
  QTreeView* m_view;
  ModelTree* m_tree;
  ModelFilter* m_filter;
  Label* m_nothing;
  QWidget* m_hub;
  Label* m_hubText;
  QWidget* m_offer;
  Label* m_offerText;
  Button* m_offerButton;
  std::function<void()> m_offerRun;
  std::string m_chosen;  // survives a new list and a search
};

}  // namespace strata
