#include "widgets/chat/chat_pane.h"

#include <QAbstractButton>
#include <QHBoxLayout>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/mapeditor/map_choices.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/format.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kNamesAndShares = 400, kEachScore = 80;
constexpr const char* kPlainTemplate =
    "{% if bos_token %}{{ bos_token }}{% endif %}{% for message in messages %}{{ message['content'] }}{% endfor %}";

}  // namespace

ChatPane::ChatPane(Session& session, Conversation& conversation, Answering& answering, Differences& differences,
                   Which which, QWidget* parent)
    : Pane(Ground::surface, parent),
      m_session(session),
      m_conversation(conversation),
      m_answering(answering),
      m_which(which) {
  const QString letter = which == Which::a ? "A" : "B";
  setObjectName("chatPane" + letter);
  setAccessibleName(tr("Side %1").arg(letter));
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);

  auto* head = new QWidget(this);
  auto* row = new QHBoxLayout(head);
  row->setContentsMargins(kGapGroups, kGapRelated, kGapGroups, kGapRelated);
  auto* badge = new SideBadge(which == Which::a ? BadgeSide::a : BadgeSide::b, head);
  badge->setAccessibleName(tr("Side %1").arg(letter));
  m_name = new ElidedLabel({}, TextRole::strong, Tone::normal, head);
  m_name->setObjectName("paneModel" + letter);
  m_map = new ElidedLabel({}, TextRole::monoCaption, Tone::second, head);
  m_map->setObjectName("paneMap" + letter);
  auto* names = rowOf({badge, m_name, m_map});
  static_cast<QHBoxLayout*>(names->layout())->setStretchFactor(m_map, 1);
  m_retention = new MapChoices(session, head);
  m_retention->setObjectName("retention" + letter);
  m_retention->buttons()->setAccessibleName(tr("Share of the KV cache that side %1 keeps").arg(letter));
  m_retention->buttons()->setCompact(true);
  m_stop = makeIconButton("stop-fill", tr("Stop side %1").arg(letter), "Esc", head);
  m_stop->setCompact(true);
  m_stop->setObjectName("stop" + letter);
  row->addWidget(new FoldingRow(names, rowOf({m_retention, m_stop})));
  column->addWidget(head);
  column->addWidget(new Separator(Qt::Horizontal, this));
  column->addWidget(makeTemplateNote());

  m_transcript = new Transcript(session, conversation, answering, differences, which);
  m_states = new StatePane(m_transcript, this);
  m_states->setObjectName("paneState" + letter);
  column->addWidget(m_states, 1);

  connect(m_retention, &MapChoices::chosen, this, [this](const std::string& map) { m_session.setMap(m_which, map); });
  connect(m_stop, &QPushButton::clicked, this, [this] { m_answering.stop(m_which); });
  connect(&session, &Session::sidesChanged, this, &ChatPane::sideChanged);
  connect(&session, &Session::cardsForgotten, this, [this] {
    m_cardOf.reset();
    sideChanged();
  });
  connect(&session, &Session::projectChanged, this, &ChatPane::sideChanged);
  connect(&session.models(), &ModelTable::changed, this, &ChatPane::showHead);  // names of runs
  connect(&session.maps(), &MapLibrary::changed, this, &ChatPane::showScores);  // after the buttons know them
  connect(&session.engine(), &EngineClient::stateChanged, this, &ChatPane::refresh);
  connect(&session.engine(), &EngineClient::loadedChanged, this, &ChatPane::refresh);
  connect(&answering, &Answering::stateChanged, this, &ChatPane::refresh);
  connect(&answering, &Answering::openingChanged, this, &ChatPane::refresh);
  connect(&conversation, &Conversation::reset, this, &ChatPane::refresh);
  connect(&conversation, &Conversation::turnsChanged, this, &ChatPane::refresh);
  sideChanged();
}

QWidget* ChatPane::makeTemplateNote() {
  const QString letter = m_which == Which::a ? "A" : "B";
  m_template = new Pane(Ground::raised, this);
  auto* row = new QHBoxLayout(m_template);
  row->setContentsMargins(kGapGroups, kGapInside, kGapGroups, kGapInside);
  row->setSpacing(kGapRelated);
  m_templateText = bodyLabel({}, m_template);
  m_templateText->setObjectName("noTemplate" + letter);
  row->addWidget(m_templateText, 1);
  Button* plain = makeButton(tr("Continue plain text"), ButtonKind::link, m_template);
  plain->setObjectName("continuePlain" + letter);
  plain->setAccessibleName(tr("Let side %1 continue plain text").arg(letter));
  plain->setToolTip(tr("Puts the text to this model as it is, without roles; in this project, for training too"));
  connect(plain, &QPushButton::clicked, this, &ChatPane::continuePlainly);
  row->addWidget(plain, 0, Qt::AlignTop);
  m_template->hide();
  return m_template;
}

void ChatPane::showTemplate() {
  const auto& side = m_session.side(m_which);
  m_template->setVisible(side && m_withoutTemplate);
  if (!side) return;
  m_templateText->setText(
      tr("%1 has no chat template. It is asked in ChatML, which it may not know.").arg(Session::shortName(side->ref)));
}

/// Gives the model a template that adds nothing; its card in Models shows it and takes it back.
void ChatPane::continuePlainly() {
  const auto& side = m_session.side(m_which);
  if (!side) return;
  protocol::SetTemplate::Params params;
  params.ref = side->ref;
  params.text = kPlainTemplate;
  m_session.engine().call<protocol::SetTemplate>(
      params, this, [this, name = Session::shortName(side->ref)](const Result<protocol::Nothing>& answer) {
        if (!answer) return m_session.announce(QString::fromStdString(answer.error().message));
        m_session.announce(tr("%1 continues plain text in this project. Its card in Models can undo this.").arg(name));
        m_session.forgetCards();
      });
}

/// Measured scores stand in the buttons where a pane has room for them in one row: both panes' answers begin at one
/// height.
void ChatPane::showScores() {
  const auto& choices = m_retention->choices();
  const auto scores =
      std::count_if(choices.begin(), choices.end(), [](const auto& choice) { return choice.score.has_value(); });
  const bool wanted = scores > 0 && width() >= scaled(kNamesAndShares + static_cast<int>(scores) * kEachScore);
  if (wanted != m_scores) m_retention->setScoresShown(m_scores = wanted);
}

void ChatPane::resizeEvent(QResizeEvent* event) {
  Pane::resizeEvent(event);
  showScores();
}

QString ChatPane::sideName() const {
  return m_which == Which::a ? tr("side A") : tr("side B");
}

void ChatPane::setRetention(double retention) {
  const auto& side = m_session.side(m_which);
  if (!side) return;
  m_session.card(side->ref, this, [this, retention](const Result<protocol::ModelCard>& card) {
    if (card) m_session.setMap(m_which, m_session.maps().best(*card, retention).map);
  });
}

void ChatPane::setWaiting(bool waits) {
  m_waiting = waits;
  m_transcript->setWaiting(waits);
  refresh();
}

void ChatPane::sideChanged() {
  const std::optional<protocol::Side>& side = m_session.side(m_which);
  if (side && m_cardOf != side->ref) {
    m_cardOf = side->ref;
    m_cardProblem.reset();
    m_retention->setModel(nullptr);
    m_session.card(side->ref, this, [this, ref = side->ref](const Result<protocol::ModelCard>& card) {
      if (m_cardOf == ref) cardArrived(card);
    });
  }
  if (!side) {
    m_cardOf.reset();
    m_cardProblem.reset();
    m_withoutTemplate = false;
    m_retention->setModel(nullptr);
  }
  if (side) m_retention->setMap(side->map);
  refresh();
}

void ChatPane::cardArrived(const Result<protocol::ModelCard>& card) {
  m_cardProblem.reset();
  m_withoutTemplate = card && card->problem.empty() && card->templateText.empty() && !card->tokenizer.empty();
  if (!card) {
    m_cardProblem = card.error();
  } else if (!card->problem.empty()) {
    m_cardProblem = Error{ErrorCode::unsupported, card->problem, card->path};
  }
  m_retention->setModel(card ? &*card : nullptr);
  showScores();
  refresh();
}

/// While an answer runs, what it runs with; else what stands on the side.
void ChatPane::showHead() {
  std::optional<protocol::Side> side = m_session.side(m_which);
  if (m_answering.state(m_which) != Answering::State::idle) {
    const SideAnswer* running = m_conversation.answer(m_answering.turn(m_which), m_which);
    if (running != nullptr && running->asked) side = running->asked;
  }
  m_name->setText(side ? m_session.modelName(side->ref) : tr("no model"));
  m_map->setText(side ? QString::fromStdString(side->map) : QString());
}

void ChatPane::refresh() {
  showHead();
  showTemplate();
  const Answering::State state = m_answering.state(m_which);
  m_stop->setVisible(state != Answering::State::idle);
  m_stop->setEnabled(state != Answering::State::stopping);
  updateState();
  update();
}

/// Neither engine nor project can be used. Why, and what to do, is said once, above the page.
bool ChatPane::showTrouble() {
  const bool engine = m_session.engine().state() == EngineClient::State::failed;
  const bool project = m_session.projectProblem() && !m_session.project();
  if (!engine && !project) return false;
  m_states->setEmpty(engine ? tr("Answers wait for the engine.") : tr("No project is open."));
  return true;
}

void ChatPane::updateState() {
  const bool talked = !m_conversation.isEmpty();
  if (!talked && showTrouble()) return;
  const std::optional<protocol::Side>& side = m_session.side(m_which);
  if (!side && !m_session.project() && !talked) {
    m_states->setLoading(tr("Waiting for the engine"));
    return;
  }
  if (!side && m_session.project()) {
    m_states->setEmpty(
        tr("No model on %1.").arg(sideName()), tr("Choose a model"), [this] { m_session.go(Place::model()); },
        m_session.sampleLink(), [this] { m_session.openProject({}); });
    return;
  }
  if (m_cardProblem) {
    m_states->setFailed(*m_cardProblem, tr("Choose another model"), [this] { m_session.go(Place::model()); });
    return;
  }
  if (talked) {
    m_states->setWorking();
    return;
  }
  if (side && m_answering.opening(side->ref)) {
    if (m_states->state() != StatePane::State::loading) {
      m_states->setLoading(tr("Opening %1").arg(Session::shortName(side->ref)),
                           [this, ref = side->ref] { m_answering.cancelOpening(ref); });
    }
    const Answering::Stage& stage = m_answering.openingStage(side->ref);
    m_states->setProgress(static_cast<double>(stage.done), static_cast<double>(stage.total));
    return;
  }
  m_states->setEmpty(tr("Ask below: both sides get the same question and the same seed."), {}, {},
                     tr("Ask a test question"), [this] { Q_EMIT questionWanted(); });
}

}  // namespace strata
