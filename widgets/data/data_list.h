#pragma once
// The left pane of Data: the project's data sets and files, and what a check is made with: the model whose tokens
// count, the length of a sequence, what is trained on.

#include <QWidget>
#include <string>
#include <vector>

#include "core/protocol/data_messages.h"

class QComboBox;
class QListWidget;
class QSpinBox;

namespace strata {

class Button;
class Label;
class Switch;

class DataList : public QWidget {
  Q_OBJECT

 public:
  explicit DataList(QWidget* parent = nullptr);

  void showFiles(const std::vector<protocol::DataEntry>& files);
  bool hasFiles() const { return !m_listed.empty(); }
  /// nullptr: the project has none of this path.
  const protocol::DataEntry* find(const QString& path) const;
  /// `chosen`: what a request names it; empty: none, and no tokens are counted.
  void showModels(const std::vector<protocol::ModelEntry>& models, const std::string& chosen);
  /// All files: those of a project that is left. A list that takes the focus chooses its first one.
  void forget();
  /// Marks the file that is shown; a path that is not listed joins the list.
  void setPath(const QString& path);

  std::string model() const;
  int length() const;
  void setLength(int tokens);
  bool trainOnPrompt() const;
  void setTrainOnPrompt(bool on);

 Q_SIGNALS:
  void openWanted();
  void chosen(const QString& path);
  /// The chosen one, which the project has as a data set.
  void removeWanted(const QString& path);
  /// Another model, length or mask.
  void settingsChanged();

 private:
  void select();
  QListWidget* m_files;
  Button* m_remove;
  Label* m_none;
  QComboBox* m_model;
  QSpinBox* m_length;
  Switch* m_prompts;
  std::vector<protocol::DataEntry> m_listed;
  QStringList m_opened;  // from elsewhere, the last one first, until the project has them
  QString m_path;
};

}  // namespace strata
