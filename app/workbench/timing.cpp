#include "timing.h"

#include <time.h>
#include <unistd.h>

#include <QFile>

namespace strata {

int millisecondsSinceStart() {
  QFile file("/proc/self/stat");
  if (!file.open(QIODevice::ReadOnly)) return -1;
  const QByteArray text = file.readAll();
  // The name in brackets may hold spaces; field 22, the start in clock ticks since boot, is the 20th after it.
  const QList<QByteArray> fields = text.mid(text.lastIndexOf(')') + 2).split(' ');
  if (fields.size() < 20) return -1;
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const double started = fields[19].toDouble() / static_cast<double>(sysconf(_SC_CLK_TCK));
  const double seconds = static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
  return static_cast<int>((seconds - started) * 1000);
}

}  // namespace strata
