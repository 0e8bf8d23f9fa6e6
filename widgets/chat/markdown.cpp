#include "widgets/chat/markdown.h"

#include <md4c.h>

#include <QByteArray>
#include <QCoreApplication>
#include <QHash>
#include <algorithm>

#include "widgets/chat/safe_text.h"

namespace strata {
namespace {

constexpr int kMostIndent = 6;
constexpr int kMostLists = 64;

struct MarkdownText {
  Q_DECLARE_TR_FUNCTIONS(strata::Markdown)
};

QString decodedEntity(const QString& entity) {
  static const QHash<QString, QString> kNamed = {{"&amp;", "&"},         {"&lt;", "<"},         {"&gt;", ">"},
                                                 {"&quot;", "\""},       {"&apos;", "'"},       {"&nbsp;", " "},
                                                 {"&hellip;", "\u2026"}, {"&ndash;", "\u2013"}, {"&mdash;", "\u2014"},
                                                 {"&copy;", "\u00a9"},   {"&times;", "\u00d7"}, {"&deg;", "\u00b0"}};
  if (kNamed.contains(entity)) return kNamed[entity];
  if (!entity.startsWith("&#")) return entity;
  const bool hexadecimal = entity.size() > 3 && (entity[2] == 'x' || entity[2] == 'X');
  bool whole = false;
  const auto digits = entity.mid(hexadecimal ? 3 : 2).chopped(1);
  const uint code = digits.toUInt(&whole, hexadecimal ? 16 : 10);
  if (!whole || code == 0 || code > 0x10FFFF) return QString(QChar(QChar::ReplacementCharacter));
  const auto character = static_cast<char32_t>(code);
  return safeText(QString::fromUcs4(&character, 1));
}

/// Collects md4c's calls. Places in the UTF-8 copy are turned into places in the text by a cursor that moves forward.
class Builder {
 public:
  explicit Builder(const QString& text) : m_utf8(text.toUtf8()) {}

  std::vector<TextBlock> build() {
    MD_PARSER parser = {};
    parser.flags = MD_FLAG_NOHTML | MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_NOINDENTEDCODEBLOCKS;
    parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* self) {
      static_cast<Builder*>(self)->enterBlock(type, detail);
      return 0;
    };
    parser.leave_block = [](MD_BLOCKTYPE type, void*, void* self) {
      static_cast<Builder*>(self)->leaveBlock(type);
      return 0;
    };
    parser.enter_span = [](MD_SPANTYPE type, void* detail, void* self) {
      static_cast<Builder*>(self)->enterSpan(type, detail);
      return 0;
    };
    parser.leave_span = [](MD_SPANTYPE type, void*, void* self) {
      static_cast<Builder*>(self)->leaveSpan(type);
      return 0;
    };
    parser.text = [](MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size, void* self) {
      static_cast<Builder*>(self)->addText(type, text, size);
      return 0;
    };
    const int failed = md_parse(m_utf8.constData(), static_cast<MD_SIZE>(m_utf8.size()), &parser, this);
    // A text that is all markup would show nothing.
    if (failed != 0 || m_blocks.empty()) return plainBlocks(QString::fromUtf8(m_utf8));
    return std::move(m_blocks);
  }

 private:
  struct List {
    bool ordered = false;
    unsigned next = 1;
  };

  TextBlock& begin(TextBlock::Kind kind) {
    TextBlock block;
    block.kind = kind;
    block.indent = std::min(kMostIndent, m_depth);
    block.quoted = m_quotes > 0;
    if (!m_marker.isEmpty()) {
      block.kind = kind == TextBlock::Kind::paragraph ? TextBlock::Kind::item : kind;
      block.marker = std::exchange(m_marker, {});
    }
    m_blocks.push_back(std::move(block));
    m_open = true;
    return m_blocks.back();
  }
  TextBlock& current() {
    if (!m_open) begin(TextBlock::Kind::paragraph);  // a tight list's text stands in no paragraph
    return m_blocks.back();
  }

  void enterBlock(MD_BLOCKTYPE type, void* detail) {
    switch (type) {
      case MD_BLOCK_QUOTE:
        ++m_quotes;
        ++m_depth;
        break;
      case MD_BLOCK_UL:
        enterList({});
        break;
      case MD_BLOCK_OL:
        enterList({true, static_cast<MD_BLOCK_OL_DETAIL*>(detail)->start});
        break;
      case MD_BLOCK_LI:
        m_open = false;
        m_marker = m_lists.empty() || !m_lists.back().ordered ? QStringLiteral("\u2022")
                                                              : QString::number(m_lists.back().next++) + '.';
        break;
      case MD_BLOCK_HR:
        begin(TextBlock::Kind::rule);
        m_open = false;
        break;
      case MD_BLOCK_H:
        begin(TextBlock::Kind::heading).level = static_cast<int>(static_cast<MD_BLOCK_H_DETAIL*>(detail)->level);
        break;
      case MD_BLOCK_CODE:
        begin(TextBlock::Kind::code).language = attribute(static_cast<MD_BLOCK_CODE_DETAIL*>(detail)->lang).left(40);
        break;
      case MD_BLOCK_P:
        begin(TextBlock::Kind::paragraph);
        break;
      case MD_BLOCK_TR:
        begin(TextBlock::Kind::tableRow);
        break;
      case MD_BLOCK_TH:
        m_style.bold = true;
        [[fallthrough]];
      case MD_BLOCK_TD:
        if (!current().spans.empty()) addSpan("  |  ", -1);
        break;
      default:
        break;
    }
  }

  void leaveBlock(MD_BLOCKTYPE type) {
    switch (type) {
      case MD_BLOCK_QUOTE:
        --m_quotes;
        --m_depth;
        break;
      case MD_BLOCK_UL:
      case MD_BLOCK_OL:
        leaveList();
        break;
      case MD_BLOCK_LI:
        if (!m_marker.isEmpty()) begin(TextBlock::Kind::paragraph);  // an item without text
        break;
      case MD_BLOCK_TH:
        m_style.bold = false;
        return;
      case MD_BLOCK_TD:
        return;
      default:
        break;
    }
    m_open = false;
  }

  void enterList(const List& list) {
    m_open = false;
    ++m_depth;
    if (m_lists.size() < kMostLists) {
      m_lists.push_back(list);
    } else {
      ++m_deeperLists;
    }
  }
  void leaveList() {
    --m_depth;
    if (m_deeperLists > 0) {
      --m_deeperLists;
    } else {
      m_lists.pop_back();
    }
  }

  void enterSpan(MD_SPANTYPE type, void* detail) {
    if (type == MD_SPAN_EM) ++m_italic;
    if (type == MD_SPAN_STRONG) ++m_bold;
    if (type == MD_SPAN_CODE) m_style.code = true;
    if (type == MD_SPAN_DEL) m_style.strike = true;
    if (type == MD_SPAN_A) m_style.target = safeText(attribute(static_cast<MD_SPAN_A_DETAIL*>(detail)->href));
    if (type == MD_SPAN_IMG) {
      addSpan(MarkdownText::tr("[image: "), -1);
      m_images.push_back({current().spans.size(), attribute(static_cast<MD_SPAN_IMG_DETAIL*>(detail)->src)});
    }
  }

  void leaveSpan(MD_SPANTYPE type) {
    if (type == MD_SPAN_EM) --m_italic;
    if (type == MD_SPAN_STRONG) --m_bold;
    if (type == MD_SPAN_CODE) m_style.code = false;
    if (type == MD_SPAN_DEL) m_style.strike = false;
    if (type == MD_SPAN_A) m_style.target.clear();
    if (type == MD_SPAN_IMG && !m_images.empty()) {
      const Image image = m_images.back();
      m_images.pop_back();
      if (current().spans.size() == image.begin) addSpan(safeText(image.address), -1);
      addSpan("]", -1);
    }
  }

  void addText(MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size) {
    if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR) return addSpan("\n", -1);
    if (type == MD_TEXT_NULLCHAR) return addSpan(QString(QChar(QChar::ReplacementCharacter)), -1);
    const QString shown = QString::fromUtf8(text, static_cast<qsizetype>(size));
    if (type == MD_TEXT_ENTITY) return addSpan(decodedEntity(shown), -1);
    addSpan(shown, placeOf(text));
  }

  void addSpan(const QString& text, qsizetype source) {
    TextBlock& block = current();
    Span span = m_style;
    span.bold = m_style.bold || m_bold > 0;
    span.italic = m_italic > 0;
    span.text = text;
    span.source = source;
    if (!block.spans.empty() && joins(block.spans.back(), span)) {
      block.spans.back().text += text;
    } else {
      block.spans.push_back(std::move(span));
    }
  }

  static bool joins(const Span& before, const Span& span) {
    const bool follows = before.source < 0 ? span.source < 0 : span.source == before.source + before.text.size();
    return follows && before.bold == span.bold && before.italic == span.italic && before.code == span.code &&
           before.strike == span.strike && before.target == span.target;
  }

  qsizetype placeOf(const char* text) {
    const char* const begin = m_utf8.constData();
    if (text < begin || text >= begin + m_utf8.size()) return -1;  // md4c's own spaces and line ends
    const qsizetype byte = text - begin;
    if (byte < m_byte) {
      m_byte = 0;
      m_place = 0;
    }
    for (; m_byte < byte; ++m_byte) {
      const auto unit = static_cast<unsigned char>(begin[m_byte]);
      if (unit >= 0xF0) {
        m_place += 2;
      } else if ((unit & 0xC0) != 0x80) {
        ++m_place;
      }
    }
    return m_place;
  }

  static QString attribute(const MD_ATTRIBUTE& value) {
    return value.text == nullptr ? QString() : QString::fromUtf8(value.text, static_cast<qsizetype>(value.size));
  }

  struct Image {
    std::size_t begin;
    QString address;
  };

  QByteArray m_utf8;
  qsizetype m_byte = 0, m_place = 0;  // the cursor: bytes, UTF-16 units
  std::vector<TextBlock> m_blocks;
  std::vector<List> m_lists;
  std::vector<Image> m_images;
  Span m_style;
  QString m_marker;
  int m_depth = 0, m_quotes = 0, m_bold = 0, m_italic = 0, m_deeperLists = 0;
  bool m_open = false;
};

}  // namespace

std::vector<TextBlock> parseMarkdown(const QString& text) {
  return Builder(text).build();
}

}  // namespace strata
