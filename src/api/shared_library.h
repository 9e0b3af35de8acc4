// Shared libraries that options name: providers and operators.
#pragma once

#include <cstddef>
#include <string>

// What a macro stands for, as text.
#define ONNXRUN_TEXT_OF(name) #name
#define ONNXRUN_TEXT(name) ONNXRUN_TEXT_OF(name)

namespace onnxrun::api {

// The address of `symbol` in the library at `path`, which stays loaded until the process ends, so that no thread of it runs unmapped code. `kind` is for
// messages, as "provider library". Throws kIo or kUnsupported naming the path.
void* symbol_of(const std::string& path, const char* symbol, const char* kind);

// Throws kInvalidArgument where one of the "key=value" texts, or their list, is null.
void check_settings(const char* const* settings, size_t count);

}  // namespace onnxrun::api
