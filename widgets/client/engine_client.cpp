#include "widgets/client/engine_client.h"

#include <QCoreApplication>
#include <QMetaObject>
#include <QThreadPool>
#include <algorithm>
#include <map>
#include <utility>

#include "widgets/client/engine_client_private.h"
#include "widgets/client/error_words.h"
#include "widgets/client/repeatable.h"

namespace strata {
namespace {

constexpr std::size_t kLargeBytes = 128u << 10;  // of an answer that is decoded elsewhere
constexpr std::size_t kMostParamsBytes = kMostFrameBytes - 4096;

Error tooLarge(std::size_t bytes) {
  return {ErrorCode::usage,
          EngineClient::tr("The message has %1 MiB, and one may have %2; shorten it or send it in parts.")
              .arg((bytes + (1u << 20) - 1) >> 20)
              .arg(kMostFrameBytes >> 20)
              .toStdString(),
          "message"};
}

/// Whether the engine may store it another time: the disk is full, or the database is in use.
bool mayStoreLater(const Error& error) {
  return error.code == ErrorCode::diskFull || error.code == ErrorCode::io || error.code == ErrorCode::busy ||
         error.code == ErrorCode::outOfMemory;
}

/// A request whose parameters are printed already.
std::string requestOf(EngineClient::Ticket ticket, const std::string& method, const std::string& params) {
  return "{\"jsonrpc\":\"2.0\",\"id\":" + std::to_string(ticket) + ",\"method\":" + dumpLine(method) +
         ",\"params\":" + params + "}";
}

bool isLarge(const Json& putChat) {
  constexpr std::size_t kLargeText = 32u << 10;
  std::size_t characters = 0;
  for (const Json& message : putChat.at("messages")) {
    const auto text = message.find("text");
    if (text != message.end() && text->is_string()) characters += text->get_ref<const std::string&>().size();
  }
  return characters > kLargeText;
}

}  // namespace

EngineClient::EngineClient(QObject* parent) : QObject(parent), m_private(std::make_unique<Private>(this)) {}

EngineClient::~EngineClient() {
  // A handler that deletes this client holds the process a little longer than this client lives.
  if (m_private->m_process) m_private->m_process->stopWaking();
  for (const auto& process : m_private->m_leaving) process->stopWaking();
  // The next window sends what this one only had time to note.
  for (auto& [ticket, request] : m_private->m_waiting) {
    if (request.printing) m_private->note(request, std::make_shared<const std::string>(dumpLine(*request.params)));
  }
  // Both at once are asked to leave before either is waited for.
  if (m_private->m_process) m_private->m_process->finish();
  m_private->m_process.reset();
  m_private->m_leaving.clear();
}

void EngineClient::setJournal(std::unique_ptr<Journal> journal) {
  m_private->m_journal = std::move(journal);
}

void EngineClient::setLimits(const EngineLimits& limits) {
  m_private->m_limits = limits;
  m_private->m_budget = RestartBudget(limits);
}

EngineClient::State EngineClient::state() const {
  return m_private->m_state;
}
bool EngineClient::remote() const {
  return m_private->m_command.remote;
}
const EngineClient::Command& EngineClient::command() const {
  return m_private->m_command;
}
const std::optional<Error>& EngineClient::projectLost() const {
  return m_private->m_projectLost;
}
QString EngineClient::problem() const {
  return m_private->m_problem;
}
const protocol::Initialize::Answer& EngineClient::engine() const {
  return m_private->m_engine;
}
const std::vector<protocol::LoadedModel>& EngineClient::loaded() const {
  return m_private->m_loaded;
}

QString EngineClient::log() const {
  constexpr std::size_t kMostBytes = 256u << 10;
  std::string text = m_private->m_pastLog;
  if (m_private->m_process) text += m_private->m_process->log();
  if (text.size() > kMostBytes) text.erase(0, text.size() - kMostBytes);
  return QString::fromStdString(text);
}

EngineClient::Ticket EngineClient::send(const std::string& method, Json params, QObject* context, Decode decode) {
  Private& d = *m_private;
  const Ticket ticket = d.m_next++;
  Private::Request request{
      method, std::make_shared<const Json>(std::move(params)), context != nullptr, context, std::move(decode), {}, {}};
  if (method == protocol::OpenProject::kName) d.m_askedFolder = request.params->value("folder", std::string());
  if (method == protocol::PutChat::kName && d.m_journal) {
    d.m_storesHeld = false;  // what is held goes first, once more
    request.project = d.projectKey(d.m_askedFolder);
    request.printing = isLarge(*request.params);
    if (!request.printing) d.note(request, std::make_shared<const std::string>(dumpLine(*request.params)));
  }
  const auto& kept = d.m_waiting.emplace(ticket, std::move(request)).first->second;
  if (kept.printing) d.print(ticket, kept.params);
  d.pump();
  return ticket;
}

void EngineClient::Private::note(Request& request, std::shared_ptr<const std::string> text) {
  request.printing = false;
  if (auto key = m_journal->add(request.project, *request.params, *text)) {
    request.journalKey = std::move(*key);
  } else {
    Q_EMIT m_client->misunderstood(QString::fromStdString(key.error().message));
  }
  request.text = std::move(text);
}

/// Megabytes take longer to print than an event of this thread may take.
void EngineClient::Private::print(Ticket ticket, const std::shared_ptr<const Json>& params) {
  QThreadPool::globalInstance()->start([self = QPointer<EngineClient>(m_client), ticket, params] {
    const auto text = std::make_shared<const std::string>(dumpLine(*params));
    QMetaObject::invokeMethod(
        QCoreApplication::instance(),
        [self, ticket, text] {
          if (!self) return;
          Private& d = *self->m_private;
          const auto waiting = d.m_waiting.find(ticket);
          if (waiting == d.m_waiting.end()) return;  // it was given up
          if (text->size() > kMostParamsBytes) {
            const auto refused = d.m_waiting.extract(waiting);
            Private::deliver(refused.mapped(), tl::unexpected(tooLarge(text->size())));
            if (!self) return;
          } else {
            d.note(waiting->second, text);
          }
          d.pump();
        },
        Qt::QueuedConnection);
  });
}

void EngineClient::listen(const std::string& method, QObject* context, std::function<void(const Json&)> heard) {
  m_private->m_listeners.push_back(
      std::make_shared<Private::Listener>(Private::Listener{method, context != nullptr, context, std::move(heard)}));
}

void EngineClient::cancel(Ticket ticket) {
  Private& d = *m_private;
  const auto waiting = d.m_waiting.find(ticket);
  if (waiting != d.m_waiting.end()) {
    auto request = std::make_shared<Private::Request>(std::move(waiting->second));
    d.m_waiting.erase(waiting);
    if (!request->journalKey.empty()) d.noted(d.m_journal->done(request->journalKey));
    QMetaObject::invokeMethod(
        this,
        [request] {
          Private::deliver(
              *request, strata::fail(ErrorCode::cancelled,
                                     EngineClient::tr("It was cancelled before the engine was asked.").toStdString()));
        },
        Qt::QueuedConnection);
    return;
  }
  if (!d.m_flight.contains(ticket)) return;
  d.ask(protocol::Cancel::kName, {{"id", ticket}}, [](const Result<Json>&) {});
}

bool EngineClient::waits(Ticket ticket) const {
  return m_private->m_waiting.contains(ticket);
}

EngineClient::Ticket EngineClient::Private::ask(const std::string& method, const Json& params,
                                                std::function<void(const Result<Json>&)> done,
                                                const protocol::ModelRef& ref) {
  const Ticket ticket = m_next++;
  m_own.emplace(ticket, Own{method, m_clock.elapsed(), std::move(done), ref});
  m_process->write([ticket, method, params] { return rpcRequest(ticket, method, params); });
  return ticket;
}

/// Sends what may be sent, in order.
void EngineClient::Private::pump() {
  if (m_state != State::ready || !m_process) return;
  const auto isStoring = [](const auto& entry) { return !entry.second.journalKey.empty(); };
  const auto isSuspect = [](const auto& entry) { return !entry.second.journalKey.empty() && entry.second.deaths > 0; };
  bool prints = false;  // one that is not noted yet: what is of chats stays in order behind it
  for (auto next = m_waiting.begin(); next != m_waiting.end() && !m_opening;) {
    const auto current = next++;
    prints = prints || current->second.printing;
    if (prints && (current->second.printing || current->second.method.starts_with("chats/"))) continue;
    const bool stores = !current->second.journalKey.empty();
    if (stores && (m_projectLost || m_storesHeld)) continue;
    // A message over which an engine ended is stored by itself, so that a second end can only be its own.
    if (stores && (current->second.deaths > 0 ? std::any_of(m_flight.begin(), m_flight.end(), isStoring)
                                              : std::any_of(m_flight.begin(), m_flight.end(), isSuspect))) {
      continue;
    }
    if (current->second.method == protocol::OpenProject::kName) {
      // What is still being stored belongs to the project before.
      if (prints || std::any_of(m_flight.begin(), m_flight.end(), isStoring)) break;
      m_opening = current->first;
    }
    Request& request = current->second;
    m_process->write([ticket = current->first, method = request.method, params = request.params,
                      text = std::exchange(request.text, nullptr)] {
      return text ? requestOf(ticket, method, *text) : rpcRequest(ticket, method, *params);
    });
    m_flight.insert(m_waiting.extract(current));
  }
  if (!m_watchTimer.isActive() && !m_flight.empty()) m_watchTimer.start();
}

void EngineClient::Private::handle(RpcMessage message, std::size_t bytes) {
  m_unanswered = 0;
  switch (message.kind) {
    case RpcMessage::Kind::notification:
      heard(message.method, message.params);
      return;
    case RpcMessage::Kind::request:
      Q_EMIT m_client->misunderstood(tr("The engine asked the window for %1, which it does not answer.")
                                         .arg(QString::fromStdString(message.method)));
      return;
    case RpcMessage::Kind::response:
    case RpcMessage::Kind::errorResponse:
      break;
  }
  const bool failed = message.kind == RpcMessage::Kind::errorResponse;
  if (failed) message.error.message = errorText(message.error).toStdString();
  Result<Json> result = failed ? Result<Json>(tl::unexpected(message.error)) : Result<Json>(std::move(message.result));
  const Ticket ticket = message.id.is_number_integer() ? message.id.get<Ticket>() : 0;
  if (const auto own = m_own.find(ticket); own != m_own.end()) {
    const auto done = std::move(own->second.done);
    m_own.erase(own);
    done(result);
  } else if (m_flight.contains(ticket)) {
    answered(ticket, std::move(result), bytes);
  } else {
    const QString what = failed ? QString::fromStdString(message.error.message) : tr("it belongs to no request");
    Q_EMIT m_client->misunderstood(tr("An answer of the engine is left out: %1").arg(what));
  }
}

void EngineClient::Private::answered(Ticket ticket, Result<Json> result, std::size_t bytes) {
  auto node = m_flight.extract(ticket);
  Request& request = node.mapped();
  const QPointer<EngineClient> self(m_client);
  if (!request.journalKey.empty()) {
    if (!result && mayStoreLater(result.error())) return hold(ticket, std::move(request), result.error());
    if (result || request.decode) {
      noted(m_journal->done(request.journalKey));
      if (result && request.held && !isHolding()) Q_EMIT m_client->caughtUp();
    } else {  // nobody else would hear of it
      Q_EMIT m_client->notRestored(
          tr("A message kept from before could not be stored: %1 It is tried again when the project is "
             "opened next.")
              .arg(QString::fromStdString(result.error().message)));
    }
    if (!self) return;
  }
  if (m_opening == ticket) m_opening.reset();
  if (result && request.method == protocol::OpenProject::kName) projectOpened(ticket, *request.params, *result);
  if (!self) return;
  if (request.method == protocol::UnloadModel::kName) {
    protocol::UnloadModel::Params params;
    if (configFromJson(*request.params, request.method, params)) {
      std::erase_if(m_remembered, [&](const Remembered& model) { return model.ref == params.ref; });
    }
  }
  if (result) servingChanged(request, *result);
  if (result) watchesChanged(request);
  if (bytes > kLargeBytes) {
    deliverLarge(std::move(request), std::move(result));
  } else {
    deliver(request, result);
  }
  if (self) pump();
}

void EngineClient::Private::noted(const Result<void>& written) {
  if (!written) Q_EMIT m_client->misunderstood(QString::fromStdString(written.error().message));
}

bool EngineClient::Private::isHolding() const {
  const auto isHeld = [](const auto& entry) { return entry.second.held; };
  return std::any_of(m_waiting.begin(), m_waiting.end(), isHeld) ||
         std::any_of(m_flight.begin(), m_flight.end(), isHeld);
}

std::vector<protocol::PutChat::Params> EngineClient::unstored() const {
  std::map<Ticket, const Private::Request*> inOrder;
  for (const auto* requests : {&m_private->m_flight, &m_private->m_waiting}) {
    for (const auto& [ticket, request] : *requests) {
      if (request.held) inOrder.emplace(ticket, &request);
    }
  }
  std::vector<protocol::PutChat::Params> all;
  for (const auto& [ticket, request] : inOrder) {
    protocol::PutChat::Params params;
    if (configFromJson(*request->params, request->method, params, UnknownKeys::ignore))
      all.push_back(std::move(params));
  }
  return all;
}

void EngineClient::Private::hold(Ticket ticket, Request request, const Error& error) {
  m_storesHeld = true;
  m_storeTimer.start(m_limits.storeAgainMs);
  m_waiting.emplace(ticket, std::move(request));
  std::vector<Request> told;
  for (auto& [number, waiting] : m_waiting) {
    if (waiting.journalKey.empty()) continue;
    waiting.held = true;
    if (!waiting.decode) continue;
    told.push_back(waiting);
    waiting.decode = nullptr;
  }
  const QPointer<EngineClient> self(m_client);
  for (const Request& each : told) {
    deliver(each, tl::unexpected(error));
    if (!self) return;
  }
  pump();
}

void EngineClient::Private::deliver(const Request& request, const Result<Json>& result) {
  if (request.hasContext && !request.context) return;
  if (request.decode) request.decode(result)();
}

/// What takes long to decode must not hold up this thread.
void EngineClient::Private::deliverLarge(Request request, Result<Json> result) {
  const auto kept = std::make_shared<Request>(std::move(request));
  auto json = std::make_shared<Result<Json>>(std::move(result));
  QThreadPool::globalInstance()->start([kept, json, self = QPointer<EngineClient>(m_client)]() mutable {
    const std::function<void()> tell = kept->decode ? kept->decode(*json) : [] {};
    json.reset();  // here, too: it is a tree of many small pieces
    QMetaObject::invokeMethod(
        QCoreApplication::instance(),
        [kept, tell, self] {
          if (!self) return;
          Private& d = *self->m_private;
          d.m_decoded.push_back([kept, tell] {
            if (!kept->hasContext || kept->context) tell();
          });
          if (d.m_decoded.size() == 1) QTimer::singleShot(1, self, [&d] { d.deliverNext(); });
        },
        Qt::QueuedConnection);
  });
}

void EngineClient::Private::deliverNext() {
  const auto tell = std::move(m_decoded.front());
  m_decoded.pop_front();
  if (!m_decoded.empty()) QTimer::singleShot(1, m_client, [this] { deliverNext(); });
  tell();  // may delete the client
}

void EngineClient::Private::heard(const std::string& method, const Json& params) {
  const QPointer<EngineClient> self(m_client);
  if (method == protocol::ModelsLoaded::kName) models(params);
  if (method == protocol::JobPoints::kName) watched(params);
  bool gone = false;
  for (std::size_t i = 0; self && i < m_listeners.size(); ++i) {  // a listener may add others
    const std::shared_ptr<Listener> listener = m_listeners[i];
    if (listener->hasContext && !listener->context) {
      gone = true;
    } else if (listener->method == method) {
      listener->heard(params);
    }
  }
  if (!self || !gone) return;
  std::erase_if(m_listeners, [](const auto& listener) { return listener->hasContext && !listener->context; });
}

/// Names a project in the journal: the same folder on another machine is another project.
std::string EngineClient::Private::projectKey(const std::string& folder) const {
  if (!m_command.remote) return folder;
  return (m_command.program + " " + m_command.arguments.join(' ') + ": ").toStdString() + folder;
}

void EngineClient::Private::projectOpened(Ticket ticket, const Json& params, const Json& answer) {
  const std::string asked = params.value("folder", std::string());
  const std::string folder = answer.is_object() ? answer.value("folder", asked) : asked;
  if (m_project && m_project->value("folder", std::string()) != folder) m_watches.clear();
  watchAgain();
  m_project = {{"folder", folder}, {"create", false}};
  if (m_askedFolder == asked) m_askedFolder = folder;
  const QPointer<EngineClient> self(m_client);
  setProjectLost({});
  if (!self) return;
  if (!m_journal) return;
  if (const auto moved = m_journal->move(projectKey(asked), projectKey(folder)); !moved) {
    Q_EMIT m_client->misunderstood(QString::fromStdString(moved.error().message));
  }
  // What could not be stored in the project before stays in the journal until that is open again.
  std::vector<Request> kept;
  for (auto next = m_waiting.begin(); next != m_waiting.end() && next->first < ticket;) {
    const auto current = next++;
    const Request& request = current->second;
    if (request.journalKey.empty() || request.project == projectKey(folder) || request.project == projectKey(asked)) {
      continue;
    }
    kept.push_back(std::move(m_waiting.extract(current).mapped()));
  }
  for (const Request& request : kept) {
    deliver(request, strata::fail(ErrorCode::busy,
                                  EngineClient::tr("It is stored when its project is open again.").toStdString()));
    if (!self) return;
  }
  replay();
}

/// Queues the journal's messages of the open project that no request stands for, the oldest first.
void EngineClient::Private::replay() {
  const std::string key = projectKey(m_project->value("folder", std::string()));
  const auto stands = [](const std::map<Ticket, Request>& requests, const Journal::Entry& entry) {
    return std::any_of(requests.begin(), requests.end(),
                       [&](const auto& request) { return request.second.journalKey == entry.key; });
  };
  for (const Journal::Entry& entry : m_journal->entries()) {
    if (entry.aside || entry.project != key || stands(m_waiting, entry) || stands(m_flight, entry)) continue;
    m_waiting.emplace(m_nextReplayed++, Request{protocol::PutChat::kName, std::make_shared<const Json>(entry.params),
                                                false, nullptr, nullptr, entry.key, entry.project});
  }
}

}  // namespace strata
