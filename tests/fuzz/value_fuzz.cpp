// Feeds arbitrary bytes to the reader of values stored on their own. The first byte chooses the kind that is expected.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "import/import.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using onnxrun::ir::TypeKind;
  constexpr TypeKind kKinds[] = {TypeKind::kTensor, TypeKind::kSequence, TypeKind::kOptional, TypeKind::kMap,
                                 TypeKind::kSparseTensor};
  if (size == 0) return 0;
  onnxrun::ir::Fact expected;
  expected.kind = kKinds[data[0] % std::size(kKinds)];
  try {
    onnxrun::import::read_value_pb({reinterpret_cast<const std::byte*>(data) + 1, size - 1}, expected);
  } catch (const onnxrun::Error&) {
  }
  return 0;
}
