// decode_bench MODEL [--context 512] [--tokens 32] [--rounds 5] [--threads 2] [--only WAY]...: tokens a second of
// several ways to decode (or of some, for a profile), alternating in each round, beside the machine's plain reading of
// memory in the same round:
//   one sequence, full map and 50 % and 25 % of the cache; the sides A (full) and B (50 %) in turns and together; up to
//   a context of 1,024 also 8 and 16 sequences together, each in a session of its own.
// Medians and ratios, and one JSON line.
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/model/session.h"

namespace {

using namespace strata;
using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// GB/s of summing memory that no cache holds.
double readBandwidth(const std::vector<std::uint64_t>& memory, int threads) {
  const auto started = Clock::now();
  std::vector<std::thread> readers;
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(threads) * 8);
  const std::size_t share = memory.size() / static_cast<std::size_t>(threads);
  for (std::size_t t = 0; t < static_cast<std::size_t>(threads); ++t) {
    readers.emplace_back([&, t] {
      std::uint64_t sum = 0;
      for (std::size_t i = t * share; i < (t + 1) * share; ++i) sum += memory[i];
      sums[t * 8] = sum;
    });
  }
  for (std::thread& reader : readers) reader.join();
  const double seconds = secondsSince(started);
  for (const std::uint64_t sum : sums) {
    if (sum == 1) std::printf(" ");  // so that nothing is left out
  }
  return static_cast<double>(memory.size() * 8) / seconds / 1e9;
}

/// Sessions that hold `context` tokens each and go on together; made when they are first measured.
class Group {
 public:
  Group(const std::shared_ptr<const Model>& model, const std::vector<SharingMap>& maps, int context, int tokens)
      : m_model(model), m_maps(maps), m_context(context), m_tokens(tokens) {}
  /// Tokens a second of all sequences.
  double together() { return timed(false); }
  double inTurns() { return timed(true); }

 private:
  void fill() {
    for (const SharingMap& map : m_maps) {
      const SessionOptions options{.capacity = m_context + m_tokens};
      m_sessions.push_back(std::make_unique<InferenceSession>(m_model, map, options));
      std::vector<TokenId> prompt;
      for (int i = 0; i < m_context; ++i) {
        prompt.push_back(static_cast<TokenId>((7 + 31 * (i + 5 * static_cast<int>(m_sessions.size()))) % 1000));
      }
      if (!m_sessions.back()->prefill({prompt})) std::exit(1);
    }
  }
  double timed(bool inTurns) {
    if (m_sessions.empty()) fill();
    std::vector<InferenceSession*> all;
    for (const auto& each : m_sessions) {
      each->rewind(m_context);
      all.push_back(each.get());
    }
    std::vector<TokenId> next(1, 5);
    const std::vector<const std::vector<TokenId>*> ids(all.size(), &next);
    const auto started = Clock::now();
    for (int i = 0; i < m_tokens; ++i) {
      if (inTurns) {
        for (InferenceSession* each : all) {
          if (!each->decode(next)) std::exit(1);
        }
      } else {
        for (const auto& logits : InferenceSession::decodeTogether(all, ids)) {
          if (!logits) std::exit(1);
        }
      }
    }
    return static_cast<double>(all.size()) * m_tokens / secondsSince(started);
  }

  std::shared_ptr<const Model> m_model;
  std::vector<SharingMap> m_maps;
  int m_context, m_tokens;
  std::vector<std::unique_ptr<InferenceSession>> m_sessions;
};

}  // namespace

int main(int argc, char** argv) {
  int context = 512, tokens = 32, rounds = 5, threads = 2;
  std::vector<std::string> only;
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--only") {
      only.push_back(argv[i + 1]);
      continue;
    }
    int& value = name == "--context" ? context : name == "--tokens" ? tokens : name == "--rounds" ? rounds : threads;
    value = std::stoi(argv[i + 1]);
  }
  if (argc < 2) {
    std::fprintf(stderr,
                 "decode_bench MODEL [--context 512] [--tokens 32] [--rounds 5] [--threads 2] [--only WAY]...\n");
    return 2;
  }
  at::set_num_threads(threads);
  const auto opened = Model::open({.path = argv[1]});
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return 1;
  }
  const std::shared_ptr<const Model>& model = *opened;
  const int layers = model->config().layers;
  const SharingMap full = SharingMap::full(layers), half = *parseMap("retention:.5", layers),
                   quarter = *parseMap("retention:.25", layers);
  constexpr int kMostBatched = 1024;  // positions; filling more of so many caches takes minutes
  const std::size_t several = 8;
  Group alone(model, {full}, context, tokens), alone50(model, {half}, context, tokens),
      alone25(model, {quarter}, context, tokens), sides(model, {full, half}, context, tokens),
      eight(model, std::vector<SharingMap>(several, full), context, tokens),
      sixteen(model, std::vector<SharingMap>(2 * several, full), context, tokens);
  const std::vector<std::uint64_t> memory(std::size_t{64} << 20, 3);
  struct Way {
    const char* name;
    std::function<double()> run;
    std::vector<double> values = {};
  };
  std::vector<Way> ways = {{"full", [&] { return alone.together(); }},
                           {"50 %", [&] { return alone50.together(); }},
                           {"25 %", [&] { return alone25.together(); }},
                           {"A and B in turns", [&] { return sides.inTurns(); }},
                           {"A and B together", [&] { return sides.together(); }},
                           {"read, GB/s", [&] { return readBandwidth(memory, threads); }}};
  if (context <= kMostBatched || !only.empty()) {
    ways.push_back({"8 together", [&] { return eight.together(); }});
    ways.push_back({"16 together", [&] { return sixteen.together(); }});
  }
  if (!only.empty()) {
    std::erase_if(ways, [&](const Way& way) { return std::find(only.begin(), only.end(), way.name) == only.end(); });
  }
  if (ways.empty()) {
    std::fprintf(stderr, "No way to decode is called %s.\n", only.front().c_str());
    return 2;
  }
  for (int round = 0; round <= rounds; ++round) {  // the first is a warm-up
    for (Way& way : ways) {
      const double value = way.run();
      if (round > 0) way.values.push_back(value);
    }
  }
  std::string json = "{\"context\": " + std::to_string(context) + ", \"threads\": " + std::to_string(threads);
  for (const Way& way : ways) {
    std::printf("%-18s %8.1f   x %.2f of full\n", way.name, median(way.values),
                median(way.values) / median(ways.front().values));
    json += ", \"" + std::string(way.name) + "\": " + std::to_string(median(way.values));
  }
  std::printf("%s}\n", json.c_str());
  return 0;
}
