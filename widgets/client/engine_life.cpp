#include <QCoreApplication>
#include <algorithm>
#include <utility>

#include "core/protocol/alive.h"
#include "widgets/client/engine_client_private.h"
#include "widgets/client/repeatable.h"

namespace strata {
namespace {

constexpr qint64 kSliceMs = 8;     // of handling messages in one turn of the event loop
constexpr qint64 kTurnMs = 8;      // between turns: what comes meanwhile is joined
constexpr int kOpenAttempts = 10;  // of a project whose lock a dying engine may still hold
constexpr int kOpenRetryMs = 300;
constexpr int kChecksPerPing = 5;
constexpr const char* kPing = "ping";  // a cancel of nothing, which the engine answers whatever it is doing

std::string clientName() {
  const QString name = QCoreApplication::applicationName() + " " + QCoreApplication::applicationVersion();
  return name.trimmed().toStdString();
}

}  // namespace

void EngineClient::start(const Command& command) {
  Private& d = *m_private;
  const bool another = !d.m_command.program.isEmpty() &&
                       (command.program != d.m_command.program || command.arguments != d.m_command.arguments);
  d.letGo(tr("The engine was changed while %1."));
  d.m_command = command;
  if (another) {  // its projects and models lie elsewhere
    d.m_project.reset();
    d.m_remembered.clear();
    d.m_watches.clear();
    d.m_serving.reset();
    const auto dropped = std::exchange(d.m_waiting, {});
    const QPointer<EngineClient> self(this);
    d.setProjectLost({});
    if (self) Q_EMIT engineReplaced();
    for (const auto& [ticket, request] : dropped) {
      if (!self) return;
      Private::deliver(
          request,
          strata::fail(ErrorCode::busy, tr("The engine was changed before this was done; ask again.").toStdString()));
    }
    if (!self) return;
  }
  d.m_budget.reset();
  d.launch();
}

void EngineClient::restart() {
  Private& d = *m_private;
  if (d.m_command.program.isEmpty()) return;
  d.letGo(tr("The engine was restarted while %1."));
  d.m_budget.reset();
  d.launch();
}

void EngineClient::stop() {
  m_private->letGo(tr("The engine was stopped while %1."));
  m_private->setState(State::off);
}

EngineClient::Private::Private(EngineClient* client) : m_client(client) {
  m_clock.start();
  for (QTimer* timer : {&m_drainTimer, &m_restartTimer, &m_initializeTimer, &m_openTimer, &m_storeTimer})
    timer->setSingleShot(true);
  QObject::connect(&m_drainTimer, &QTimer::timeout, client, [this] { drain(); });
  QObject::connect(&m_restartTimer, &QTimer::timeout, client, [this] { launch(); });
  QObject::connect(&m_storeTimer, &QTimer::timeout, client, [this] {
    m_storesHeld = false;
    pump();
  });
  QObject::connect(&m_watchTimer, &QTimer::timeout, client, [this] { watch(); });
  QObject::connect(&m_initializeTimer, &QTimer::timeout, client, [this] {
    if (m_process) {
      const int seconds = (m_initializeTimer.interval() + 999) / 1000;
      m_process->kill(tr("The engine did not answer within %1 s of its start").arg(seconds).toStdString());
    }
  });
}

void EngineClient::Private::setState(State next, const QString& why) {
  if (m_state == next && m_problem == why) return;
  m_state = next;
  m_problem = why;
  Q_EMIT m_client->stateChanged();
}

void EngineClient::Private::launch() {
  if (m_process) return;  // an answer's handler started it meanwhile
  m_restartTimer.stop();
  EngineProcess::Command command{m_command.program.toStdString(), {}};
  for (const QString& argument : m_command.arguments) command.arguments.push_back(argument.toStdString());
  m_startedAt = m_clock.elapsed();
  m_initialized = false;
  m_unanswered = 0;
  m_process = std::make_shared<EngineProcess>(std::move(command), m_limits, [this] {
    if (!m_woken.exchange(true)) {
      QMetaObject::invokeMethod(
          m_client, [this] { wake(); }, Qt::QueuedConnection);
    }
  });
  m_watchTimer.setInterval(std::max(1, m_limits.pingMs / kChecksPerPing));
  m_initializeTimer.start(m_command.remote ? m_limits.remoteInitializeMs : m_limits.initializeMs);
  ask(protocol::Initialize::kName,
      configToJson(protocol::Initialize::Params{.protocolVersion = kProtocolVersion, .client = clientName()}),
      [this](const Result<Json>& answer) { initialized(answer); });
  setState(State::starting);
}

void EngineClient::Private::initialized(const Result<Json>& answer) {
  m_initializeTimer.stop();
  const QString window = QString::number(kProtocolVersion);
  if (!answer) {
    return fail(tr("The engine refused this window, which speaks version %1 of the protocol: %2")
                    .arg(window, QString::fromStdString(answer.error().message)));
  }
  protocol::Initialize::Answer engine;
  const auto read = configFromJson(*answer, "The answer to initialize", engine, UnknownKeys::ignore);
  if (!read)
    return fail(tr("The engine sent something unreadable: %1").arg(QString::fromStdString(read.error().message)));
  if (engine.protocolVersion != kProtocolVersion) {
    return fail(tr("The engine (%1) speaks version %2 of the protocol and this window version %3; install the same "
                   "release of both.")
                    .arg(engine.version.empty() ? tr("no version given") : QString::fromStdString(engine.version))
                    .arg(engine.protocolVersion)
                    .arg(window));
  }
  m_engine = std::move(engine);
  m_initialized = true;
  m_process->write([alive = protocol::Alive{m_limits.silenceMs}]() mutable {
    return rpcNotification(protocol::Alive::kName, configToJson(alive));
  });
  m_pingedAt = m_clock.elapsed();
  m_watchTimer.start();
  openAgain(1);
}

/// Opens the project of the life before, then goes on to ready.
void EngineClient::Private::openAgain(int attempt) {
  if (!m_project) return becomeReady();
  ask(protocol::OpenProject::kName, *m_project, [this, attempt](const Result<Json>& answer) {
    const QPointer<EngineClient> self(m_client);
    if (answer) {
      setProjectLost({});
      if (!self) return;
      if (m_journal) replay();
      return becomeReady();
    }
    if (attempt < kOpenAttempts) {
      m_openTimer.disconnect();
      QObject::connect(&m_openTimer, &QTimer::timeout, m_client, [this, attempt] { openAgain(attempt + 1); });
      m_openTimer.start(kOpenRetryMs);
      return;
    }
    Error error = answer.error();
    error.message = tr("The project could not be opened again: %1").arg(error.message.c_str()).toStdString();
    setProjectLost(error);
    if (self) becomeReady();
  });
}

void EngineClient::Private::setProjectLost(const std::optional<Error>& why) {
  if (!why && !m_projectLost) return;
  m_projectLost = why;
  Q_EMIT m_client->projectLostChanged();
}

/// Models, watches of runs, and the server if there was one, are asked for before anything that waits.
void EngineClient::Private::becomeReady() {
  for (const Remembered& model : m_remembered) {
    ask(
        protocol::LoadModel::kName, configToJson(protocol::LoadModel::Params{model.ref}),
        [this, ref = model.ref](const Result<Json>& answer) {
          if (answer) return;
          std::erase_if(m_remembered, [&](const Remembered& other) { return other.ref == ref; });
          Q_EMIT m_client->notRestored(
              tr("%1 could not be opened again: %2")
                  .arg(QString::fromStdString(ref.model), QString::fromStdString(answer.error().message)));
        },
        model.ref);
  }
  if (!m_projectLost) watchAgain();
  if (m_serving) {
    ask(protocol::StartServing::kName, configToJson(*m_serving), [this](const Result<Json>& answer) {
      if (answer) return;
      m_serving.reset();
      Q_EMIT m_client->notRestored(
          tr("The HTTP server could not be started again: %1").arg(QString::fromStdString(answer.error().message)));
    });
  }
  m_state = State::ready;
  m_problem.clear();
  m_storesHeld = false;
  pump();
  Q_EMIT m_client->stateChanged();
}

void EngineClient::Private::wake() {
  m_woken = false;
  std::erase_if(m_leaving, [](const auto& process) { return process->end().has_value(); });
  const qint64 since = m_clock.elapsed() - m_drainedAt;
  if (since >= kTurnMs) {
    drain();
  } else if (!m_drainTimer.isActive()) {
    m_drainTimer.start(static_cast<int>(kTurnMs - since));
  }
}

void EngineClient::Private::drain() {
  const std::shared_ptr<EngineProcess> process = m_process;
  if (!process) return;
  m_drainTimer.stop();
  const QPointer<EngineClient> self(m_client);
  const auto end = process->end();  // before the messages: after it none is added
  QElapsedTimer slice;
  slice.start();
  while (slice.elapsed() < kSliceMs) {
    std::size_t bytes = 0;
    auto message = process->inbox().take(&bytes);
    if (!message) break;
    handle(std::move(*message), bytes);
    if (!self) return;
    if (m_process != process) return;  // a handler changed the engine
  }
  process->madeRoom();
  m_drainedAt = m_clock.elapsed();
  if (!process->inbox().empty()) {
    m_drainTimer.start(1);
  } else if (end) {
    died(*end);
  }
}

/// Asks for signs of life, often while something is under way.
void EngineClient::Private::watch() {
  if (!m_process || !m_initialized) {
    m_watchTimer.stop();
    return;
  }
  if (!m_process->inbox().empty()) return;  // it lives; this thread is behind
  const qint64 now = m_clock.elapsed();
  for (const auto& [ticket, own] : m_own) {
    if (own.method == protocol::Cancel::kName && now - own.sentAt > allowed(m_limits.cancelMs)) {
      return m_process->kill(tr("The engine did not answer a request to stop within %1 s")
                                 .arg((now - own.sentAt + 999) / 1000)
                                 .toStdString());
    }
  }
  const bool busy = !m_flight.empty() || !m_own.empty();
  if (now - m_pingedAt < (busy ? m_limits.pingMs : m_limits.idlePingMs)) return;
  if (m_unanswered >= m_limits.pings) {
    return m_process->kill(tr("The engine gave no sign of life for %1 s")
                               .arg((m_limits.pings * m_limits.pingMs + 999) / 1000)
                               .toStdString());
  }
  m_pingedAt = now;
  ++m_unanswered;
  const Ticket ping = ask(protocol::Cancel::kName, {{"id", nullptr}}, [](const Result<Json>&) {});
  m_own[ping].method = kPing;
}

void EngineClient::Private::died(const EngineProcess::End& end) {
  const QString what = QString::fromStdString(end.what);
  const qint64 startedAt = m_startedAt;
  if (!end.started) return fail(tr("%1; check the engine's command.").arg(what));
  const std::optional<int> delay = m_budget.died(startedAt, m_clock.elapsed());
  if (!delay) {
    return fail(tr("%1; it stopped %n time(s) in a row: read its log, then restart it.", nullptr, m_budget.deaths() + 1)
                    .arg(what),
                !end.killed);
  }
  const QPointer<EngineClient> self(m_client);
  letGo(tr("The engine stopped while %1; ask again."), !end.killed);
  if (!self || m_process) return;
  setState(State::restarting, tr("%1; it is started again.").arg(what));
  if (self && m_state == State::restarting) m_restartTimer.start(*delay);
}

void EngineClient::Private::fail(const QString& sentence, bool crashed) {
  const QPointer<EngineClient> self(m_client);
  letGo(tr("The engine stopped while %1; ask again."), crashed);
  if (self && !m_process) setState(State::failed, sentence);
}

void EngineClient::Private::letGo(const QString& sentence, bool crashed) {
  for (QTimer* timer : {&m_drainTimer, &m_restartTimer, &m_watchTimer, &m_initializeTimer, &m_openTimer, &m_storeTimer})
    timer->stop();
  m_opening.reset();
  if (m_process) {
    constexpr std::size_t kMostPastBytes = 128u << 10;
    m_pastLog += m_process->log();
    if (m_pastLog.size() > kMostPastBytes) m_pastLog.erase(0, m_pastLog.size() - kMostPastBytes);
    m_process->finish();
    if (!m_process->end()) m_leaving.push_back(m_process);
    m_process.reset();
  }
  const QPointer<EngineClient> self(m_client);
  QStringList givenUp;
  for (const auto& [ticket, own] : std::exchange(m_own, {})) {
    if (own.method != protocol::LoadModel::kName) continue;
    const auto model = std::find_if(m_remembered.begin(), m_remembered.end(),
                                    [&, &ref = own.ref](const Remembered& other) { return other.ref == ref; });
    if (model == m_remembered.end() || ++model->deaths < m_limits.repeats) continue;
    givenUp << tr("%1 is not opened again: the engine stopped %n time(s) while opening it.", nullptr, model->deaths)
                   .arg(QString::fromStdString(own.ref.model));
    m_remembered.erase(model);
  }
  std::vector<Request> lost;
  for (auto& [ticket, request] : std::exchange(m_flight, {})) {
    const bool stores = !request.journalKey.empty();
    if (stores && crashed && ++request.deaths >= m_limits.repeats) {
      noted(m_journal->setAside(request.journalKey));
      givenUp << tr(
          "A message was set aside: the engine stopped %n time(s) while storing it. It is kept in the window's "
          "journal.",
          nullptr, request.deaths);
      lost.push_back(std::move(request));
    } else if (stores || (isRepeatable(request.method) && ++request.deaths <= m_limits.repeats)) {
      m_waiting.emplace(ticket, std::move(request));
    } else {
      lost.push_back(std::move(request));
    }
  }
  const bool hadModels = !m_loaded.empty();
  m_loaded.clear();
  if (hadModels) Q_EMIT m_client->loadedChanged();
  for (const QString& text : givenUp) {
    if (self) Q_EMIT m_client->notRestored(text);
  }
  for (const Request& request : lost) {
    if (!self) return;
    deliver(request, strata::fail(ErrorCode::busy, sentence.arg(doing(request.method)).toStdString()));
  }
}

}  // namespace strata
