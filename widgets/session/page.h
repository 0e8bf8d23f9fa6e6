#pragma once
// A page of the window. It says what the rail shows of it, which places it shows, and what can be done on it; the
// window knows nothing else of any page.
//
//   class MapPage : public Page { … };
//   window.addPage(new MapPage(session));   // the only line outside the page's folder

#include <QAction>
#include <QKeySequence>
#include <QList>
#include <QPair>
#include <QString>
#include <QWidget>
#include <optional>
#include <utility>

#include "widgets/session/place.h"

class QUndoStack;

namespace strata {

/// What a page would take of files and folders that are dropped or uploaded.
struct Wanted {
  QString path;          // one of them, or the folder that one belongs to
  bool isMeant = false;  // the page knows it by its looks; else it would take anything of the sort
};

/// A property of an action of a page: it is done without going to the page, as "Theme: Dark" is.
inline constexpr const char* kDoneInPlace = "doneInPlace";

class Page : public QWidget {
  Q_OBJECT

 public:
  explicit Page(QWidget* parent = nullptr) : QWidget(parent) {}
  virtual QString id() const = 0;        // "chat"
  virtual QString title() const = 0;     // "Chat"
  virtual QString iconName() const = 0;  // of style/icons
  /// At the rail's foot, below the gap.
  virtual bool isAtFoot() const { return false; }
  /// None: Ctrl+ and the page's number.
  virtual QKeySequence shortcut() const { return {}; }
  /// Whether the bar of sides A and B stands above the page.
  virtual bool showsSides() const { return false; }
  /// A strip above the sides, there with the page; nullptr: none just now. The window becomes its parent.
  virtual QWidget* banner() { return nullptr; }
  /// Whether the banner says why the engine cannot be used, in place of the window.
  virtual bool bannerShowsEngine() const { return false; }
  /// The pane at the right (F4), owned by the page; nullptr: none.
  virtual QWidget* inspector() { return nullptr; }
  /// Panes that F6 walks through, in order.
  virtual QList<QWidget*> panes() { return {this}; }
  /// Brings texts and states of actions() up to date, before they are listed.
  virtual void updateActions() {}
  /// Keys that work just now, for the status bar: {"Enter", "send"}.
  virtual QList<QPair<QString, QString>> keys() { return {}; }
  virtual bool shows(const Place& place) const { return place.kind == PlaceKind::page && place.page == id(); }
  /// Shows a place that it shows().
  virtual void open(const Place& place) { Q_UNUSED(place); }
  virtual std::optional<Wanted> wants(const QStringList& paths) const {
    Q_UNUSED(paths);
    return {};
  }
  /// What it wanted, on the engine's machine.
  virtual void take(const QString& path) { Q_UNUSED(path); }
  /// Esc: stops or closes what is under way in it; false: nothing was.
  virtual bool escape() { return false; }
  /// Ctrl+Z and Ctrl+Shift+Z, wherever the focus is not in a text; nullptr: nothing can be undone.
  virtual QUndoStack* undoStack() { return nullptr; }
  /// Splitters and the like, kept between runs of the window.
  virtual QByteArray saveState() const { return {}; }
  virtual void restoreState(const QByteArray& state) { Q_UNUSED(state); }

 Q_SIGNALS:
  void keysChanged();
  void bannerChanged();
  /// saveState() has changed.
  void stateChanged();

 protected:
  /// One thing that can be done here: Ctrl+K, the shortcut and a button's tooltip come from this action.
  template <class F>
  QAction* addCommand(const char* name, const QString& text, const QKeySequence& keys, F act) {
    auto* action = new QAction(text, this);
    action->setObjectName(QLatin1String(name));
    action->setShortcut(keys);
    action->setShortcutContext(Qt::WindowShortcut);  // from the strips around it, too; a hidden page has none
    connect(action, &QAction::triggered, this, std::move(act));
    addAction(action);
    return action;
  }
};

}  // namespace strata
