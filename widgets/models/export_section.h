#pragma once
// Exporting the chosen model: as what, in which precision, under which map and where to; while it is written a bar with
// Stop; then a card with the folder and the commands that serve it.

#include <QWidget>
#include <optional>

#include "widgets/session/session.h"

class QComboBox;
class QLineEdit;
class QProgressBar;

namespace strata {

class Button;
class ExportCard;
class Field;
class Label;
class MapChoices;

class ExportSection : public QWidget {
  Q_OBJECT

 public:
  explicit ExportSection(Session& session, QWidget* parent = nullptr);

  /// The model that is shown, as it is on a side where it is on one. What is written or was exported of another stays,
  /// out of sight.
  void setModel(const protocol::ModelEntry& entry);
  void setCard(const protocol::ModelCard& card);
  /// Whether one may be opened: an export of another model is not under way.
  bool canOpen() const { return m_ticket == 0 || isShown(); }
  void open();
  /// Stops what is being written, else closes; false: it was not open.
  bool escape();

 Q_SIGNALS:
  /// Opened, closed, begun or done.
  void changed();

 private:
  enum class Form { folder, remoteCode, adapter };
  QWidget* makeForm();
  QWidget* makeFolderRow();
  void fillForms(bool hasAdapter);
  void takeMap(const std::string& map);
  bool isShown() const;
  Form form() const;
  void browse();
  void start();
  void finished(const Result<protocol::ExportModel::Answer>& answer);
  void refresh();

  Session& m_session;
  protocol::ModelRef m_ref, m_of;  // of the model in view; of what is filled in, being written or exported
  std::string m_key, m_ofKey;
  bool m_open = false;
  EngineClient::Ticket m_ticket = 0;
  QComboBox *m_forms, *m_dtype;
  MapChoices* m_choices;
  QLineEdit *m_map, *m_folder;
  Field *m_formField, *m_dtypeField, *m_mapField, *m_folderField;
  Button *m_browse, *m_start, *m_stop, *m_again, *m_close;
  Label *m_problem, *m_stage;
  QWidget *m_form, *m_running;
  QProgressBar* m_bar;
  ExportCard* m_card;
  std::optional<protocol::ModelCard> m_model;
};

}  // namespace strata
