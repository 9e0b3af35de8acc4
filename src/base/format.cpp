// The one place that compiles fmt's formatting; all other files include only its light core header.
#define FMT_HEADER_ONLY 1
#include <fmt/format.h>

#include <string>

namespace onnxrun::base {

// Taking their addresses puts these functions into this object, where the core header's declarations find them.
extern std::string (*const kFormat)(fmt::string_view, fmt::format_args);
std::string (*const kFormat)(fmt::string_view, fmt::format_args) = &fmt::vformat;
extern void (*const kAssertFail)(const char*, int, const char*);
void (*const kAssertFail)(const char*, int, const char*) = &fmt::detail::assert_fail;
extern void (*const kFormatError)(const char*);
void (*const kFormatError)(const char*) = &fmt::detail::throw_format_error;

}  // namespace onnxrun::base
