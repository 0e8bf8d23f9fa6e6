// strftime, one directive at a time, so that no field can be made wide.

#include <ctime>

#include "core/jinja/interpreter.h"

namespace strata::jinja {

std::string formatTime(std::string_view format, std::chrono::local_seconds time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  std::tm parts = {};
  parts.tm_year = static_cast<int>(date.year()) - 1900;
  parts.tm_mon = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
  parts.tm_mday = static_cast<int>(static_cast<unsigned>(date.day()));
  parts.tm_hour = static_cast<int>(clock.hours().count());
  parts.tm_min = static_cast<int>(clock.minutes().count());
  parts.tm_sec = static_cast<int>(clock.seconds().count());
  parts.tm_wday = static_cast<int>(weekday(day).c_encoding());
  parts.tm_yday = static_cast<int>((day - local_days(date.year() / January / 1)).count());
  std::string out;
  for (std::size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%' || at + 1 >= format.size()) {
      out += format[at];
      continue;
    }
    std::string directive = "%";
    while (at + 1 < format.size() && directive.size() < 4 &&
           std::string_view("-_0^#EO").find(format[at + 1]) != std::string_view::npos) {
      directive += format[++at];
    }
    if (at + 1 >= format.size()) {
      out += directive;
      break;
    }
    const char letter = format[++at];
    directive += letter;
    if (letter == '%') {
      out += '%';
    } else if (letter == 'f') {
      out += "000000";
    } else if (letter != 'z' && letter != 'Z') {  // a local time without a zone has neither
      char text[128];
      out.append(text, std::strftime(text, sizeof text, directive.c_str(), &parts));
    }
  }
  return out;
}

}  // namespace strata::jinja
