// GGUF files: no crash; tensors of what is accepted lie whole within the file, and its model and tokenizer are read or
// refused by a sentence.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/checkpoint/gguf_model.h"
#include "core/checkpoint/gguf_tokenizer.h"
#include "core/checkpoint/tensor_values.h"
#include "core/text/sentencepiece_tokenizer.h"
#include "core/text/tokenizer_json.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

template <class T>
bool good(const strata::Result<T>& result) {
  require(result || (!result.error().message.empty() && result.error().message.back() == '.'));
  return result.has_value();
}

void readTensors(const strata::TensorMap& tensors, std::span<const std::byte> file) {
  for (const auto& [name, view] : tensors) {
    std::int64_t elements = 1;
    for (const std::int64_t extent : view.shape) elements *= extent;
    require(elements == view.elements());
    require(view.bytes.data() >= file.data() && view.bytes.data() + view.bytes.size() <= file.data() + file.size());
    for (const strata::DType dtype : {strata::DType::f32, strata::DType::bf16}) {
      require(strata::valuesOf(view, dtype).size() == static_cast<std::size_t>(elements) * strata::bytesOf(dtype));
    }
  }
}

void readModel(const strata::Gguf& gguf, std::span<const std::byte> file) {
  const auto json = strata::configOfGguf(gguf);
  if (!good(json)) return;
  const auto config = strata::parseModelConfig(*json, "input");
  if (!good(config)) return;
  const auto weights = strata::weightsOfGguf(gguf, *config);
  if (good(weights)) readTensors(*weights, file);
}

void readTokenizer(const strata::Gguf& gguf) {
  good(strata::tokenizerConfigOf(gguf));
  const auto stored = strata::tokenizerOf(gguf);
  if (!good(stored) || stored->kind == strata::GgufTokenizer::Kind::none) return;
  const bool sentencePiece = stored->kind == strata::GgufTokenizer::Kind::sentencePiece;
  const auto tokenizer = sentencePiece ? strata::parseSentencePiece(stored->file, "input", {})
                                       : strata::parseTokenizerJson(stored->file, "input", {});
  if (!tokenizer) return;
  const auto ids = (*tokenizer)->encode(" Hello  world<s>\n日本");
  require((*tokenizer)->decode(ids).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  const auto gguf = strata::Gguf::parse(file, "input");
  if (!good(gguf)) return 0;
  readTensors(gguf->tensors(), file);
  readModel(*gguf, file);
  readTokenizer(*gguf);
  return 0;
}
