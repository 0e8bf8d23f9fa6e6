#pragma once
// A stretch of a metric in at most so many buckets, however many points it has: from the pyramid that the run's process
// keeps (series_pyramid.h), or, in a run of version 0.4, from all its points.
//
//   SeriesQuery query{.name = "loss", .axis = SeriesAxis::seconds, .from = 60, .buckets = 800};
//   STRATA_TRY(const SeriesColumns loss, readSeries(database, query));

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/project/database.h"

namespace strata {

enum class SeriesAxis { step, tokens, seconds };
std::optional<SeriesAxis> seriesAxisOf(const std::string& name);

struct SeriesQuery {
  std::string name;
  SeriesAxis axis = SeriesAxis::step;
  std::optional<double> from = std::nullopt, to = std::nullopt;  // both included; nothing: all
  std::int64_t buckets = 1000;                                   // at most
};

/// One element a bucket. All buckets of an answer hold the same number of consecutive points, a power of two, but the
/// newest, which may hold fewer; they are the same wherever the stretch begins, so that they do not flicker while it
/// moves. The outermost may reach past the stretch. With one point a bucket, min, max and last are the point's value.
struct SeriesColumns {
  std::vector<double> x;                      // of the last point, on the axis asked for
  std::vector<double> step, tokens, seconds;  // of the last point; tokens and seconds are empty in a run of version 0.4
  std::vector<double> min, max;               // of the points that are numbers; not-a-number where none is
  std::vector<double> last;                   // value of the last point
  std::vector<double> count;                  // of points
};

/// Of an unknown metric: empty columns. ErrorCode::unsupported: tokens or seconds of a run that did not store them.
Result<SeriesColumns> readSeries(const Database& database, const SeriesQuery& query);

}  // namespace strata
