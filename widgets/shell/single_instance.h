#pragma once
// One window a project: the first holds a lock in the user's runtime folder, a second one raises it and leaves. Under
// Wayland a window may come to the front only with a token of the program that the user clicked: the second process
// hands over the one that the desktop gave it.
//
//   SingleInstance instance;
//   if (!instance.claim(project)) return instance.raiseOther(project) ? 0 : 1;   // before there is a window
//   connect(&instance, &SingleInstance::raised, window, …);

#include <QLocalServer>
#include <QLockFile>
#include <QObject>
#include <functional>
#include <memory>

class QLocalSocket;

namespace strata {

class SingleInstance : public QObject {
  Q_OBJECT

 public:
  /// `folder`: where locks and sockets lie; empty: the user's runtime folder.
  explicit SingleInstance(const QString& folder = {}, QObject* parent = nullptr);

  /// Takes the lock of `key` (a project and its engine) and lets go of the one before; false: another window has it.
  bool claim(const QString& key);
  /// Asks the window that has it to come to the front, and waits a second for its answer; false: there was none.
  bool raiseOther(const QString& key) const;
  /// The same without waiting: `done` is called in the event loop.
  void raiseOther(const QString& key, std::function<void(bool answered)> done);

 Q_SIGNALS:
  /// The token is in XDG_ACTIVATION_TOKEN, where Qt looks for it when a window is activated.
  void raised();

 private:
  QString path(const QString& key, const QString& ending) const;
  void answer(QLocalSocket& caller);
  QString m_folder;
  std::unique_ptr<QLockFile> m_lock;
  std::unique_ptr<QLocalServer> m_server;
};

}  // namespace strata
