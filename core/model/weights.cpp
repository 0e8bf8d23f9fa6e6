#include "core/model/weights.h"

#include <ATen/ATen.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <span>

#include "core/base/philox.h"
#include "core/base/system_memory.h"
#include "core/checkpoint/tensor_values.h"
#include "core/model/memory.h"
#include "core/model/threads.h"

namespace strata {
namespace {

/// Names within a layer, in the order of Hugging Face's modules.
struct LinearMember {
  const char* name;
  Linear LayerWeights::*member;
};
struct HeadNorm {
  const char* name;
  at::Tensor LayerWeights::*member;
};
constexpr HeadNorm kHeadNorms[] = {{"self_attn.q_norm.weight", &LayerWeights::qNorm},
                                   {"self_attn.k_norm.weight", &LayerWeights::kNorm}};
constexpr LinearMember kLinears[] = {{"self_attn.q_proj", &LayerWeights::q}, {"self_attn.k_proj", &LayerWeights::k},
                                     {"self_attn.v_proj", &LayerWeights::v}, {"self_attn.o_proj", &LayerWeights::o},
                                     {"mlp.gate_proj", &LayerWeights::gate}, {"mlp.up_proj", &LayerWeights::up},
                                     {"mlp.down_proj", &LayerWeights::down}};

std::string layerPrefix(std::size_t layer) {
  return "model.layers." + std::to_string(layer) + ".";
}

at::Tensor normalTensor(at::IntArrayRef shape, double std, std::uint64_t seed, std::uint32_t index) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  float* values = tensor.data_ptr<float>();
  const std::int64_t count = tensor.numel();
  parallelFor((count + 1) / 2, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = 2 * begin; i < std::min(2 * end, count); i += 2) {
      const auto pair = randomNormals({seed, static_cast<std::uint32_t>(i / 2),
                                       static_cast<std::uint32_t>((i / 2) >> 32), index, RandomStream::weightInit});
      values[i] = static_cast<float>(std * pair[0]);
      if (i + 1 < count) values[i + 1] = static_cast<float>(std * pair[1]);
    }
  });
  return tensor;
}

/// The parameters that are stored in `dtype`, by name, read from the files into one block: parts of a huge page are not
/// wasted on each.
Result<std::map<std::string, at::Tensor>> copiedTensors(const Checkpoint& checkpoint, at::ScalarType dtype,
                                                        const std::set<std::string>& unread) {
  constexpr std::int64_t kAlignment = 64, kPiece = 4 << 20;
  struct Piece {
    const MappedFile* file;
    std::size_t offset;
    std::span<std::byte> to;
  };
  std::vector<std::pair<std::string, std::int64_t>> places;
  std::int64_t total = 0;
  for (const auto& [name, shape] : parameterShapes(checkpoint.config())) {
    const TensorView& view = checkpoint.tensor(name);
    if (unread.contains(name) || toTorch(view.dtype) != dtype || !view.holdsElements()) continue;
    places.emplace_back(name, total);
    total += (static_cast<std::int64_t>(view.bytes.size()) + kAlignment - 1) / kAlignment * kAlignment;
  }
  std::map<std::string, at::Tensor> copies;
  if (places.empty()) return copies;
  const MemoryScope scope(MemoryPart::weights);
  const at::Tensor block = at::empty({total}, at::kByte);
  auto* data = reinterpret_cast<std::byte*>(block.data_ptr());
  std::vector<Piece> pieces;
  for (const auto& [name, place] : places) {
    const TensorView& view = checkpoint.tensor(name);
    const auto offset = static_cast<std::size_t>(view.bytes.data() - view.file->bytes().data());
    for (std::size_t done = 0; done < view.bytes.size(); done += kPiece) {
      const std::size_t count = std::min<std::size_t>(kPiece, view.bytes.size() - done);
      pieces.push_back({view.file.get(), offset + done, {data + place + done, count}});
    }
    const auto keep = [block](void*) {};
    copies[name] = at::from_blob(data + place, view.shape, keep, at::TensorOptions(dtype));
  }
  std::mutex mutex;
  Result<void> all;
  parallelFor(static_cast<std::int64_t>(pieces.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Piece& piece = pieces[static_cast<std::size_t>(i)];
      const Result<void> read = piece.file->read(piece.offset, piece.to);
      const std::lock_guard lock(mutex);
      if (!read) all = read;
      if (!all) return;
    }
  });
  STRATA_CHECK(all);
  return copies;
}

/// A tensor that a GGUF file holds in blocks or in another order, converted once.
at::Tensor decodedTensor(const TensorView& view, at::ScalarType dtype) {
  at::Tensor tensor = at::empty(view.shape, at::TensorOptions(dtype));
  auto* data = static_cast<std::byte*>(tensor.data_ptr());
  const std::int64_t rows = rowsOf(view);
  const std::size_t rowBytes = tensor.nbytes() / static_cast<std::size_t>(rows);
  parallelFor(rows, 16, [&](std::int64_t begin, std::int64_t end) {
    const std::size_t offset = static_cast<std::size_t>(begin) * rowBytes;
    readRows(view, begin, end, fromTorch(dtype), {data + offset, static_cast<std::size_t>(end - begin) * rowBytes});
  });
  return tensor;
}

/// Blocks are only a part of what they become: refused where that has no room.
Result<void> checkDecodedFit(const Checkpoint& checkpoint, at::ScalarType dtype, const std::set<std::string>& unread) {
  std::int64_t bytes = 0;
  for (const auto& [name, shape] : parameterShapes(checkpoint.config())) {
    const TensorView& view = checkpoint.tensor(name);
    if (!unread.contains(name) && view.blocks != Blocks::none) {
      bytes += view.elements() * static_cast<std::int64_t>(bytesOf(fromTorch(dtype)));
    }
  }
  const std::int64_t available = systemMemory("MemAvailable");
  if (available == 0 || bytes <= available) return {};
  const auto mebibytes = [](std::int64_t count) { return std::to_string(count >> 20) + " MiB"; };
  return fail(ErrorCode::outOfMemory,
              checkpoint.folder().string() + ": its weights take " + mebibytes(bytes) + " once they are read, and " +
                  mebibytes(available) + " are available; close something or use a smaller model.",
              checkpoint.folder().string());
}

/// Whether a parameter is the matrix of a linear layer or of a head of its own.
bool isQuantizable(const std::string& name) {
  return name.ends_with("_proj.weight") || name == "lm_head.weight";
}

/// Fills a Weights by asking for each parameter in the order of parameterShapes(); `finish` is called for each linear
/// layer, the head as "lm_head", once it is there.
Weights buildWeights(const ModelConfig& config, const std::function<at::Tensor(const std::string&)>& get,
                     const std::function<void(const std::string&, Linear&)>& finish = {}) {
  const MemoryScope scope(MemoryPart::weights);
  Weights weights;
  weights.embedding = get("model.embed_tokens.weight");
  weights.layers.resize(static_cast<std::size_t>(config.layers));
  for (std::size_t l = 0; l < weights.layers.size(); ++l) {
    LayerWeights& layer = weights.layers[l];
    const std::string prefix = layerPrefix(l);
    layer.inputNorm = get(prefix + "input_layernorm.weight");
    layer.postNorm = get(prefix + "post_attention_layernorm.weight");
    for (const auto& [name, member] : kLinears) {
      const LayerTraits& traits = config.traits;
      const bool mlp = std::string_view(name).starts_with("mlp");
      const bool hasBias = mlp ? traits.mlpBias : member == &LayerWeights::o ? traits.outputBias : traits.qkvBias;
      Linear& linear = layer.*member;
      linear.weight = get(prefix + name + ".weight");
      if (hasBias) linear.bias = get(prefix + name + ".bias");
      if (finish) finish(prefix + name, linear);
    }
    if (!config.traits.qkNorm) continue;
    for (const auto& [name, member] : kHeadNorms) layer.*member = get(prefix + name);
  }
  weights.norm = get("model.norm.weight");
  weights.head.weight = config.tied ? weights.embedding : get("lm_head.weight");
  if (finish) finish("lm_head", weights.head);
  return weights;
}

}  // namespace

Linear Linear::plain(at::ScalarType dtype) const {
  Linear linear = *this;
  if (quantized) {
    linear.weight = dequantizeRows(*quantized, 0, quantized->outputs(), dtype);
    linear.quantized.reset();
  }
  return linear;
}

std::int64_t Linear::weightBytes() const {
  if (quantized) return quantized->bytes();
  return weight.defined() ? static_cast<std::int64_t>(weight.nbytes()) : 0;
}

double quantizationError(const Weights& weights) {
  double error = 0, norm = 0;
  const auto add = [&](const Linear& linear) {
    if (!linear.quantized) return;
    error += linear.quantized->squaredError;
    norm += linear.quantized->squaredNorm;
  };
  for (const LayerWeights& layer : weights.layers) {
    for (const auto& [name, member] : kLinears) add(layer.*member);
  }
  add(weights.head);
  return norm > 0 ? std::sqrt(error / norm) : 0;
}

std::int64_t weightBytes(const Weights& weights, bool tied) {
  std::int64_t bytes = 0;
  Weights all = weights;
  visitParameters(all, tied,
                  [&](const std::string&, at::Tensor& tensor) { bytes += static_cast<std::int64_t>(tensor.nbytes()); });
  visitLinears(all, [&](const std::string&, Linear& linear) { bytes += linear.quantized ? linear.weightBytes() : 0; });
  return bytes + (weights.head.quantized ? weights.head.weightBytes() : 0);
}

std::vector<at::Tensor*> parametersOf(LayerWeights& layer) {
  std::vector<at::Tensor*> all = {&layer.inputNorm, &layer.postNorm, &layer.qNorm, &layer.kNorm};
  for (const auto& [name, member] : kLinears) {
    Linear& linear = layer.*member;
    for (at::Tensor* tensor : {&linear.weight, &linear.bias, &linear.loraA, &linear.loraB}) all.push_back(tensor);
  }
  std::erase_if(all, [](const at::Tensor* tensor) { return !tensor->defined(); });
  return all;
}

void visitLinears(Weights& weights, const std::function<void(const std::string&, Linear&)>& f) {
  for (std::size_t l = 0; l < weights.layers.size(); ++l) {
    for (const auto& [name, member] : kLinears) f(layerPrefix(l) + name, weights.layers[l].*member);
  }
}

void visitParameters(Weights& weights, bool tied, const std::function<void(const std::string&, at::Tensor&)>& f,
                     bool adapters) {
  const auto visit = [&](const std::string& name, at::Tensor& tensor) {
    if (tensor.defined()) f(name, tensor);
  };
  visit("model.embed_tokens.weight", weights.embedding);
  for (std::size_t l = 0; l < weights.layers.size(); ++l) {
    LayerWeights& layer = weights.layers[l];
    const std::string prefix = layerPrefix(l);
    visit(prefix + "input_layernorm.weight", layer.inputNorm);
    visit(prefix + "post_attention_layernorm.weight", layer.postNorm);
    for (const auto& [name, member] : kHeadNorms) visit(prefix + name, layer.*member);
    for (const auto& [name, member] : kLinears) {
      Linear& linear = layer.*member;
      visit(prefix + name + ".weight", linear.weight);
      visit(prefix + name + ".bias", linear.bias);
      if (adapters) {
        visit(prefix + name + ".lora_A.weight", linear.loraA);
        visit(prefix + name + ".lora_B.weight", linear.loraB);
      }
    }
  }
  visit("model.norm.weight", weights.norm);
  if (tied) {
    if (!weights.head.quantized) weights.head.weight = weights.embedding;  // a visitor may have replaced it
  } else {
    visit("lm_head.weight", weights.head.weight);
  }
}

at::ScalarType toTorch(DType type) {
  switch (type) {
    case DType::f16:
      return at::kHalf;
    case DType::bf16:
      return at::kBFloat16;
    case DType::f32:
      break;
  }
  return at::kFloat;
}

DType fromTorch(at::ScalarType type) {
  if (type == at::kHalf) return DType::f16;
  return type == at::kBFloat16 ? DType::bf16 : DType::f32;
}

at::Tensor tensorOf(const TensorView& view, at::ScalarType dtype, c10::Device device) {
  const at::ScalarType stored = toTorch(view.dtype);
  if (device.is_meta()) return at::empty(view.shape, at::TensorOptions(dtype).device(device));
  if (!view.holdsElements()) return decodedTensor(view, dtype).to(device);
  auto* data = const_cast<std::byte*>(view.bytes.data());  // NOLINT: from_blob takes no const; the map is read-only
  const auto keep = [file = view.file](void*) {};
  const bool aligned = reinterpret_cast<std::uintptr_t>(data) % bytesOf(view.dtype) == 0;
  at::Tensor tensor;
  if (aligned) {
    tensor = at::from_blob(data, view.shape, keep, at::TensorOptions(stored));
  } else {
    tensor = at::empty(view.shape, at::TensorOptions(stored));
    std::memcpy(tensor.data_ptr(), data, view.bytes.size());
  }
  return tensor.to(device, dtype);
}

Placement placementOf(const Checkpoint& checkpoint) {
  auto memory = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  std::ifstream limit("/sys/fs/cgroup/memory.max");  // a number, or "max"
  if (std::int64_t most = 0; limit >> most && most > 0) memory = std::min(memory, most);
  return checkpoint.bytesOnDisk() <= memory / 2 ? Placement::copied : Placement::mapped;
}

Result<Weights> loadWeights(const Checkpoint& checkpoint, at::ScalarType dtype, c10::Device device, Placement placement,
                            const SharingMap* only, const Quantization& quantization) {
  const bool quantizes = quantization.bits > 0;
  std::set<std::string> unread;
  for (int l = 0; only != nullptr && l < only->layers(); ++l) {
    for (const char* name : {"self_attn.k_proj.weight", "self_attn.k_proj.bias", "self_attn.v_proj.weight",
                             "self_attn.v_proj.bias", "self_attn.k_norm.weight"}) {
      if (!only->owns(l)) unread.insert(layerPrefix(static_cast<std::size_t>(l)) + name);
    }
  }
  if (device.is_cpu()) STRATA_CHECK(checkDecodedFit(checkpoint, dtype, unread));
  std::map<std::string, at::Tensor> copies;
  if (placement == Placement::copied && device.is_cpu()) {
    std::set<std::string> uncopied = unread;
    for (const auto& [name, shape] : parameterShapes(checkpoint.config())) {
      if (quantizes && isQuantizable(name)) uncopied.insert(name);
    }
    STRATA_TRY(copies, copiedTensors(checkpoint, dtype, uncopied));
  }
  const auto get = [&](const std::string& name) {
    if (unread.contains(name)) return at::Tensor();
    const auto copy = copies.find(name);
    if (copy != copies.end()) return copy->second;
    const bool rounds = quantizes && isQuantizable(name);  // on the CPU
    return tensorOf(checkpoint.tensor(name), dtype, rounds ? c10::Device(c10::DeviceType::CPU) : device);
  };
  std::string notFinite;
  const auto quantize = [&](const std::string& name, Linear& linear) {
    if (!linear.weight.defined()) return;
    linear.quantized =
        quantizeWeight(linear.weight.cpu(), name == "lm_head" ? headQuantization(quantization) : quantization);
    linear.quantized->codes = linear.quantized->codes.to(device);
    linear.quantized->scales = linear.quantized->scales.to(device);
    linear.weight = at::Tensor();
    if (!std::isfinite(linear.quantized->squaredError)) notFinite = name;
    for (const MappedFile* file : checkpoint.files()) file->releasePages();
  };
  Weights weights =
      quantizes ? buildWeights(checkpoint.config(), get, quantize) : buildWeights(checkpoint.config(), get);
  if (!notFinite.empty()) {
    return fail(ErrorCode::invalidData,
                "The weights of " + notFinite + " are not all finite numbers and cannot be rounded; open the model " +
                    "as it is stored.",
                notFinite);
  }
  STRATA_CHECK(checkpoint.checkUnchanged());
  if (placement == Placement::copied || !device.is_cpu()) {
    for (const MappedFile* file : checkpoint.files()) file->releasePages();
  }
  return weights;
}

Result<void> attachAdapter(Weights& weights, const Adapter& adapter, at::ScalarType dtype, c10::Device device) {
  const MemoryScope scope(MemoryPart::weights);
  std::set<std::string> attached;
  visitLinears(weights, [&](const std::string& name, Linear& linear) {
    const auto found = adapter.pairs.find(name);
    if (found == adapter.pairs.end()) return;
    linear.loraA = tensorOf(found->second.a, dtype, device).clone();  // the file may change
    linear.loraB = tensorOf(found->second.b, dtype, device).clone();
    linear.loraScale = found->second.scale;
    attached.insert(name);
  });
  for (const auto& [name, pair] : adapter.pairs) {
    STRATA_CHECK(pair.a.file->checkUnchanged());
    if (attached.contains(name)) continue;
    return fail(ErrorCode::unsupported,
                "The adapter changes " + name +
                    ", which is not a linear layer of a decoder layer; merge it into the checkpoint first.",
                name);
  }
  return {};
}

Weights initialWeights(const ModelConfig& config, std::uint64_t seed, c10::Device device) {
  const double std = config.raw.value("initializer_range", 0.02);
  std::map<std::string, std::pair<std::uint32_t, std::vector<std::int64_t>>> shapes;
  for (const auto& [name, shape] : parameterShapes(config)) {
    shapes[name] = {static_cast<std::uint32_t>(shapes.size()), shape};
  }
  return buildWeights(config, [&](const std::string& name) {
    const auto& [index, shape] = shapes.at(name);
    if (name.ends_with(".bias")) return at::zeros(shape, at::TensorOptions(at::kFloat).device(device));
    if (shape.size() == 1) return at::ones(shape, at::TensorOptions(at::kFloat).device(device));
    return normalTensor(shape, std, seed, index).to(device);
  });
}

at::Tensor mergedWeight(const Linear& linear) {
  at::Tensor weight = linear.weight.to(at::kFloat);
  if (!linear.loraA.defined()) return weight;
  return weight + linear.loraScale * at::mm(linear.loraB.to(at::kFloat), linear.loraA.to(at::kFloat));
}

}  // namespace strata
