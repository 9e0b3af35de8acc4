// Feeds arbitrary bytes to the command line tool's reader of numpy's .npy files.
#include "npy.h"
#include "room.h"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    cli::Room room(uint64_t{256} << 20);
    cli::read_npy(bytes, "fuzzed", room);
  } catch (const std::exception&) {
  }
  return 0;
}
