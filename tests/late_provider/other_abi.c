/* A plug-in built for another version of the provider ABI, for tests. Its option refuse=1 lets it see that itself; newer=1 makes it one of this version and a
 * later revision. What it hands out has later members that are not what this version has there. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <onnxrun/provider.h>

#define OTHER_VERSION 4711u

/* Only the version stays in its place. */
struct other {
  uint32_t abi_version, abi_revision;
  uint64_t members[16];
};
static const struct other other_version = {OTHER_VERSION, 0, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
static const struct other newer = {ONNXRUN_PROVIDER_ABI_VERSION, ONNXRUN_PROVIDER_ABI_REVISION + 1, {1, 2, 3, 4}};

ONNXRUN_EXPORT onnxrun_code onnxrun_provider_create(uint32_t abi_version, const char* const* options,
                                                    size_t option_count, const onnxrun_provider** out,
                                                    onnxrun_sink* error) {
  static const char kMessage[] = "it is for provider ABI version 4711 only";
  (void)abi_version;
  if (option_count == 1 && strcmp(options[0], "refuse=1") == 0) {
    error->write(error->context, kMessage, sizeof kMessage - 1);
    return ONNXRUN_UNSUPPORTED;
  }
  *out =
      (const onnxrun_provider*)(const void*)(option_count == 1 && strcmp(options[0], "newer=1") == 0 ? &newer
                                                                                                     : &other_version);
  return ONNXRUN_OK;
}
