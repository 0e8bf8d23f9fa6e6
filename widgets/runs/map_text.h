#pragma once
// The names of sharing maps beside a run's curves and answers.

#include <QString>

namespace strata {

/// Of a map: 1 for the full one, else the retention that its name tells; 0: it tells none.
double retentionRank(const QString& map);
/// "50 %" where the map's name tells its retention, else the map.
QString mapText(const QString& map);

}  // namespace strata
