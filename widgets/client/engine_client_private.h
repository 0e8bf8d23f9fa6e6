#pragma once
// The inside of EngineClient: one life of the engine after another, and the requests that outlive them. GUI thread.

#include <QElapsedTimer>
#include <QPointer>
#include <QTimer>
#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "core/protocol/rpc.h"
#include "widgets/client/engine_client.h"
#include "widgets/client/engine_process.h"
#include "widgets/client/journal.h"
#include "widgets/client/restart_budget.h"

namespace strata {

class EngineClient::Private {
 public:
  explicit Private(EngineClient* client);

  struct Request {
    std::string method;
    std::shared_ptr<const Json> params;
    bool hasContext = false;
    QPointer<QObject> context;
    Decode decode;
    std::string journalKey;                             // of chats/put
    std::string project;                                // that it is noted for there
    std::shared_ptr<const std::string> text = nullptr;  // of its parameters, where they are printed already
    bool printing = false;                              // on another thread, to be noted and sent after that
    bool held = false;                                  // could not be stored when it was sent
    int deaths = 0;                                     // of engines while it was under way
  };
  /// Requests of the client itself: initialize, cancel, signs of life, opening things again.
  struct Own {
    std::string method;
    qint64 sentAt = 0;
    std::function<void(const Result<Json>&)> done;
    protocol::ModelRef ref;  // of models/load
  };
  struct Listener {
    std::string method;
    bool hasContext = false;
    QPointer<QObject> context;
    std::function<void(const Json&)> heard;
  };
  struct Remembered {
    protocol::ModelRef ref;
    int deaths = 0;  // of engines while it was being opened again
  };

  // Lives (engine_life.cpp)
  void launch();
  void initialized(const Result<Json>& answer);
  void openAgain(int attempt);
  void setProjectLost(const std::optional<Error>& why);
  void becomeReady();
  void watchAgain();
  void wake();
  void drain();
  void watch();
  void died(const EngineProcess::End& end);
  /// Parts with the process; what was under way is repeated later or answered with `sentence`.
  /// `crashed`: it ended by itself, so a message that it was storing may be why.
  void letGo(const QString& sentence, bool crashed = false);
  void fail(const QString& sentence, bool crashed = false);
  void setState(State next, const QString& why = {});

  // Requests (engine_client.cpp); what is open (engine_open.cpp)
  Ticket ask(const std::string& method, const Json& params, std::function<void(const Result<Json>&)> done,
             const protocol::ModelRef& ref = {});
  void pump();
  /// Writes a chats/put into the journal, before it is sent.
  void note(Request& request, std::shared_ptr<const std::string> text);
  void print(Ticket ticket, const std::shared_ptr<const Json>& params);
  /// `bytes`: its size.
  void handle(RpcMessage message, std::size_t bytes);
  void answered(Ticket ticket, Result<Json> result, std::size_t bytes);
  /// What could not be stored now keeps its place and its entry in the journal, and is sent again later. Whoever waits
  /// for it, or for one behind it, is told `error`.
  void hold(Ticket ticket, Request request, const Error& error);
  bool isHolding() const;
  void noted(const Result<void>& written);
  void heard(const std::string& method, const Json& params);
  void projectOpened(Ticket ticket, const Json& params, const Json& answer);
  void replay();
  void models(const Json& params);
  void servingChanged(const Request& request, const Json& answer);
  void watchesChanged(const Request& request);
  void watched(const Json& points);
  static void deliver(const Request& request, const Result<Json>& result);
  void deliverLarge(Request request, Result<Json> result);
  void deliverNext();
  std::string projectKey(const std::string& folder) const;
  int allowed(int milliseconds) const { return m_command.remote ? 3 * milliseconds : milliseconds; }

  EngineClient* m_client;
  EngineLimits m_limits;
  RestartBudget m_budget{EngineLimits{}};
  Command m_command;
  State m_state = State::off;
  QString m_problem;
  protocol::Initialize::Answer m_engine;
  std::vector<protocol::LoadedModel> m_loaded;

  std::shared_ptr<EngineProcess> m_process;
  std::vector<std::shared_ptr<EngineProcess>> m_leaving;
  std::string m_pastLog;
  std::atomic<bool> m_woken = false;
  QElapsedTimer m_clock;
  qint64 m_startedAt = 0;
  qint64 m_drainedAt = -1000;
  qint64 m_pingedAt = 0;
  int m_unanswered = 0;  // signs of life asked for since the last message
  bool m_initialized = false;
  QTimer m_drainTimer, m_restartTimer, m_watchTimer, m_initializeTimer, m_openTimer, m_storeTimer;

  Ticket m_next = 1;
  Ticket m_nextReplayed = std::numeric_limits<Ticket>::min() / 2;  // before all others in the queue
  std::map<Ticket, Request> m_waiting, m_flight;
  std::map<Ticket, Own> m_own;
  std::deque<std::function<void()>> m_decoded;  // large answers, of which one is delivered a turn
  std::vector<std::shared_ptr<Listener>> m_listeners;

  std::unique_ptr<Journal> m_journal;
  std::optional<Json> m_project;       // parameters of the project/open that was answered last
  std::string m_askedFolder;           // of the project/open that was asked for last
  std::optional<Ticket> m_opening;     // a project/open that is under way
  bool m_storesHeld = false;           // until m_storeTimer or the next chats/put
  std::optional<Error> m_projectLost;  // why it could not be opened again: what is stored in it waits
  std::vector<Remembered> m_remembered;
  std::map<std::string, std::int64_t> m_watches;  // runs, and the step from which on points may still be missing
  std::optional<protocol::StartServing::Params> m_serving;  // with the port and token that it came to
};

}  // namespace strata
