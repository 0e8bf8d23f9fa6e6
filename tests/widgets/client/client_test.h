#pragma once
// What the client's tests share: a client of the fake engine, and waiting by the event loop.

#include <QCoreApplication>
#include <QElapsedTimer>
#include <functional>
#include <string>

#include "fake_engine.h"

namespace strata::testing {

/// Runs the event loop until `done` or the time is over.
inline bool waitUntil(const std::function<bool()>& done, int milliseconds = 15'000) {
  QElapsedTimer timer;
  timer.start();
  while (!done() && timer.elapsed() < milliseconds) {
    QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents | QEventLoop::AllEvents, 20);
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
  }
  return done();
}

inline void runFor(int milliseconds) {
  waitUntil([] { return false; }, milliseconds);
}

/// Short times, and a budget that no test reaches by accident.
inline EngineLimits quickLimits() {
  EngineLimits limits;
  limits.pingMs = 200;
  limits.cancelMs = 600;
  limits.halfFrameMs = 400;
  limits.leaveMs = 1'000;
  limits.initializeMs = 10'000;
  limits.delaysMs = {0, 20, 40, 80, 160};
  limits.stableMs = 30'000;
  return limits;
}

inline protocol::ModelRef refOf(const std::string& model) {
  protocol::ModelRef ref;
  ref.model = model;
  return ref;
}

inline protocol::Generate::Params questionOf(const std::string& text, const std::string& stream = "a") {
  protocol::Generate::Params params;
  params.side.ref = refOf("base");
  params.stream = stream;
  params.turns = {{"user", text}};
  return params;
}

inline protocol::PutChat::Params messageOf(const std::string& id) {
  protocol::PutChat::Params params;
  params.chat.id = "chat";
  protocol::ChatMessage message;
  message.id = id;
  message.role = "user";
  message.text = "What is " + id + "?";
  params.messages.push_back(message);
  return params;
}

}  // namespace strata::testing
