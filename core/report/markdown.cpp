// Markdown for a pull request: GitHub's tables; charts are left to the other files.

#include "core/report/document.h"

namespace strata {
namespace {

/// Text that Markdown and the HTML in it leave alone, on one line; "@name" of an answer calls nobody.
std::string marked(const std::string& text) {
  constexpr const char* kWordJoiner = "\u2060";
  std::string safe;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n' || c == '\r') {
      safe += ' ';
      continue;
    }
    if (c == '<') {
      safe += "&lt;";
      continue;
    }
    if (std::string_view("\\`*_[]|#>~!").find(c) != std::string_view::npos) safe += '\\';
    safe += c;
    const bool isCall = c == '@' && i + 1 < text.size() && text[i + 1] != ' ';
    if (isCall) safe += kWordJoiner;
  }
  return safe;
}

class MarkdownWriter {
 public:
  std::string print(const Document& document) {
    m_text += "# " + marked(document.title) + "\n\n" + marked(document.subtitle) + "\n";
    for (const DocBlock& block : document.blocks) std::visit([this](const auto& each) { write(each); }, block);
    return std::move(m_text);
  }

 private:
  void write(const DocHeading& heading) {
    m_text += "\n" + std::string(static_cast<std::size_t>(heading.level), '#') + " " + marked(heading.text) + "\n";
  }
  void write(const DocParagraph& paragraph) { m_text += "\n" + marked(paragraph.text) + "\n"; }
  void write(const DocList& list) {
    m_text += "\n";
    const char* mark = list.kind == DocList::Kind::numbers ? "1. " : "- ";
    for (const std::string& item : list.items) m_text += mark + marked(item) + "\n";
  }
  void write(const DocTable& table) {
    m_text += "\n" + marked(table.caption) + ":\n\n|";
    for (const DocTable::Column& column : table.columns) m_text += " " + marked(column.title) + " |";
    m_text += "\n|";
    for (const DocTable::Column& column : table.columns) m_text += column.isNumber ? " ---: |" : " --- |";
    m_text += "\n";
    for (const auto& row : table.rows) {
      m_text += "|";
      for (const std::string& cell : row) m_text += " " + marked(cell) + " |";
      m_text += "\n";
    }
  }
  void write(const DocChart&) {}
  void write(const DocCode& code) {
    std::string fence = "```";  // longer than any in the lines
    for (const std::string& line : code.lines) {
      while (line.find(fence) != std::string::npos) fence += '`';
    }
    m_text += "\n" + fence + "\n";
    for (const std::string& line : code.lines) m_text += line + "\n";
    m_text += fence + "\n";
  }

  std::string m_text;
};

}  // namespace

std::string reportMarkdown(const Report& report) {
  return MarkdownWriter().print(documentOf(report, {.flips = 20, .textBytes = 200}));
}

}  // namespace strata
