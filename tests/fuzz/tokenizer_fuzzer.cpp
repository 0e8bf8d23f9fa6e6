// tokenizer.json: no crash, and what opens encodes, decodes and streams a few texts.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/text/tokenizer.h"
#include "core/text/tokenizer_json.h"

namespace {

constexpr std::array<std::string_view, 6> kTexts = {"",
                                                    " Hello  world, it's 2024!\n\n",
                                                    "a<s>b </s> c",
                                                    "日本é\u0301 \u2581 👍🏽",
                                                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
                                                    "a\xFF\xE2\x82"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strata;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const auto opened = parseTokenizerJson(file, "input", {});
  if (!opened) {
    if (opened.error().message.empty()) std::abort();
    return 0;
  }
  const Tokenizer& tokenizer = **opened;
  for (const std::string_view text : kTexts) {
    const std::vector<TokenId> ids = tokenizer.encode(text);
    tokenizer.encode(text, SpecialTokens::plain);
    tokenizer.withSpecials(ids);
    const auto decoded = tokenizer.decode(ids);
    if (!decoded) std::abort();
    for (const bool skipSpecial : {false, true}) {
      TokenStream stream(tokenizer, skipSpecial);
      std::string joined;
      for (const TokenId id : ids) joined += stream.push(id);
      joined += stream.finish();
      // Only a run of byte tokens that is no UTF-8 may come out otherwise.
      const bool byteTokens = file.find("ByteFallback") != std::string_view::npos;
      if (joined != tokenizer.decode(ids, skipSpecial).value() && !byteTokens) std::abort();
    }
    const SegmentedIds segments = encodeSegments(tokenizer, text, {0, text.size() / 2, text.size()});
    if (segments.idsBefore.back() != segments.ids.size()) std::abort();
  }
  for (TokenId id = 0; id < 64 && id < tokenizer.vocabSize(); ++id) {
    if (!tokenizer.decode({id, id})) std::abort();
  }
  return 0;
}
