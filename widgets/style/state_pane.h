#pragma once
// A page or pane in one of its five states. The content lives in it all the time: a failure or stale figures stand
// above it, loading and emptiness in its place.
//
//   auto* pane = new StatePane(list, this);
//   pane->setLoading(tr("Reading the model"), [this] { stop(); });
//   pane->setFailed(error, tr("Try again"), [this] { load(); });
//   pane->setWorking();

#include <QWidget>
#include <functional>
#include <memory>

#include "core/base/error.h"

namespace strata {

class StatePane : public QWidget {
  Q_OBJECT

 public:
  enum class State { empty, loading, working, failed, stale };
  using Action = std::function<void()>;

  /// Takes the content. Starts in working.
  explicit StatePane(QWidget* content, QWidget* parent = nullptr);
  ~StatePane() override;

  QWidget* content() const;
  State state() const;

  /// One sentence on what belongs here, one main button, a link (to the sample).
  void setEmpty(const QString& sentence, const QString& buttonText = {}, Action onClick = {},
                const QString& linkText = {}, Action onLink = {});
  /// `what`: "Reading the model". Shows nothing for 200 ms, then the content's outline; after 1 s `what` and how far,
  /// after 5 s the time left; a stop from the first second on, where `onStop` is given.
  void setLoading(const QString& what, Action onStop = {});
  /// How far the loading is; total 0: not known.
  void setProgress(double done, double total);
  void setWorking();
  /// The content stays, and can be used, below the bar. Without a button's text the bar has "Copy details" alone.
  void setFailed(const Error& error, const QString& actionText = {}, Action onAction = {});
  /// `from`: "from another map". The content is greyed and can be scrolled.
  void setStale(const QString& from, Action onRedo = {}, const QString& redoText = {});

 Q_SIGNALS:
  void stateChanged();

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void enter(State state);
  struct Private;
  std::unique_ptr<Private> m_private;
};

}  // namespace strata
