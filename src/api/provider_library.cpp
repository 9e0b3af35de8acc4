// Loading plug-in libraries.
#include "api/provider_library.h"

#include "api/shared_library.h"
#include "base/error.h"
#include "plan/node_view.h"

namespace onnxrun::api {

using base::Code;
using base::fail;

plan::ProviderPtr load_provider_library(const std::string& path, const char* const* settings, size_t count) {
  const auto create = reinterpret_cast<onnxrun_provider_entry>(
      symbol_of(path, ONNXRUN_TEXT(ONNXRUN_PROVIDER_ENTRY), "provider library"));
  plan::Message message;
  const onnxrun_provider* provider = nullptr;
  const onnxrun_code code = create(ONNXRUN_PROVIDER_ABI_VERSION, settings, count, &provider, message.sink());
  if (code != ONNXRUN_OK)
    throw base::Error(static_cast<Code>(code), message.text().empty() ? "no reason given" : message.text())
        .in("provider library '" + path + "'");
  // Of another version nothing but the version is where it is looked for.
  if (provider != nullptr && provider->abi_version != ONNXRUN_PROVIDER_ABI_VERSION)
    fail(Code::kUnsupported,
         "provider library '{}' was built for version {} of the provider ABI, and this onnxrun has version {}: build "
         "it with the headers of this one",
         path, provider->abi_version, ONNXRUN_PROVIDER_ABI_VERSION);
  if (provider != nullptr && provider->abi_revision > ONNXRUN_PROVIDER_ABI_REVISION)
    fail(Code::kUnsupported,
         "provider library '{}' was built for revision {} of the provider ABI, and this onnxrun has revision {}: it "
         "needs a newer onnxrun",
         path, provider->abi_revision, ONNXRUN_PROVIDER_ABI_REVISION);
  if (provider == nullptr || provider->name == nullptr || (provider->kernels == nullptr && provider->kernel_count != 0))
    fail(Code::kUnsupported, "provider library '{}' gave no complete provider", path);
  return plan::ProviderPtr(provider, [](const onnxrun_provider* p) {
    if (p->destroy) p->destroy(p->self);
  });
}

}  // namespace onnxrun::api
