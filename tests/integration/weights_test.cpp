// Weights reach the kernels where they lie in the model's bytes, uncopied, when they are aligned there.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "import/import.h"
#include "integration/spying_provider.h"

namespace onnxrun::testing {
namespace {

using base::DType;
using base::Tensor;

// Fields of protobuf messages that hold no more than 127 bytes.
std::string field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}
std::string number(int field_number, char value) { return {static_cast<char>(field_number << 3), value}; }

// y = x + w for 4 floats.
std::string model_bytes(const std::vector<float>& w) {
  const std::string raw(reinterpret_cast<const char*>(w.data()), w.size() * sizeof(float));
  const std::string type = field(2, field(1, number(1, 1) + field(2, field(1, number(1, 4)))));
  const std::string graph = field(1, field(1, "x") + field(1, "w") + field(2, "y") + field(4, "Add")) + field(2, "g") +
                            field(5, number(1, 4) + number(2, 1) + field(8, "w") + field(9, raw)) +
                            field(11, field(1, "x") + type) + field(12, field(1, "y") + type);
  return number(1, 8) + field(7, graph) + field(8, number(2, 13));
}

TEST(Weights, AreUsedWhereTheyLieInTheFile) {
  const std::vector<float> w{1.5f, -2.25f, 3.0f, 4.75f};
  const std::string bytes = model_bytes(w);
  const std::string raw(reinterpret_cast<const char*>(w.data()), w.size() * sizeof(float));
  const size_t at = bytes.find(raw);
  ASSERT_NE(at, std::string::npos);
  for (const size_t misaligned : {0u, 1u}) {
    // A place in which the weights are a multiple of 64 bytes from the start, or one byte more.
    const auto owner = std::make_shared<std::vector<std::byte>>(bytes.size() + 256);
    auto start = reinterpret_cast<uintptr_t>(owner->data());
    start += (64 - (start + at) % 64) % 64 + misaligned;
    auto* place = reinterpret_cast<std::byte*>(start);
    std::memcpy(place, bytes.data(), bytes.size());
    import::ImportOptions options;
    options.table = &operators();
    run::SessionOptions session_options;
    session_options.table = &operators();
    session_options.threads = 1;
    session_options.providers = spying_cpu();
    run::Session session(std::make_shared<ir::Model>(import::import_bytes({place, bytes.size()}, owner, options)),
                         session_options);
    const auto outputs = run_with(session, {{"x", filled({4}, 1.0f)}});
    EXPECT_EQ(floats_of(outputs[0]), (std::vector<float>{2.5f, -1.25f, 4.0f, 5.75f}));
    if (misaligned == 0) EXPECT_EQ(Spy::operand, place + at);
    else EXPECT_NE(Spy::operand, place + at) << "floats cannot be read from there";
  }
}

}  // namespace
}  // namespace onnxrun::testing
