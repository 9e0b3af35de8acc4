// Loading shared libraries.
#include "api/shared_library.h"

#include <dlfcn.h>

#include "api/status.h"

namespace onnxrun::api {

void* symbol_of(const std::string& path, const char* symbol, const char* kind) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* const why = dlerror();
    fail(Code::kIo, "{} '{}' cannot be loaded: {}", kind, path, why ? why : "no reason given");
  }
  void* const found = dlsym(library, symbol);
  dlclose(library);
  if (found == nullptr) fail(Code::kUnsupported, "'{}' is no {}: it has no symbol {}", path, kind, symbol);
  return found;
}

void check_settings(const char* const* settings, size_t count) {
  if (count != 0) need(settings, "settings");
  for (size_t i = 0; i < count; ++i) need(settings[i], "settings");
}

}  // namespace onnxrun::api
