#include "widgets/chat/answer_foot.h"

#include <QClipboard>
#include <QDir>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QPainter>
#include <QProgressBar>
#include <QVBoxLayout>
#include <algorithm>

#include "core/routing/sharing_map.h"
#include "widgets/chat/sampling_panel.h"
#include "widgets/style/controls.h"
#include "widgets/style/flow_layout.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kHashShown = 8;
constexpr double kGaugeHigh = 0.8;
constexpr double kGaugeFull = 0.9;

QString textOf(const std::string& text) {
  return QString::fromStdString(text);
}

/// How much of the context is taken.
class ContextGauge : public QWidget {
 public:
  explicit ContextGauge(double part, QWidget* parent) : QWidget(parent), m_part(std::clamp(part, 0.0, 1.0)) {
    setFixedSize(scaled(48), scaled(6));
    setObjectName("contextGauge");
    setAccessibleName(AnswerFoot::tr("Context in use: %1").arg(formatPercent(part)));
    setToolTip(accessibleName());
  }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colors().line);
    painter.drawRoundedRect(rect(), kGapInside / 2.0, kGapInside / 2.0);
    painter.setBrush(m_part >= kGaugeFull ? colors().bad : m_part >= kGaugeHigh ? colors().warn : colors().accent);
    QRectF filled = rect();
    filled.setWidth(std::max(double(kGapInside), filled.width() * m_part));
    painter.drawRoundedRect(filled, kGapInside / 2.0, kGapInside / 2.0);
  }

 private:
  double m_part;
};

/// The map that made an answer, as short as it can be said.
QString mapText(const protocol::MadeBy& madeBy) {
  if (!madeBy.map.empty()) return textOf(madeBy.map);
  const auto map = SharingMap::create(madeBy.src);
  return map ? textOf(printMap(*map)) : AnswerFoot::tr("map not reported");
}

/// The engine reports an adapter's whole path, and for a run that is an adapter the run's own.
bool sameAdapter(const protocol::MadeBy& madeBy, const protocol::ModelRef& now) {
  const QString made = QDir::cleanPath(textOf(madeBy.adapter));
  if (now.adapter.empty()) {
    const QString run = textOf(now.model).section('@', 0, 0).section('/', -1, -1, QString::SectionSkipEmpty);
    return made.isEmpty() || (!run.isEmpty() && made.contains("/runs/" + run + '/'));
  }
  const QString wanted = QDir::cleanPath(textOf(now.adapter));
  return made == wanted || (QDir::isRelativePath(wanted) && made.endsWith('/' + wanted));
}

QString finishText(const protocol::Answer& answer) {
  if (answer.finish == "cancel") return AnswerFoot::tr("stopped");
  if (answer.finish == "length") {
    const auto made = static_cast<std::int64_t>(answer.ids.size());
    return AnswerFoot::tr("cut at %1 token(s)", nullptr, pluralOf(made)).arg(formatCount(made));
  }
  return {};
}

/// "answering · 42 tokens · 84.2 tokens/s · KV used 1.2 MiB": what is known of it.
QString liveText(const Answering::Live& live) {
  QStringList parts{AnswerFoot::tr("answering")};
  if (live.tokens > 1) parts << AnswerFoot::tr("%1 tokens").arg(formatCount(live.tokens));
  if (live.timed > 0 && live.seconds > 0) parts << formatSpeed(live.timed / live.seconds);
  if (live.kvBytesUsed > 0) parts << AnswerFoot::tr("KV used %1").arg(formatBytes(live.kvBytesUsed));
  return parts.join(QStringLiteral(" · "));
}

}  // namespace

QString markText(const protocol::Mark& mark) {
  if (mark.exact >= 1) return AnswerFoot::tr("right");
  return mark.f1 > 0 ? AnswerFoot::tr("partly, F1 %1").arg(formatPercent(mark.f1)) : AnswerFoot::tr("wrong");
}

bool isLatestOf(const std::string& now, const std::string& made) {
  const std::size_t at = now.find("@latest");
  return at != std::string::npos && made.compare(0, at + 1, now, 0, at + 1) == 0;
}

bool isStale(const protocol::MadeBy& madeBy, const std::optional<protocol::Side>& now, const std::string& hashNow) {
  if (!now) return false;
  if (madeBy.model != now->ref.model && !isLatestOf(now->ref.model, madeBy.model)) return true;
  if (!sameAdapter(madeBy, now->ref)) return true;
  if (!hashNow.empty() && !madeBy.hash.empty() && madeBy.hash != hashNow) return true;
  if (madeBy.src.empty()) return madeBy.map != now->map;
  const auto map = parseMap(now->map, static_cast<int>(madeBy.src.size()));
  return map ? map->src() != madeBy.src : madeBy.map != now->map;
}

QString madeByText(const protocol::MadeBy& madeBy, bool stale) {
  const QString hash = madeBy.hash.empty() ? AnswerFoot::tr("hash not reported") : textOf(madeBy.hash).left(kHashShown);
  protocol::ModelRef ref;
  ref.model = madeBy.model;
  ref.adapter = madeBy.adapter;
  const QString model = Session::shortName(ref);
  QStringList parts{model + ' ' + hash, mapText(madeBy),
                    AnswerFoot::tr("temperature %1").arg(madeBy.sampling.temperature)};
  if (madeBy.sampling.temperature > 0) parts << AnswerFoot::tr("seed %1").arg(madeBy.sampling.seed);
  if (!madeBy.sampling.stop.empty()) parts << AnswerFoot::tr("stops at %1").arg(stopsText(madeBy.sampling.stop));
  const QString what = parts.join(QStringLiteral(" · "));
  return stale ? AnswerFoot::tr("made with %1").arg(what) : AnswerFoot::tr("made by %1").arg(what);
}

AnswerFoot::AnswerFoot(int turn, Which which, QWidget* parent) : Block(parent), m_which(which) {
  const QString side = which == Which::a ? tr("A") : tr("B");
  m_name = tr("answer %1 of side %2").arg(turn + 1).arg(side);
  const QString prefix = QString("answer%1%2").arg(side.toLower()).arg(turn + 1);
  setObjectName(prefix + "Foot");
  setAccessibleName(tr("Figures of %1").arg(m_name));
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, kGapInside, 0, kGapGroups);
  column->setSpacing(kGapRelated);

  m_status = new QWidget(this);
  auto* statusRow = new QHBoxLayout(m_status);
  statusRow->setContentsMargins(0, 0, 0, 0);
  statusRow->setSpacing(kGapRelated);
  m_statusText = new ElidedLabel({}, TextRole::caption, Tone::second, m_status);
  m_statusText->setObjectName(prefix + "Status");
  m_progress = new QProgressBar(m_status);
  m_progress->setTextVisible(false);
  m_progress->setFixedWidth(scaled(96));
  m_progress->setAccessibleName(tr("Progress of %1").arg(m_name));
  m_progress->setObjectName(prefix + "Progress");
  statusRow->addWidget(m_statusText, 1);
  statusRow->addWidget(m_progress);
  column->addWidget(m_status);

  auto* problem = new Pane(Ground::raised, this);
  problem->setRounded(true);
  m_problem = problem;
  auto* problemRow = new QHBoxLayout(problem);
  problemRow->setContentsMargins(kGapRelated, kGapInside, kGapInside, kGapInside);
  problemRow->setSpacing(kGapRelated);
  auto* sign = new QLabel(problem);
  followTheme(
      sign, [sign] { sign->setPixmap(icon("exclamation-triangle", Ink::bad).pixmap(metrics().icon, metrics().icon)); });
  m_problemText = bodyLabel({}, problem);
  m_problemText->setObjectName(prefix + "Problem");
  problemRow->addWidget(sign, 0, Qt::AlignTop);
  problemRow->addWidget(m_problemText, 1);
  Button* details = makeButton(tr("Copy details"), ButtonKind::link, problem);
  details->setCompact(true);
  details->setObjectName(prefix + "CopyDetails");
  details->setAccessibleName(tr("Copy the details of what went wrong with %1").arg(m_name));
  connect(details, &QPushButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(m_details); });
  problemRow->addWidget(details, 0, Qt::AlignTop);
  column->addWidget(problem);

  m_figures = new QWidget(this);
  m_flow = new FlowLayout(kGapGroups, kGapInside, m_figures);
  column->addWidget(m_figures);

  m_foot = new QWidget(this);
  auto* footRow = new QHBoxLayout(m_foot);
  footRow->setContentsMargins(0, 0, 0, 0);
  footRow->setSpacing(0);
  m_madeBy = new Label({}, TextRole::monoCaption, Tone::second, m_foot);
  m_madeBy->setWordWrap(true);
  m_madeBy->setObjectName(prefix + "MadeBy");
  footRow->addWidget(m_madeBy, 1);
  m_again = makeButton(tr("Answer again"), ButtonKind::link, m_foot);
  m_again->setObjectName(prefix + "Again");
  m_again->setToolTip(tr("Answer again with the same seed"));
  m_repeat = makeIconButton("arrow-clockwise", tr("Answer again with the same seed"), {}, m_foot);
  m_repeat->setObjectName(prefix + "Repeat");
  m_newSeed = makeIconButton("dice-5", tr("Answer again with a new seed"), {}, m_foot);
  m_newSeed->setObjectName(prefix + "NewSeed");
  m_compare = makeIconButton("eye", tr("Differences, token by token, of %1").arg(m_name), {}, m_foot);
  m_compare->setObjectName(prefix + "Compare");
  m_copy = makeIconButton("copy", tr("Copy %1").arg(m_name), {}, m_foot);
  m_copy->setObjectName(prefix + "Copy");
  for (Button* button : {m_again, m_compare, m_repeat, m_newSeed, m_copy}) {
    button->setCompact(true);
    footRow->addWidget(button, 0, Qt::AlignTop);
  }
  connect(m_again, &QPushButton::clicked, this, [this] { Q_EMIT againWanted(false); });
  connect(m_repeat, &QPushButton::clicked, this, [this] { Q_EMIT againWanted(false); });
  connect(m_newSeed, &QPushButton::clicked, this, [this] { Q_EMIT againWanted(true); });
  connect(m_compare, &QPushButton::clicked, this, &AnswerFoot::differencesWanted);
  connect(m_copy, &QPushButton::clicked, this, &AnswerFoot::copyWanted);
  column->addWidget(m_foot);
}

void AnswerFoot::addFigure(const QString& name, const QString& value, const QString& note, QWidget* extra, Tone tone) {
  auto* figure = new QWidget(m_figures);
  auto* column = new QVBoxLayout(figure);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(new Label(name, TextRole::caption, Tone::second, figure));
  auto* row = new QHBoxLayout;
  row->setSpacing(kGapInside);
  auto* number = new Label(value, TextRole::mono, tone, figure);
  number->setAccessibleName(name + ": " + value);
  row->addWidget(number);
  if (!note.isEmpty()) row->addWidget(new Label(note, TextRole::caption, Tone::second, figure));
  if (extra != nullptr) row->addWidget(extra);
  row->addStretch();
  column->addLayout(row);
  m_flow->addWidget(figure);
  figure->show();  // a hidden one takes no room
}

void AnswerFoot::addMark(const protocol::Mark& mark) {
  const bool right = mark.exact >= 1, partly = !right && mark.f1 > 0;
  auto* figure = new QWidget(m_figures);
  auto* row = new QHBoxLayout(figure);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(kGapInside);
  auto* sign = new QLabel(figure);
  followTheme(sign, [sign, right, partly] {
    const QIcon shown = right    ? icon("check-lg", Ink::good)
                        : partly ? icon("dash-lg", Ink::warn)
                                 : icon("x-lg", Ink::bad);
    sign->setPixmap(shown.pixmap(metrics().icon, metrics().icon));
  });
  row->addWidget(sign);
  const Tone tone = right ? Tone::good : partly ? Tone::warn : Tone::bad;
  auto* word = new Label(markText(mark), TextRole::section, tone, figure);
  word->setAccessibleName(tr("Answer: %1").arg(markText(mark)));
  row->addWidget(word);
  m_flow->addWidget(figure);
  figure->show();
}

/// What the conversation takes, and what is allocated for it; answers of before 0.5 know the latter alone.
void AnswerFoot::addKvFigure(const protocol::Answer& answer) {
  const QString share =
      answer.kvBytesFull > 0
          ? tr("%1 of full").arg(formatPercent(static_cast<double>(answer.kvBytes) / double(answer.kvBytesFull)))
          : QString();
  if (answer.kvBytesUsed <= 0) return addFigure(tr("KV reserved"), formatBytes(answer.kvBytes), share);
  addFigure(tr("KV used"), formatBytes(answer.kvBytesUsed), share);
  addFigure(tr("KV reserved"), formatBytes(answer.kvBytes));
}

void AnswerFoot::showFigures(const FootState& state, bool stale) {
  const SideAnswer& said = *state.answer;
  const protocol::Answer& answer = *said.answer;
  const int made = static_cast<int>(answer.ids.size());
  QString difference;
  QString place;
  if (state.difference) {
    difference = state.difference->token < 0 ? tr("none") : tr("token %1").arg(state.difference->token + 1);
    const bool ended = state.difference->token >= state.difference->of;  // the other answer goes on
    if (state.difference->token >= 0) {
      place = ended ? tr("after the end") : tr("of %1").arg(formatCount(state.difference->of));
    }
  }
  const QString shown = said.id + difference + place + (stale ? "stale" : "") +
                        textOf(dumpLine(configToJson(answer.madeBy))) + QString::number(answer.firstTokenSeconds);
  if (shown == m_shown) return;
  m_shown = shown;
  while (QLayoutItem* item = m_flow->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  if (answer.mark) addMark(*answer.mark);
  addFigure(tr("first token"), formatSeconds(answer.firstTokenSeconds));
  const bool timed = made > 1 && answer.decodeSeconds > 0;
  addFigure(tr("speed"), formatSpeed(timed ? std::optional((made - 1) / answer.decodeSeconds) : std::nullopt),
            answer.shared ? tr("both running") : QString());
  addKvFigure(answer);
  std::int64_t used = answer.promptTokens + made;
  if (answer.context > 0) used = std::min(used, answer.context);  // the last token of a full one is never read
  auto* gauge = answer.context > 0
                    ? new ContextGauge(static_cast<double>(used) / static_cast<double>(answer.context), m_figures)
                    : nullptr;
  addFigure(tr("context"), formatCount(used), tr("of %1").arg(formatCount(answer.context)), gauge);
  if (state.difference) addFigure(tr("first difference"), difference, place);
  m_figures->setEnabled(!stale);
  updateGeometry();
}

void AnswerFoot::showLive(const Answering::Live& live) {
  if (m_state == Answering::State::answering) m_statusText->setText(liveText(live));
}

void AnswerFoot::showStatus(const FootState& state) {
  m_state = state.state;
  QString text;
  switch (state.state) {
    case Answering::State::waiting:
      text = tr("waits for the engine");
      break;
    case Answering::State::loading:
      text = state.stage.what.isEmpty() ? tr("Opening %1").arg(state.modelName) : state.stage.what;
      break;
    case Answering::State::answering:
      text = liveText(state.live);
      break;
    case Answering::State::stopping:
      text = tr("stopping");
      break;
    case Answering::State::idle:
      if (state.waits) text = tr("waits for the engine");
      break;
  }
  m_statusText->setText(text);
  const bool measured = state.state == Answering::State::loading && state.stage.total > 0;
  m_progress->setVisible(state.state == Answering::State::loading);
  m_progress->setRange(0, measured ? 1000 : 0);
  if (measured) m_progress->setValue(static_cast<int>(1000.0 * double(state.stage.done) / double(state.stage.total)));
}

void AnswerFoot::show(const FootState& state) {
  const SideAnswer* said = state.answer;
  const bool running = said != nullptr && said->running;
  m_status->setVisible(running || state.waits);
  if (running || state.waits) showStatus(state);
  m_problem->setVisible(said != nullptr && !said->problem.isEmpty());
  if (said != nullptr) {
    m_problemText->setText(said->problem);
    m_details = said->problem;
    if (said->asked) m_details += '\n' + textOf(dumpLine(configToJson(*said->asked)));
  }
  const bool whole = said != nullptr && !running && said->answer.has_value();
  const bool stale = whole && isStale(said->answer->madeBy, state.sideNow, state.hashNow);
  m_figures->setVisible(whole);
  m_foot->setVisible(said != nullptr && !running);
  if (whole) {
    showFigures(state, stale);
    QString made = madeByText(said->answer->madeBy, stale);
    const QString finish = finishText(*said->answer);
    if (!finish.isEmpty()) made += QStringLiteral(" · ") + finish;
    m_madeBy->setText(made);
    m_madeBy->setTone(stale ? Tone::warn : Tone::second);
  } else {
    m_madeBy->setText({});
  }
  const bool needed = stale || !whole;
  m_again->setVisible(state.last && needed);
  m_repeat->setVisible(!state.last || !needed);
  m_newSeed->setVisible(state.last);
  m_compare->setVisible(state.comparable);
  for (Button* button : {m_again, m_repeat}) button->setEnabled(state.sideNow.has_value());
  m_newSeed->setEnabled(state.sideNow.has_value() && !state.greedy);
  m_newSeed->setToolTip(state.greedy ? tr("At temperature 0 every seed gives the same answer")
                                     : tr("Answer again with a new seed"));
  m_copy->setVisible(said != nullptr && !said->text.isEmpty());
  layout()->invalidate();
  Q_EMIT resized();
}

int AnswerFoot::heightFor(int width) {
  layout()->activate();
  return layout()->hasHeightForWidth() ? layout()->totalHeightForWidth(width) : layout()->totalSizeHint().height();
}

}  // namespace strata
