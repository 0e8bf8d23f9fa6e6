#pragma once
// What the window keeps between its runs: layout, drafts and choices. Reading asks memory alone; a thread of its own
// writes the file, so that a slow disk never holds the GUI thread.
//
//   Settings settings;                        // the user's file
//   settings.setValue("chat/draft", draft);   // in the file a moment later, at the latest when `settings` ends
// Lives on the GUI thread. What other windows write to the file is read again after each write.

#include <QHash>
#include <QObject>
#include <QTimer>
#include <QVariant>

#include "widgets/session/background.h"

namespace strata {

class Settings : public QObject {
  Q_OBJECT

 public:
  /// `file`: an INI file; empty: that of the user and the program.
  explicit Settings(const QString& file = {}, QObject* parent = nullptr);
  /// Returns when everything is in the file.
  ~Settings() override;

  QVariant value(const QString& key, const QVariant& otherwise = {}) const;
  bool contains(const QString& key) const { return m_values.contains(key); }
  void setValue(const QString& key, const QVariant& value);
  /// With everything below it ("data" and "data/path").
  void remove(const QString& key);
  const QString& fileName() const { return m_fileName; }

 Q_SIGNALS:
  /// The file could not be written: one sentence, once until it could be again. What was set is kept and tried again.
  void failed(const QString& sentence);

 private:
  using Values = QHash<QString, QVariant>;
  struct Written {
    bool done = false;
    Values all;
  };
  void change(const QString& key, const QVariant& value);
  void write();
  void written(const Written& result);

  QString m_file, m_fileName;
  Values m_values;
  Values m_changed;  // not given to the writer yet; an invalid value: removed
  Values m_writing;  // given to it, no result yet
  bool m_failed = false;
  QTimer m_soon;
  Background m_writer;
};

}  // namespace strata
