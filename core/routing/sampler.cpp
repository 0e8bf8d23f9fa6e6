#include "core/routing/sampler.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "core/base/philox.h"
#include "core/routing/numbers.h"

namespace strata {
namespace {

constexpr std::size_t kMaxSamplerBytes = 1 << 20;

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

tl::unexpected<Error> badSampler(std::string message) {
  return fail(ErrorCode::usage, std::move(message), "sampler");
}

Result<int> positiveNumber(std::string_view sampler, std::string_view parameter, std::string_view text) {
  const std::optional<int> value = parseDigits(trimmed(text));
  if (value && *value >= 1) return *value;
  return badSampler("The sampler " + quoted(sampler) + " has " + quoted(text) + " for " + std::string(parameter) +
                    "; give a whole number of 1 or more.");
}

Result<StrategySampler> parseRetentions(std::string_view sampler, std::string_view text) {
  StrategySampler strategy;
  strategy.retentions.clear();
  for (const std::string_view part : split(text, ',')) {
    const std::optional<double> retention = parseReal(trimmed(part));
    if (!retention || *retention <= 0 || *retention > 1) {
      return badSampler("The sampler " + quoted(sampler) + " has " + quoted(part) +
                        " for a retention; give numbers above 0 and at most 1.");
    }
    strategy.retentions.push_back(*retention);
  }
  return strategy;
}

int ownerUnderStride(int layer, int stride) {
  return layer - layer % stride;
}

/// Distances 1 … layers below, weight q(1-q)^(d-1): the inverse of the truncated distribution function at `uniform`.
int geometricDistance(double q, int layer, double uniform) {
  const double logMiss = std::log1p(-q);
  const double reachable = -std::expm1(layer * logMiss);  // 1 - (1-q)^layer
  const double distance = 1 + std::floor(std::log1p(-uniform * reachable) / logMiss);
  return static_cast<int>(std::clamp(distance, 1.0, static_cast<double>(layer)));
}

/// Draws of one routing. Counters: coin and source at each layer; of the strategy, layer 0 of `coin` says whether the
/// group is routed, layer 0 of `strategy` draws the retention, and layer l of `strategy` whether l owns.
class Drawing {
 public:
  Drawing(int layers, double pCross, DrawPosition at) : m_layers(layers), m_pCross(pCross), m_at(at) {}

  SharingMap operator()(const UniformSampler&) const {
    return borrowing([this](int layer) { return static_cast<int>(below(RandomStream::source, layer, layer)); });
  }
  SharingMap operator()(const WindowSampler& window) const {
    return borrowing([&](int layer) {
      const int reach = std::min(window.width, layer);
      return layer - reach + static_cast<int>(below(RandomStream::source, layer, reach));
    });
  }
  SharingMap operator()(const GeometricSampler& geometric) const {
    return borrowing(
        [&](int layer) { return layer - geometricDistance(geometric.q, layer, uniform(RandomStream::source, layer)); });
  }
  SharingMap operator()(const RdClaSampler& rdCla) const {
    return borrowing([&](int layer) { return ownerUnderStride(layer, rdCla.stride); });
  }
  SharingMap operator()(const ClaSampler& cla) const {
    std::vector<int> src(static_cast<std::size_t>(m_layers));
    for (int layer = 0; layer < m_layers; ++layer) src[index(layer)] = ownerUnderStride(layer, cla.stride);
    return finished(std::move(src));
  }
  SharingMap operator()(const StrategySampler& strategy) const {
    if (!coin(0)) return SharingMap::full(m_layers);
    const auto choices = static_cast<int>(strategy.retentions.size());
    const double retention = strategy.retentions[below(RandomStream::strategy, 0, choices)];
    std::vector<bool> owners(static_cast<std::size_t>(m_layers));
    owners[0] = true;
    // Selection sampling (Knuth, The Art of Computer Programming, volume 2, 3.4.2, algorithm S): every subset of the
    // layers above 0 is as likely as any other of its size.
    int needed = ownersForRetention(retention, m_layers) - 1;
    for (int layer = 1; layer < m_layers; ++layer) {
      if (static_cast<int>(below(RandomStream::strategy, layer, m_layers - layer)) >= needed) continue;
      owners[index(layer)] = true;
      --needed;
    }
    return mapFromOwners(owners);
  }

 private:
  static std::size_t index(int layer) { return static_cast<std::size_t>(layer); }
  static SharingMap finished(std::vector<int> src) {
    auto map = SharingMap::create(std::move(src), MapKind::training);
    assert(map);
    return *std::move(map);
  }

  DrawPosition position(RandomStream stream, int layer) const {
    DrawPosition at = m_at;
    at.layer = static_cast<std::uint32_t>(layer);
    at.stream = stream;
    return at;
  }
  double uniform(RandomStream stream, int layer) const { return randomUniform(position(stream, layer)); }
  std::uint64_t below(RandomStream stream, int layer, int n) const {
    return randomBelow(position(stream, layer), static_cast<std::uint64_t>(n));
  }
  bool coin(int layer) const { return uniform(RandomStream::coin, layer) < m_pCross; }

  template <class Source>
  SharingMap borrowing(Source source) const {
    std::vector<int> src(static_cast<std::size_t>(m_layers));
    for (int layer = 1; layer < m_layers; ++layer) src[index(layer)] = coin(layer) ? source(layer) : layer;
    return finished(std::move(src));
  }

  int m_layers;
  double m_pCross;
  DrawPosition m_at;
};

/// P(layer reads s) under one retention. Of the `layers - 1` layers above 0, `owners - 1` own, every subset alike.
double strategyProbability(int layers, int owners, int layer, int source) {
  const int candidates = layers - 1;
  const int chosen = owners - 1;
  const bool first = source == 0;
  // The source owns (layer 0 does anyway), and none of the layers behind it up to `layer` does.
  double probability = first ? 1.0 : static_cast<double>(chosen) / candidates;
  const int rest = first ? candidates : candidates - 1;
  for (int i = 0; i < layer - source; ++i) {
    probability *= std::max(0.0, static_cast<double>(candidates - chosen - i) / (rest - i));
  }
  return probability;
}

}  // namespace

Result<RoutingSampler> RoutingSampler::parse(std::string_view given) {
  if (given.size() > kMaxSamplerBytes) return badSampler("The sampler's text is longer than 1 MB; give a shorter one.");
  const std::string_view text = trimmed(given);
  const std::size_t colon = text.find(':');
  const std::string_view word = text.substr(0, colon);
  if (text == "uniform") return RoutingSampler(UniformSampler{});
  if (text == "strategy") return RoutingSampler(StrategySampler{});
  if (colon != std::string_view::npos) {
    const std::string_view rest = text.substr(colon + 1);
    if (word == "window") {
      STRATA_TRY(const int width, positiveNumber(text, "w, the window", rest));
      return RoutingSampler(WindowSampler{width});
    }
    if (word == "geometric") {
      const std::optional<double> q = parseReal(trimmed(rest));
      if (q && *q > 0 && *q < 1) return RoutingSampler(GeometricSampler{*q});
      return badSampler("The sampler " + quoted(text) + " has " + quoted(rest) +
                        " for q; give a number above 0 and below 1.");
    }
    if (word == "strategy") {
      STRATA_TRY(StrategySampler strategy, parseRetentions(text, rest));
      return RoutingSampler(std::move(strategy));
    }
    if (word == "rd-cla") {
      STRATA_TRY(const int stride, positiveNumber(text, "k, the stride", rest));
      return RoutingSampler(RdClaSampler{stride});
    }
    if (word == "cla") {
      STRATA_TRY(const int stride, positiveNumber(text, "k, the stride", rest));
      return RoutingSampler(ClaSampler{stride});
    }
  }
  return badSampler("The sampler " + quoted(text) +
                    " is not known; give uniform, window:w, geometric:q, strategy, strategy:r,…, rd-cla:k or cla:k.");
}

std::string RoutingSampler::print() const {
  return std::visit(Overloaded{[](const UniformSampler&) { return std::string("uniform"); },
                               [](const WindowSampler& s) { return "window:" + std::to_string(s.width); },
                               [](const GeometricSampler& s) { return "geometric:" + printReal(s.q); },
                               [](const StrategySampler& s) {
                                 std::string text = "strategy";
                                 if (s.retentions == StrategySampler().retentions) return text;
                                 char separator = ':';
                                 for (const double retention : s.retentions) {
                                   text += separator + printReal(retention);
                                   separator = ',';
                                 }
                                 return text;
                               },
                               [](const RdClaSampler& s) { return "rd-cla:" + std::to_string(s.stride); },
                               [](const ClaSampler& s) { return "cla:" + std::to_string(s.stride); }},
                    m_kind);
}

double RoutingSampler::defaultPCross() const {
  const bool whole = std::holds_alternative<StrategySampler>(m_kind) || std::holds_alternative<ClaSampler>(m_kind);
  return whole ? 1 : 0.5;
}

Result<void> RoutingSampler::checkPCross(double pCross) const {
  if (!(pCross >= 0 && pCross <= 1)) {
    return fail(ErrorCode::usage, "p-cross is " + printReal(pCross) + "; give a probability, 0 … 1.", "p-cross");
  }
  if (std::holds_alternative<ClaSampler>(m_kind) && pCross != 1) {
    return fail(ErrorCode::usage,
                "p-cross is " + printReal(pCross) + " but the sampler " + print() +
                    " always borrows; give 1 or take rd-cla:" + std::to_string(std::get<ClaSampler>(m_kind).stride) +
                    ".",
                "p-cross");
  }
  return {};
}

SharingMap RoutingSampler::draw(int layers, double pCross, std::uint64_t seed, std::uint32_t step, std::uint32_t group,
                                std::uint32_t attempt) const {
  assert(layers >= 1);
  return std::visit(Drawing(layers, pCross, {seed, step, group, 0, RandomStream::coin, attempt}), m_kind);
}

std::vector<std::vector<double>> RoutingSampler::probabilities(int layers, double pCross) const {
  const auto size = static_cast<std::size_t>(layers);
  std::vector<std::vector<double>> table(size, std::vector<double>(size, 0.0));
  const auto cell = [&](int layer, int source) -> double& {
    return table[static_cast<std::size_t>(layer)][static_cast<std::size_t>(source)];
  };
  cell(0, 0) = 1;
  for (int layer = 1; layer < layers; ++layer) {
    const auto spread = [&](int first, auto weight) {  // p_cross over first … layer-1 by weight
      double total = 0;
      for (int source = first; source < layer; ++source) total += weight(source);
      for (int source = first; source < layer; ++source) cell(layer, source) = pCross * weight(source) / total;
      cell(layer, layer) = 1 - pCross;
    };
    const auto alike = [](int) { return 1.0; };
    const auto toOwner = [&](int stride, double probability) {
      cell(layer, layer) = 1 - probability;
      cell(layer, ownerUnderStride(layer, stride)) += probability;
    };
    std::visit(Overloaded{[&](const UniformSampler&) { spread(0, alike); },
                          [&](const WindowSampler& s) { spread(layer - std::min(s.width, layer), alike); },
                          [&](const GeometricSampler& s) {
                            spread(0, [&](int source) { return std::pow(1 - s.q, layer - source - 1); });
                          },
                          [&](const StrategySampler& s) {
                            cell(layer, layer) = 1 - pCross;
                            for (const double retention : s.retentions) {
                              const int owners = ownersForRetention(retention, layers);
                              for (int source = 0; source <= layer; ++source) {
                                cell(layer, source) += pCross / static_cast<double>(s.retentions.size()) *
                                                       strategyProbability(layers, owners, layer, source);
                              }
                            }
                          },
                          [&](const RdClaSampler& s) { toOwner(s.stride, pCross); },
                          [&](const ClaSampler& s) { toOwner(s.stride, 1); }},
               m_kind);
  }
  return table;
}

double warmedPCross(double pCross, std::uint32_t step, std::uint32_t warmupSteps) {
  if (step >= warmupSteps) return pCross;
  return pCross * step / warmupSteps;
}

}  // namespace strata
