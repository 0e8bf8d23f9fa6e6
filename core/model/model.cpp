#include "core/model/model.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>

#include <new>

#include "core/model/device.h"

namespace strata {

Error errorFromException(const std::exception& exception) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&exception) != nullptr ||
      dynamic_cast<const std::bad_alloc*>(&exception) != nullptr) {
    return {ErrorCode::outOfMemory,
            "There is not enough memory for this; use a smaller batch, a shorter context or a map with fewer owners.",
            "memory", "out_of_memory"};
  }
  const auto* torchError = dynamic_cast<const c10::Error*>(&exception);
  const std::string what = torchError != nullptr ? torchError->what_without_backtrace() : exception.what();
  if (what.find("not enough memory") != std::string::npos || what.find("out of memory") != std::string::npos) {
    return {ErrorCode::outOfMemory,
            "There is not enough memory for this; use a smaller batch, a shorter context or a map with fewer owners.",
            "memory", "out_of_memory"};
  }
  return {ErrorCode::internal, "The computation failed: " + what.substr(0, what.find('\n')), "engine"};
}

Model::Model(ModelConfig config, Weights weights, at::ScalarType dtype, std::int64_t context)
    : m_config(std::move(config)),
      m_weights(std::move(weights)),
      m_dtype(dtype),
      m_context(context > 0 ? context : m_config.maxPositions),
      m_eosIds(m_config.eosIds),
      m_defaultMap(SharingMap::full(m_config.layers)) {
  m_rope = makeRope(m_config, m_context, device());
}

std::shared_ptr<const Model> Model::over(const ModelConfig& config, Weights weights, at::ScalarType computeDtype,
                                         std::shared_ptr<const Tokenizer> tokenizer) {
  const c10::NoGradGuard guard;
  visitParameters(weights, config.tied,
                  [&](const std::string&, at::Tensor& tensor) { tensor = tensor.detach().to(computeDtype); });
  std::shared_ptr<Model> model(new Model(config, std::move(weights), computeDtype, 0));
  model->m_tokenizer = std::move(tokenizer);
  return model;
}

Result<const Tokenizer*> Model::needTokenizer() const {
  if (m_tokenizer) return m_tokenizer.get();
  if (m_tokenizerProblem) return tl::unexpected(*m_tokenizerProblem);
  return fail(
      ErrorCode::notFound,
      "The model has neither tokenizer.json nor tokenizer.model, so it knows no text; add one or give token ids.",
      "tokenizer");
}

Result<void> Model::checkFiles() const {
  return m_checkpoint ? m_checkpoint->checkUnchanged() : Result<void>();
}

std::string Model::kvName() const {
  return strata::kvName(m_kv, configName(fromTorch(m_dtype)));
}

std::shared_ptr<const Model> Model::withKv(KvFormat format) const {
  std::shared_ptr<Model> other(new Model(*this));
  other->m_kv = format;
  return other;
}

Result<std::shared_ptr<const Model>> Model::open(const OpenOptions& options) {
  STRATA_TRY(const c10::Device device, chooseDevice(options.device));
  STRATA_TRY(Checkpoint checkpoint, Checkpoint::open(options.path));
  DType dtype = checkpoint.storedDType();
  if (!options.dtype.empty()) {
    const auto given = parseDType(options.dtype);
    if (!given || *given == DType::f16) {
      return fail(ErrorCode::usage,
                  "The dtype '" + options.dtype + "' cannot be computed in; give float32 or bfloat16.", "--dtype");
    }
    dtype = *given;
  }
  STRATA_TRY(const Quantization quantization, parseQuantization(options.weights));
  if (dtype == DType::f16 && (device.is_cpu() || quantization.bits > 0)) dtype = DType::f32;
  STRATA_TRY(const KvFormat kv, parseKvFormat(options.kv));
  if (kv != KvFormat::plain && !device.is_cpu()) {
    return fail(
        ErrorCode::unsupported,
        "A KV cache in 8 bits is read on the CPU alone; on " + options.device + " open the model with a plain one.",
        "--kv");
  }
  if (options.context < 0) return fail(ErrorCode::usage, "The context must be 1 or more.", "--context");
  try {
    SharingMap served = checkpoint.map().value_or(SharingMap::full(checkpoint.config().layers));
    if (options.onlyMap && !options.onlyMap->empty()) {
      STRATA_TRY(served, parseMap(*options.onlyMap, checkpoint.config().layers));
    }
    const Placement placement = options.placement ? *options.placement : placementOf(checkpoint);
    STRATA_TRY(Weights weights, loadWeights(checkpoint, toTorch(dtype), device, placement,
                                            options.onlyMap ? &served : nullptr, quantization));
    if (!options.adapter.empty()) {
      STRATA_TRY(const Adapter adapter, readAdapter(options.adapter, checkpoint.config()));
      STRATA_CHECK(attachAdapter(weights, adapter, toTorch(dtype), device));
    }
    std::shared_ptr<Model> model(new Model(checkpoint.config(), std::move(weights), toTorch(dtype), options.context));
    model->m_kv = kv;
    model->m_mapped = placement == Placement::mapped;
    if (checkpoint.map()) model->m_defaultMap = *checkpoint.map();
    STRATA_TRY(model->m_eosIds, strata::eosIds(checkpoint));
    Result<std::unique_ptr<Tokenizer>> tokenizer = openTokenizer(options.path);
    if (tokenizer) {
      model->m_tokenizer = std::move(*tokenizer);
    } else {
      model->m_tokenizerProblem = tokenizer.error();
    }
    model->m_checkpoint = std::move(checkpoint);
    return std::shared_ptr<const Model>(std::move(model));
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
}

}  // namespace strata
