/* A plug-in built for another version of the provider ABI, for tests. Its option refuse=1 lets it see that itself; by default it hands out a provider whose
 * later members are not what this version has there. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <onnxrun/provider.h>

#define OTHER_VERSION 4711u

/* Only the version stays in its place. */
static const struct {
  uint32_t abi_version;
  uint64_t members[16];
} provider = {OTHER_VERSION, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

ONNXRUN_EXPORT onnxrun_code onnxrun_provider_create(uint32_t abi_version, const char* const* options,
                                                    size_t option_count, const onnxrun_provider** out,
                                                    onnxrun_sink* error) {
  static const char kMessage[] = "it is for provider ABI version 4711 only";
  (void)abi_version;
  if (option_count == 1 && strcmp(options[0], "refuse=1") == 0) {
    error->write(error->context, kMessage, sizeof kMessage - 1);
    return ONNXRUN_UNSUPPORTED;
  }
  *out = (const onnxrun_provider*)(const void*)&provider;
  return ONNXRUN_OK;
}
