#pragma once
// What the window knows, given to every page: the engine, the open project, sides A and B, the models and their cards,
// the runs, the maps, what was said, and the settings. Pages render it and ask it to act; none fetches a list for
// itself. Owned by the window's main; lives on the GUI thread.

#include <QObject>
#include <QPointer>
#include <QString>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/protocol/messages.h"
#include "widgets/client/engine_client.h"
#include "widgets/session/map_library.h"
#include "widgets/session/model_table.h"
#include "widgets/session/notices.h"
#include "widgets/session/place.h"
#include "widgets/session/run_table.h"
#include "widgets/session/settings.h"

namespace strata {

enum class Which { a, b };

/// A question of a test set.
struct SetQuestion {
  QString text;                             // as it is put to a model
  std::vector<std::string> stop, expected;  // where its answers end, and which count as right
};

class Session : public QObject {
  Q_OBJECT

 public:
  /// `settings`: where layout, drafts and choices are kept (a file of their own in tests).
  Session(EngineClient& engine, Settings& settings, QObject* parent = nullptr);

  EngineClient& engine() { return m_engine; }
  Settings& settings() { return m_settings; }
  ModelTable& models() { return m_models; }
  RunTable& runs() { return m_runs; }
  MapLibrary& maps() { return m_maps; }
  Notices& notices() { return m_notices; }

  /// Opens a project ("": the user's copy of the sample) as soon as the engine is ready; with restarts it is opened
  /// again by itself.
  void openProject(const QString& folder, bool create = false);
  const std::optional<protocol::ProjectInfo>& project() const { return m_project; }
  /// As the engine answered when a model was given a name or lost it, or the launcher was changed: all but the sides.
  void setProjectModels(const protocol::ProjectInfo& project);
  /// Why the project could not be opened.
  const std::optional<Error>& projectProblem() const { return m_projectProblem; }
  /// Whether it was open and a restarted engine could not open it again.
  bool projectLost() const { return m_engine.projectLost().has_value(); }
  /// What an empty page's link to the sample project says; empty where that is the one that is open.
  QString sampleLink() const { return m_project && m_project->sample ? QString() : tr("Open the sample"); }
  /// Whether another project is being opened: what is sent to the engine now would reach that one.
  bool isLeaving() const { return m_leaving; }
  /// The folder that was asked for last, answered or not.
  const QString& wantedProject() const { return m_wanted; }
  QStringList recentProjects() const;

  /// What stands on a side; nothing: it is empty.
  const std::optional<protocol::Side>& side(Which which) const;
  void setSide(Which which, const std::optional<protocol::Side>& side);
  /// Puts a model on a side. The side's map stays where it fits the model's layers; else the model's own is taken.
  /// A model that cannot be read is announced, and the side stays as it is. Of a run that trains its newest checkpoint
  /// answers, at each question: followed().
  void useModel(Which which, const protocol::ModelRef& ref);
  /// Another map for the side's model.
  void setMap(Which which, const std::string& map);
  void swapSides();
  void copyAToB();
  /// Tokens of a chat (0: as many as the model takes) and number of chats: what the bar's KV figures are for.
  std::int64_t context() const { return m_context; }
  int chats() const { return m_chats; }
  void setContext(std::int64_t tokens, int chats);

  /// A model's card, asked for once and kept; `done` is called at once where it is known.
  void card(const protocol::ModelRef& ref, QObject* context,
            std::function<void(const Result<protocol::ModelCard>&)> done);
  /// The card if it is known by now.
  const protocol::ModelCard* knownCard(const protocol::ModelRef& ref) const;
  /// Forgets cards (a model's files or its template changed).
  void forgetCards();

  /// RUN becomes RUN@latest while the run trains; any other reference, RUN@STEP too, stays.
  protocol::ModelRef followed(protocol::ModelRef ref) const;
  /// The run that a reference names and that trains just now; nullptr: none.
  const protocol::JobInfo* trainingRun(const protocol::ModelRef& ref) const;
  /// A short name for a person: the project's name of a model, else the last part of its folder.
  static QString shortName(const protocol::ModelRef& ref);
  /// The same, a run by the name that the list of models has for it.
  QString modelName(const protocol::ModelRef& ref) const;
  /// Whether both sides stand on one copy of the weights; false where one is empty.
  bool sharesWeights() const;

 Q_SIGNALS:
  /// What is sent to the engine now still reaches the project that is open.
  void projectAboutToChange();
  void projectChanged();
  void launcherChanged();
  void sidesChanged();
  void contextChanged();
  /// Another model's card is known.
  void cardsChanged();
  void cardsForgotten();
  void placeWanted(const strata::Place& place);
  /// Asks for a question to be typed into a new chat.
  void questionWanted(const strata::SetQuestion& question);
  /// Asks the window for another engine, and for one of a certain command ("": the local one).
  void engineChoiceWanted();
  void engineWanted(const QString& command);
  /// Asks the window for a file or folder of this machine to send to the engine's.
  void uploadWanted(bool folder);
 public Q_SLOTS:
  /// Shows a place.
  void go(const strata::Place& place) { Q_EMIT placeWanted(place); }
  /// The question, in a new chat with the sides that stand now.
  void openInChat(const strata::SetQuestion& question) {
    Q_EMIT questionWanted(question);
    go(Place::pageOf(QStringLiteral("chat")));
  }
  /// A sentence for the status bar and the list of notices, read out by screen readers.
  void announce(const QString& sentence);
  /// The same of something that went wrong: the bell shows it until it was looked at.
  void warn(const QString& sentence, const strata::Place& place = {});
  void chooseEngine() { Q_EMIT engineChoiceWanted(); }
  void useEngine(const QString& command) { Q_EMIT engineWanted(command); }
  void askForUpload(bool folder) { Q_EMIT uploadWanted(folder); }

 private:
  struct Waiting {
    QPointer<QObject> context;
    std::function<void(const Result<protocol::ModelCard>&)> done;
  };
  void opened(const Result<protocol::ProjectInfo>& answer);
  void close();
  void forgetLists();
  void storeSides();
  void remember(const QString& folder);
  QString recentKey() const;

  EngineClient& m_engine;
  Settings& m_settings;
  ModelTable m_models;
  RunTable m_runs;
  MapLibrary m_maps;
  Notices m_notices;
  QString m_wanted;
  int m_opening = 0;  // counts openProject(): an answer to an earlier one is late
  bool m_leaving = false;
  std::optional<protocol::ProjectInfo> m_project;
  std::optional<Error> m_projectProblem;
  std::optional<protocol::Side> m_a, m_b;
  std::int64_t m_context = 0;
  int m_chats = 1;
  std::map<QString, protocol::ModelCard> m_cards;
  std::map<QString, std::vector<Waiting>> m_asked;
  int m_cardsAge = 0;  // counts forgetCards()
};

}  // namespace strata
