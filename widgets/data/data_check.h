#pragma once
// One check of a data set: what was asked, how far the engine is, what it answered. A new question drops the one under
// way; more rows to look at join the answer that is there.
//
//   check.run(params);
//   connect(&check, &DataCheck::changed, this, [&] { if (check.answer()) show(*check.answer()); });

#include <QElapsedTimer>
#include <QObject>
#include <optional>

#include "widgets/session/session.h"

namespace strata {

class DataCheck : public QObject {
  Q_OBJECT

 public:
  using Params = protocol::CheckData::Params;
  using Answer = protocol::CheckData::Answer;
  explicit DataCheck(Session& session, QObject* parent = nullptr);

  void run(const Params& params);
  /// False: nothing is under way.
  bool stop();
  /// No data set is looked at any more.
  void clear();
  bool running() const { return m_ticket != 0; }
  /// What the check that is running, or ran last, was asked.
  const Params& asked() const { return m_asked; }
  /// The last answer, and what it answers.
  const std::optional<Answer>& answer() const { return m_answer; }
  const Params& answered() const { return m_answered; }
  const std::optional<Error>& error() const { return m_error; }
  /// How long the last whole check took.
  qint64 milliseconds() const { return m_milliseconds; }

  /// A row to look at: its number from 0. nullptr: it has to be fetched first; changed() tells when it is there.
  const protocol::PreviewRow* row(std::int64_t number);
  /// The same without fetching it.
  const protocol::PreviewRow* known(std::int64_t number) const;
  bool fetching() const { return m_rowsTicket != 0; }

 Q_SIGNALS:
  void changed();
  void rowsChanged();
  void progressed(const QString& stage, qint64 done, qint64 total);

 private:
  void fetch(std::int64_t number);
  Session& m_session;
  EngineClient::Ticket m_ticket = 0, m_rowsTicket = 0;
  Params m_asked, m_answered;
  std::optional<Answer> m_answer;
  std::optional<Error> m_error;
  std::int64_t m_lacking = -1;  // a row that the engine did not send
  std::int64_t m_firstRow = 0;  // number of the answer's first preview row
  QElapsedTimer m_clock;
  qint64 m_milliseconds = 0;
  int m_number = 0;
};

}  // namespace strata
