#include "core/report/notes.h"

#include <md4c.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace strata {
namespace {

constexpr std::size_t kMostColumns = 12;  // more do not fit on a page
constexpr const char* kBetween = " | ";
constexpr double kLeastShare = 6, kMostShare = 30;  // characters of a column that count for its width

std::size_t charactersOf(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// Of an entity that people type; others stay as they are.
std::string_view decoded(std::string_view entity) {
  constexpr std::pair<std::string_view, std::string_view> kEntities[] = {
      {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}, {"&nbsp;", "\u00A0"}};
  for (const auto& [name, character] : kEntities) {
    if (entity == name) return character;
  }
  return entity;
}

std::string joined(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) line += (i == 0 ? "" : kBetween) + cells[i];
  return line;
}

class NotesReader {
 public:
  std::vector<DocBlock> read(const std::string& markdown) {
    MD_PARSER parser = {};
    parser.flags = MD_FLAG_NOHTML | MD_FLAG_TABLES | MD_FLAG_NOINDENTEDCODEBLOCKS;
    parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* self) {
      static_cast<NotesReader*>(self)->enter(type, detail);
      return 0;
    };
    parser.leave_block = [](MD_BLOCKTYPE type, void*, void* self) {
      static_cast<NotesReader*>(self)->leave(type);
      return 0;
    };
    parser.enter_span = [](MD_SPANTYPE, void*, void*) { return 0; };
    parser.leave_span = [](MD_SPANTYPE type, void* detail, void* self) {
      if (type == MD_SPAN_A) static_cast<NotesReader*>(self)->endLink(static_cast<MD_SPAN_A_DETAIL*>(detail)->href);
      return 0;
    };
    parser.text = [](MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size, void* self) {
      static_cast<NotesReader*>(self)->add(type, {text, size});
      return 0;
    };
    if (md_parse(markdown.data(), static_cast<MD_SIZE>(markdown.size()), &parser, this) != 0) {
      m_blocks = {DocParagraph{markdown}};  // it had no memory for more
    }
    return std::move(m_blocks);
  }

 private:
  void enter(MD_BLOCKTYPE type, void* detail) {
    switch (type) {
      case MD_BLOCK_UL:
      case MD_BLOCK_OL:
        endItem();
        if (m_lists++ == 0) {
          m_blocks.emplace_back(DocList{type == MD_BLOCK_OL ? DocList::Kind::numbers : DocList::Kind::bullets, {}});
        }
        break;
      case MD_BLOCK_P:
      case MD_BLOCK_H:
      case MD_BLOCK_CODE:
        separate();
        break;
      case MD_BLOCK_TABLE:
        endItem();
        m_rows.clear();
        m_rightOnes.clear();
        break;
      case MD_BLOCK_TR:
        m_rows.emplace_back();
        break;
      case MD_BLOCK_TH:
        m_rightOnes.push_back(static_cast<MD_BLOCK_TD_DETAIL*>(detail)->align == MD_ALIGN_RIGHT);
        break;
      default:
        break;
    }
  }

  void leave(MD_BLOCKTYPE type) {
    const bool inItem = m_lists > 0;
    switch (type) {
      case MD_BLOCK_H:
        if (!inItem) m_blocks.emplace_back(DocHeading{3, taken()});
        break;
      case MD_BLOCK_P:
        if (!inItem) m_blocks.emplace_back(DocParagraph{taken()});
        break;
      case MD_BLOCK_CODE:
        if (!inItem) m_blocks.emplace_back(DocCode{{taken()}});
        std::replace(m_text.begin(), m_text.end(), '\n', ' ');
        break;
      case MD_BLOCK_LI:
        endItem();
        break;
      case MD_BLOCK_UL:
      case MD_BLOCK_OL:
        if (--m_lists == 0 && std::get<DocList>(m_blocks.back()).items.empty()) m_blocks.pop_back();
        break;
      case MD_BLOCK_TH:
      case MD_BLOCK_TD:
        m_rows.back().push_back(taken());
        break;
      case MD_BLOCK_TABLE:
        inItem ? addRowsAsItems() : addTable();
        break;
      default:
        break;
    }
  }

  void add(MD_TEXTTYPE type, std::string_view text) {
    if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR) {
      m_text += ' ';
    } else if (type == MD_TEXT_NULLCHAR) {
      m_text += "\uFFFD";
    } else {
      m_text += type == MD_TEXT_ENTITY ? decoded(text) : text;
    }
  }

  /// " (https://…)" behind a text that is not the address itself.
  void endLink(const MD_ATTRIBUTE& href) {
    const std::string_view address(href.text, href.size);
    if (!address.empty() && !m_text.ends_with(address)) m_text.append(" (").append(address) += ')';
  }

  std::string taken() {
    std::string text = std::exchange(m_text, {});
    text.erase(text.find_last_not_of(" \n") + 1);
    return text;
  }

  /// Between blocks of one item.
  void separate() {
    if (m_lists > 0 && !m_text.empty() && m_text.back() != ' ') m_text += ' ';
  }

  /// Items of lists within an item follow it as items of their own.
  void endItem() {
    if (m_lists == 0) return;
    if (std::string text = taken(); !text.empty()) std::get<DocList>(m_blocks.back()).items.push_back(std::move(text));
  }

  void addRowsAsItems() {
    for (const auto& row : m_rows) std::get<DocList>(m_blocks.back()).items.push_back(joined(row));
  }

  void addTable() {
    if (m_rightOnes.size() > kMostColumns) {
      std::string lines;
      for (const auto& row : m_rows) lines += (lines.empty() ? "" : "\n") + joined(row);
      m_blocks.emplace_back(DocCode{{std::move(lines)}});
      return;
    }
    DocTable table;
    for (std::size_t i = 0; i < m_rightOnes.size(); ++i) {
      std::size_t longest = 0;
      for (auto& row : m_rows) {
        row.resize(m_rightOnes.size());
        longest = std::max(longest, charactersOf(row[i]));
      }
      table.columns.push_back(
          {m_rows.front()[i], m_rightOnes[i], std::clamp(static_cast<double>(longest), kLeastShare, kMostShare)});
    }
    table.rows.assign(m_rows.begin() + 1, m_rows.end());
    ++m_tables;
    table.caption = "Table " + std::to_string(m_tables) + " of the notes";
    if (auto* before = m_blocks.empty() ? nullptr : std::get_if<DocParagraph>(&m_blocks.back());
        before != nullptr && before->text.ends_with(':')) {
      table.caption = before->text.substr(0, before->text.size() - 1);
      m_blocks.pop_back();
    }
    m_blocks.emplace_back(std::move(table));
  }

  std::vector<DocBlock> m_blocks;
  std::string m_text;
  int m_lists = 0;                               // around what is read
  std::vector<std::vector<std::string>> m_rows;  // of the table that is read, the head first
  std::vector<bool> m_rightOnes;                 // whether its columns are aligned right
  int m_tables = 0;
};

}  // namespace

std::vector<DocBlock> blocksOfNotes(const std::string& markdown) {
  return NotesReader().read(markdown);
}

}  // namespace strata
