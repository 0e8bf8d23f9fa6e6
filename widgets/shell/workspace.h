#pragma once
// What all pages share: the engine, the open project, sides A and B, the cards of models, and the settings. Owned by
// the window's main; lives on the GUI thread.

#include <QObject>
#include <QPointer>
#include <QString>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/protocol/messages.h"
#include "widgets/client/engine_client.h"
#include "widgets/shell/settings.h"

namespace strata {

enum class Which { a, b };

class Workspace : public QObject {
  Q_OBJECT

 public:
  /// `settings`: where layout, drafts and choices are kept (a file of their own in tests).
  Workspace(EngineClient& engine, Settings& settings, QObject* parent = nullptr);

  EngineClient& engine() { return m_engine; }
  Settings& settings() { return m_settings; }

  /// Opens a project ("": the user's copy of the sample) as soon as the engine is ready; with restarts it is opened
  /// again by itself.
  void openProject(const QString& folder, bool create = false);
  const std::optional<protocol::ProjectInfo>& project() const { return m_project; }
  /// As the engine answered when a model was given a name or lost it: the project's models, not its sides.
  void setProjectModels(const protocol::ProjectInfo& project);
  /// Why the project could not be opened.
  const std::optional<Error>& projectProblem() const { return m_projectProblem; }
  /// Whether it was open and a restarted engine could not open it again.
  bool projectLost() const { return m_engine.projectLost().has_value(); }
  /// The folder that was asked for last, answered or not.
  const QString& wantedProject() const { return m_wanted; }
  QStringList recentProjects() const;

  /// What stands on a side; nothing: it is empty.
  const std::optional<protocol::Side>& side(Which which) const;
  void setSide(Which which, const std::optional<protocol::Side>& side);
  /// Puts a model on a side. The side's map stays where it fits the model's layers; else the model's own is taken.
  /// A model that cannot be read is announced, and the side stays as it is.
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

  /// A short name for a person: the project's name of a model, else the last part of its folder.
  static QString shortName(const protocol::ModelRef& ref);
  /// Whether both sides stand on one copy of the weights; false where one is empty.
  bool sharesWeights() const;

 Q_SIGNALS:
  void projectChanged();
  /// Models, their names in the project, or runs came or went: lists of them are out of date.
  void modelsChanged();
  void sidesChanged();
  void contextChanged();
  /// Another model's card is known.
  void cardsChanged();
  void cardsForgotten();
  /// Asks the window to show a page ("chat") and, on it, something (a run's id, "routed").
  void pageWanted(const QString& page, const QString& what);
  /// Asks the window for a file or folder of this machine to send to the engine's.
  void uploadWanted(bool folder);
  /// A sentence for the status bar, read out by screen readers.
  void announced(const QString& sentence);

 public Q_SLOTS:
  void showPage(const QString& page, const QString& what = {}) { Q_EMIT pageWanted(page, what); }
  void announce(const QString& sentence) { Q_EMIT announced(sentence); }
  void noteModels() { Q_EMIT modelsChanged(); }
  void askForUpload(bool folder) { Q_EMIT uploadWanted(folder); }

 private:
  struct Waiting {
    QPointer<QObject> context;
    std::function<void(const Result<protocol::ModelCard>&)> done;
  };
  void opened(const Result<protocol::ProjectInfo>& answer);
  void close();
  void storeSides();
  void remember(const QString& folder);
  QString recentKey() const;

  EngineClient& m_engine;
  Settings& m_settings;
  QString m_wanted;
  int m_opening = 0;  // counts openProject(): an answer to an earlier one is late
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
