// tokenizer.model: no crash, and what opens encodes, decodes and streams a few texts.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/text/sentencepiece_tokenizer.h"
#include "memory_file.h"

namespace {

constexpr std::array<std::string_view, 5> kTexts = {"", " Hello  world, it's 2024!\n\n", "a<s>b </s> c",
                                                    "日本é\u0301 \u2581 👍🏽", "a\xFF\xE2\x82"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strata;
  static fuzz::MemoryFile file;
  const auto opened = openSentencePiece(file.with(data, size), {});
  if (!opened) {
    if (opened.error().message.empty()) std::abort();
    return 0;
  }
  const Tokenizer& tokenizer = **opened;
  for (const std::string_view text : kTexts) {
    const std::vector<TokenId> ids = tokenizer.encode(text);
    tokenizer.ofRenderedChats().encode(text);
    if (!tokenizer.decode(ids)) std::abort();
    TokenStream stream(tokenizer, false);
    for (const TokenId id : ids) stream.push(id);
    stream.finish();
  }
  return 0;
}
