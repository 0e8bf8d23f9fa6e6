#include "widgets/chat/first_start.h"

#include <QBoxLayout>
#include <QPainter>
#include <algorithm>

#include "core/protocol/job_kinds.h"
#include "widgets/style/controls.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

// An ordinary question of the sample: like four of five, the routed model answers it with half the cache too.
constexpr quint64 kFirstSeed = 2;

QHBoxLayout* rowIn(QWidget* widget) {
  auto* row = new QHBoxLayout(widget);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(kGapRelated);
  return row;
}

}  // namespace

FirstStart::FirstStart(Session& session, QWidget* parent)
    : QWidget(parent),
      m_session(session),
      m_steps(new QWidget(this)),
      m_trouble(new QWidget(this)),
      m_left(new QWidget),
      m_right(new QWidget) {
  named(this, "first-start", tr("First steps"));
  m_ask = named(makeButton(tr("1  Ask both")), "step-ask", tr("Step 1: ask both"));
  m_ask->setWhatsThis(tr("Sends the question below to both sides, with the same seed."));
  m_halve = named(makeButton(tr("2  Halve the cache")), "step-halve", tr("Step 2: halve the cache"));
  m_halve->setWhatsThis(tr("Lets half of the layers read the KV cache of another layer, and asks again."));
  m_map = named(makeButton(tr("3  See which layers share")), "step-map", tr("Step 3: see which layers share"));
  m_map->setWhatsThis(tr("Shows which layer of side B reads which, and lets you change it."));
  m_train = named(makeButton(tr("4  Train your own")), "step-train", tr("Step 4: train your own"));
  m_train->setWhatsThis(
      tr("Shows a training run of the sample, filled in: it teaches the base model to share its cache."));
  m_next = named(new Button(tr("Another question"), ButtonKind::quiet), "step-another");
  m_next->setIcon(icon("dice-5"));
  m_own = named(new Button(tr("Open my own model"), ButtonKind::link), "step-own");
  m_close = named(makeIconButton("x-lg", tr("Close the first steps")), "step-close");
  m_note = named(new ElidedLabel({}, TextRole::caption, Tone::second), "step-note");
  auto* left = rowIn(m_left);
  left->addWidget(m_ask);
  left->addWidget(m_halve);
  left->addWidget(m_map);
  left->addWidget(m_train);
  left->addStretch(1);
  auto* right = rowIn(m_right);
  right->addWidget(m_note, 1);
  right->addWidget(m_next);
  right->addWidget(m_own);
  right->addWidget(m_close);
  m_row = new QBoxLayout(QBoxLayout::LeftToRight, m_steps);
  m_row->setContentsMargins(0, 0, 0, 0);
  m_row->setSpacing(kGapRelated);
  m_row->addWidget(m_left);
  m_row->addWidget(m_right, 1);

  m_problem = named(new ElidedLabel({}, TextRole::body, Tone::bad), "step-problem");
  m_retry = named(makeButton(tr("Try again")), "step-retry", tr("Start the engine again"));
  m_change = named(new Button(tr("Choose another engine"), ButtonKind::link), "step-change-engine");
  auto* trouble = rowIn(m_trouble);
  trouble->addWidget(m_problem, 1);
  trouble->addWidget(m_retry);
  trouble->addWidget(m_change);

  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(kGapGroups, kGapInside, kGapRelated, kGapInside + 1);
  column->addWidget(m_steps);
  column->addWidget(m_trouble);

  connect(m_ask, &QPushButton::clicked, this, &FirstStart::ask);
  connect(m_halve, &QPushButton::clicked, this, &FirstStart::halve);
  connect(m_map, &QPushButton::clicked, this, [this] {
    m_session.settings().setValue("first_start/map", true);
    show();
    m_session.go(Place::pageOf("map"));
  });
  connect(m_train, &QPushButton::clicked, this, [this] { m_session.go(Place::pageOf("train")); });
  connect(&session.runs(), &RunTable::statesChanged, this, &FirstStart::show);
  connect(m_next, &QPushButton::clicked, this, &FirstStart::nextQuestion);
  connect(m_own, &QPushButton::clicked, this, [this] { m_session.go({{}, PlaceKind::newModel, {}}); });
  connect(m_close, &QPushButton::clicked, this, [this] {
    m_session.settings().setValue("first_start/closed", true);
    Q_EMIT wantedChanged();
  });
  connect(m_retry, &QPushButton::clicked, this, [this] { m_session.engine().restart(); });
  connect(m_change, &QPushButton::clicked, &session, &Session::chooseEngine);
  connect(&session.engine(), &EngineClient::stateChanged, this, &FirstStart::show);
  connect(&session, &Session::projectChanged, this, [this] {
    if (m_drawWhenOpen && m_session.project()) draw(false);
  });
  followTheme(this, [this] { update(); });
  show();
}

bool FirstStart::wanted() const {
  return !m_session.settings().value("first_start/closed", false).toBool();
}
bool FirstStart::askedDone() const {
  return m_session.settings().value("first_start/asked", false).toBool();
}
bool FirstStart::halvedDone() const {
  return m_session.settings().value("first_start/halved", false).toBool();
}
bool FirstStart::mapSeen() const {
  return m_session.settings().value("first_start/map", false).toBool();
}
quint64 FirstStart::seed() const {
  return m_session.settings().value("first_start/seed", kFirstSeed).toULongLong();
}

void FirstStart::begin() {
  if (!askedDone()) draw(false);
}

void FirstStart::bringBack() {
  Settings& settings = m_session.settings();
  for (const char* key : {"first_start/closed", "first_start/asked", "first_start/halved", "first_start/map"})
    settings.remove(key);
  m_typed = false;
  show();
  draw(false);
  Q_EMIT wantedChanged();
}

/// The question of the seed, typed in once it is known; `ask`: and sent.
void FirstStart::draw(bool ask) {
  m_askWhenDrawn = m_askWhenDrawn || ask;
  if (m_drawing) return;
  if (!m_session.project()) {
    m_drawWhenOpen = true;
    m_note->setText(tr("The question comes as soon as the engine is ready."));
    return;
  }
  m_drawWhenOpen = false;
  m_drawing = true;
  m_session.engine().call<protocol::SampleQuestion>(
      {seed()}, this, [this, drawn = seed()](const Result<protocol::SampleQuestion::Answer>& answer) {
        m_drawing = false;
        if (drawn != seed()) return draw(false);  // another was wanted meanwhile
        const bool ask = std::exchange(m_askWhenDrawn, false);
        if (!answer) {
          m_another = false;
          m_note->setText(QString::fromStdString(answer.error().message));
          return;
        }
        m_question = QString::fromStdString(answer->text);
        m_stop = answer->stop;
        m_expected = answer->answers;
        m_note->setText(tr("Test question %1 of %2").arg(answer->number).arg(answer->of));
        m_note->setToolTip(tipOf(tr("Of the sample's test questions, drawn by seed %1").arg(seed())));
        type(std::exchange(m_another, false));
        if (ask) Q_EMIT askBoth();
      });
}

/// `another`: in a chat of its own.
void FirstStart::type(bool another) {
  if (another) Q_EMIT newChatWanted();
  m_typed = true;
  Q_EMIT draftWanted(m_question, m_stop, m_expected);
}

void FirstStart::ask() {
  if (m_question.isEmpty()) return draw(true);
  if (!m_typed) type(true);  // sent before: the passage is not asked about twice in one chat
  Q_EMIT askBoth();
}

void FirstStart::noteAsked() {
  m_typed = false;
}

void FirstStart::markAnswered(bool sharing) {
  m_session.settings().setValue("first_start/asked", true);
  if (sharing) m_session.settings().setValue("first_start/halved", true);
  show();
}

bool FirstStart::oneModel() const {
  const auto& a = m_session.side(Which::a);
  const auto& b = m_session.side(Which::b);
  return a && b && a->ref == b->ref;
}

/// Both sides; where one model stands on both, B alone, so that there is something to compare.
void FirstStart::halve() {
  if (!oneModel()) Q_EMIT halveCache(Which::a);
  Q_EMIT halveCache(Which::b);
  Q_EMIT askAgain();
}

void FirstStart::nextQuestion() {
  m_session.settings().setValue("first_start/seed", seed() + 1);
  m_question.clear();
  m_another = true;
  draw(true);
}

void FirstStart::show() {
  const EngineClient& engine = m_session.engine();
  const bool failed = engine.state() == EngineClient::State::failed;
  m_trouble->setVisible(failed);
  m_steps->setVisible(!failed);
  m_problem->setText(engine.problem() + tr(" Models, Data and Settings still work."));
  const auto tick = [](Button* button, bool done) { button->setIcon(done ? icon("check-lg", Ink::good) : QIcon()); };
  tick(m_ask, askedDone());
  tick(m_halve, halvedDone());
  tick(m_map, mapSeen());
  tick(m_train, trainedDone());
  m_ask->setAccessibleName(askedDone() ? tr("Step 1: ask both, done") : tr("Step 1: ask both"));
  m_halve->setAccessibleName(halvedDone() ? tr("Step 2: halve the cache, done") : tr("Step 2: halve the cache"));
  m_map->setAccessibleName(mapSeen() ? tr("Step 3: see which layers share, done")
                                     : tr("Step 3: see which layers share"));
  m_train->setAccessibleName(trainedDone() ? tr("Step 4: train your own, done") : tr("Step 4: train your own"));
  arrange();
}

/// A run that has learned something stands in the project.
bool FirstStart::trainedDone() const {
  const auto& runs = m_session.runs().rows();
  return std::any_of(runs.begin(), runs.end(),
                     [](const protocol::JobInfo& run) { return run.kind == kTrainKind && run.step > 0; });
}

void FirstStart::arrange() {
  const int now = m_left->sizeHint().width() + m_right->minimumSizeHint().width() + 3 * kGapGroups;
  // Compact buttons are narrower: by their width two rows would become one again, and that one two.
  m_oneRow = m_row->direction() == QBoxLayout::LeftToRight ? now : std::max(now, m_oneRow);
  const auto direction = m_oneRow <= width() ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom;
  if (m_row->direction() == direction) return;
  m_row->setDirection(direction);
  m_row->setSpacing(direction == QBoxLayout::TopToBottom ? 0 : kGapRelated);
  // Two rows of whole buttons would take the room of the answers.
  for (Button* button : {m_ask, m_halve, m_map, m_train, m_next, m_own})
    button->setCompact(direction == QBoxLayout::TopToBottom);
  updateGeometry();
}

QSize FirstStart::minimumSizeHint() const {
  return {m_left->minimumSizeHint().width() + kGapGroups + kGapRelated, layout()->sizeHint().height()};
}

void FirstStart::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  arrange();
}

void FirstStart::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), colors().raised);
  painter.fillRect(0, height() - 1, width(), 1, colors().line);
}

}  // namespace strata
