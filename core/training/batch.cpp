#include "core/training/batch.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace strata {
namespace {

/// Row t of a sequence may be trained on: something in its own segment predicts it.
bool counts(const PackedSequence& sequence, std::size_t t) {
  return t > 0 && sequence.trained[t] && sequence.segments[t] >= 0 && sequence.segments[t] == sequence.segments[t - 1];
}

/// The first key that each position reads: its segment's; padding reads itself alone, so that no row of the softmax is
/// empty.
void firstKeys(const PackedSequence& sequence, int* first) {
  int begin = 0;
  for (std::size_t t = 0; t < sequence.segments.size(); ++t) {
    const bool begins = t == 0 || sequence.segments[t] < 0 || sequence.segments[t] != sequence.segments[t - 1];
    if (begins) begin = static_cast<int>(t);
    first[t] = begin;
  }
}

}  // namespace

std::int64_t trainedTokens(const std::vector<PackedSequence>& sequences, std::size_t begin, std::size_t end) {
  std::int64_t count = 0;
  for (std::size_t b = begin; b < end; ++b) {
    for (std::size_t t = 0; t < sequences[b].ids.size(); ++t) count += counts(sequences[b], t) ? 1 : 0;
  }
  return count;
}

std::int64_t paddingTokens(const std::vector<PackedSequence>& sequences) {
  std::int64_t count = 0;
  for (const PackedSequence& each : sequences) count += std::count(each.segments.begin(), each.segments.end(), -1);
  return count;
}

Batch makeBatch(const std::vector<PackedSequence>& sequences, std::size_t begin, std::size_t end, c10::Device device) {
  const auto batch = static_cast<std::int64_t>(end - begin);
  const auto length = static_cast<std::int64_t>(sequences[begin].ids.size());
  at::Tensor ids = at::empty({batch, length}, at::kLong), positions = at::empty({batch, length}, at::kLong),
             first = at::empty({batch, length}, at::kInt);
  std::vector<std::int64_t> predicting, targets;
  bool plain = true;
  for (std::int64_t b = 0; b < batch; ++b) {
    const PackedSequence& sequence = sequences[begin + static_cast<std::size_t>(b)];
    std::int64_t* id = ids.data_ptr<std::int64_t>() + b * length;
    std::int64_t* position = positions.data_ptr<std::int64_t>() + b * length;
    firstKeys(sequence, first.data_ptr<int>() + b * length);
    for (std::size_t t = 0; t < sequence.ids.size(); ++t) {
      id[t] = sequence.ids[t];
      position[t] = sequence.positions[t];
      plain = plain && sequence.segments[t] <= 0;  // padding is behind, where causal rows never look
      if (counts(sequence, t)) {
        predicting.push_back(b * length + static_cast<std::int64_t>(t) - 1);
        targets.push_back(sequence.ids[t]);
      }
    }
  }
  Batch result;
  result.ids = ids.to(device);
  result.positions = (plain ? at::arange(length, at::kLong) : positions).to(device);
  if (!plain) result.first = first.to(device);
  result.predicting = at::tensor(predicting, at::kLong).to(device);
  result.targets = at::tensor(targets, at::kLong).to(device);
  return result;
}

}  // namespace strata
