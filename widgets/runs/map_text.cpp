#include "widgets/runs/map_text.h"

#include "widgets/style/format.h"

namespace strata {

double retentionRank(const QString& map) {
  if (map == "full") return 1;
  bool isNumber = false;
  const double retention = map.section(':', 1).toDouble(&isNumber);
  return map.startsWith("retention:") && isNumber ? retention : 0;
}

QString mapText(const QString& map) {
  const double rank = retentionRank(map);
  return rank > 0 ? formatPercent(rank) : map;
}

}  // namespace strata
