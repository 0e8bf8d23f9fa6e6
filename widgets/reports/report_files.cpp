#include "widgets/reports/report_files.h"

#include <QCoreApplication>
#include <QSaveFile>
#include <limits>
#include <memory>

namespace strata {
namespace {

struct ReportWords {
  Q_DECLARE_TR_FUNCTIONS(strata::Reports)
};

struct Reading {
  QString name, format;
  std::int64_t most = 0;
  QByteArray bytes;
  std::function<void(const Result<QByteArray>&)> done;
};

void readOn(EngineClient& engine, const std::shared_ptr<Reading>& reading, std::int64_t from, QObject* context) {
  engine.call<protocol::ReadReport>(
      {reading->name.toStdString(), reading->format.toStdString(), from}, context,
      [&engine, reading, context](const Result<protocol::ReadReport::Answer>& answer) {
        if (!answer) return reading->done(tl::unexpected(answer.error()));
        reading->bytes += QByteArray::fromBase64(QByteArray::fromStdString(answer->bytes));
        const bool isMore = answer->next > 0 && reading->bytes.size() < reading->most;
        isMore ? readOn(engine, reading, answer->next, context) : reading->done(reading->bytes);
      });
}

}  // namespace

void readReport(EngineClient& engine, const QString& name, const QString& format, std::int64_t most, QObject* context,
                std::function<void(const Result<QByteArray>&)> done) {
  readOn(engine, std::make_shared<Reading>(Reading{name, format, most, {}, std::move(done)}), 0, context);
}

void saveReport(EngineClient& engine, const QString& name, const QString& format, const QString& path, QObject* context,
                std::function<void(const Result<void>&)> done) {
  readReport(engine, name, format, std::numeric_limits<std::int64_t>::max(), context,
             [path, done = std::move(done)](const Result<QByteArray>& bytes) {
               if (!bytes) return done(tl::unexpected(bytes.error()));
               QSaveFile file(path);
               if (file.open(QIODevice::WriteOnly) && file.write(*bytes) == bytes->size() && file.commit()) {
                 return done({});
               }
               done(fail(ErrorCode::io,
                         ReportWords::tr("%1 cannot be written: %2.").arg(path, file.errorString()).toStdString(),
                         path.toStdString()));
             });
}

QString reportFormatName(const QString& format) {
  if (format == "html") return ReportWords::tr("HTML");
  if (format == "pdf") return ReportWords::tr("PDF");
  if (format == "csv") return ReportWords::tr("CSV");
  if (format == "json") return ReportWords::tr("JSON");
  if (format == "md") return ReportWords::tr("Markdown");
  return format;
}

QString reportFilter(const QString& format) {
  return ReportWords::tr("%1 (*.%2)").arg(reportFormatName(format), format);
}

}  // namespace strata
