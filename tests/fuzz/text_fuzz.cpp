// Feeds arbitrary text to the reader of the text form: it accepts it or throws onnxrun::Error, and what it accepts is printed and read back the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "ir/op.h"
#include "ir/parse.h"
#include "ir/text.h"
#include "ops/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static onnxrun::ir::OpTable table;
  static const bool filled = (onnxrun::ops::define_all(table), true);
  if (!filled) return 0;
  constexpr int64_t kBytes = 256 << 20;
  onnxrun::ir::ParseOptions options;
  options.budget = std::make_shared<onnxrun::base::Budget>(kBytes);
  std::string text;
  try {
    text = to_text(onnxrun::ir::parse_model({reinterpret_cast<const char*>(data), size}, table, options));
  } catch (const onnxrun::Error&) {
    return 0;
  }
  if (to_text(onnxrun::ir::parse_model(text, table, options)) != text) std::abort();
  return 0;
}
