#include "widgets/session/settings.h"

#include <QSettings>
#include <memory>
#include <utility>

namespace strata {
namespace {

constexpr int kWriteAfterMs = 50;     // what is set meanwhile goes with it
constexpr int kWriteAgainMs = 5'000;  // after a failure

using SettingsValues = QHash<QString, QVariant>;

std::unique_ptr<QSettings> openSettings(const QString& file) {
  return file.isEmpty() ? std::make_unique<QSettings>() : std::make_unique<QSettings>(file, QSettings::IniFormat);
}

SettingsValues valuesOf(const QSettings& file) {
  SettingsValues values;
  for (const QString& key : file.allKeys()) values[key] = file.value(key);
  return values;
}

void applyTo(SettingsValues& values, const SettingsValues& changes) {
  for (auto change = changes.begin(); change != changes.end(); ++change) {
    if (change->isValid()) {
      values[change.key()] = *change;
    } else {
      values.remove(change.key());
    }
  }
}

void applyTo(QSettings& file, const SettingsValues& changes) {
  for (auto change = changes.begin(); change != changes.end(); ++change) {
    if (change->isValid()) {
      file.setValue(change.key(), *change);
    } else {
      file.remove(change.key());
    }
  }
}

}  // namespace

Settings::Settings(const QString& file, QObject* parent) : QObject(parent), m_file(file) {
  const std::unique_ptr<QSettings> now = openSettings(file);
  m_fileName = now->fileName();
  m_values = valuesOf(*now);
  m_soon.setSingleShot(true);
  connect(&m_soon, &QTimer::timeout, this, &Settings::write);
}

Settings::~Settings() {
  // A write whose result is not known may have failed: its changes are written once more.
  Values last = std::exchange(m_writing, {});
  last.insert(m_changed);
  if (last.isEmpty()) return;
  m_writer.post([file = m_file, last] { applyTo(*openSettings(file), last); });
}

QVariant Settings::value(const QString& key, const QVariant& otherwise) const {
  return m_values.value(key, otherwise);
}

void Settings::setValue(const QString& key, const QVariant& value) {
  change(key, value.isValid() ? value : QVariant(QString()));
}

void Settings::remove(const QString& key) {
  const QStringList known = m_values.keys();
  for (const QString& one : known) {
    if (one == key || one.startsWith(key + '/')) change(one, {});
  }
}

void Settings::change(const QString& key, const QVariant& value) {
  if (m_values.value(key) == value) return;
  const Values one{{key, value}};
  applyTo(m_values, one);
  m_changed.insert(one);
  if (!m_soon.isActive() && m_writing.isEmpty()) m_soon.start(kWriteAfterMs);
}

void Settings::write() {
  m_writing = std::exchange(m_changed, {});
  m_writer.run<Written>(
      this,
      [file = m_file, changes = m_writing] {
        const std::unique_ptr<QSettings> settings = openSettings(file);
        applyTo(*settings, changes);
        settings->sync();
        return Written{settings->status() == QSettings::NoError, valuesOf(*settings)};
      },
      [this](const Written& result) { written(result); });
}

void Settings::written(const Written& result) {
  Values tried = std::exchange(m_writing, {});
  if (!result.done) {
    tried.insert(m_changed);
    m_changed = tried;
    if (!m_failed) {
      Q_EMIT failed(
          tr("%1 cannot be written, so layout, drafts and choices are lost when the window closes. Free space "
             "on its disk, or allow writing to it.")
              .arg(m_fileName));
    }
  }
  m_failed = !result.done;
  m_values = result.all;
  applyTo(m_values, m_changed);
  if (!m_changed.isEmpty()) m_soon.start(m_failed ? kWriteAgainMs : kWriteAfterMs);
}

}  // namespace strata
