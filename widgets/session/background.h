#pragma once
// A thread for what may wait for a disk: jobs run there one after another, and their results come back to the GUI
// thread.
//
//   Background background;
//   background.run<QByteArray>(this, [path] { return readAll(path); }, [this](const QByteArray& bytes) { … });
// Belongs to one thread. Declare it last in the object whose members the jobs use: it ends before they do.

#include <QObject>
#include <QThread>
#include <functional>
#include <utility>

namespace strata {

class Background {
 public:
  Background();
  /// Returns when every job has run. Results that have not come back yet are dropped with their context.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  void post(std::function<void()> job);
  /// `done` runs in the event loop of `context`, which outlives this object.
  template <class T>
  void run(QObject* context, std::function<T()> job, std::function<void(const T&)> done) {
    post([context, job = std::move(job), done = std::move(done)] {
      QMetaObject::invokeMethod(
          context, [done, result = job()] { done(result); }, Qt::QueuedConnection);
    });
  }

 private:
  QThread m_thread;
  QObject m_jobs;  // its events are the jobs
};

}  // namespace strata
