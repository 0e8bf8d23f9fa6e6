#pragma once
// A report as headings, paragraphs, tables and charts, in reading order: what HTML, PDF and Markdown have in common.

#include <string>
#include <variant>
#include <vector>

#include "core/report/chart.h"
#include "core/report/report.h"

namespace strata {

struct DocHeading {
  int level = 2;  // 2 or 3; the title is 1
  std::string text;
};
struct DocParagraph {
  std::string text;
  bool isNote = false;  // in second text
};
struct DocList {
  enum class Kind { conclusion, bullets, numbers };
  Kind kind = Kind::bullets;
  std::vector<std::string> items;
};
struct DocTable {
  struct Column {
    std::string title;
    bool isNumber = false;  // aligned right
    double share = 1;       // of the width, in PDF
  };
  std::string caption;
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // the first cell heads its row
};
struct DocChart {
  Chart chart;
};
struct DocCode {
  std::vector<std::string> lines;  // each in a frame of its own, where it may have several lines
};
using DocBlock = std::variant<DocHeading, DocParagraph, DocList, DocTable, DocChart, DocCode>;

struct Document {
  std::string title, subtitle;
  std::vector<DocBlock> blocks;
};

struct DocumentLimits {
  std::size_t flips = 100;      // of each evaluation; the rest is counted
  std::size_t textBytes = 400;  // of a cell; longer texts end in an ellipsis
};
Document documentOf(const Report& report, const DocumentLimits& limits);

/// At most `bytes`, cut between characters, with an ellipsis; on one line.
std::string excerpt(const std::string& text, std::size_t bytes);
/// "2026-11-22 09:30 UTC"
std::string printTime(const std::string& created);

}  // namespace strata
