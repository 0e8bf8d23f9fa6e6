#pragma once
// The left pane of Data: the project's data files, and what a check is made with: the model whose tokens count, the
// length of a sequence, what is trained on.

#include <QWidget>
#include <string>
#include <vector>

#include "core/protocol/model_messages.h"

class QComboBox;
class QListWidget;
class QSpinBox;

namespace strata {

class Label;
class Switch;

class DataList : public QWidget {
  Q_OBJECT

 public:
  explicit DataList(QWidget* parent = nullptr);

  void showFiles(const std::vector<protocol::NamedPath>& files);
  /// `chosen`: what a request names it; empty: none, and no tokens are counted.
  void showModels(const std::vector<protocol::ModelEntry>& models, const std::string& chosen);
  /// Marks the file that is shown; a path that is not listed joins the list.
  void setPath(const QString& path);
  /// Files from elsewhere that were opened, the last one first: they stay in the list.
  const QStringList& opened() const { return m_opened; }
  void setOpened(const QStringList& paths);

  std::string model() const;
  int length() const;
  void setLength(int tokens);
  bool trainOnPrompt() const;
  void setTrainOnPrompt(bool on);

 Q_SIGNALS:
  void openWanted();
  void chosen(const QString& path);
  /// Another model, length or mask.
  void settingsChanged();

 private:
  void select();
  bool isListed(const QString& path) const;
  QListWidget* m_files;
  Label* m_none;
  QComboBox* m_model;
  QSpinBox* m_length;
  Switch* m_prompts;
  std::vector<protocol::NamedPath> m_listed;
  QStringList m_opened;
  QString m_path;
};

}  // namespace strata
