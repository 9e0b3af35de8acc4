// Feeds arbitrary bytes to the command line tool's reader of .safetensors files.
#include "safetensors.h"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    cli::read_safetensors(bytes, "fuzzed");
  } catch (const std::exception&) {
  }
  return 0;
}
