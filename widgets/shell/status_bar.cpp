#include "widgets/shell/status_bar.h"

#include <QAccessible>
#include <QHBoxLayout>
#include <QPainter>

#include "widgets/shell/engine_popup.h"
#include "widgets/shell/memory_popup.h"
#include "widgets/shell/notices_popup.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kSaidMilliseconds = 10000;
constexpr int kBarWidth = 96;

Button* chip(const char* name, QWidget* parent) {
  auto* button = named(new Button({}, ButtonKind::quiet, parent), name);
  button->setCompact(true);
  return button;
}

}  // namespace

StatusBar::StatusBar(Session& session, MemoryLog& memory, QWidget* parent)
    : QWidget(parent), m_session(session), m_log(memory) {
  named(this, "status-bar", tr("Status"));
  m_engine = chip("status-engine", this);
  m_engine->setWhatsThis(
      tr("The program that computes. It runs beside this window, here or on another machine; if it dies, "
         "the window starts it again."));
  m_serving = chip("status-serving", this);
  m_serving->setIcon(icon("broadcast", Ink::accent));
  m_serving->hide();
  m_device = named(new ElidedLabel({}, TextRole::caption, Tone::second, this), "status-device");
  m_memory = chip("status-memory", this);
  m_memory->setWhatsThis(
      tr("What the engine's tensors take: weights, KV caches, and the rest. Opens the curve over time, and "
         "lets models be unloaded."));
  m_bar = named(new MemoryBar(this), "status-memory-bar", tr("Memory in use"));
  m_bar->setTextShown(false);
  m_said = named(new ElidedLabel({}, TextRole::body, Tone::normal, this), "status-said");
  m_bell = chip("status-bell", this);
  m_bell->setWhatsThis(tr("Everything the window has said since it was opened, the newest first."));
  m_keys = named(new ElidedLabel({}, TextRole::caption, Tone::second, this), "status-keys");
  m_keys->setSeparator(tr(" · "));
  m_keys->setAlignment(Qt::AlignRight | Qt::AlignVCenter);

  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(kGapRelated, 1, kGapGroups, 0);
  row->setSpacing(kGapRelated);
  row->addWidget(m_engine);
  row->addWidget(m_serving);
  row->addWidget(m_device);
  row->addWidget(m_memory);
  row->addWidget(m_bar);
  row->addWidget(m_bell);
  row->addWidget(m_said, 2);
  row->addWidget(m_keys, 3);

  connect(m_engine, &QPushButton::clicked, this, &StatusBar::openEngine);
  connect(m_memory, &QPushButton::clicked, this, &StatusBar::openMemory);
  connect(m_serving, &QPushButton::clicked, &session, [this] { m_session.go(Place::model(m_serves)); });
  connect(&session.engine(), &EngineClient::stateChanged, this, &StatusBar::showEngine);
  connect(&memory, &MemoryLog::changed, this, &StatusBar::showMemory);
  connect(m_bell, &QPushButton::clicked, this, &StatusBar::openNotices);
  connect(&session, &Session::engineChoiceWanted, this, &StatusBar::openEngine);
  connect(&session.notices(), &Notices::added, this, [this](const Notice& notice) { say(notice.text); });
  connect(&session.notices(), &Notices::added, this, &StatusBar::showBell);
  connect(&session.notices(), &Notices::unseenChanged, this, &StatusBar::showBell);
  session.engine().on<protocol::ServeChanged>(this, [this](const auto& state) { showServing(state); });
  m_forget.setSingleShot(true);
  m_forget.setInterval(kSaidMilliseconds);
  connect(&m_forget, &QTimer::timeout, m_said, [this] { m_said->setText({}); });
  followTheme(this, [this] {
    setMinimumHeight(metrics().strip);
    m_bar->setFixedWidth(scaled(kBarWidth));
    update();
  });
  showEngine();
  showMemory();
  showBell();
}

void StatusBar::showBell() {
  const int problems = m_session.notices().unseen();
  m_bell->setVisible(m_session.notices().rowCount() > 0);
  m_bell->setIcon(icon("bell", problems > 0 ? Ink::bad : Ink::second));
  m_bell->setText(problems > 0 ? QString::number(problems) : QString());
  const QString name = problems > 0 ? tr("Notices: %n new problem(s)", nullptr, problems) : tr("Notices");
  m_bell->setAccessibleName(name);
  m_bell->setToolTip(name);
}

void StatusBar::showEngine() {
  const EngineClient& engine = m_session.engine();
  m_engine->setText(engineStateText(engine));
  const auto state = engine.state();
  m_engine->setIcon(state == EngineClient::State::ready    ? icon("check-lg", Ink::good)
                    : state == EngineClient::State::failed ? icon("exclamation-triangle", Ink::bad)
                                                           : icon("arrow-repeat", Ink::second));
  m_engine->setToolTip(tipOf(engine.problem().isEmpty() ? tr("Restart, log, or another engine") : engine.problem()));
  QStringList devices;
  for (const protocol::Device& device : engine.engine().devices) {
    if (device.usable) devices << QString::fromStdString(device.description.empty() ? device.name : device.description);
  }
  m_device->setText(engine.ready() ? devices.join(", ") : QString());
  if (!engine.ready()) m_serving->hide();
  // A failure is shown above the page.
  if (!engine.problem().isEmpty() && state != EngineClient::State::failed) say(engine.problem());
}

void StatusBar::showMemory() {
  const MemoryParts& parts = m_log.now();
  const MemoryLevel level = levelOf(parts);
  m_bar->setParts(parts);
  m_bar->setVisible(parts.known());
  QString text =
      parts.known()
          ? tr("Memory %1").arg(parts.total ? formatBytesOf(parts.used(), parts.total) : formatBytes(parts.used()))
          : tr("Memory not measured");
  if (level == MemoryLevel::high) text += tr(", high");
  if (level == MemoryLevel::full) text += tr(", nearly full");
  m_memory->setText(text);
  m_memory->setToolTip(parts.known() ? describe(parts) : tr("No memory report yet."));
}

void StatusBar::showServing(const protocol::ServeState& state) {
  m_serving->setVisible(state.on);
  m_serves = state.models.empty() ? QString() : QString::fromStdString(state.models.front());
  const QString address = QString::fromStdString(state.url);
  m_serving->setText(tr("Serving"));
  m_serving->setToolTip(tr("%1: %2 request(s) answered, %3 under way", nullptr, pluralOf(state.requests))
                            .arg(address)
                            .arg(state.requests)
                            .arg(state.active));
  m_serving->setAccessibleName(tr("Serving at %1").arg(address));
}

void StatusBar::setKeys(const QList<QPair<QString, QString>>& keys) {
  QStringList parts;
  for (const auto& [key, what] : keys) parts << key + ' ' + what;
  m_keys->setText(parts.join(tr(" · ")));
}

void StatusBar::say(const QString& sentence) {
  m_said->setText(sentence);
  m_said->setAccessibleName(sentence);
  m_forget.start();
  QAccessibleEvent alert(m_said, QAccessible::Alert);
  QAccessible::updateAccessibility(&alert);
}

void StatusBar::openEngine() {
  (new EnginePopup(m_session, this))->openAt(m_engine);
}

void StatusBar::openMemory() {
  (new MemoryPopup(m_session, m_log, this))->openAt(m_memory);
}

void StatusBar::openNotices() {
  (new NoticesPopup(m_session, this))->openAt(m_bell);
  m_session.notices().markSeen();
}

void StatusBar::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), colors().window);
  painter.fillRect(0, 0, width(), 1, colors().line);
}

}  // namespace strata
