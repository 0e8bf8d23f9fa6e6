#include "core/text/decoder.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>

#include "core/text/byte_level.h"
#include "core/text/decoder_steps.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

constexpr const char* kKnownDecoders =
    "Sequence, ByteLevel, ByteFallback, Metaspace, Replace, Fuse, Strip, WordPiece, BPEDecoder and CTC";

/// A decoder whose steps are made by a function.
class SimpleDecoder final : public Decoder {
 public:
  using Start = std::function<std::unique_ptr<DecoderSink>(DecoderSink&, ByteRuns)>;
  explicit SimpleDecoder(Start start) : m_start(std::move(start)) {}
  std::unique_ptr<DecoderSink> start(DecoderSink& out, ByteRuns runs) const override { return m_start(out, runs); }

 private:
  Start m_start;
};

template <class Step, class... Options>
std::unique_ptr<Decoder> stepOf(Options... options) {
  return std::make_unique<SimpleDecoder>([options...](DecoderSink& out, ByteRuns) -> std::unique_ptr<DecoderSink> {
    return std::make_unique<Step>(out, options...);
  });
}

/// Steps in a row, and what keeps them alive.
class Chain final : public DecoderSink {
 public:
  Chain(const std::vector<std::unique_ptr<Decoder>>& decoders, DecoderSink& out, ByteRuns runs) : m_first(&out) {
    for (std::size_t i = decoders.size(); i-- > 0;) {
      m_steps.push_back(decoders[i]->start(*m_first, runs));
      m_first = m_steps.back().get();
    }
  }
  void text(std::string_view fragment) override { m_first->text(fragment); }
  void endToken() override { m_first->endToken(); }
  void finish() override { m_first->finish(); }

 private:
  std::vector<std::unique_ptr<DecoderSink>> m_steps;  // the last first
  DecoderSink* m_first;
};

class SequenceDecoder final : public Decoder {
 public:
  explicit SequenceDecoder(std::vector<std::unique_ptr<Decoder>> parts) : m_parts(std::move(parts)) {}
  std::unique_ptr<DecoderSink> start(DecoderSink& out, ByteRuns runs) const override {
    return std::make_unique<Chain>(m_parts, out, runs);
  }

 private:
  std::vector<std::unique_ptr<Decoder>> m_parts;
};

Result<std::unique_ptr<Decoder>> makeReplace(const Component& component) {
  STRATA_TRY(std::unique_ptr<Pattern> made, component.pattern("pattern"));
  STRATA_TRY(std::string content, component.text("content"));
  STRATA_TRY(const Component pattern, component.child("pattern"));
  std::string literal;
  if (pattern.has("String")) {
    STRATA_TRY(literal, pattern.text("String"));
  }
  if (!literal.empty()) return stepOf<ReplaceStringStep>(literal, content);
  return stepOf<ReplaceStep>(std::shared_ptr<const Pattern>(std::move(made)), content);
}

Result<std::unique_ptr<Decoder>> makeMetaspace(const Component& component) {
  STRATA_TRY(const char32_t replacement, component.character("replacement"));
  bool dropsFirst = true;
  if (component.has("prepend_scheme")) {
    STRATA_TRY(const std::string scheme, component.text("prepend_scheme"));
    if (scheme != "always" && scheme != "never" && scheme != "first") {
      return component.refuse("must have always, never or first as \"prepend_scheme\"");
    }
    dropsFirst = scheme != "never";
  }
  STRATA_TRY(const bool prefix, component.flag("add_prefix_space", true));
  if (!prefix && dropsFirst && component.has("prepend_scheme")) {
    return component.refuse("has an \"add_prefix_space\" that contradicts its \"prepend_scheme\"");
  }
  return stepOf<MetaspaceStep>(replacement, dropsFirst && prefix);
}

}  // namespace

std::unique_ptr<Decoder> spacesBetweenTokens() {
  return stepOf<JoinStep>();
}

Result<std::unique_ptr<Decoder>> makeDecoder(const Component& component) {
  STRATA_TRY(const std::string type, component.type());
  if (type == "Sequence") {
    std::vector<std::unique_ptr<Decoder>> parts;
    STRATA_TRY(const std::vector<Component> children, component.parts("decoders"));
    for (const Component& child : children) {
      STRATA_TRY(auto part, makeDecoder(child));
      parts.push_back(std::move(part));
    }
    return std::make_unique<SequenceDecoder>(std::move(parts));
  }
  if (type == "ByteLevel") return stepOf<ByteLevelStep>();
  if (type == "Fuse") return stepOf<FuseStep>();
  if (type == "Replace") return makeReplace(component);
  if (type == "Metaspace") return makeMetaspace(component);
  if (type == "ByteFallback") {
    return std::make_unique<SimpleDecoder>([](DecoderSink& out, ByteRuns runs) -> std::unique_ptr<DecoderSink> {
      return std::make_unique<ByteFallbackStep>(out, runs);
    });
  }
  if (type == "Strip") {
    STRATA_TRY(const char32_t content, component.character("content"));
    STRATA_TRY(const std::int64_t start, component.number("start"));
    STRATA_TRY(const std::int64_t stop, component.number("stop"));
    return stepOf<StripStep>(content, static_cast<std::size_t>(start), static_cast<std::size_t>(stop));
  }
  if (type == "WordPiece") {
    STRATA_TRY(const std::string prefix, component.text("prefix"));
    STRATA_TRY(const bool cleanup, component.flag("cleanup"));
    return stepOf<WordPieceStep>(prefix, cleanup);
  }
  if (type == "BPEDecoder") {
    STRATA_TRY(const std::string suffix, component.text("suffix"));
    return stepOf<SuffixStep>(suffix);
  }
  if (type == "CTC") {
    STRATA_TRY(const std::string pad, component.text("pad_token"));
    STRATA_TRY(const std::string delimiter, component.text("word_delimiter_token"));
    STRATA_TRY(const bool cleanup, component.flag("cleanup"));
    return stepOf<CtcStep>(pad, delimiter, cleanup);
  }
  return component.unsupported(type, kKnownDecoders);
}

}  // namespace strata
