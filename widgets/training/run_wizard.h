#pragma once
// Sets up a training run: a preset, five steps in any order, and the run card that says whether it is ready. What was
// typed is kept as a draft of the project.

#include <QTimer>
#include <QUndoStack>
#include <QWidget>
#include <optional>
#include <vector>

#include "core/config/train_config.h"
#include "core/protocol/train_messages.h"
#include "widgets/session/session.h"

class QComboBox;
class QScrollArea;

namespace strata {

class Button;
class ConfigForm;
class Label;
class DataSummary;
class RoutingPicture;
class RunCard;
class StatePane;
class StepList;
class SweepField;

class RunWizard : public QWidget {
  Q_OBJECT

 public:
  enum Step { kData, kMethod, kBudget, kEvaluation, kReview, kSteps };

  explicit RunWizard(Session& session, QWidget* parent = nullptr);
  ~RunWizard() override;

  /// Asks for presets and data sets, once.
  void begin();
  /// What another run was told, to be changed; `extend`: its id where the new run goes on from its weights.
  void duplicate(const Json& config, const QString& name, const std::string& extend = {});
  void showStep(int step);
  int step() const;
  QUndoStack* undoStack() { return &m_undo; }
  QList<QWidget*> panes();
  /// Stops measuring; false: nothing was under way.
  bool escape();
  void start();
  bool canStart() const;

 Q_SIGNALS:
  void started(const QString& run);
  void leaveWanted();
  void stepChanged();

 private:
  class ChoosePreset;
  QWidget* buildLeft();
  QWidget* buildForm();
  void takePresets(const std::vector<protocol::TrainPreset>& presets);
  void choosePreset(int index);
  void setPreset(int index);
  void load(const Json& config, const Json& base);
  void suggestModels();
  void suggestData();
  void showOpenModels();
  void unloadModels();
  Json withPlaces(Json config) const;
  void formChanged();
  void showSteps();
  void showRouting();
  void showSummary();
  void showProblems();
  void showStart();
  void estimate();
  void measure();
  void browse(const QString& name);
  void goToField(const QString& name);
  void restoreDraft();
  void storeDraft();
  /// The options that differ from the defaults: what jobs/start takes.
  Json given() const;
  TrainConfig config() const;

  Session& m_session;
  QUndoStack m_undo;
  StepList* m_steps = nullptr;
  QComboBox* m_preset = nullptr;
  Label* m_presetText = nullptr;
  Label *m_stepTitle = nullptr, *m_stepText = nullptr;
  Button *m_back = nullptr, *m_next = nullptr;
  ConfigForm* m_form = nullptr;
  QScrollArea* m_scroll = nullptr;
  SweepField* m_sweep = nullptr;
  RoutingPicture* m_picture = nullptr;
  DataSummary* m_summary = nullptr;
  Label* m_changes = nullptr;
  RunCard* m_card = nullptr;
  std::vector<protocol::TrainPreset> m_presets;
  int m_chosen = -1;
  std::string m_extend;
  QString m_extendName;
  QList<QPair<QString, QString>> m_data;  // names and paths
  std::optional<protocol::EstimateTraining::Answer> m_estimate;
  QTimer m_wait;    // until typing pauses
  QTimer m_draft;   // likewise
  int m_asked = 0;  // counts estimates: an answer to an earlier one is late
  EngineClient::Ticket m_probe = 0;
  bool m_begun = false, m_starting = false;
  QString m_startProblem;
};

}  // namespace strata
