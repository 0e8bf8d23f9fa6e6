#pragma once
// Files of resources/reports, compiled in by packaging/cmake/StrataTexts.cmake.

#include <map>
#include <string>

namespace strata {

extern const char* const kReportPage;   // report.html
extern const char* const kReportStyle;  // report.css
extern const char* const kCardPage;     // card.md
extern const char* const kServingPage;  // serving.md
extern const char* const kAdapterPage;  // adapter.md

/// The page with each {{name}} replaced; what is put in is not looked at again.
std::string filledPage(const std::string& page, const std::map<std::string, std::string>& texts);

}  // namespace strata
