#include "widgets/chat/prompt_count.h"

#include <algorithm>

#include "widgets/style/format.h"

namespace strata {
namespace {

constexpr int kCountMilliseconds = 200;
constexpr qsizetype kCountMost = 256 << 10;  // characters; a longer draft is not sent at each pause in typing

bool isFullCount(const protocol::CountPrompt::Answer& count) {
  return count.context > 0 && count.tokens >= count.context;
}

}  // namespace

PromptCount::PromptCount(Session& session, const Conversation& conversation, QObject* parent)
    : QObject(parent), m_session(session), m_conversation(conversation) {
  m_timer.setSingleShot(true);
  m_timer.setInterval(kCountMilliseconds);
  connect(&m_timer, &QTimer::timeout, this, &PromptCount::count);
}

void PromptCount::setQuestion(const QString& question, int turn) {
  m_question = question.trimmed();
  m_turn = turn;
  ++m_number;
  m_counts = {};
  if (m_question.isEmpty() || m_question.size() > kCountMost) {
    m_timer.stop();
  } else {
    m_timer.start();
  }
  Q_EMIT changed();
}

void PromptCount::count() {
  EngineClient& engine = m_session.engine();
  if (!engine.ready()) return;
  for (const Which which : kBothSides) {
    const auto& side = m_session.side(which);
    const auto& loaded = engine.loaded();
    const bool open = side && std::any_of(loaded.begin(), loaded.end(),
                                          [&](const protocol::LoadedModel& model) { return model.ref == side->ref; });
    if (!open) continue;
    const int room = static_cast<int>(std::clamp<std::int64_t>(m_conversation.info().sampling.maxTokens, 0, 1 << 30));
    engine.call<protocol::CountPrompt>({side->ref, m_conversation.asked(m_turn, which, m_question), room}, this,
                                       [this, which, number = m_number](const Result<Count>& answer) {
                                         if (number != m_number) return;
                                         // Without a count nothing is said: the pane says why the model cannot chat.
                                         if (!answer || answer->context <= 0) return;
                                         m_counts[indexOf(which)] = *answer;
                                         Q_EMIT changed();
                                       });
  }
}

bool PromptCount::isFull() const {
  return std::any_of(m_counts.begin(), m_counts.end(), [](const auto& count) { return count && isFullCount(*count); });
}

int PromptCount::keepFrom() const {
  int from = 0;
  for (const Which which : kBothSides) {
    const auto& count = m_counts[indexOf(which)];
    if (!count || !isFullCount(*count)) continue;
    if (count->drop < 0) return -1;
    const std::vector<int> before = m_conversation.answeredBefore(m_turn, which);
    const auto drop = static_cast<std::size_t>(count->drop);
    from = std::max(from, drop < before.size() ? before[drop] : m_turn);
  }
  return from;
}

const PromptCount::Count* PromptCount::fullest() const {
  const Count* found = nullptr;
  for (const auto& count : m_counts) {
    if (count && (found == nullptr || count->context - count->tokens < found->context - found->tokens)) {
      found = &*count;
    }
  }
  return found;
}

QString PromptCount::text() const {
  const Count* count = fullest();
  if (count == nullptr) return {};
  return tr("%1 of %2 token(s)", nullptr, pluralOf(count->context))
      .arg(formatCount(count->tokens), formatCount(count->context));
}

QString PromptCount::problem() const {
  const Count* count = fullest();
  if (count == nullptr) return {};
  const QString what = tr("The prompt has %1 token(s) and the context is %2.", nullptr, pluralOf(count->tokens))
                           .arg(formatCount(count->tokens), formatCount(count->context));
  return what + ' ' +
         (keepFrom() < 0 ? tr("The question alone is too long: shorten it.")
                         : tr("Start a new chat or drop the oldest turns."));
}

}  // namespace strata
