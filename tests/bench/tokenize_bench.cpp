// tokenize_bench TOKENIZER FILE...: how long it takes to open the tokenizer and to encode each file as one text, in
// seconds, and a checksum of the ids; one JSON line each. tests/bench/tokenizers.py runs it beside the library.
#include <chrono>
#include <cstdio>

#include "core/base/files.h"
#include "core/text/tokenizer.h"

namespace {

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: tokenize_bench TOKENIZER FILE...\n", stderr);
    return 2;
  }
  auto start = std::chrono::steady_clock::now();
  const auto tokenizer = strata::openTokenizer(argv[1]);
  const double opening = secondsSince(start);
  if (!tokenizer || !*tokenizer) {
    std::fprintf(stderr, "%s\n", tokenizer ? "no tokenizer there" : tokenizer.error().message.c_str());
    return 1;
  }
  std::printf("{\"open_s\": %.6f}\n", opening);
  for (int i = 2; i < argc; ++i) {
    const auto text = strata::readFile(argv[i]);
    if (!text) {
      std::fprintf(stderr, "%s\n", text.error().message.c_str());
      return 1;
    }
    start = std::chrono::steady_clock::now();
    const auto ids = (*tokenizer)->encode(*text);
    const double seconds = secondsSince(start);
    std::uint32_t checksum = 0;
    for (const strata::TokenId id : ids) checksum = checksum * 31 + static_cast<std::uint32_t>(id);
    std::printf("{\"file\": \"%s\", \"bytes\": %zu, \"ids\": %zu, \"checksum\": %u, \"seconds\": %.6f}\n", argv[i],
                text->size(), ids.size(), checksum, seconds);
  }
  return 0;
}
