#pragma once
// The files of a report, read through the engine: whole or their beginning, and written on this machine.

#include <QObject>
#include <functional>

#include "widgets/session/session.h"

namespace strata {

/// At most so many bytes of it; `done` is called once, unless the context is gone by then.
void readReport(EngineClient& engine, const QString& name, const QString& format, std::int64_t most, QObject* context,
                std::function<void(const Result<QByteArray>&)> done);
/// All of it, into a file of this machine.
void saveReport(EngineClient& engine, const QString& name, const QString& format, const QString& path, QObject* context,
                std::function<void(const Result<void>&)> done);
/// "Web page (*.html)".
QString reportFilter(const QString& format);
/// "HTML", "Markdown".
QString reportFormatName(const QString& format);

}  // namespace strata
