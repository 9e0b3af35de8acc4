// Loading plug-in libraries.
#include "api/provider_library.h"

#include <dlfcn.h>

#include "base/error.h"
#include "plan/node_view.h"

namespace onnxrun::api {

using base::Code;
using base::fail;

#define ONNXRUN_TEXT_OF(name) #name
#define ONNXRUN_TEXT(name) ONNXRUN_TEXT_OF(name)

plan::ProviderPtr load_provider_library(const std::string& path, const char* const* settings, size_t count) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* why = dlerror();
    fail(Code::kIo, "provider library '{}' cannot be loaded: {}", path, why ? why : "no reason given");
  }
  const auto create = reinterpret_cast<onnxrun_provider_entry>(dlsym(library, ONNXRUN_TEXT(ONNXRUN_PROVIDER_ENTRY)));
  dlclose(library);
  if (create == nullptr)
    fail(Code::kUnsupported, "'{}' is no provider library: it has no symbol {}", path,
         ONNXRUN_TEXT(ONNXRUN_PROVIDER_ENTRY));

  plan::Message message;
  const onnxrun_provider* provider = nullptr;
  const onnxrun_code code = create(ONNXRUN_PROVIDER_ABI_VERSION, settings, count, &provider, message.sink());
  if (code != ONNXRUN_OK)
    throw base::Error(static_cast<Code>(code), message.text().empty() ? "no reason given" : message.text())
        .in("provider library '" + path + "'");
  if (provider == nullptr || provider->name == nullptr || (provider->kernels == nullptr && provider->kernel_count != 0))
    fail(Code::kUnsupported, "provider library '{}' gave no complete provider", path);
  return plan::ProviderPtr(provider, [](const onnxrun_provider* p) {
    if (p->destroy) p->destroy(p->self);
  });
}

}  // namespace onnxrun::api
