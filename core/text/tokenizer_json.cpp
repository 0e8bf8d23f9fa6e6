#include "core/text/tokenizer_json.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/text/added_tokens.h"
#include "core/text/bpe.h"
#include "core/text/component.h"
#include "core/text/decoder.h"
#include "core/text/normalizer.h"
#include "core/text/post_processor.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/tokenizer_file.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

/// How a text whose model knows spaces as U+2581 may be cut before a space that something else precedes.
enum class SpaceCuts {
  no,
  asIs,      // Metaspace: the space itself becomes the symbol
  replaced,  // Prepend and Replace: the rest must not get another symbol
};

struct Parts {
  std::unique_ptr<Normalizer> normalizer;      // may be null
  std::unique_ptr<PreTokenizer> preTokenizer;  // may be null
  std::unique_ptr<Decoder> decoder;
  Surroundings around;
  std::unordered_map<std::string, TokenId> addedIds;
  std::unordered_map<TokenId, std::string> addedTokens;
  std::unordered_set<TokenId> specialIds;
  AddedTokenFinder finder;            // in the text as given
  AddedTokenFinder normalizedFinder;  // in the normalised text
  std::optional<TokenId> bos, eos;
  TokenId maxId = -1;
  SpaceCuts spaceCuts = SpaceCuts::no;
  bool keepsComposedText = false;  // no normalizer but NFC, and no token that depends on what follows it
};

constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";  // U+2581

/// Collects what a chain of decoding steps gives.
class TextSink final : public DecoderSink {
 public:
  void text(std::string_view fragment) override { m_text += fragment; }
  void endToken() override {}
  void finish() override {}
  std::string take() { return std::exchange(m_text, {}); }

 private:
  std::string m_text;
};

class JsonTokenizer final : public Tokenizer {
 public:
  JsonTokenizer(Bpe bpe, Parts parts) : m_bpe(std::move(bpe)), m_parts(std::move(parts)) {}

  std::vector<TokenId> encode(std::string_view text, SpecialTokens specials) const override {
    if (findInvalidUtf8(text)) return encode(toValidUtf8(text), specials);
    return encodeParts(text, specials, {}, nullptr);
  }

  std::vector<TokenId> encodeWithRestarts(std::string_view text, std::vector<Restart>& restarts) const override {
    if (findInvalidUtf8(text)) return encode(text, SpecialTokens::recognise);  // offsets would be those of another text
    return encodeParts(text, SpecialTokens::recognise, {}, &restarts);
  }

  std::vector<TokenId> encodeFrom(std::string_view text, const Restart& restart) const override {
    if (findInvalidUtf8(text.substr(restart.at))) {  // a cut inside a character
      return encodeFrom(std::string(text.substr(0, restart.at)) + toValidUtf8(text.substr(restart.at)), restart);
    }
    return encodeParts(text, SpecialTokens::recognise, restart, nullptr);
  }

  std::vector<TokenId> withSpecials(std::vector<TokenId> ids) const override {
    ids.insert(ids.begin(), m_parts.around.before.begin(), m_parts.around.before.end());
    ids.insert(ids.end(), m_parts.around.after.begin(), m_parts.around.after.end());
    return ids;
  }

  Result<std::string> decode(const std::vector<TokenId>& ids, bool skipSpecial) const override {
    TextSink sink;
    const auto steps = m_parts.decoder->start(sink, ByteRuns::whole);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] < 0 || ids[i] > m_parts.maxId) {
        return fail(ErrorCode::invalidData,
                    "Token id " + std::to_string(ids[i]) + " at position " + std::to_string(i) +
                        " is outside the vocabulary of " + std::to_string(vocabSize()) + ".",
                    "ids[" + std::to_string(i) + "]");
      }
      push(ids[i], skipSpecial, *steps);
    }
    steps->finish();
    return sink.take();
  }

  std::optional<TokenId> bosId() const override { return m_parts.bos; }
  std::optional<TokenId> eosId() const override { return m_parts.eos; }
  std::int64_t vocabSize() const override { return static_cast<std::int64_t>(m_parts.maxId) + 1; }
  bool isSpecial(TokenId id) const override { return m_parts.specialIds.contains(id); }

  std::unique_ptr<TokenStreamState> startStream(bool skipSpecial) const override {
    return std::make_unique<Stream>(*this, skipSpecial);
  }

 private:
  class Stream final : public TokenStreamState {
   public:
    Stream(const JsonTokenizer& tokenizer, bool skipSpecial) : m_tokenizer(tokenizer), m_skipSpecial(skipSpecial) {
      restart();
    }
    std::string push(TokenId id) override {
      m_tokenizer.push(id, m_skipSpecial, *m_steps);
      return m_sink.take();
    }
    std::string finish() override {
      m_steps->finish();
      restart();
      return m_sink.take();
    }

   private:
    void restart() { m_steps = m_tokenizer.m_parts.decoder->start(m_sink, ByteRuns::prompt); }

    const JsonTokenizer& m_tokenizer;
    bool m_skipSpecial;
    TextSink m_sink;
    std::unique_ptr<DecoderSink> m_steps;
  };

  static std::size_t firstCharacter(std::string_view text) { return text.empty() ? 0 : readUtf8(text).length; }

  /// One encoding's state.
  struct Encoding {
    SpecialTokens specials;
    std::vector<Restart>* restarts;  // null: not wanted
    std::vector<TokenId> ids;
    BpeWorkspace workspace;

    void addRestart(std::size_t at, std::size_t validFrom, bool insidePart) {
      if (restarts != nullptr) restarts->push_back({at, validFrom, ids.size(), insidePart});
    }
  };

  std::vector<TokenId> encodeParts(std::string_view text, SpecialTokens specials, const Restart& from,
                                   std::vector<Restart>* restarts) const {
    Encoding out{specials, restarts, {}, {}};
    std::vector<AddedTokenFinder::Part> parts;
    m_parts.finder.split(text, specials, parts, from.at);
    for (const auto& part : parts) {
      if (part.id >= 0) {
        out.ids.push_back(part.id);
        out.addRestart(part.end, part.end, false);
        continue;
      }
      const bool continued = part.begin == from.at && from.insidePart;
      const std::string_view given = text.substr(part.begin, part.end - part.begin);
      if (m_parts.spaceCuts == SpaceCuts::no) {
        encodePart(given, part.begin, out);
      } else {
        encodeSpacedPart(given, part.begin, continued, out);
      }
    }
    return std::move(out.ids);
  }

  /// A part of the text between two added tokens; `origin` is its place in the whole.
  void encodePart(std::string_view given, std::size_t origin, Encoding& out) const {
    NormalizedText normalized{std::string(given), origin == 0 ? firstCharacter(given) : 0, mostBytes(given)};
    if (m_parts.normalizer) m_parts.normalizer->apply(normalized);
    const bool aligned = m_parts.keepsComposedText && normalized.text == given;
    std::vector<AddedTokenFinder::Part> stretches;
    m_parts.normalizedFinder.split(normalized.text, out.specials, stretches);
    for (const auto& stretch : stretches) {
      if (stretch.id >= 0) {
        out.ids.push_back(stretch.id);
        if (aligned) out.addRestart(origin + stretch.end, origin + stretch.end, true);
        continue;
      }
      const std::size_t size = stretch.end - stretch.begin;
      const std::size_t fromStart =
          normalized.fromStart > stretch.begin ? std::min(normalized.fromStart - stretch.begin, size) : 0;
      const bool marks = aligned && m_parts.preTokenizer && m_parts.preTokenizer->looksOneWordAhead();
      encodeStretch(stretches.size() == 1 ? std::move(normalized.text) : normalized.text.substr(stretch.begin, size),
                    fromStart, marks ? std::optional(origin + stretch.begin) : std::nullopt, out);
    }
  }

  /// The same where a text may be cut before spaces; where restarts are wanted, it is.
  void encodeSpacedPart(std::string_view given, std::size_t origin, bool continued, Encoding& out) const {
    std::size_t begin = 0;
    const auto encodeUpTo = [&](std::size_t end) {
      const bool mid = continued || begin > 0;
      NormalizedText chunk{std::string(given.substr(begin, end - begin)),
                           origin == 0 && !mid ? firstCharacter(given) : 0, mostBytes(given)};
      if (mid && m_parts.spaceCuts == SpaceCuts::replaced) {
        chunk.text = withSpaceSymbols(chunk.text);
      } else if (m_parts.normalizer) {
        m_parts.normalizer->apply(chunk);
      }
      encodeStretch(std::move(chunk.text), chunk.fromStart, std::nullopt, out);
      begin = end;
    };
    for (std::size_t at = 1; out.restarts != nullptr && at < given.size(); ++at) {
      if (given[at] != ' ' || given[at - 1] == ' ' || given.substr(0, at).ends_with(kSpaceSymbol)) continue;
      encodeUpTo(at);
      out.addRestart(origin + at, origin + at + 1, true);
    }
    encodeUpTo(given.size());
  }

  /// What a text may grow to: far more than any file but a hostile one makes of it.
  static std::size_t mostBytes(std::string_view text) { return (std::size_t{16} << 20) + 16 * text.size(); }

  static std::string withSpaceSymbols(std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == ' ') {
        out += kSpaceSymbol;
      } else {
        out += c;
      }
    }
    return out;
  }

  /// `origin` is where the stretch stands in the whole text, if its words' beginnings are restarts.
  void encodeStretch(std::string text, std::size_t fromStart, std::optional<std::size_t> origin, Encoding& out) const {
    Words words;
    const std::size_t size = text.size();
    words.most = mostBytes(text);
    words.text = std::move(text);
    words.words.push_back({0, size, fromStart});
    if (m_parts.preTokenizer) m_parts.preTokenizer->apply(words);
    for (const Word& word : words.words) {
      const std::string_view content = std::string_view(words.text).substr(word.begin, word.end - word.begin);
      if (content.empty()) continue;
      if (origin && word.begin > 0) out.addRestart(*origin + word.begin, *origin + word.end, true);
      if (words.bytes) {
        m_bpe.encodeBytes(content, out.workspace, out.ids);
      } else {
        m_bpe.encode(content, out.workspace, out.ids);
      }
    }
  }

  void push(TokenId id, bool skipSpecial, DecoderSink& steps) const {
    if (skipSpecial && isSpecial(id)) return;
    if (const auto added = m_parts.addedTokens.find(id); added != m_parts.addedTokens.end()) {
      steps.text(added->second);
    } else if (const std::optional<std::string_view> token = m_bpe.vocabulary().tokenOf(id)) {
      steps.text(*token);
    } else {
      return;  // an id between others that no token has
    }
    steps.endToken();
  }

  Bpe m_bpe;
  Parts m_parts;
};

// -------------------------------------------------------------------------------------------------------- reading

Result<BpeOptions> readModel(const Component& root, const TokenizerFile& file) {
  STRATA_TRY(const Component model, root.child("model"));
  if (!model.value().is_object()) return model.refuse("must be an object");
  if (model.has("type")) {
    STRATA_TRY(const std::string type, model.type());
    if (type != "BPE") {
      return model.unsupported(type, "BPE models (and SentencePiece ones by their tokenizer.model)");
    }
  } else if (!file.hasMerges) {
    return model.refuse("has no type and no merges");
  }
  if (!file.hasVocabulary) return model.refuse("lacks \"vocab\", an object of tokens and their ids");
  if (!file.hasMerges) return model.refuse("lacks \"merges\", an array");
  if (model.has("dropout")) {
    const Json& dropout = model.value()["dropout"];
    if (!dropout.is_number() || dropout.get<double>() < 0 || dropout.get<double>() > 1) {
      return model.refuse("must have a number from 0 to 1 as \"dropout\"");
    }
    if (dropout.get<double>() > 0) {
      return fail(ErrorCode::unsupported,
                  model.where() + " has a BPE dropout of " + dropout.dump() +
                      ", with which every tokenisation is random; set \"dropout\" to null.",
                  model.where());
    }
  }
  BpeOptions options;
  if (model.has("unk_token")) {
    STRATA_TRY(options.unkToken, model.text("unk_token"));
  }
  if (model.has("continuing_subword_prefix")) {
    STRATA_TRY(options.continuingSubwordPrefix, model.text("continuing_subword_prefix"));
  }
  if (model.has("end_of_word_suffix")) {
    STRATA_TRY(options.endOfWordSuffix, model.text("end_of_word_suffix"));
  }
  STRATA_TRY(options.fuseUnk, model.flag("fuse_unk", false));
  STRATA_TRY(options.byteFallback, model.flag("byte_fallback", false));
  STRATA_TRY(options.ignoreMerges, model.flag("ignore_merges", false));
  return options;
}

Result<AddedToken> readAddedToken(const Component& component) {
  constexpr std::size_t kLongest = 1024;
  AddedToken token;
  STRATA_TRY(token.content, component.text("content"));
  if (token.content.size() > kLongest) return component.refuse("is longer than 1024 bytes");
  STRATA_TRY(token.singleWord, component.flag("single_word", false));
  STRATA_TRY(token.lstrip, component.flag("lstrip", false));
  STRATA_TRY(token.rstrip, component.flag("rstrip", false));
  STRATA_TRY(token.special, component.flag("special", false));
  STRATA_TRY(token.normalized, component.flag("normalized", !token.special));
  return token;
}

/// A token that the model has keeps the model's id; any other gets the next free one, whatever "id" says, as the
/// library does it.
Result<void> readAddedTokens(const Component& root, const Vocabulary& vocabulary, Parts& parts) {
  std::vector<AddedToken> specials, others;
  std::unordered_set<std::string> specialContents;
  std::unordered_map<TokenId, AddedToken> latest;  // of tokens given twice the last one's options hold
  TokenId next = static_cast<TokenId>(vocabulary.size());
  if (root.has("added_tokens")) {
    STRATA_TRY(const std::vector<Component> children, root.children("added_tokens"));
    for (const Component& child : children) {
      STRATA_TRY(AddedToken token, readAddedToken(child));
      if (token.content.empty()) continue;
      const auto known = parts.addedIds.find(token.content);
      const std::optional<TokenId> inModel = vocabulary.idOf(token.content);
      token.id = known != parts.addedIds.end() ? known->second : inModel.value_or(next);
      if (known == parts.addedIds.end()) {
        parts.addedIds.emplace(token.content, token.id);
        next = std::max(next, token.id + 1);
      }
      parts.maxId = std::max(parts.maxId, token.id);
      if (token.special && specialContents.insert(token.content).second) specials.push_back(token);
      if (!specialContents.contains(token.content)) others.push_back(token);
      latest[token.id] = std::move(token);
    }
  }
  const auto normalizedContent = [&](const AddedToken& token) {
    NormalizedText text{token.content, 0, token.content.size() * 1024};
    if (token.normalized && parts.normalizer) parts.normalizer->apply(text);
    return text.text;
  };
  std::vector<AddedToken> given, normalized;
  specials.insert(specials.end(), others.begin(), others.end());
  for (AddedToken& token : specials) {
    const AddedToken& options = latest.at(token.id);
    token.singleWord = options.singleWord;
    token.lstrip = options.lstrip;
    token.rstrip = options.rstrip;
    token.special = specialContents.contains(token.content);
    token.content = normalizedContent(token);
    parts.addedTokens[token.id] = token.content;  // decoding shows the normalised form
    if (!token.content.empty()) (token.normalized ? normalized : given).push_back(token);
  }
  for (const auto& [id, shown] : parts.addedTokens) {
    if (specialContents.contains(shown)) parts.specialIds.insert(id);
  }
  parts.finder = AddedTokenFinder(std::move(given));
  parts.normalizedFinder = AddedTokenFinder(std::move(normalized));
  return {};
}

/// The first of these tokens that there is.
std::optional<TokenId> findToken(const Parts& parts, const Vocabulary& vocabulary,
                                 std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const auto added = parts.addedIds.find(std::string(name));
    if (added != parts.addedIds.end()) return added->second;
    if (const std::optional<TokenId> id = vocabulary.idOf(name)) return id;
  }
  return std::nullopt;
}

void findBosAndEos(const NamedSpecials& named, const Vocabulary& vocabulary, Parts& parts) {
  if (named.bos) {
    if (*named.bos) parts.bos = findToken(parts, vocabulary, {**named.bos});
  } else if (!parts.around.before.empty()) {
    parts.bos = parts.around.before.front();
  } else {
    parts.bos = findToken(parts, vocabulary, {"<s>", "<|begin_of_text|>", "<bos>"});
  }
  if (named.eos) {
    if (*named.eos) parts.eos = findToken(parts, vocabulary, {**named.eos});
  } else if (!parts.around.after.empty()) {
    parts.eos = parts.around.after.back();
  } else {
    parts.eos = findToken(parts, vocabulary, {"</s>", "<|end_of_text|>", "<|endoftext|>", "<eos>"});
  }
}

bool isNull(const Json& file, const char* key) {
  return !file.contains(key) || file[key].is_null();
}

bool keepsComposedText(const Json& file) {
  return isNull(file, "normalizer") || file["normalizer"] == Json{{"type", "NFC"}};
}

SpaceCuts spaceCuts(const Json& file) {
  const std::string symbol(kSpaceSymbol);
  if (isNull(file, "normalizer")) {
    if (isNull(file, "pre_tokenizer")) return SpaceCuts::no;
    const Json& preTokenizer = file["pre_tokenizer"];
    const bool metaspace = preTokenizer["type"] == "Metaspace" && preTokenizer["replacement"] == symbol;
    return metaspace ? SpaceCuts::asIs : SpaceCuts::no;
  }
  const Json prepend{{"type", "Prepend"}, {"prepend", symbol}};
  const Json replace{{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", symbol}};
  const Json llama{{"type", "Sequence"}, {"normalizers", Json::array({prepend, replace})}};
  return isNull(file, "pre_tokenizer") && file["normalizer"] == llama ? SpaceCuts::replaced : SpaceCuts::no;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> parseTokenizerJson(std::string_view text, const std::string& name,
                                                      const NamedSpecials& named) {
  STRATA_TRY(TokenizerFile file, parseTokenizerFile(text, name));
  const Component root(file.rest, name, "");
  if (root.has("version")) {
    STRATA_TRY(const std::string version, root.text("version"));
    if (version != "1.0") {
      return fail(ErrorCode::unsupported,
                  name + " is of version \"" + version.substr(0, 80) + "\"; only version 1.0 can be read.", name);
    }
  }
  STRATA_TRY(BpeOptions options, readModel(root, file));
  Parts parts;
  parts.maxId = file.vocabulary.maxId();
  if (root.has("normalizer")) {
    STRATA_TRY(const Component component, root.child("normalizer"));
    STRATA_TRY(parts.normalizer, makeNormalizer(component));
  }
  if (root.has("pre_tokenizer")) {
    STRATA_TRY(const Component component, root.child("pre_tokenizer"));
    STRATA_TRY(parts.preTokenizer, makePreTokenizer(component));
  }
  parts.decoder = spacesBetweenTokens();
  if (root.has("decoder")) {
    STRATA_TRY(const Component component, root.child("decoder"));
    STRATA_TRY(parts.decoder, makeDecoder(component));
  }
  if (root.has("post_processor")) {
    STRATA_TRY(const Component component, root.child("post_processor"));
    STRATA_TRY(parts.around, readPostProcessor(component));
  }
  STRATA_CHECK(readAddedTokens(root, file.vocabulary, parts));
  const bool singleWords = parts.finder.hasSingleWords() || parts.normalizedFinder.hasSingleWords();
  parts.keepsComposedText = !singleWords && keepsComposedText(file.rest);
  findBosAndEos(named, file.vocabulary, parts);
  STRATA_TRY(Bpe bpe, Bpe::create(std::move(file.vocabulary), file.merges(), std::move(options), name));
  if (bpe.partsAtSpaceSymbols() && !singleWords && parts.normalizedFinder.empty())
    parts.spaceCuts = spaceCuts(file.rest);
  return std::make_unique<JsonTokenizer>(std::move(bpe), std::move(parts));
}

}  // namespace strata
