#include "widgets/mapeditor/map_files.h"

#include <QCoreApplication>
#include <QFile>
#include <QFileInfo>
#include <QSaveFile>

namespace strata {
namespace {

constexpr qint64 kMostBytes = 4 << 20;
constexpr qint64 kHead = 4096;

struct MapFileText {
  Q_DECLARE_TR_FUNCTIONS(MapFiles)
};

Error failed(const QString& sentence, const QString& path) {
  return {ErrorCode::io, sentence.toStdString(), path.toStdString()};
}

}  // namespace

bool looksLikeMap(const QString& path) {
  QFile file(path);
  return path.endsWith(QStringLiteral(".json"), Qt::CaseInsensitive) && QFileInfo(path).isFile() &&
         file.open(QIODevice::ReadOnly) && file.read(kHead).contains("strata-map");
}

Result<Json> readMapFile(const QString& path) {
  const QString name = QFileInfo(path).fileName();
  QFile file(path);
  if (!QFileInfo(path).isFile() || !file.open(QIODevice::ReadOnly)) {
    return tl::unexpected(failed(MapFileText::tr("%1 cannot be read: %2.").arg(name, file.errorString()), path));
  }
  const QByteArray bytes = file.read(kMostBytes + 1);
  if (bytes.size() > kMostBytes) {
    return tl::unexpected(failed(MapFileText::tr("%1 is larger than 4 MiB: no map is.").arg(name), path));
  }
  return parseJson(bytes.toStdString(), name.toStdString());
}

Result<void> writeMapFile(const QString& path, const Json& map) {
  QSaveFile file(path);
  const QByteArray bytes = QByteArray::fromStdString(map.dump(2) + "\n");
  if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit()) {
    return tl::unexpected(
        failed(MapFileText::tr("%1 cannot be written: %2.").arg(QFileInfo(path).fileName(), file.errorString()), path));
  }
  return {};
}

}  // namespace strata
