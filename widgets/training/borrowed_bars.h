#pragma once
// How often each layer read another one's keys and values in the steps that a run has done: a bar for each layer.
//
//   bars->show(run);        // "": none
//   bars->setStep(step);    // the run is at this step: asks again once that is worth it
// GUI thread.

#include <QWidget>
#include <optional>
#include <string>

#include "widgets/session/session.h"

namespace strata {

class BorrowedBars : public QWidget {
  Q_OBJECT

 public:
  explicit BorrowedBars(Session& session, QWidget* parent = nullptr);

  void show(const std::string& run);
  void setStep(std::int64_t step, bool alive);
  const std::optional<protocol::ReadBorrowed::Answer>& reads() const { return m_reads; }
  /// "Layer 3: 48 % of its reads", one line a layer.
  QString summary() const;

 Q_SIGNALS:
  void arrived();

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;

 private:
  void ask();
  QString caption() const;
  QRectF plotArea() const;
  /// Of layer l, from the axis to its value.
  QRectF bar(int layer, const QRectF& area) const;

  Session& m_session;
  std::string m_run;
  std::int64_t m_step = 0, m_askedAt = -1;
  bool m_alive = false, m_asking = false;
  int m_age = 0;  // counts show(): an answer from before is late
  QString m_problem;
  std::optional<protocol::ReadBorrowed::Answer> m_reads;
};

}  // namespace strata
