// The stream of a tokenizer whose tokens are bytes, each for itself.

#include "core/text/tokenizer.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

class ByteStream final : public TokenStreamState {
 public:
  ByteStream(const Tokenizer& tokenizer, bool skipSpecial) : m_tokenizer(tokenizer), m_skipSpecial(skipSpecial) {}

  std::string push(TokenId id) override {
    if (m_skipSpecial && m_tokenizer.isSpecial(id)) return {};
    const std::string bytes = m_tokenizer.pieceBytes(id, m_first, m_skipSpecial);
    if (m_first) m_first = m_tokenizer.staysFirst(id);
    if (bytes.empty()) return drain(true);
    m_pending += bytes;
    return drain(false);
  }

  std::string finish() override {
    m_first = true;
    return drain(true);
  }

 private:
  std::string drain(bool all) {
    std::string text;
    std::size_t at = 0;
    while (at < m_pending.size()) {
      const Utf8Char next = readUtf8(std::string_view(m_pending).substr(at));
      if (next.kind == Utf8Char::Kind::incomplete && !all) break;
      if (next.kind == Utf8Char::Kind::valid) {
        text.append(m_pending, at, next.length);
        at += next.length;
      } else {
        text += kReplacementCharacter;
        at += 1;
      }
    }
    m_pending.erase(0, at);
    return text;
  }

  const Tokenizer& m_tokenizer;
  bool m_skipSpecial;
  bool m_first = true;
  std::string m_pending;  // bytes of an incomplete character
};

}  // namespace

std::unique_ptr<TokenStreamState> Tokenizer::startStream(bool skipSpecial) const {
  return std::make_unique<ByteStream>(*this, skipSpecial);
}

}  // namespace strata
