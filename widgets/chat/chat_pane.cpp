#include "widgets/chat/chat_pane.h"

#include <QAbstractButton>
#include <QHBoxLayout>
#include <QVBoxLayout>
#include <array>
#include <cmath>

#include "core/routing/numbers.h"
#include "core/routing/sharing_map.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/format.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr std::array kRetentions = {1.0, .75, .5, .33, .25};

std::string patternOf(double retention) {
  return retention >= 1 ? "full" : "retention:" + printReal(retention);
}

}  // namespace

ChatPane::ChatPane(Workspace& workspace, Conversation& conversation, Answering& answering, Differences& differences,
                   Which which, QWidget* parent)
    : Pane(Ground::surface, parent),
      m_workspace(workspace),
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
  m_retention = new SegmentedButtons({}, head);
  m_retention->setObjectName("retention" + letter);
  m_retention->setAccessibleName(tr("Share of the KV cache that side %1 keeps").arg(letter));
  m_retention->setCompact(true);
  m_stop = makeIconButton("stop-fill", tr("Stop side %1").arg(letter), "Esc", head);
  m_stop->setCompact(true);
  m_stop->setObjectName("stop" + letter);
  row->addWidget(new FoldingRow(names, rowOf({m_retention, m_stop})));
  column->addWidget(head);
  column->addWidget(new Separator(Qt::Horizontal, this));

  m_transcript = new Transcript(workspace, conversation, answering, differences, which);
  m_states = new StatePane(m_transcript, this);
  m_states->setObjectName("paneState" + letter);
  column->addWidget(m_states, 1);

  connect(m_retention, &SegmentedButtons::chosen, this, [this](int index) {
    if (index >= 0 && index < static_cast<int>(m_choices.size())) {
      setRetention(m_choices[static_cast<std::size_t>(index)].retention);
    }
  });
  connect(m_stop, &QPushButton::clicked, this, [this] { m_answering.stop(m_which); });
  connect(&workspace, &Workspace::sidesChanged, this, &ChatPane::sideChanged);
  connect(&workspace, &Workspace::projectChanged, this, &ChatPane::sideChanged);
  connect(&workspace.engine(), &EngineClient::stateChanged, this, &ChatPane::refresh);
  connect(&workspace.engine(), &EngineClient::loadedChanged, this, &ChatPane::refresh);
  connect(&answering, &Answering::stateChanged, this, &ChatPane::refresh);
  connect(&answering, &Answering::openingChanged, this, &ChatPane::refresh);
  connect(&conversation, &Conversation::reset, this, &ChatPane::refresh);
  connect(&conversation, &Conversation::turnsChanged, this, &ChatPane::refresh);
  sideChanged();
}

QString ChatPane::sideName() const {
  return m_which == Which::a ? tr("side A") : tr("side B");
}

void ChatPane::setRetention(double retention) {
  m_workspace.setMap(m_which, patternOf(retention));
}

void ChatPane::setWaiting(bool waits) {
  m_waiting = waits;
  m_transcript->setWaiting(waits);
  refresh();
}

void ChatPane::sideChanged() {
  const std::optional<protocol::Side>& side = m_workspace.side(m_which);
  if (side && m_cardOf != side->ref) {
    m_cardOf = side->ref;
    m_cardProblem.reset();
    showRetentions(0);
    m_workspace.card(side->ref, this, [this, ref = side->ref](const Result<protocol::ModelCard>& card) {
      if (m_cardOf == ref) cardArrived(card);
    });
  }
  if (!side) {
    m_cardOf.reset();
    m_cardProblem.reset();
    showRetentions(0);
  }
  markRetention();
  refresh();
}

void ChatPane::cardArrived(const Result<protocol::ModelCard>& card) {
  m_cardProblem.reset();
  if (!card) {
    m_cardProblem = card.error();
  } else if (!card->problem.empty()) {
    m_cardProblem = Error{ErrorCode::unsupported, card->problem, card->path};
  }
  showRetentions(card ? card->layers : 0);
  markRetention();
  refresh();
}

/// What the model can do: 3 of 5 layers is 60 %. Shares that come to the same number of owners are one button.
void ChatPane::showRetentions(int layers) {
  m_layers = layers;
  m_choices.clear();
  QStringList names;
  for (const double retention : kRetentions) {
    if (layers == 0) break;
    const int owners = ownersForRetention(retention, layers);
    if (!m_choices.empty() && m_choices.back().owners == owners) continue;
    m_choices.push_back({retention, owners});
    names << QString::number(std::lround(100.0 * owners / layers));
  }
  if (!names.isEmpty()) names.last() += QStringLiteral(" %");
  m_retention->setNames(names);
  QWidget* before = m_retention;
  for (int i = 0; i < m_retention->count(); ++i) {
    QAbstractButton* button = m_retention->button(i);
    setTabOrder(before, button);
    before = button;
    const QString sentence = tr("%1 of %2 layers keep their own keys and values")
                                 .arg(m_choices[static_cast<std::size_t>(i)].owners)
                                 .arg(layers);
    button->setToolTip(tipOf(sentence));
    button->setAccessibleName(tr("%1 percent of the cache on %2").arg(QString(names[i]).remove(" %"), sideName()));
    button->setObjectName(m_retention->objectName() + QString::number(i));
  }
  m_retention->setVisible(!names.isEmpty());
}

void ChatPane::markRetention() {
  const std::optional<protocol::Side>& side = m_workspace.side(m_which);
  int current = -1;
  if (side && m_layers > 0) {
    const auto map = parseMap(side->map, m_layers);
    for (std::size_t i = 0; map && i < m_choices.size(); ++i) {
      const auto choice = parseMap(patternOf(m_choices[i].retention), m_layers);
      if (choice && *choice == *map) current = static_cast<int>(i);
    }
  }
  m_retention->setCurrent(current);
}

/// While an answer runs, what it runs with; else what stands on the side.
void ChatPane::showHead() {
  std::optional<protocol::Side> side = m_workspace.side(m_which);
  if (m_answering.state(m_which) != Answering::State::idle) {
    const SideAnswer* running = m_conversation.answer(m_answering.turn(m_which), m_which);
    if (running != nullptr && running->asked) side = running->asked;
  }
  m_name->setText(side ? Workspace::shortName(side->ref) : tr("no model"));
  m_map->setText(side ? QString::fromStdString(side->map) : QString());
}

void ChatPane::refresh() {
  showHead();
  const Answering::State state = m_answering.state(m_which);
  m_stop->setVisible(state != Answering::State::idle);
  m_stop->setEnabled(state != Answering::State::stopping);
  updateState();
  update();
}

/// Neither engine nor project can be used. Why, and what to do, is said once, above the page.
bool ChatPane::showTrouble() {
  const bool engine = m_workspace.engine().state() == EngineClient::State::failed;
  const bool project = m_workspace.projectProblem() && !m_workspace.project();
  if (!engine && !project) return false;
  m_states->setEmpty(engine ? tr("Answers wait for the engine.") : tr("No project is open."));
  return true;
}

void ChatPane::updateState() {
  const bool talked = !m_conversation.isEmpty();
  if (!talked && showTrouble()) return;
  const std::optional<protocol::Side>& side = m_workspace.side(m_which);
  if (!side && !m_workspace.project() && !talked) {
    m_states->setLoading(tr("Waiting for the engine"));
    return;
  }
  if (!side && m_workspace.project()) {
    m_states->setEmpty(
        tr("No model on %1. Choose one, or open the sample.").arg(sideName()), tr("Choose a model"),
        [this] { m_workspace.showPage("models"); }, tr("Open the sample"), [this] { m_workspace.openProject({}); });
    return;
  }
  if (m_cardProblem) {
    m_states->setFailed(*m_cardProblem, tr("Choose another model"), [this] { m_workspace.showPage("models"); });
    return;
  }
  if (talked) {
    m_states->setWorking();
    return;
  }
  if (side && m_answering.opening(side->ref)) {
    if (m_states->state() != StatePane::State::loading) {
      m_states->setLoading(tr("Opening %1").arg(Workspace::shortName(side->ref)),
                           [this, ref = side->ref] { m_answering.cancelOpening(ref); });
    }
    const Answering::Stage& stage = m_answering.openingStage(side->ref);
    m_states->setProgress(static_cast<double>(stage.done), static_cast<double>(stage.total));
    return;
  }
  m_states->setEmpty(tr("Ask below: both sides get the same question and the same seed."), {}, {},
                     tr("Take a test question"), [this] { Q_EMIT questionWanted(); });
}

}  // namespace strata
