// Puts the report into the page.
#include "html.h"

#include <string_view>

#include "page.h"

namespace cli {

std::string html_page(const std::string& report) {
  std::string page(kPageBegin);
  page.reserve(kPageBegin.size() + report.size() + report.size() / 16 + kPageEnd.size());
  // Within a script element only '<' could end it; in JSON it stands in texts only.
  for (const char c : report) {
    if (c == '<') page += "\\u003c";
    else page += c;
  }
  return page += kPageEnd;
}

}  // namespace cli
