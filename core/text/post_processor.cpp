#include "core/text/post_processor.h"

namespace strata {
namespace {

constexpr TokenId kText = -1;  // stands for the text's ids

/// What the library calls encodings: a text begins as one and may become several, which count for the next processor.
using Parts = std::vector<std::vector<TokenId>>;

Result<TokenId> readPair(const Component& component, const char* key) {
  STRATA_TRY(const Component pair, component.child(key));
  STRATA_TRY(const std::vector<Component> elements, pair.elements());
  if (elements.size() != 2 || !elements[0].value().is_string() || !elements[1].value().is_number_unsigned() ||
      elements[1].value().get<std::uint64_t>() > INT32_MAX) {
    return pair.refuse("must be a token and its id");
  }
  return elements[1].value().get<TokenId>();
}

Result<std::vector<TokenId>> readSpecial(const Component& component, const std::string& name) {
  STRATA_TRY(const Component all, component.child("special_tokens"));
  STRATA_TRY(const Component special, all.child(name.c_str()));
  STRATA_TRY(const std::vector<Component> elements, special.children("ids"));
  std::vector<TokenId> ids;
  for (const Component& element : elements) {
    if (!element.value().is_number_unsigned() || element.value().get<std::uint64_t>() > INT32_MAX) {
      return element.refuse("must be a token's id");
    }
    ids.push_back(element.value().get<TokenId>());
  }
  return ids;
}

Result<Parts> applyTemplate(const Component& component, const Parts& parts) {
  if (parts.size() > 2) return component.refuse("follows another template whose parts it cannot take");
  STRATA_TRY(const std::vector<Component> pieces, component.children(parts.size() == 2 ? "pair" : "single"));
  Parts out;
  for (const Component& piece : pieces) {
    if (piece.has("SpecialToken")) {
      STRATA_TRY(const Component token, piece.child("SpecialToken"));
      STRATA_TRY(const std::string name, token.text("id"));
      STRATA_TRY(std::vector<TokenId> ids, readSpecial(component, name));
      out.push_back(std::move(ids));
      continue;
    }
    STRATA_TRY(const Component sequence, piece.child("Sequence"));
    STRATA_TRY(const std::string id, sequence.text("id"));
    const std::size_t which = id == "A" ? 0 : 1;
    if ((id != "A" && id != "B") || which >= parts.size()) return sequence.refuse("must be the sequence A");
    out.push_back(parts[which]);
  }
  return out;
}

Result<Parts> apply(const Component& component, Parts parts) {
  STRATA_TRY(const std::string type, component.type());
  if (type == "ByteLevel") return parts;  // changes offsets alone
  if (type == "Sequence") {
    STRATA_TRY(const std::vector<Component> children, component.parts("processors"));
    for (const Component& child : children) {
      STRATA_TRY(parts, apply(child, std::move(parts)));
    }
    return parts;
  }
  if (type == "TemplateProcessing") return applyTemplate(component, parts);
  if (type == "BertProcessing" || type == "RobertaProcessing") {
    STRATA_TRY(const TokenId sep, readPair(component, "sep"));
    STRATA_TRY(const TokenId cls, readPair(component, "cls"));
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i == 0 || type == "RobertaProcessing") parts[i].insert(parts[i].begin(), i == 0 ? cls : sep);
      parts[i].push_back(sep);
    }
    return parts;
  }
  return component.unsupported(type, "Sequence, TemplateProcessing, ByteLevel, BertProcessing and RobertaProcessing");
}

}  // namespace

Result<Surroundings> readPostProcessor(const Component& component) {
  STRATA_TRY(const Parts parts, apply(component, {{kText}}));
  Surroundings around;
  int texts = 0;
  for (const std::vector<TokenId>& part : parts) {
    for (const TokenId id : part) {
      if (id == kText) {
        ++texts;
      } else {
        (texts == 0 ? around.before : around.after).push_back(id);
      }
    }
  }
  if (texts != 1) return component.refuse("must hold the text (sequence A) exactly once");
  return around;
}

}  // namespace strata
