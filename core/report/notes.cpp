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
    parser.leave_span = [](MD_SPANTYPE, void*, void*) { return 0; };
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
        if (m_lists++ == 0) m_blocks.emplace_back(DocList{});
        break;
      case MD_BLOCK_TABLE:
        m_table = {};
        break;
      case MD_BLOCK_TR:
        m_row.clear();
        break;
      case MD_BLOCK_TH:
        m_table.columns.push_back({.isNumber = static_cast<MD_BLOCK_TD_DETAIL*>(detail)->align == MD_ALIGN_RIGHT});
        break;
      default:
        break;
    }
  }

  void leave(MD_BLOCKTYPE type) {
    switch (type) {
      case MD_BLOCK_H:
      case MD_BLOCK_P:
        if (m_lists > 0) {
          m_text += ' ';  // of several in one item
        } else if (std::string text = taken(); type == MD_BLOCK_H) {
          m_blocks.emplace_back(DocHeading{3, std::move(text)});
        } else {
          m_blocks.emplace_back(DocParagraph{std::move(text)});
        }
        break;
      case MD_BLOCK_CODE:
        if (m_lists == 0) m_blocks.emplace_back(DocCode{{taken()}});
        break;
      case MD_BLOCK_LI:
        endItem();
        break;
      case MD_BLOCK_UL:
      case MD_BLOCK_OL:
        --m_lists;
        break;
      case MD_BLOCK_TH:
        m_table.columns.back().title = taken();
        break;
      case MD_BLOCK_TD:
        m_row.push_back(taken());
        break;
      case MD_BLOCK_TR:
        if (!m_row.empty()) m_table.rows.push_back(m_row);
        break;
      case MD_BLOCK_TABLE:
        endTable();
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
      m_text += text;
    }
  }

  std::string taken() {
    std::string text = std::exchange(m_text, {});
    text.erase(text.find_last_not_of(" \n") + 1);
    return text;
  }

  /// Items of lists within an item follow it as items of their own.
  void endItem() {
    if (m_lists == 0) return;
    if (std::string text = taken(); !text.empty()) std::get<DocList>(m_blocks.back()).items.push_back(std::move(text));
  }

  void endTable() {
    if (m_lists > 0) return;
    DocTable table = std::exchange(m_table, {});
    if (table.columns.size() > kMostColumns) {
      std::string lines;
      for (const DocTable::Column& column : table.columns) lines += (lines.empty() ? "" : kBetween) + column.title;
      for (const auto& row : table.rows) {
        for (std::size_t i = 0; i < row.size(); ++i) lines += (i == 0 ? "\n" : kBetween) + row[i];
      }
      m_blocks.emplace_back(DocCode{{std::move(lines)}});
      return;
    }
    for (auto& row : table.rows) row.resize(table.columns.size());
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      std::size_t longest = table.columns[i].title.size();
      for (const auto& row : table.rows) longest = std::max(longest, row[i].size());
      table.columns[i].share = std::clamp(static_cast<double>(longest), kLeastShare, kMostShare);
    }
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
  int m_lists = 0;  // around what is read
  DocTable m_table;
  std::vector<std::string> m_row;
  int m_tables = 0;
};

}  // namespace

std::vector<DocBlock> blocksOfNotes(const std::string& markdown) {
  return NotesReader().read(markdown);
}

}  // namespace strata
