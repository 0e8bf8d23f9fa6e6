#pragma once
// A page of the window: what the rail shows of it, and what the frame asks of it.

#include <QList>
#include <QPair>
#include <QString>
#include <QWidget>
#include <functional>

namespace strata {

/// Something that Ctrl+K finds.
struct Command {
  QString name;      // "Regenerate both answers"
  QString shortcut;  // for the list; empty: none
  std::function<void()> run;
};

class Page : public QWidget {
  Q_OBJECT

 public:
  explicit Page(QWidget* parent = nullptr) : QWidget(parent) {}
  virtual QString id() const = 0;        // "chat"
  virtual QString title() const = 0;     // "Chat"
  virtual QString iconName() const = 0;  // of style/icons
  /// Whether the bar of sides A and B stands above the page.
  virtual bool showsSides() const { return false; }
  /// The pane at the right (F4), owned by the page; nullptr: none.
  virtual QWidget* inspector() { return nullptr; }
  /// Panes that F6 walks through, in order.
  virtual QList<QWidget*> panes() { return {this}; }
  virtual QList<Command> commands() { return {}; }
  /// Keys that work just now, for the status bar: {"Enter", "send"}.
  virtual QList<QPair<QString, QString>> keys() { return {}; }
  /// Shows something on the page (pageWanted's `what`).
  virtual void open(const QString& what) { Q_UNUSED(what); }
  /// What the page would take of files and folders of this machine: one of them, or the folder that one belongs to;
  /// empty: nothing.
  virtual QString wants(const QStringList& paths) const {
    Q_UNUSED(paths);
    return {};
  }
  /// What it wanted, on the engine's machine.
  virtual void take(const QString& path) { Q_UNUSED(path); }
  /// Esc: stops or closes what is under way in it; false: nothing was.
  virtual bool escape() { return false; }

 Q_SIGNALS:
  void keysChanged();
};

}  // namespace strata
