// safetensors files: no crash, and the tensors of what is accepted lie in the data, whole and apart.
// An input that starts with '{' is a header up to the first line end and then the data; the length before it is added
// here, so that the fuzzer need not guess it. Any other input is the file as it stands.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/checkpoint/safetensors.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check(std::span<const std::byte> file) {
  strata::SkippedTensors skipped;
  const auto tensors = strata::parseSafetensors(file, "input", &skipped);
  if (!tensors) {
    require(!tensors.error().message.empty() && tensors.error().message.back() == '.');
    return;
  }
  std::vector<std::span<const std::byte>> places;
  for (const auto& [name, view] : *tensors) {
    std::int64_t elements = 1;
    for (const std::int64_t extent : view.shape) {
      require(extent >= 0);
      elements *= extent;
    }
    require(elements == view.elements());
    require(view.bytes.size() == static_cast<std::size_t>(elements) * strata::bytesOf(view.dtype));
    if (!view.bytes.empty()) places.push_back(view.bytes);
    std::vector<float> values(static_cast<std::size_t>(elements));
    strata::convertToFloat(view.bytes, view.dtype, values);
  }
  std::sort(places.begin(), places.end(), [](auto a, auto b) { return a.data() < b.data(); });
  const std::byte* reached = file.data() + 8;
  for (const auto place : places) {
    require(place.data() >= reached);
    require(!skipped.empty() || place.data() == places.front().data() || place.data() == reached);
    reached = place.data() + place.size();
  }
  require(reached <= file.data() + file.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (!text.starts_with('{')) {
    check(std::as_bytes(std::span(data, size)));
    return 0;
  }
  const std::size_t lineEnd = std::min(text.find('\n'), size);
  const std::uint64_t length = lineEnd;
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  file += text.substr(0, lineEnd);
  if (lineEnd < size) file += text.substr(lineEnd + 1);
  check(std::as_bytes(std::span(file)));
  return 0;
}
