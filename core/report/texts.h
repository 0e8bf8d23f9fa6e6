#pragma once
// Files of resources/reports, compiled in by packaging/cmake/StrataTexts.cmake.

namespace strata {

extern const char* const kReportPage;   // report.html
extern const char* const kReportStyle;  // report.css
extern const char* const kCardPage;     // card.md

}  // namespace strata
