#pragma once
// The window's end of the pipe to `strata engine`: starts it (as a child, or by any command such as ssh), speaks the
// protocol, starts it anew when it dies, and opens its project and models again. Nothing here waits: answers come by
// the event loop of the GUI thread, which owns it.
//
//   EngineClient engine;
//   engine.start({"strata", {"engine"}});
//   engine.call<protocol::InspectModel>({ref}, this, [this](const auto& card) { if (card) show(*card); });
//   engine.on<protocol::Tokens>(this, [this](const protocol::Tokens& tokens) { … });

#include <QObject>
#include <QString>
#include <QStringList>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "core/protocol/messages.h"
#include "widgets/client/engine_limits.h"

namespace strata {

class Journal;

class EngineClient : public QObject {
  Q_OBJECT

 public:
  enum class State {
    off,         // not started, or stopped by hand
    starting,    // up to the answer of initialize
    ready,       //
    restarting,  // it died; waits for its next start
    failed       // it died too often, or cannot be started: restart() tries again
  };
  struct Command {
    QString program;
    QStringList arguments;
    bool remote = false;  // its files are not this machine's
  };
  /// Number of a request; 0 is none.
  using Ticket = qint64;

  explicit EngineClient(QObject* parent = nullptr);
  ~EngineClient() override;

  /// Before start(): keeps chats/put until it is answered, and sends what an earlier window left once its project
  /// opens.
  void setJournal(std::unique_ptr<Journal> journal);
  /// Before start(): other times and another budget of starts.
  void setLimits(const EngineLimits& limits);

  void start(const Command& command);
  /// By hand: at once, with a new budget of starts.
  void restart();
  void stop();

  State state() const;
  bool ready() const { return state() == State::ready; }
  bool remote() const;
  const Command& command() const;
  /// Why it is restarting or failed: one sentence. Empty otherwise.
  QString problem() const;
  /// Why the project is not open any more after a restart; project/open tries it once more.
  const std::optional<Error>& projectLost() const;
  /// The last 256 KiB of what the engine wrote to stderr.
  QString log() const;
  /// What initialize answered, of the running engine or the last one.
  const protocol::Initialize::Answer& engine() const;
  /// What is open in it.
  const std::vector<protocol::LoadedModel>& loaded() const;

  /// Sends a request; while the engine is not ready it waits and is sent once it is. `done` is called once, from the
  /// event loop, unless `context` is gone by then. A request that was under way when the engine died answers
  /// ErrorCode::busy, "The engine stopped while …", unless M is safe to repeat (it reads, or stores by id): that is
  /// sent again. Requests after a project/open wait for its answer, so that they mean that project.
  template <class M>
  Ticket call(const typename M::Params& params, QObject* context,
              std::function<void(const Result<typename M::Answer>&)> done);
  /// Asks a request under way to stop: it still answers. One that still waits for the engine answers cancelled.
  void cancel(Ticket ticket);
  /// Whether the request waits for the engine to be ready.
  bool waits(Ticket ticket) const;

  /// Calls `heard` for each notification N while `context` lives.
  template <class N>
  void on(QObject* context, std::function<void(const N&)> heard);

  /// What this window stored in the open project's chats and the project does not have yet (a full disk), in the order
  /// in which it will be stored.
  std::vector<protocol::PutChat::Params> unstored() const;

  /// Used by the templates: raw JSON. A large answer is decoded on another thread; what that returns is called on this
  /// one.
  using Decode = std::function<std::function<void()>(const Result<Json>&)>;
  Ticket send(const std::string& method, Json params, QObject* context, Decode decode);
  void listen(const std::string& method, QObject* context, std::function<void(const Json&)> heard);

 Q_SIGNALS:
  void stateChanged();
  void loadedChanged();
  /// start() got another command: project and models of the engine before are not open in this one.
  void engineReplaced();
  void projectLostChanged();
  /// A message of the engine that this window cannot read: it is dropped, and this says why.
  void misunderstood(const QString& sentence);
  /// After a restart: a model, a watch of a run or the HTTP server that could not be brought back, and why.
  void notRestored(const QString& sentence);
  /// All that could not be stored for a while (a full disk) is stored.
  void caughtUp();

 private:
  class Private;
  std::unique_ptr<Private> m_private;
};

template <class M>
EngineClient::Ticket EngineClient::call(const typename M::Params& params, QObject* context,
                                        std::function<void(const Result<typename M::Answer>&)> done) {
  using Answer = Result<typename M::Answer>;
  return send(M::kName, configToJson(params), context,
              [done = std::move(done)](const Result<Json>& json) -> std::function<void()> {
                auto answer = std::make_shared<Answer>();
                if (!json) {
                  *answer = tl::unexpected(json.error());
                } else if (const auto read = configFromJson(*json, std::string("The answer to ") + M::kName, **answer,
                                                            UnknownKeys::ignore);
                           !read) {
                  *answer = tl::unexpected(read.error());
                }
                return [done, answer] { done(*answer); };
              });
}

template <class N>
void EngineClient::on(QObject* context, std::function<void(const N&)> heard) {
  listen(N::kName, context, [this, heard = std::move(heard)](const Json& json) {
    N notification{};
    const auto read = configFromJson(json, N::kName, notification, UnknownKeys::ignore);
    if (read) {
      heard(notification);
    } else {
      Q_EMIT misunderstood(QString::fromStdString(read.error().message));
    }
  });
}

}  // namespace strata
