// What a trainer does on several ranks: their shares, their sums, and rank 0's orders.

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/base/system_memory.h"
#include "core/model/model.h"
#include "core/training/trainer.h"

namespace strata {

Trainer::~Trainer() {
  order(Order::end);
}

void Trainer::shard(Communicator* ranks) {
  m_ranks = ranks;
  std::vector<at::Tensor> values;
  std::int64_t bytes = 0;
  for (const NamedParameter& parameter : m_parameters) {
    values.push_back(parameter.value);
    bytes += static_cast<std::int64_t>(parameter.value.nbytes());
  }
  m_sharded.emplace(std::move(values), *ranks);
  m_pieces = m_sharded->pieces();
  // Whole gradients are kept between micro-batches where memory allows; else each is summed as it comes.
  constexpr std::int64_t kGradientShare = 4;  // of what is free
  std::vector<std::int64_t> rounds = {1};
  if (m_device.is_cpu() && bytes * ranks->localRanks() > systemMemory("MemAvailable") / kGradientShare)
    rounds.front() = microBatches();
  ranks->broadcast(rounds, 0);
  m_rounds = static_cast<int>(rounds.front());
}

void Trainer::giveUp(const std::exception& exception) {
  if (m_ranks != nullptr) m_ranks->abort(errorFromException(exception).message);
}

std::vector<bool> Trainer::reachedBy(const SharingMap& routing) const {
  std::vector<bool> reached(m_parameters.size(), true);
  if (m_config.distill && m_config.distillMu > 0) return reached;  // by the full map
  for (int layer = 0; layer < m_model.layers; ++layer) {
    if (routing.isRead(layer)) continue;
    const std::string attention = "model.layers." + std::to_string(layer) + ".self_attn.";
    for (std::size_t i = 0; i < m_parameters.size(); ++i) {
      const std::string& name = m_parameters[i].name;
      if (name.rfind(attention, 0) != 0) continue;
      const char which = name[attention.size()];  // k_proj, k_norm, v_proj
      if (which == 'k' || which == 'v') reached[i] = false;
    }
  }
  return reached;
}

int Trainer::microBatches() const {
  int most = 0;
  const int groupSize = m_config.batch / m_config.routingGroups, ranks = m_ranks == nullptr ? 1 : m_ranks->ranks();
  for (int rank = 0; rank < ranks; ++rank) {
    const Share own = shareOf(m_config.batch, rank, ranks);
    int count = 0;
    for (auto at = static_cast<int>(own.first); at < own.last; ++count)
      at = std::min({static_cast<int>(own.last), (at / groupSize + 1) * groupSize, at + m_config.microBatch});
    most = std::max(most, count);
  }
  return most;
}

void Trainer::sumOverRanks(double& loss, double& norm) {
  const std::vector<bool>& used = m_sharded->used();
  std::vector<double> sums = {loss, norm * norm};
  for (const bool each : used) sums.push_back(each ? 1 : 0);
  m_ranks->sum(sums);
  loss = sums[0];
  norm = std::sqrt(sums[1]);
  // One that no rank had a gradient of is left alone.
  for (auto& piece : m_pieces)
    piece.value.mutable_grad() = sums[2 + piece.parameter] > 0 ? piece.gradient : at::Tensor();
}

void Trainer::order(Order what, std::vector<std::int64_t> with) {
  if (m_ranks == nullptr || !m_ranks->leads()) return;
  with.insert(with.begin(), static_cast<std::int64_t>(what));
  m_ranks->broadcast(with, 0);
}

void Trainer::orderEvaluation(const SharingMap& map, std::size_t sequences) {
  std::vector<std::int64_t> with(map.src().begin(), map.src().end());
  with.insert(with.begin(), static_cast<std::int64_t>(sequences));
  order(Order::evaluate, std::move(with));
}

Result<void> Trainer::saveWith(const Save& save, const std::filesystem::path& folder) {
  order(Order::save);
  if (m_ranks == nullptr) return save(folder);
  std::string text = folder.string();
  m_ranks->broadcast(text, 0);
  Result<void> own;
  try {
    own = save(text);
  } catch (const std::exception& exception) {
    own = tl::unexpected(errorFromException(exception));
  }
  return agree(m_ranks, own);
}

void Trainer::follow(const std::vector<PackedSequence>& sequences, const Save& save) {
  for (;;) {
    std::vector<std::int64_t> told;
    m_ranks->broadcast(told, 0);
    // What goes wrong is rank 0's to say and to decide on: every rank has the same answer.
    switch (static_cast<Order>(told.at(0))) {
      case Order::end:
        return;
      case Order::step:
        (void)step();
        break;
      case Order::drawAgain:
        (void)drawAgain();
        break;
      case Order::leaveOut:
        leaveOutSequences();
        break;
      case Order::evaluate: {
        const std::vector<PackedSequence> first(sequences.begin(), sequences.begin() + told.at(1));
        (void)evaluate(SharingMap::create({told.begin() + 2, told.end()}).value(), first);
        break;
      }
      case Order::save:
        (void)saveWith(save, {});
        break;
    }
  }
}

}  // namespace strata
