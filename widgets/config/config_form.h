#pragma once
// A form over one config: a section for each group of fields, the seldom used ones folded under "More", what is wrong
// below its field, and the command line that does the same. It draws itself from core/config's description; the caller
// puts it into a scroll area, answers browseRequested() (paths are the engine's), and reads values() or config().
//
//   auto* form = new ConfigForm(anyConfig<TrainConfig>("strata train", config, checkTrainConfig), &undoStack);
//   connect(form, &ConfigForm::changed, this, [=] { start->setEnabled(form->isReady()); });
//   connect(form, &ConfigForm::browseRequested, this, [=](const QString& name) { … form->edit(name, path); });
//
// GUI thread only. The undo stack may outlive the form and may be null.

#include <QList>
#include <QPointer>
#include <QWidget>
#include <memory>
#include <vector>

#include "core/config/describe.h"
#include "widgets/config/field_editor.h"

class QUndoStack;
class QVBoxLayout;

namespace strata {

class Button;
class CommandView;
class Field;
class Label;

class ConfigForm : public QWidget {
  Q_OBJECT

 public:
  ConfigForm(std::unique_ptr<AnyConfig> config, QUndoStack* undo, QWidget* parent = nullptr);
  ~ConfigForm() override;

  Json values() const { return m_config->values(); }
  template <class Config>
  Result<Config> config() const {
    Config config;
    STRATA_CHECK(configFromJson(values(), "The form", config));
    return config;
  }

  /// All values anew, without a step to undo: another run, or a preset, which is then also what changes are counted
  /// from. Refused values leave the form as it is.
  Result<void> load(const Json& values, const Json& base);
  /// One field, as if the person had typed it: one step to undo.
  void edit(const QString& name, const Json& value);
  /// Back to the base; one step to undo.
  void reset(const QString& name);
  void resetAll();

  QStringList groups() const;
  /// Shows the section of this group alone; "": all.
  void showGroup(const QString& group) { showGroups(group.isEmpty() ? groups() : QStringList{group}); }
  void showGroups(const QStringList& groups);
  /// The form's count of changes and the sections' titles, where what stands around says them; shown at first.
  void setHeadsShown(bool shown);
  /// Below the sections; shown at first.
  void setCommandShown(bool shown);
  /// A field that is chosen elsewhere on the page; shown at first.
  void setFieldShown(const QString& name, bool shown);
  /// Below a group's fields: a picture of what they mean, say. The form takes it.
  void addBelow(const QString& group, QWidget* widget);
  /// What a path may well be, by name: the project's models, say.
  void suggest(const QString& name, const QList<FieldEditor::Suggestion>& suggestions);
  /// In one group, or with "" in all.
  int changedCount(const QString& group = {}) const;
  /// "Training steps: 75, was 60" of each changed field.
  QStringList changes() const;
  /// Every field holds a value, and the config's check accepts them together.
  bool isReady() const { return m_problem.isEmpty(); }
  /// What is wrong first; "".
  QString problem() const { return m_problem; }
  /// The group of the field that has it; "": it belongs to no field.
  QString problemGroup() const;
  /// The name of that field: "p-cross"; "": none.
  QString problemField() const;
  /// Unfolds what hides the field and gives it the focus.
  void focusField(const QString& name);
  QString commandLine() const;

 Q_SIGNALS:
  /// A value, or whether there is a problem.
  void changed();
  void browseRequested(const QString& name);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  class SetValues;
  struct Row {
    FieldInfo info;
    int section = 0;
    Field* field = nullptr;
    FieldEditor* editor = nullptr;
    Button* reset = nullptr;
    QString pending;  // what is wrong with a text that is no value; the config keeps the value from before
  };
  struct Section {
    QString group;
    QWidget *widget = nullptr, *head = nullptr;
    Label* changed = nullptr;
    Button* more = nullptr;  // null: nothing is folded
    QWidget* folded = nullptr;
  };

  void addHead(QVBoxLayout* column);
  void addSection(const QString& group, QVBoxLayout* column);
  void addRow(const FieldInfo& info, int section);
  void addCommand(QVBoxLayout* column);
  Row* rowNamed(const std::string& name);
  void onEdited(Row& row);
  /// Sets values and leaves a step on the undo stack.
  void push(const Json& values, const QString& what);
  /// Values that were accepted before.
  void apply(const Json& values);
  void refresh();
  void showProblems();
  void showCounts();
  void unfold(Section& section, bool open);

  std::unique_ptr<AnyConfig> m_config;
  QPointer<QUndoStack> m_undo;
  std::vector<std::unique_ptr<Row>> m_rows;
  std::vector<Section> m_sections;
  Label* m_changed = nullptr;
  Label* m_general = nullptr;  // a problem that belongs to no field
  Button* m_resetAll = nullptr;
  CommandView* m_command = nullptr;
  QWidget *m_head = nullptr, *m_commandPart = nullptr;
  QString m_problem;
  const Row* m_problemRow = nullptr;
  int m_typing = 0;  // counts finished edits: letters between two belong to one step
};

}  // namespace strata
