#pragma once
// Sets up and starts an evaluation of what stands on the window's sides: the same questions to both models under the
// same maps; before the start it says what that takes and what it could show. What was typed is kept as a draft of the
// project.

#include <QTimer>
#include <QUndoStack>
#include <QWidget>
#include <optional>
#include <vector>

#include "core/config/eval_config.h"
#include "widgets/session/session.h"

class QCheckBox;
class QLineEdit;
class QVBoxLayout;

namespace strata {

class Button;
class ConfigForm;
class ElidedLabel;
class Field;
class Label;

class EvaluationSetup : public QWidget {
  Q_OBJECT

 public:
  explicit EvaluationSetup(Session& session, QWidget* parent = nullptr);

  /// Asks for data sets, once a project.
  void begin();
  bool canStart() const;
  bool isStartingB() const;
  /// Why it cannot; "".
  QString problem() const { return m_shownProblem; }
  void start();
  /// One model under one map, with the options that stand here.
  void startOne(const protocol::ModelRef& ref, const std::string& map);
  void resume(const std::string& run);

  std::string task() const;
  std::string data() const;
  /// As they would be measured.
  std::vector<std::string> maps() const;
  /// The first question as the model would read it; nothing: not known.
  const std::optional<protocol::PlanEvaluation::Answer>& plan() const { return m_plan; }
  const QString& planProblem() const { return m_planProblem; }
  /// Empty: the task's own.
  QString promptTemplate() const;
  void setPromptTemplate(const QString& text);
  QUndoStack* undoStack() { return &m_undo; }
  Button* startButton() const { return m_start; }
  /// Gives the focus to the first field that is missing.
  void focusProblem();

 Q_SIGNALS:
  /// What stands on the sides is being evaluated.
  void started(const strata::protocol::EvaluatedSide& a, const strata::protocol::EvaluatedSide& b);
  void startingChanged();
  /// One model under one map is.
  void startedOne(const strata::protocol::ModelRef& ref, const QString& map, const QString& run);
  /// Task, data, maps or another option.
  void changed();
  void planned();

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  /// Of both sides, or of one where they have one model.
  struct Asked {
    protocol::ModelRef ref;
    std::vector<std::string> maps;
  };
  static const Json& defaults();
  void build();
  QWidget* buildSide(Which which);
  QWidget* buildMaps();
  void sidesChanged();
  void fillShares();
  void markShares();
  void toggleShare(int index, bool on);
  void formChanged();
  void askPlan();
  void showPlan();
  void takeData(const std::vector<protocol::DataEntry>& files);
  std::string shortPath(const std::string& path) const;
  void browse(const QString& name);
  void showMore(bool shown);
  std::vector<Asked> asked() const;
  std::vector<std::string> mapsFor(const protocol::ModelRef& ref) const;
  Json configOf(const Asked& asked) const;
  void startNext(std::vector<Asked> left, std::vector<std::string> runs);
  void finishStart(const std::vector<std::string>& runs);
  void refuse(const QString& sentence);
  void storeDraft();
  void restoreDraft();

  Session& m_session;
  QUndoStack m_undo;
  ConfigForm* m_form;
  ElidedLabel* m_names[2] = {};
  QWidget* m_shares = nullptr;
  QList<QCheckBox*> m_boxes;
  std::vector<MapLibrary::Choice> m_choices;  // of side A's model; a box for each
  std::vector<protocol::DataEntry> m_files;   // of the project, as listed
  QLineEdit* m_maps = nullptr;
  Field* m_mapField = nullptr;
  Label *m_planText = nullptr, *m_problem = nullptr;
  Button *m_start = nullptr, *m_more = nullptr;
  std::optional<protocol::PlanEvaluation::Answer> m_plan;
  QString m_planProblem, m_startProblem, m_shownProblem;
  double m_seconds = -1;  // of all models
  QTimer m_wait, m_draft;
  int m_asked = 0;      // counts plans: an answer to an earlier one is late
  std::string m_begun;  // of which project
  QString m_sideMaps;   // as the sides last said them, while nobody changed them
  bool m_starting = false, m_moreShown = false;
};

}  // namespace strata
