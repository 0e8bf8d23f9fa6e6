#include "widgets/data/data_check.h"

#include <utility>

namespace strata {
namespace {

/// Rows fetched at a time: each time the engine reads the data set anew.
constexpr int kRowsAtOnce = 20;

}  // namespace

DataCheck::DataCheck(Session& session, QObject* parent) : QObject(parent), m_session(session) {
  session.engine().on<protocol::Progress>(this, [this](const protocol::Progress& progress) {
    if (m_ticket == 0 || progress.request != Json(m_ticket)) return;
    Q_EMIT progressed(QString::fromStdString(progress.stage), progress.done, progress.total);
  });
}

void DataCheck::run(const Params& params) {
  const int number = ++m_number;
  if (m_ticket != 0) m_session.engine().cancel(m_ticket);
  if (m_rowsTicket != 0) m_session.engine().cancel(m_rowsTicket);
  m_rowsTicket = 0;
  if (params.path != m_answered.path) m_answer.reset();
  m_asked = params;
  m_asked.preview = kRowsAtOnce;
  m_asked.skip = 0;
  m_error.reset();
  m_clock.start();
  m_ticket = m_session.engine().call<protocol::CheckData>(m_asked, this, [this, number](const Result<Answer>& answer) {
    if (number != m_number) return;
    m_ticket = 0;
    m_milliseconds = m_clock.elapsed();
    if (answer) {
      m_answer = *answer;
      m_answered = m_asked;
      m_firstRow = 0;
      m_lacking = -1;
    } else {
      m_error = answer.error();
    }
    Q_EMIT changed();
  });
  Q_EMIT changed();
}

bool DataCheck::stop() {
  if (m_ticket == 0) return false;
  m_session.engine().cancel(m_ticket);
  return true;
}

void DataCheck::clear() {
  ++m_number;
  for (EngineClient::Ticket* ticket : {&m_ticket, &m_rowsTicket}) {
    if (*ticket != 0) m_session.engine().cancel(std::exchange(*ticket, 0));
  }
  m_asked = m_answered = {};
  m_answer.reset();
  m_error.reset();
  Q_EMIT changed();
}

const protocol::PreviewRow* DataCheck::known(std::int64_t number) const {
  const std::int64_t at = number - m_firstRow;
  if (!m_answer || at < 0 || at >= static_cast<std::int64_t>(m_answer->preview.size())) return nullptr;
  return &m_answer->preview[static_cast<std::size_t>(at)];
}

const protocol::PreviewRow* DataCheck::row(std::int64_t number) {
  const protocol::PreviewRow* there = known(number);
  // Rows are made by a model's tokenizer: without one there are none to fetch.
  if (there != nullptr || !m_answer || !m_answer->hasTokens) return there;
  if (number >= 0 && number < m_answer->rows && number != m_lacking) fetch(number);
  return nullptr;
}

void DataCheck::fetch(std::int64_t wanted) {
  if (m_rowsTicket != 0 || m_ticket != 0) return;
  const int number = m_number;
  Params params = m_answered;
  const std::int64_t from = wanted < m_firstRow ? std::max<std::int64_t>(0, wanted - kRowsAtOnce + 1) : wanted;
  params.skip = static_cast<int>(std::min<std::int64_t>(from, 1'000'000'000));
  m_rowsTicket = m_session.engine().call<protocol::CheckData>(
      params, this, [this, number, from, wanted](const Result<Answer>& answer) {
        if (number != m_number) return;
        m_rowsTicket = 0;
        if (answer && !answer->preview.empty()) {
          m_answer->preview = answer->preview;
          m_firstRow = from;
          if (known(wanted) == nullptr) m_lacking = wanted;
        } else if (!answer && answer.error().code != ErrorCode::cancelled) {
          m_error = answer.error();
          Q_EMIT changed();
          return;
        }
        if (answer && answer->preview.empty()) m_lacking = wanted;
        Q_EMIT rowsChanged();
      });
}

}  // namespace strata
