// A4 pages by Cairo and Pango: tables break over pages with their heads repeated, pages are numbered, headings are the
// outline.

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "core/report/document.h"

namespace strata {
namespace {

constexpr double kPageWidth = 595.28, kPageHeight = 841.89;  // points
constexpr double kSide = 48, kTop = 52, kBottom = 60;
constexpr double kContent = kPageWidth - 2 * kSide;
constexpr double kMostHeight = kPageHeight - kTop - kBottom;  // of what stands on one page
constexpr double kChartScale = 0.72;                          // of letters of 11 pixels

struct Rgb {
  double red = 0, green = 0, blue = 0;
};

constexpr Rgb rgb(unsigned hex) {
  return {static_cast<double>(hex >> 16 & 0xff) / 255, static_cast<double>(hex >> 8 & 0xff) / 255,
          static_cast<double>(hex & 0xff) / 255};
}

// The light theme's, by Ink.
constexpr std::array<Rgb, kInks> kColours = {rgb(0x1A1D21), rgb(0x565E69), rgb(0xD3D7DE), rgb(0x7A828D), rgb(0xFFFFFF),
                                             rgb(0x0072B2), rgb(0xD55E00), rgb(0x009E73), rgb(0xCC79A7), rgb(0x1A1D21),
                                             rgb(0xF2F0EB), rgb(0xF5D6B0), rgb(0xEBA75F), rgb(0xCC6F20), rgb(0x8F3A00)};
constexpr Rgb kRaised = rgb(0xF4F5F7), kAccent = rgb(0x0067A3);

const Rgb& colourOf(Ink ink) {
  return kColours[static_cast<std::size_t>(ink)];
}

struct GObjectFree {
  void operator()(void* object) const { g_object_unref(object); }
};
using LayoutPointer = std::unique_ptr<PangoLayout, GObjectFree>;

struct Face {
  const char* family = "Inter, sans-serif";
  double size = 9;
  PangoWeight weight = PANGO_WEIGHT_NORMAL;
};

constexpr Face kBody{}, kTitleFace{"Inter, sans-serif", 20, PANGO_WEIGHT_SEMIBOLD},
    kHeadingFace{"Inter, sans-serif", 13, PANGO_WEIGHT_SEMIBOLD}, kBold{"Inter, sans-serif", 9, PANGO_WEIGHT_SEMIBOLD},
    kSmall{"Inter, sans-serif", 8, PANGO_WEIGHT_NORMAL}, kCell{"Inter, sans-serif", 7.5, PANGO_WEIGHT_NORMAL},
    kCellHead{"Inter, sans-serif", 7.5, PANGO_WEIGHT_MEDIUM},
    kCode{"JetBrains Mono, monospace", 7, PANGO_WEIGHT_NORMAL};

cairo_status_t append(void* bytes, const unsigned char* data, unsigned length) {
  static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

/// UTF-8 without control characters: what Pango takes.
std::string printable(const std::string& text) {
  const std::unique_ptr<char, void (*)(void*)> valid(g_utf8_make_valid(text.c_str(), -1), g_free);
  std::string safe = valid.get();
  for (char& c : safe) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') c = ' ';
  }
  return safe;
}

class PdfWriter {
 public:
  /// `pages`: how many there will be; 0: not known yet.
  PdfWriter(const Document& document, const std::string& date, int pages) : m_document(document), m_pages(pages) {
    m_surface.reset(cairo_pdf_surface_create_for_stream(append, &m_bytes, kPageWidth, kPageHeight));
    cairo_pdf_surface_set_metadata(m_surface.get(), CAIRO_PDF_METADATA_TITLE, printable(document.title).c_str());
    cairo_pdf_surface_set_metadata(m_surface.get(), CAIRO_PDF_METADATA_CREATOR, "Strata");
    // Of the newest run: the same runs give the same bytes.
    cairo_pdf_surface_set_metadata(m_surface.get(), CAIRO_PDF_METADATA_CREATE_DATE, date.c_str());
    cairo_pdf_surface_set_metadata(m_surface.get(), CAIRO_PDF_METADATA_MOD_DATE, date.c_str());
    m_cairo.reset(cairo_create(m_surface.get()));
    m_fonts.reset(pango_cairo_font_map_new());
    pango_cairo_font_map_set_resolution(PANGO_CAIRO_FONT_MAP(m_fonts.get()), 72);  // a point is a unit
    m_context.reset(pango_font_map_create_context(m_fonts.get()));
    // Glyphs stand where the font puts them, not on whole points.
    pango_context_set_round_glyph_positions(m_context.get(), FALSE);
    cairo_font_options_t* options = cairo_font_options_create();
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    pango_cairo_context_set_font_options(m_context.get(), options);
    cairo_font_options_destroy(options);
    pango_cairo_update_context(m_cairo.get(), m_context.get());
  }

  Result<std::string> write() {
    startPage();
    paragraph(m_document.title, kTitleFace, Ink::text, "H1");
    m_y += 2;
    paragraph(m_document.subtitle, kBody, Ink::secondText, "P");
    for (const DocBlock& block : m_document.blocks) std::visit([this](const auto& each) { draw(each); }, block);
    endPage();
    cairo_surface_finish(m_surface.get());
    const cairo_status_t status = cairo_status(m_cairo.get());
    const cairo_status_t surface = cairo_surface_status(m_surface.get());
    if (status != CAIRO_STATUS_SUCCESS || surface != CAIRO_STATUS_SUCCESS) {
      const cairo_status_t problem = status != CAIRO_STATUS_SUCCESS ? status : surface;
      return fail(ErrorCode::internal,
                  std::string("The PDF could not be drawn: ") + cairo_status_to_string(problem) + ".");
    }
    return std::move(m_bytes);
  }
  int pages() const { return m_page; }

 private:
  struct SurfaceFree {
    void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  };
  struct CairoFree {
    void operator()(cairo_t* cairo) const { cairo_destroy(cairo); }
  };

  cairo_t* cairo() const { return m_cairo.get(); }
  void ink(const Rgb& colour) { cairo_set_source_rgb(cairo(), colour.red, colour.green, colour.blue); }
  void ink(Ink which) { ink(colourOf(which)); }

  LayoutPointer layout(const std::string& text, const Face& face, double width = -1, bool right = false) const {
    LayoutPointer made(pango_layout_new(m_context.get()));
    PangoFontDescription* font = pango_font_description_new();
    pango_font_description_set_family(font, face.family);
    pango_font_description_set_size(font, static_cast<int>(std::lround(face.size * PANGO_SCALE)));
    pango_font_description_set_weight(font, face.weight);
    pango_layout_set_font_description(made.get(), font);
    pango_font_description_free(font);
    if (width >= 0) pango_layout_set_width(made.get(), static_cast<int>(std::lround(width * PANGO_SCALE)));
    pango_layout_set_wrap(made.get(), PANGO_WRAP_WORD_CHAR);
    pango_layout_set_line_spacing(made.get(), 1.15F);
    if (right) pango_layout_set_alignment(made.get(), PANGO_ALIGN_RIGHT);
    const std::string safe = printable(text);
    pango_layout_set_text(made.get(), safe.c_str(), static_cast<int>(safe.size()));
    return made;
  }
  static double heightOf(const LayoutPointer& text) {
    PangoRectangle box;
    pango_layout_get_extents(text.get(), nullptr, &box);
    return static_cast<double>(box.height) / PANGO_SCALE;
  }
  static double widthOf(const LayoutPointer& text) {
    PangoRectangle box;
    pango_layout_get_extents(text.get(), nullptr, &box);
    return static_cast<double>(box.width) / PANGO_SCALE;
  }
  void show(const LayoutPointer& text, double x, double y, Ink which) {
    ink(which);
    cairo_move_to(cairo(), x, y);
    pango_cairo_show_layout(cairo(), text.get());
  }

  void startPage() {
    ++m_page;
    m_y = kTop;
  }
  void endPage() {
    const std::string number = std::to_string(m_page) + (m_pages > 0 ? " / " + std::to_string(m_pages) : "");
    const LayoutPointer right = layout(number, kSmall);
    show(right, kPageWidth - kSide - widthOf(right), kPageHeight - kBottom + 24, Ink::secondText);
    const LayoutPointer left = layout(excerpt(m_document.title, 90), kSmall);
    show(left, kSide, kPageHeight - kBottom + 24, Ink::secondText);
    cairo_show_page(cairo());
  }
  double room() const { return kPageHeight - kBottom - m_y; }
  /// Goes to the next page unless so much is free on this one.
  void need(double height) {
    if (room() >= height || m_y <= kTop) return;
    endPage();
    startPage();
  }

  /// `mark`: of a list's item, left of the text.
  void paragraph(const std::string& text, const Face& face, Ink which, const char* tag, double indent = 0,
                 const std::string& mark = {}) {
    const LayoutPointer made = layout(text, face, kContent - indent);
    const bool fits = heightOf(made) <= kMostHeight;
    const LayoutPointer left = layout(mark, face);
    need(fits ? heightOf(made) : heightOf(left));
    show(left, kSide, m_y, which);
    if (!fits) {
      flow(made, kSide + indent, which, tag, false);
    } else {
      cairo_tag_begin(cairo(), tag, nullptr);
      show(made, kSide + indent, m_y, which);
      cairo_tag_end(cairo(), tag);
      m_y += heightOf(made);
    }
    m_y += 4;
  }

  /// What is higher than a page, line by line.
  void flow(const LayoutPointer& text, double x, Ink which, const char* tag, bool isRaised) {
    const std::unique_ptr<PangoLayoutIter, void (*)(PangoLayoutIter*)> lines(pango_layout_get_iter(text.get()),
                                                                             pango_layout_iter_free);
    do {
      PangoRectangle box;
      pango_layout_iter_get_line_extents(lines.get(), nullptr, &box);
      int from = 0, to = 0;
      pango_layout_iter_get_line_yrange(lines.get(), &from, &to);
      const double height = static_cast<double>(to - from) / PANGO_SCALE;
      need(height);
      if (isRaised) {
        ink(kRaised);
        cairo_rectangle(cairo(), kSide, m_y, kContent, height);
        cairo_fill(cairo());
      }
      ink(which);
      cairo_tag_begin(cairo(), tag, nullptr);
      cairo_move_to(cairo(), x + static_cast<double>(box.x) / PANGO_SCALE,
                    m_y + static_cast<double>(pango_layout_iter_get_baseline(lines.get()) - from) / PANGO_SCALE);
      pango_cairo_show_layout_line(cairo(), pango_layout_iter_get_line_readonly(lines.get()));
      cairo_tag_end(cairo(), tag);
      m_y += height;
    } while (pango_layout_iter_next_line(lines.get()));
  }

  void draw(const DocHeading& heading) {
    constexpr double kWithNext = 110;
    m_y += heading.level == 2 ? 16 : 6;
    need(kWithNext);
    const std::string place =
        "page=" + std::to_string(m_page) + " pos=[" + std::to_string(kSide) + " " + std::to_string(m_y) + "]";
    if (heading.level == 2) {
      cairo_pdf_surface_add_outline(m_surface.get(), CAIRO_PDF_OUTLINE_ROOT, printable(heading.text).c_str(),
                                    place.c_str(), static_cast<cairo_pdf_outline_flags_t>(0));
    }
    const bool isSection = heading.level == 2;
    paragraph(heading.text, isSection ? kHeadingFace : kBold, Ink::text, isSection ? "H2" : "H3");
    m_y += 2;
  }
  void draw(const DocParagraph& words) {
    paragraph(words.text, words.isNote ? kSmall : kBody, words.isNote ? Ink::secondText : Ink::text, "P");
    if (!words.isNote) m_y += 4;
  }
  void draw(const DocList& list) {
    constexpr double kIndent = 14;
    if (list.kind == DocList::Kind::conclusion) return drawConclusion(list);
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      const std::string mark = list.kind == DocList::Kind::numbers ? std::to_string(i + 1) + "." : "•";
      paragraph(list.items[i], kBody, Ink::text, "P", kIndent, mark);
    }
    m_y += 4;
  }
  void drawConclusion(const DocList& list) {
    constexpr double kBar = 2.5, kIndent = 14, kPad = 6;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      const LayoutPointer item = layout(list.items[i], kBody, kContent - kIndent - kPad);
      const double height = heightOf(item) + 2 * kPad;
      need(height);
      ink(kRaised);
      cairo_rectangle(cairo(), kSide, m_y, kContent, height);
      cairo_fill(cairo());
      ink(kAccent);
      cairo_rectangle(cairo(), kSide, m_y, kBar, height);
      cairo_fill(cairo());
      cairo_tag_begin(cairo(), "P", nullptr);
      show(item, kSide + kIndent, m_y + kPad, Ink::text);
      cairo_tag_end(cairo(), "P");
      m_y += height;
    }
    m_y += 6;
  }
  void draw(const DocCode& code) {
    constexpr double kPad = 6;
    for (const std::string& line : code.lines) {
      const LayoutPointer made = layout(line, kCode, kContent - 2 * kPad);
      const double height = heightOf(made) + 2 * kPad;
      if (height > kMostHeight) {
        flow(made, kSide + kPad, Ink::text, "P", true);
        m_y += 4;
        continue;
      }
      need(height);
      ink(kRaised);
      cairo_rectangle(cairo(), kSide, m_y, kContent, height);
      cairo_fill(cairo());
      cairo_tag_begin(cairo(), "P", nullptr);
      show(made, kSide + kPad, m_y + kPad, Ink::text);
      cairo_tag_end(cairo(), "P");
      m_y += height + 4;
    }
  }

  void draw(const DocTable& table);
  double drawRow(const DocTable& table, const std::vector<std::string>& cells, const std::vector<double>& widths,
                 bool isHead, bool onlyMeasures);
  void draw(const DocChart& chart);
  void draw(const Shape& shape);

  const Document& m_document;
  int m_pages, m_page = 0;
  double m_y = 0;
  std::string m_bytes;
  std::unique_ptr<cairo_surface_t, SurfaceFree> m_surface;
  std::unique_ptr<cairo_t, CairoFree> m_cairo;
  std::unique_ptr<PangoFontMap, GObjectFree> m_fonts;
  std::unique_ptr<PangoContext, GObjectFree> m_context;
};

/// The height of the row.
double PdfWriter::drawRow(const DocTable& table, const std::vector<std::string>& cells,
                          const std::vector<double>& widths, bool isHead, bool onlyMeasures) {
  constexpr double kPadX = 6, kPadY = 3;
  double height = 0, x = kSide;
  std::vector<LayoutPointer> layouts;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    layouts.push_back(
        layout(cells[i], isHead || i == 0 ? kCellHead : kCell, widths[i] - kPadX, table.columns[i].isNumber));
    height = std::max(height, heightOf(layouts.back()));
  }
  height += 2 * kPadY;
  if (onlyMeasures) return height;
  cairo_tag_begin(cairo(), "TR", nullptr);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const char* tag = isHead || i == 0 ? "TH" : "TD";
    const double y = isHead ? m_y + height - kPadY - heightOf(layouts[i]) : m_y + kPadY;
    cairo_tag_begin(cairo(), tag, nullptr);
    show(layouts[i], x + (table.columns[i].isNumber ? kPadX : 0), y, isHead ? Ink::secondText : Ink::text);
    cairo_tag_end(cairo(), tag);
    x += widths[i];
  }
  cairo_tag_end(cairo(), "TR");
  ink(isHead ? Ink::axis : Ink::grid);
  cairo_set_line_width(cairo(), 0.5);
  cairo_move_to(cairo(), kSide, m_y + height);
  cairo_line_to(cairo(), kSide + kContent, m_y + height);
  cairo_stroke(cairo());
  m_y += height;
  return height;
}

void PdfWriter::draw(const DocTable& table) {
  double shares = 0;
  for (const DocTable::Column& column : table.columns) shares += column.share;
  std::vector<double> widths;
  std::vector<std::string> head;
  for (const DocTable::Column& column : table.columns) {
    widths.push_back(kContent * column.share / shares);
    head.push_back(column.title);
  }
  m_y += 8;
  const double headHeight = drawRow(table, head, widths, true, true);
  const double first = table.rows.empty() ? 0 : drawRow(table, table.rows.front(), widths, false, true);
  const LayoutPointer caption = layout(table.caption, kBold, kContent);
  need(heightOf(caption) + 6 + headHeight + first);
  show(caption, kSide, m_y, Ink::text);
  m_y += heightOf(caption) + 4;
  cairo_tag_begin(cairo(), "Table", nullptr);
  drawRow(table, head, widths, true, false);
  for (const auto& row : table.rows) {
    if (room() < drawRow(table, row, widths, false, true)) {
      cairo_tag_end(cairo(), "Table");
      endPage();
      startPage();
      cairo_tag_begin(cairo(), "Table", nullptr);
      drawRow(table, head, widths, true, false);
    }
    drawRow(table, row, widths, false, false);
  }
  cairo_tag_end(cairo(), "Table");
  m_y += 10;
}

void PdfWriter::draw(const Shape& shape) {
  ink(shape.ink);
  const auto trace = [&] {
    for (std::size_t i = 0; i < shape.points.size(); ++i) {
      if (i == 0) {
        cairo_move_to(cairo(), shape.points[i].x, shape.points[i].y);
      } else {
        cairo_line_to(cairo(), shape.points[i].x, shape.points[i].y);
      }
    }
  };
  switch (shape.kind) {
    case Shape::Kind::line: {
      const double dashes[] = {6, 4};
      cairo_set_line_width(cairo(), shape.size);
      cairo_set_dash(cairo(), dashes, shape.isDashed ? 2 : 0, 0);
      trace();
      cairo_stroke(cairo());
      cairo_set_dash(cairo(), dashes, 0, 0);
      return;
    }
    case Shape::Kind::area:
      trace();
      cairo_close_path(cairo());
      if (shape.isHollow) {
        cairo_set_line_width(cairo(), 1);
        cairo_stroke(cairo());
      } else {
        cairo_fill(cairo());
      }
      return;
    case Shape::Kind::circle:
      cairo_new_path(cairo());  // else a line leads here from the last text
      cairo_arc(cairo(), shape.points[0].x, shape.points[0].y, shape.size, 0, 2 * M_PI);
      cairo_fill(cairo());
      return;
    case Shape::Kind::text: {
      const LayoutPointer words = layout(shape.text, {"Inter, sans-serif", shape.size, PANGO_WEIGHT_NORMAL});
      const double baseline = static_cast<double>(pango_layout_get_baseline(words.get())) / PANGO_SCALE;
      double x = shape.points[0].x;
      if (shape.anchor == Anchor::middle) x -= widthOf(words) / 2;
      if (shape.anchor == Anchor::end) x -= widthOf(words);
      show(words, x, shape.points[0].y - baseline, shape.ink);
      return;
    }
  }
}

void PdfWriter::draw(const DocChart& chart) {
  const Drawing drawing = drawChart(chart.chart, kContent / kChartScale);
  const LayoutPointer caption = layout(chart.chart.title, kBold, kContent);
  m_y += 8;
  need(heightOf(caption) + 6 + drawing.height * kChartScale);
  show(caption, kSide, m_y, Ink::text);
  m_y += heightOf(caption) + 6;
  cairo_tag_begin(cairo(), "Figure", nullptr);
  cairo_save(cairo());
  cairo_translate(cairo(), kSide, m_y);
  cairo_scale(cairo(), kChartScale, kChartScale);
  for (const Shape& shape : drawing.shapes) draw(shape);
  cairo_restore(cairo());
  cairo_tag_end(cairo(), "Figure");
  m_y += drawing.height * kChartScale + 6;
}

}  // namespace

Result<std::string> reportPdf(const Report& report) {
  const Document document = documentOf(report, {.flips = 60, .textBytes = 240});
  PdfWriter counting(document, report.date, 0);
  STRATA_CHECK(counting.write());
  return PdfWriter(document, report.date, counting.pages()).write();
}

}  // namespace strata
