#include "widgets/training/run_answers.h"

#include <QListView>
#include <QScrollBar>
#include <QVBoxLayout>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"
#include "widgets/training/answered_questions.h"

namespace strata {
namespace {

constexpr int kPollMs = 2000;
constexpr std::int64_t kAnswersAtOnce = 500;

}  // namespace

RunAnswers::RunAnswers(Session& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_questions(new AnsweredQuestions(this)) {
  named(this, "runAnswers", tr("Answers of the run"));
  m_view = named(new QListView, "answerList", tr("Questions, expected answers and answers"));
  m_view->setWhatsThis(
      tr("What the newest evaluation asked, what was expected, and what the model answered under each map."));
  m_view->setModel(m_questions);
  m_view->setItemDelegate(new AnsweredDelegate(m_view));
  m_view->setFrameShape(QFrame::NoFrame);
  m_view->setResizeMode(QListView::Adjust);
  m_view->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  m_view->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_state = named(new StatePane(m_view), "answersState");
  auto* title = sectionLabel(tr("Answers"));
  m_summary = named(captionLabel({}), "answersSummary");
  m_newest = named(makeButton(tr("Newest answers"), ButtonKind::link), "newestAnswers");
  m_newest->setCompact(true);
  m_newest->setToolTip(tr("Goes to the end of the list and stays there while answers come"));
  m_newest->hide();
  auto* ground = new Pane(Ground::surface);
  auto* inside = new QVBoxLayout(ground);
  inside->setContentsMargins(0, kGapRelated, 0, 0);
  inside->setSpacing(kGapInside);
  auto* head = new QVBoxLayout;
  head->setContentsMargins(kGapGroups, 0, kGapGroups, 0);
  head->setSpacing(kGapInside);
  head->addWidget(title);
  head->addWidget(m_summary);
  head->addWidget(m_newest, 0, Qt::AlignLeft);
  inside->addLayout(head);
  inside->addWidget(m_state, 1);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(ground);
  m_timer.setSingleShot(true);
  m_timer.setInterval(kPollMs);
  connect(&m_timer, &QTimer::timeout, this, &RunAnswers::read);
  connect(m_view->verticalScrollBar(), &QScrollBar::valueChanged, this, [this] {
    if (m_moving) return;
    m_following = isAtEnd();
    showState();
  });
  connect(m_view->verticalScrollBar(), &QScrollBar::rangeChanged, this, [this](int, int last) {
    if (m_following && !m_moving) m_view->verticalScrollBar()->setValue(last);
  });
  connect(m_newest, &Button::clicked, this, [this] {
    m_view->scrollToBottom();
    m_following = true;
    showState();
  });
  followTheme(this, [this] { setMinimumWidth(metrics().inspector * 4 / 5); });
}

QWidget* RunAnswers::list() const {
  return m_view;
}

bool RunAnswers::isAtEnd() const {
  return m_view->verticalScrollBar()->value() >= m_view->verticalScrollBar()->maximum();
}

void RunAnswers::show(const std::string& run, bool alive) {
  m_run = run;
  m_alive = alive;
  restart();
}

void RunAnswers::follow(bool alive) {
  if (alive == m_alive) return;
  m_alive = alive;
  restart();
}

/// From the first answer: a resumed run may have gone back behind some of them.
void RunAnswers::restart() {
  ++m_age;
  m_reading = m_known = false;
  m_fromStep = 0;
  m_timer.stop();
  m_questions->clear();
  m_following = true;
  if (!m_run.empty()) m_state->setLoading(tr("Reading the answers"));
  showState();
  if (!m_run.empty()) read();
}

void RunAnswers::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  if (!m_timer.isActive()) read();
}

void RunAnswers::read() {
  if (m_run.empty() || m_reading || !isVisible()) return;
  m_reading = true;
  protocol::ReadAnswers::Params params;
  params.id = m_run;
  m_session.engine().call<protocol::ReadAnswers>(
      params, this, [this, age = m_age](const Result<protocol::ReadAnswers::Answer>& answer) {
        if (age != m_age) return;
        answer ? readMap(answer->maps, 0) : failed(answer.error());
      });
}

/// The last of the maps, from an answer on; then those before it.
void RunAnswers::readMap(std::vector<std::string> maps, std::int64_t from) {
  if (maps.empty()) return finished();
  protocol::ReadAnswers::Params params;
  params.id = m_run;
  params.map = maps.back();
  params.from = from;
  params.fromStep = m_fromStep;
  params.count = kAnswersAtOnce;
  m_session.engine().call<protocol::ReadAnswers>(
      params, this,
      [this, age = m_age, maps = std::move(maps), from](const Result<protocol::ReadAnswers::Answer>& answer) mutable {
        if (age != m_age) return;
        if (!answer) return failed(answer.error());
        for (const protocol::AnswerInfo& each : answer->answers) m_questions->take(maps.back(), each);
        from += static_cast<std::int64_t>(answer->answers.size());
        if (answer->answers.empty() || from >= answer->total) {
          maps.pop_back();
          from = 0;
        }
        readMap(std::move(maps), from);
      });
}

void RunAnswers::failed(const Error& error) {
  m_reading = false;
  m_state->setFailed(error, tr("Try again"), [this] { restart(); });
}

void RunAnswers::finished() {
  m_reading = false;
  m_known = true;
  m_fromStep = m_questions->step();
  const int at = m_view->verticalScrollBar()->value();
  m_moving = true;
  m_questions->commit();
  m_view->doItemsLayout();
  m_following ? m_view->scrollToBottom() : m_view->verticalScrollBar()->setValue(at);
  m_moving = false;
  showState();
  if (m_alive) m_timer.start();
}

void RunAnswers::showState() {
  QStringList parts = m_questions->summary();
  if (!parts.isEmpty()) parts.prepend(tr("Step %1").arg(formatCount(m_questions->step())));
  m_summary->setText(parts.join(QStringLiteral(" · ")));
  m_summary->setVisible(!parts.isEmpty());
  m_newest->setVisible(!m_following && !parts.isEmpty());
  if (!m_known) return;
  if (m_questions->rowCount() > 0) {
    m_state->setWorking();
  } else {
    m_state->setEmpty(m_alive ? tr("No question was answered yet. The first evaluation asks them.")
                              : tr("This run has answered no questions."));
  }
}

}  // namespace strata
