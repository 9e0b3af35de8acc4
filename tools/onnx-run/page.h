// The two halves of the page, around the report; made by CMake from the files in page/.
#pragma once

#include <string_view>

namespace cli {

extern const std::string_view kPageBegin, kPageEnd;

}  // namespace cli
