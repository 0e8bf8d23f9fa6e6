#include "widgets/chat/chat_page.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QListView>
#include <QRandomGenerator>
#include <QSplitter>
#include <QVBoxLayout>
#include <utility>

#include "widgets/chat/asked_text.h"
#include "widgets/chat/chat_list.h"
#include "widgets/chat/chat_pane.h"
#include "widgets/chat/composer.h"
#include "widgets/chat/difference_bar.h"
#include "widgets/chat/first_start.h"
#include "widgets/chat/notice_bar.h"
#include "widgets/chat/prompt_bar.h"
#include "widgets/chat/prompt_count.h"
#include "widgets/chat/sampling_panel.h"
#include "widgets/runs/run_strip.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kListWidth = 200;
constexpr const char* kChatKey = "chat/current";
constexpr const char* kChatProjectKey = "chat/project";
constexpr const char* kScrollKey = "chat/scroll_together";
constexpr const char* kStripKey = "chat/curves_folded";

}  // namespace

ChatPage::ChatPage(Session& session, QWidget* parent)
    : Page(parent),
      m_session(session),
      m_conversation(new Conversation(session, this)),
      m_answering(new Answering(session, *m_conversation, this)),
      m_differences(new Differences(session, *m_conversation, this)),
      m_count(new PromptCount(session, *m_conversation, this)),
      m_refused(new PromptCount(session, *m_conversation, this)),
      m_steps(new FirstStart(session, this)) {
  setObjectName("chatPage");
  setAccessibleName(tr("Chat"));
  m_steps->hide();
  build();
  connectAll();
  connectSteps();
  addCommands();
  readSampling();
  chatOpened();
  projectChanged();
}

ChatPage::~ChatPage() = default;

QWidget* ChatPage::buildHead() {
  auto* head = new QWidget(this);
  auto* row = new QHBoxLayout(head);
  row->setContentsMargins(kGapGroups, kGapRelated, kGapGroups, kGapRelated);
  m_title = new ElidedLabel({}, TextRole::section, Tone::normal, head);
  m_title->setObjectName("chatTitle");
  m_again = makeButton(tr("Answer again"), ButtonKind::quiet, head);
  m_again->setObjectName("againBoth");
  m_again->setToolTip(tr("Both sides answer the last question again, same seed (Ctrl+R)"));
  m_time = makeButton(tr("Time them"), ButtonKind::quiet, head);
  m_time->setObjectName("timeThem");
  m_time->setToolTip(tr("Both sides answer again, one after the other, so that their speeds can be compared"));
  m_scrollSwitch = new Switch(tr("Scroll together"), head);
  m_scrollSwitch->setObjectName("scrollTogether");
  m_scrollSwitch->setChecked(m_session.settings().value(kScrollKey, true).toBool());
  m_differencesSwitch = new Switch(tr("Differences"), head);
  m_differencesSwitch->setObjectName("differences");
  m_differencesSwitch->setToolTip(tr("Compares both models token by token on one side's answer (Ctrl+D)"));
  row->addWidget(new FoldingRow(m_title, rowOf({m_again, m_time, m_scrollSwitch, m_differencesSwitch})));
  return head;
}

void ChatPage::build() {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  m_columns = new QSplitter(Qt::Horizontal, this);
  m_columns->setObjectName("chatColumns");
  m_columns->setHandleWidth(1);
  row->addWidget(m_columns);
  m_list = new ChatList(m_session);
  m_columns->addWidget(m_list);
  auto* right = new QWidget;
  auto* column = new QVBoxLayout(right);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(buildHead());
  column->addWidget(new Separator(Qt::Horizontal, right));
  m_run = new RunStrip(m_session, right);
  m_run->setFolded(m_session.settings().value(kStripKey, false).toBool());
  column->addWidget(m_run);
  m_prompt = new PromptBar(right);
  column->addWidget(m_prompt);
  column->addWidget(new Separator(Qt::Horizontal, right));
  m_sides = new QSplitter(Qt::Horizontal, right);
  m_sides->setObjectName("chatSides");
  m_sides->setHandleWidth(1);
  m_sides->setChildrenCollapsible(false);
  for (const Which which : kBothSides) {
    auto* pane = new ChatPane(m_session, *m_conversation, *m_answering, *m_differences, which);
    m_panes[indexOf(which)] = pane;
    m_sides->addWidget(pane);
    m_sides->setStretchFactor(static_cast<int>(indexOf(which)), 1);
  }
  column->addWidget(m_sides, 1);
  m_differenceBar = new DifferenceBar(*m_differences, right);
  column->addWidget(m_differenceBar);
  m_notice = new NoticeBar(right);
  column->addWidget(m_notice);
  column->addWidget(new Separator(Qt::Horizontal, right));
  m_sampling = new SamplingPanel(right);
  m_sampling->hide();
  column->addWidget(m_sampling);
  m_composer = new Composer(m_session, right);
  column->addWidget(m_composer);
  m_columns->addWidget(right);
  m_columns->setStretchFactor(1, 1);
  m_columns->setCollapsible(1, false);
  m_columns->setSizes({scaled(kListWidth), scaled(kListWidth) * 5});
}

void ChatPage::connectAll() {
  for (ChatPane* pane : m_panes) connectPane(pane);
  connect(m_columns, &QSplitter::splitterMoved, this, &ChatPage::stateChanged);
  connect(m_list, &ChatList::openWanted, this, &ChatPage::openChat);
  connect(m_list, &ChatList::newWanted, this, &ChatPage::startNew);
  connect(m_list, &ChatList::trashed, this, [this](const QString& id) {
    if (id == m_conversation->id()) startNew();
  });
  connect(m_list, &ChatList::renamed, this, [this](const QString& id, const QString& title) {
    if (id == m_conversation->id()) m_conversation->setTitle(title);
  });
  connect(m_list, &ChatList::noticed, m_notice, &NoticeBar::show);
  connect(m_conversation, &Conversation::reset, this, &ChatPage::chatOpened);
  connect(m_conversation, &Conversation::infoChanged, this, &ChatPage::showTitle);
  connect(m_conversation, &Conversation::stored, m_list, &ChatList::refreshSoon);
  connect(m_conversation, &Conversation::replacing, this, [this] {
    m_answering->abandon();
    m_unasked = -1;
  });
  connect(m_conversation, &Conversation::failed, this, [this](const Error& error) {
    m_list->setCurrent(m_conversation->id());  // the chat that was to be opened is not
    m_notice->show(QString::fromStdString(error.message));
  });
  connect(m_conversation, &Conversation::notStored, this, [this](const Error& error) {
    m_list->refreshSoon();  // it says so there
    m_notice->show(QString::fromStdString(error.message), tr("Try again"), [this, id = m_conversation->id()] {
      m_notice->hide();
      if (id == m_conversation->id()) m_conversation->storeAgain();
    });
  });
  connect(m_conversation, &Conversation::answerChanged, this, [this] {
    m_differences->refresh();
    showPrompt();
  });
  connect(m_conversation, &Conversation::turnsChanged, this, [this] {
    m_differences->refresh();
    showTitle();
    showPrompt();
    recount();
  });
  connect(m_conversation, &Conversation::infoChanged, this, &ChatPage::recount);
  connect(m_run, &RunStrip::foldedChanged, this,
          [this] { m_session.settings().setValue(kStripKey, m_run->isFolded()); });
  connect(&m_session.runs(), &RunTable::changed, this, &ChatPage::followRun);
  connect(m_answering, &Answering::stateChanged, this, &ChatPage::showState);
  connect(m_answering, &Answering::finished, this, &ChatPage::answerFinished);
  connect(m_composer->edit(), &QPlainTextEdit::textChanged, this, &ChatPage::recount);
  connect(&m_session.engine(), &EngineClient::loadedChanged, this, &ChatPage::recount);
  connect(m_count, &PromptCount::changed, this, &ChatPage::showNote);
  connect(m_refused, &PromptCount::changed, this, [this] {
    if (m_refused->isFull()) offerRoom(*m_refused);
  });
  connect(&m_session, &Session::sidesChanged, this, &ChatPage::sidesChanged);
  // An answer goes into its own project as far as it came.
  connect(&m_session, &Session::projectAboutToChange, m_answering, &Answering::abandon);
  connect(&m_session, &Session::projectChanged, this, &ChatPage::projectChanged);
  connect(&m_session, &Session::questionWanted, this, [this](const SetQuestion& question) {
    startEmpty();
    setQuestion(question.text, question.stop, question.expected);
  });
  connect(&m_session.engine(), &EngineClient::stateChanged, this, [this] {
    showState();
    if (isVisible()) m_answering->prepare();
  });
  followTheme(m_prompt, [this] { fitPrompt(); });
  connect(m_prompt, &PromptBar::editWanted, this, &ChatPage::editTurn);
  connect(m_prompt, &PromptBar::branchWanted, this, &ChatPage::branchFrom);
  connect(m_again, &QPushButton::clicked, this, [this] { answerAgain({Which::a, Which::b}, false); });
  connect(m_time, &QPushButton::clicked, this, &ChatPage::timeThem);
  connect(m_differencesSwitch, &QAbstractButton::toggled, m_differences, &Differences::setOn);
  connect(m_differences, &Differences::changed, this,
          [this] { m_differencesSwitch->setChecked(m_differences->isOn()); });
  connect(m_scrollSwitch, &QAbstractButton::toggled, this, [this](bool on) {
    m_session.settings().setValue(kScrollKey, on);
    alignPanes();
    scrollTogether(m_leader);
  });
  connect(m_composer, &Composer::sendWanted, this, &ChatPage::sendDraft);
  connect(m_composer, &Composer::lastWanted, this, &ChatPage::editLast);
  connect(m_composer, &Composer::stopWanted, m_answering, &Answering::stopAll);
  connect(m_composer, &Composer::settingsToggled, m_sampling, &QWidget::setVisible);
  connect(m_composer, &Composer::newSeedWanted, this, [this] {
    GenerateConfig sampling = m_conversation->info().sampling;
    sampling.seed = QRandomGenerator::global()->bounded(1, 1'000'000);
    setSampling(sampling);
  });
  connect(m_sampling, &SamplingPanel::samplingChanged, this, &ChatPage::samplingEdited);
  connect(m_sampling, &SamplingPanel::systemChanged, this, [this] { m_conversation->setSystem(m_sampling->system()); });
  connect(qApp, &QApplication::focusChanged, this, [this](QWidget*, QWidget* now) {
    if (now != nullptr && isAncestorOf(now)) Q_EMIT keysChanged();
  });
}

void ChatPage::connectPane(ChatPane* pane) {
  Transcript* transcript = pane->transcript();
  const Which which = pane->which();
  connect(transcript, &Transcript::editWanted, this, &ChatPage::editTurn);
  connect(transcript, &Transcript::branchWanted, this, &ChatPage::branchFrom);
  connect(transcript, &Transcript::againWanted, this,
          [this](Which side, int turn, bool newSeed) { answerTurnAgain(turn, {side}, newSeed); });
  connect(transcript, &Transcript::differencesWanted, this,
          [this](Which side, int turn) { m_differences->showTurn(turn, side); });
  connect(pane, &ChatPane::questionWanted, this, &ChatPage::takeSampleQuestion);
  connect(transcript, &BlockList::scrolled, this, [this, which] {
    if (!m_scrolling) m_leader = which;
    scrollTogether(which);
    showPrompt();
  });
  connect(transcript, &BlockList::followsChanged, this, &ChatPage::showPrompt);
  connect(transcript, &BlockList::arranged, this, &ChatPage::alignPanes);
}

/// The other pane shows the place that this one does.
void ChatPage::scrollTogether(Which leader) {
  if (m_scrolling || !m_scrollSwitch->isChecked()) return;
  m_scrolling = true;
  const Transcript* from = m_panes[indexOf(leader)]->transcript();
  Transcript* to = m_panes[indexOf(otherOf(leader))]->transcript();
  if (from->followsEnd()) {
    to->followEndAs(*from);
  } else {
    to->setPlace(from->place());
  }
  m_scrolling = false;
}

/// While both scroll together a turn begins at the same height in both, and the pane that was not scrolled stays where
/// the other one is.
void ChatPage::alignPanes() {
  if (std::exchange(m_aligning, true)) {
    m_alignAgain = true;
    return;
  }
  constexpr int kMostPasses = 3;  // room that is left may bring blocks into view, which are measured then
  const bool together = m_scrollSwitch->isChecked();
  const std::array both = {m_panes[0]->transcript(), m_panes[1]->transcript()};
  for (int pass = 0; pass < kMostPasses; ++pass) {
    m_alignAgain = false;
    const bool two = together && both[0]->isVisible() && both[1]->isVisible();
    const std::array heights = {both[0]->turnHeights(), both[1]->turnHeights()};
    for (std::size_t i = 0; i < both.size(); ++i) both[i]->alignTo(two ? heights[1 - i] : std::vector<int>());
    const std::array above = {both[0]->turnAboveView(), both[1]->turnAboveView()};
    for (std::size_t i = 0; i < both.size(); ++i)
      both[i]->setTurnAboveView(two ? std::max(above[0], above[1]) : above[i]);
    if (!both[indexOf(m_leader)]->followsEnd()) scrollTogether(m_leader);
    if (!m_alignAgain) break;
  }
  m_aligning = false;
}

void ChatPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  const QWidget* focus = window()->focusWidget();
  if (focus == nullptr || !isAncestorOf(focus)) m_composer->edit()->setFocus();
  m_answering->prepare();
}

bool ChatPage::anySide() const {
  return m_session.side(Which::a).has_value() || m_session.side(Which::b).has_value();
}

void ChatPage::setDraft(const QString& text) {
  m_composer->setDraft(text);
}

void ChatPage::setRetention(Which which, double retention) {
  m_panes[indexOf(which)]->setRetention(retention);
}

void ChatPage::openChat(const QString& id) {
  if (id.isEmpty()) return;
  if (id == m_conversation->id() && !m_conversation->isEmpty()) return m_conversation->stopOpening();
  m_conversation->open(id);
}

bool ChatPage::shows(const Place& place) const {
  return place.kind == PlaceKind::chat || place.kind == PlaceKind::firstSteps || Page::shows(place);
}

void ChatPage::open(const Place& place) {
  place.kind == PlaceKind::firstSteps ? m_steps->bringBack() : openChat(place.id);
}

QByteArray ChatPage::saveState() const {
  return m_columns->saveState();
}

void ChatPage::restoreState(const QByteArray& state) {
  m_columns->restoreState(state);
}

void ChatPage::chatOpened() {
  m_sampling->setSampling(m_conversation->info().sampling);
  m_sampling->setSystem(QString::fromStdString(m_conversation->info().system));
  showSampling();
  m_list->setCurrent(m_conversation->id());
  m_notice->hide();
  m_differences->refresh();
  remember();
  showTitle();
  showPrompt();
  showState();
}

void ChatPage::editTurn(int turn) {
  if (turn < 0 || turn > m_conversation->lastTurn()) return;
  m_composer->editTurn(turn, m_conversation->turns()[static_cast<std::size_t>(turn)].question);
}

void ChatPage::editLast() {
  editTurn(m_conversation->lastTurn());
}

void ChatPage::branchFrom(int turn) {
  m_answering->abandon();
  m_conversation->branch(turn);
  m_notice->show(tr("A new chat, with all up to question %1. The other one stays as it was.").arg(turn + 1));
}

/// The curves of the run that a side answers with while it trains, side B's before A's; once it has ended they stay
/// until the side is another.
void ChatPage::followRun() {
  std::string shown;
  for (const Which which : {Which::b, Which::a}) {
    const auto& side = m_session.side(which);
    if (!side || !shown.empty()) continue;
    const std::string run = side->ref.model.substr(0, side->ref.model.find('@'));
    if (m_session.trainingRun(side->ref) != nullptr || run == m_run->run()) shown = run;
  }
  m_run->show(shown);
}

void ChatPage::sidesChanged() {
  followRun();
  answerWaiting();
  recount();
  if (isVisible()) m_answering->prepare();
  showState();
}

/// Chats belong to a project: another one is another chat, the one of last time comes back.
void ChatPage::projectChanged() {
  const QString folder = m_session.project() ? QString::fromStdString(m_session.project()->folder) : QString();
  if (folder.isEmpty() && !m_project.isEmpty()) {  // the engine was changed
    m_project.clear();
    startNew();
  }
  if (!folder.isEmpty() && folder != m_project) {
    if (!m_project.isEmpty()) startNew();
    m_project = folder;
    const QString last = m_session.settings().value(kChatKey).toString();
    const bool ours = m_session.settings().value(kChatProjectKey).toString() == folder;
    if (ours && !last.isEmpty() && m_conversation->isEmpty()) m_conversation->open(last);
  }
  sidesChanged();
}

void ChatPage::remember() {
  if (m_project.isEmpty()) return;
  m_session.settings().setValue(kChatKey, m_conversation->isEmpty() ? QString() : m_conversation->id());
  m_session.settings().setValue(kChatProjectKey, m_project);
}

void ChatPage::showTitle() {
  const QString title = QString::fromStdString(m_conversation->info().title);
  const bool own = m_conversation->lastTurn() > 0 ||
                   (!m_conversation->isEmpty() && title != titleOfPrompt(m_conversation->turns()[0].question));
  // The only question stands below.
  m_title->setText(title.isEmpty() ? tr("New chat") : own ? title : tr("Question"));
}

void ChatPage::showState() {
  const bool busy = m_answering->busy();
  m_composer->setBusy(busy, m_answering->state(Which::a) != Answering::State::idle &&
                                m_answering->state(Which::b) != Answering::State::idle);
  for (ChatPane* pane : m_panes) pane->setWaiting(m_unasked >= 0);
  const bool answered = !m_conversation->isEmpty() && anySide();
  m_again->setEnabled(answered);
  m_time->setEnabled(answered && !busy);
  bool chooses = false;  // one accent button: what has to be done first
  for (const Which which : kBothSides) {
    auto* choose = m_panes[indexOf(which)]->states()->findChild<Button*>("emptyButton");
    const bool wanted = m_session.project() && !m_session.side(which);
    if (choose != nullptr) choose->setKind(wanted && !chooses && !anySide() ? ButtonKind::accent : ButtonKind::plain);
    chooses = chooses || wanted;
  }
  m_composer->sendButton()->setKind(chooses && !anySide() ? ButtonKind::plain : ButtonKind::accent);
  showNote();
  Q_EMIT keysChanged();
}

}  // namespace strata
