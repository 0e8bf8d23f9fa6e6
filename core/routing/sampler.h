#pragma once
// Routings for training (design.md section 2, samplers; `uniform` is the paper's, arXiv 2604.22782 section 3).
// Counter-based: the routing of (seed, step, group) is the same whatever the micro-batches, ranks or resumes.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/error.h"
#include "core/routing/sharing_map.h"

namespace strata {

struct UniformSampler {};
struct WindowSampler {
  int width = 1;
};
struct GeometricSampler {
  double q = 0.5;
};  // 0 < q < 1
struct StrategySampler {
  std::vector<double> retentions = {1, .75, .5, .33, .25};
};
struct RdClaSampler {
  int stride = 2;
};
struct ClaSampler {
  int stride = 2;
};

class RoutingSampler {
 public:
  using Kind = std::variant<UniformSampler, WindowSampler, GeometricSampler, StrategySampler, RdClaSampler, ClaSampler>;

  /// "uniform", "window:4", "geometric:0.3", "strategy", "strategy:1,.5,.25", "rd-cla:2", "cla:2".
  static Result<RoutingSampler> parse(std::string_view text);
  const Kind& kind() const { return m_kind; }
  std::string print() const;
  /// .5, and 1 for strategy and cla.
  double defaultPCross() const;
  /// 0 … 1; cla takes only 1.
  Result<void> checkPCross(double pCross) const;
  /// One routing of `layers` layers. `pCross` is already scaled by the warm-up; `attempt`: how often this group's
  /// routing was drawn before and given up.
  SharingMap draw(int layers, double pCross, std::uint64_t seed, std::uint32_t step, std::uint32_t group,
                  std::uint32_t attempt = 0) const;
  /// P(layer l reads s), [L][L] with rows l, from the definition (closed form where there is one; strategy: by
  /// enumeration of its retentions).
  std::vector<std::vector<double>> probabilities(int layers, double pCross) const;

 private:
  explicit RoutingSampler(Kind kind) : m_kind(std::move(kind)) {}
  Kind m_kind;
};

/// p_cross at `step` (0-based) with a linear warm-up from 0 over `warmupSteps` steps: p · min(1, step / warmupSteps).
double warmedPCross(double pCross, std::uint32_t step, std::uint32_t warmupSteps);

}  // namespace strata
