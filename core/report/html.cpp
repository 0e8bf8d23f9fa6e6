// One page that needs nothing else: no script, no font, no file and no network.

#include <cstdio>

#include "core/report/document.h"
#include "core/report/texts.h"

namespace strata {
namespace {

/// Text as HTML and XML have it. Control characters, which neither allows, become U+FFFD.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') {
          safe += "\xEF\xBF\xBD";
        } else {
          safe += c;
        }
    }
  }
  return safe;
}

/// With at most one digit behind the point: a tenth of a pixel.
std::string coordinate(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  std::string number = text;
  if (number.ends_with(".0")) number.resize(number.size() - 2);
  return number == "-0" ? "0" : number;
}

const char* classOf(Ink ink) {
  constexpr const char* kClasses[kInks] = {"text", "second", "grid", "axis", "ground", "s0", "s1", "s2",
                                           "s3",   "s4",     "h0",   "h1",   "h2",     "h3", "h4"};
  return kClasses[static_cast<std::size_t>(ink)];
}

std::string pathOf(const Shape& shape) {
  std::string path;
  for (std::size_t i = 0; i < shape.points.size(); ++i) {
    path += i == 0 ? "M" : "L";
    path += coordinate(shape.points[i].x) + " " + coordinate(shape.points[i].y);
  }
  return shape.kind == Shape::Kind::area ? path + "Z" : path;
}

std::string svgShape(const Shape& shape) {
  const std::string ink = classOf(shape.ink);
  switch (shape.kind) {
    case Shape::Kind::line:
      return "<path class=\"l " + ink + "\" d=\"" + pathOf(shape) + "\" stroke-width=\"" + coordinate(shape.size) +
             "\"" + (shape.isDashed ? " stroke-dasharray=\"6 4\"" : "") + "/>";
    case Shape::Kind::area:
      return "<path class=\"" + std::string(shape.isHollow ? "l " : "a ") + ink + "\" d=\"" + pathOf(shape) + "\"/>";
    case Shape::Kind::circle:
      return "<circle class=\"a " + ink + "\" cx=\"" + coordinate(shape.points[0].x) + "\" cy=\"" +
             coordinate(shape.points[0].y) + "\" r=\"" + coordinate(shape.size) + "\"/>";
    case Shape::Kind::text:
      break;
  }
  const char* anchor = shape.anchor == Anchor::start
                           ? ""
                           : (shape.anchor == Anchor::middle ? " text-anchor=\"middle\"" : " text-anchor=\"end\"");
  return "<text class=\"a " + ink + "\" x=\"" + coordinate(shape.points[0].x) + "\" y=\"" +
         coordinate(shape.points[0].y) + "\"" + anchor + ">" + escaped(shape.text) + "</text>";
}

class HtmlWriter {
 public:
  std::string body(const Document& document) {
    m_text += "<h1>" + escaped(document.title) + "</h1>\n<p class=\"second\">" + escaped(document.subtitle) + "</p>\n";
    for (const DocBlock& block : document.blocks) std::visit([this](const auto& each) { write(each); }, block);
    return std::move(m_text);
  }

 private:
  void write(const DocHeading& heading) {
    const std::string level = std::to_string(heading.level);
    m_text += "<h" + level + ">" + escaped(heading.text) + "</h" + level + ">\n";
  }
  void write(const DocParagraph& paragraph) {
    m_text += paragraph.isNote ? "<p class=\"second\">" : "<p>";
    m_text += escaped(paragraph.text) + "</p>\n";
  }
  void write(const DocList& list) {
    const bool isNumbered = list.kind == DocList::Kind::numbers;
    m_text += isNumbered ? "<ol>\n" : list.kind == DocList::Kind::bullets ? "<ul>\n" : "<ul class=\"conclusion\">\n";
    for (const std::string& item : list.items) m_text += "<li>" + escaped(item) + "</li>\n";
    m_text += isNumbered ? "</ol>\n" : "</ul>\n";
  }
  void write(const DocTable& table) {
    m_text += "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"" + escaped(table.caption) +
              "\">\n<table>\n<caption><span>" + escaped(table.caption) + "</span></caption>\n<thead><tr>";
    for (const DocTable::Column& column : table.columns) {
      m_text += column.isNumber ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">";
      m_text += escaped(column.title) + "</th>";
    }
    m_text += "</tr></thead>\n<tbody>\n";
    for (const auto& row : table.rows) {
      m_text += "<tr>";
      for (std::size_t i = 0; i < row.size(); ++i) {
        const bool isNumber = i < table.columns.size() && table.columns[i].isNumber;
        if (i == 0) {
          m_text += "<th scope=\"row\">" + escaped(row[i]) + "</th>";
        } else {
          m_text += (isNumber ? "<td class=\"n\">" : "<td>") + escaped(row[i]) + "</td>";
        }
      }
      m_text += "</tr>\n";
    }
    m_text += "</tbody>\n</table>\n</div>\n";
  }
  void write(const DocChart& chart) {
    // Drawn twice, for a desktop and for a phone: a drawing that is merely made smaller has letters of six pixels.
    constexpr double kDesktop = 720, kPhone = 340;
    m_text += "<figure>\n";
    svg(chart.chart, kDesktop, "desktop");
    svg(chart.chart, kPhone, "phone");
    m_text += "<figcaption>" + escaped(chart.chart.title) + "</figcaption>\n</figure>\n";
  }
  void svg(const Chart& chart, double width, const char* screen) {
    const Drawing drawing = drawChart(chart, width);
    const std::string id = "chart" + std::to_string(++m_charts);
    const std::string size = coordinate(drawing.width) + " " + coordinate(drawing.height);
    m_text += "<svg class=\"" + std::string(screen) + "\" viewBox=\"0 0 " + size + "\" width=\"" +
              coordinate(drawing.width) + "\" height=\"" + coordinate(drawing.height) +
              "\" role=\"img\" aria-labelledby=\"" + id + "t " + id + "d\">\n<title id=\"" + id + "t\">" +
              escaped(chart.title) + "</title>\n<desc id=\"" + id + "d\">" + escaped(chart.description) + "</desc>\n";
    for (const Shape& shape : drawing.shapes) m_text += svgShape(shape) + "\n";
    m_text += "</svg>\n";
  }
  void write(const DocCode& code) {
    m_text += "<pre tabindex=\"0\"><code>";
    for (const std::string& line : code.lines) m_text += escaped(line) + "\n";
    m_text += "</code></pre>\n";
  }

  std::string m_text;
  int m_charts = 0;
};

}  // namespace

std::string reportHtml(const Report& report) {
  const Document document = documentOf(report, {.flips = 300, .textBytes = 600});
  return filledPage(
      kReportPage,
      {{"style", kReportStyle}, {"title", escaped(document.title)}, {"body", HtmlWriter().body(document)}});
}

}  // namespace strata
