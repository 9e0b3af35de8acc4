// Loading, running and closing a model again and again leaves nothing behind.
#include <gtest/gtest.h>
#include <malloc.h>

#include <filesystem>
#include <onnxrun/onnxrun.hpp>
#include <vector>

namespace onnxrun {
namespace {

void load_and_run(const std::string& path, int64_t batch) {
  const Session session{Model(path)};
  session.run({{"image", Tensor::from({batch, 1, 8, 8}, std::vector<float>(static_cast<size_t>(batch * 64), 0.5f))}});
}

#if !defined(ONNXRUN_ADDRESS_SANITIZER) && !defined(ONNXRUN_THREAD_SANITIZER)
TEST(Reloading, LeavesNoBytesBehind) {
  const std::string path =
      (std::filesystem::path(ONNXRUN_TEST_DATA) / "../../examples/digits/digits.onnx").lexically_normal().string();
  for (int64_t round = 0; round < 20; ++round) load_and_run(path, 1 + round % 3);
  const size_t before = mallinfo2().uordblks;
  for (int64_t round = 0; round < 300; ++round) load_and_run(path, 1 + round % 3);
  EXPECT_LT(mallinfo2().uordblks, before + (size_t{256} << 10));
}
#endif

}  // namespace
}  // namespace onnxrun
