#include "widgets/session/background.h"

namespace strata {

Background::Background() {
  m_thread.setObjectName("background");
  m_jobs.moveToThread(&m_thread);
}

Background::~Background() {
  if (!m_thread.isRunning()) return;
  post([this] { m_thread.quit(); });
  m_thread.wait();
}

void Background::post(std::function<void()> job) {
  if (!m_thread.isRunning()) m_thread.start();
  QMetaObject::invokeMethod(&m_jobs, std::move(job), Qt::QueuedConnection);
}

}  // namespace strata
