#include "core/distributed/sharded_parameters.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "core/model/memory.h"

namespace strata {
namespace {

constexpr std::int64_t kAlignment = 16;  // elements: 64 bytes

std::int64_t roundUp(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

struct Arrival final : torch::autograd::PostAccumulateGradHook {
  explicit Arrival(std::function<void()> arrived) : arrived(std::move(arrived)) {}
  void operator()(const torch::autograd::Variable&) override { arrived(); }
  std::function<void()> arrived;
};

}  // namespace

ShardedParameters::ShardedParameters(std::vector<at::Tensor> parameters, Communicator& ranks,
                                     std::int64_t bucketElements)
    : m_ranks(ranks), m_parameters(std::move(parameters)), m_used(m_parameters.size()) {
  const c10::NoGradGuard guard;
  std::reverse(m_parameters.begin(), m_parameters.end());
  const std::int64_t unit = kAlignment * ranks.ranks();
  std::int64_t size = 0;
  for (const at::Tensor& parameter : m_parameters) {
    m_offsets.push_back(size);
    size += roundUp(parameter.numel(), kAlignment);
  }
  size = roundUp(size, unit);
  const auto options = m_parameters.front().options().requires_grad(false);
  {
    const MemoryScope scope(MemoryPart::weights);
    m_flat = at::zeros({size}, options);
  }
  for (std::size_t i = 0; i < m_parameters.size(); ++i) {
    at::Tensor& parameter = m_parameters[i];
    const at::Tensor there = m_flat.narrow(0, m_offsets[i], parameter.numel()).view(parameter.sizes());
    there.copy_(parameter);
    parameter.set_data(there);
    torch::autograd::impl::set_post_acc_grad_hooks(parameter, std::make_unique<Arrival>([this, i] { arrived(i); }));
  }

  m_bucketsOf.resize(m_parameters.size());
  std::int64_t own = 0;
  for (std::int64_t first = 0, each = roundUp(bucketElements, unit); first < size; first += each) {
    Bucket bucket;
    bucket.first = first;
    bucket.last = std::min(size, first + each);
    bucket.offset = own;
    const auto end = [&](std::size_t i) { return m_offsets[i] + m_parameters[i].numel(); };
    std::size_t i = 0;
    while (i < m_parameters.size() && end(i) <= bucket.first) ++i;
    bucket.firstParameter = i;
    for (; i < m_parameters.size() && m_offsets[i] < bucket.last; ++i) m_bucketsOf[i].push_back(m_buckets.size());
    bucket.lastParameter = i;
    own += chunkSize(bucket);
    m_buckets.push_back(bucket);
  }

  const MemoryScope scope(MemoryPart::gradients);
  m_gradient = at::zeros({own}, options);
  const std::int64_t largest = m_buckets.front().last - m_buckets.front().first;
  for (InFlight& flight : m_flights) flight.memory = at::empty({largest}, options);

  for (const Bucket& bucket : m_buckets) {
    const std::int64_t chunk = chunkSize(bucket), begin = bucket.first + ranks.rank() * chunk;
    for (std::size_t i = bucket.firstParameter; i < bucket.lastParameter; ++i) {
      const std::int64_t from = std::max(begin, m_offsets[i]);
      const std::int64_t to = std::min(begin + chunk, m_offsets[i] + m_parameters[i].numel());
      if (from >= to) continue;
      m_pieces.push_back({m_parameters.size() - 1 - i, from - m_offsets[i], to - m_offsets[i],
                          m_flat.narrow(0, from, to - from),
                          m_gradient.narrow(0, bucket.offset + from - begin, to - from)});
    }
  }
}

ShardedParameters::~ShardedParameters() {
  for (const at::Tensor& parameter : m_parameters) torch::autograd::impl::set_post_acc_grad_hooks(parameter, nullptr);
  for (InFlight& flight : m_flights) {
    if (flight.used) m_ranks.wait(flight.ticket);  // its memory is written to until then
  }
}

std::int64_t ShardedParameters::bytesPerStep() const {
  return 2 * static_cast<std::int64_t>(m_flat.nbytes()) / m_ranks.ranks() * (m_ranks.ranks() - 1);
}

void ShardedParameters::begin() {
  m_used.assign(m_parameters.size(), false);
  m_launched = 0;
  m_armed = false;
  m_reductions = 0;
}

void ShardedParameters::arm(const std::vector<bool>& reached) {
  m_armed = true;
  for (Bucket& bucket : m_buckets) {
    bucket.waitsFor = 0;
    for (std::size_t i = bucket.firstParameter; i < bucket.lastParameter; ++i)
      bucket.waitsFor += reached[m_parameters.size() - 1 - i] ? 1 : 0;
  }
}

void ShardedParameters::arrived(std::size_t parameter) {
  if (!m_armed) return;
  for (const std::size_t bucket : m_bucketsOf[parameter]) {
    if (bucket < m_launched) throw std::logic_error("A gradient came after its bucket was sent.");
    --m_buckets[bucket].waitsFor;
  }
  launchReady();
}

void ShardedParameters::launchReady() {
  while (m_launched < m_buckets.size() && m_buckets[m_launched].waitsFor <= 0) launch(m_launched);
}

void ShardedParameters::launch(std::size_t number) {
  const c10::NoGradGuard guard;
  const Bucket& bucket = m_buckets[number];
  InFlight& flight = m_flights[m_nextFlight];
  m_nextFlight = (m_nextFlight + 1) % m_flights.size();
  land(flight);
  const at::Tensor memory = flight.memory.narrow(0, 0, bucket.last - bucket.first).zero_();
  for (std::size_t i = bucket.firstParameter; i < bucket.lastParameter; ++i) {
    at::Tensor& gradient = m_parameters[i].mutable_grad();
    if (!gradient.defined()) continue;
    m_used[m_parameters.size() - 1 - i] = true;
    const std::int64_t from = std::max(bucket.first, m_offsets[i]);
    const std::int64_t to = std::min(bucket.last, m_offsets[i] + gradient.numel());
    memory.narrow(0, from - bucket.first, to - from)
        .copy_(gradient.reshape({-1}).narrow(0, from - m_offsets[i], to - from));
    if (m_bucketsOf[i].back() == number) gradient = at::Tensor();
  }
  flight.bucket = number;
  flight.used = true;
  flight.ticket = m_ranks.reduceScatter(memory);
  ++m_launched;
}

void ShardedParameters::land(InFlight& flight) {
  if (!flight.used) return;
  flight.used = false;
  m_ranks.wait(flight.ticket);
  const Bucket& bucket = m_buckets[flight.bucket];
  const std::int64_t chunk = chunkSize(bucket);
  const at::Tensor sum = flight.memory.narrow(0, m_ranks.rank() * chunk, chunk);
  const at::Tensor own = m_gradient.narrow(0, bucket.offset, chunk);
  if (m_reductions > 0) {
    own.add_(sum);
  } else {
    own.copy_(sum);
  }
}

void ShardedParameters::reduce() {
  const c10::NoGradGuard guard;
  m_armed = false;
  while (m_launched < m_buckets.size()) launch(m_launched);
  for (std::size_t i = 0; i < m_flights.size(); ++i) land(m_flights[(m_nextFlight + i) % m_flights.size()]);
  m_launched = 0;
  ++m_reductions;
}

void ShardedParameters::finish(int reductions) {
  while (m_reductions < reductions) reduce();
}

at::Tensor ShardedParameters::gradientNorm() const {
  return m_gradient.norm();
}

void ShardedParameters::gather() {
  Communicator::Ticket last = 0;
  for (const Bucket& bucket : m_buckets)
    last = m_ranks.allGather(m_flat.narrow(0, bucket.first, bucket.last - bucket.first));
  m_ranks.wait(last);
}

}  // namespace strata
