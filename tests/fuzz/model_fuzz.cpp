// Feeds arbitrary bytes to the model reader, which has to accept them or throw onnxrun::Error, in bounded memory.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "import/import.h"
#include "ir/op.h"
#include "ops/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static onnxrun::ir::OpTable table;
  static const bool filled = (onnxrun::ops::define_all(table), true);
  onnxrun::import::ImportOptions options;
  options.table = filled ? &table : nullptr;
  options.limits.max_run_bytes = 256 << 20;
  try {
    onnxrun::import::import_bytes({reinterpret_cast<const std::byte*>(data), size}, nullptr, options, "fuzzed");
  } catch (const onnxrun::Error&) {
  }
  return 0;
}
