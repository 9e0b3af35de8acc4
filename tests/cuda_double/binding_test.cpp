// Inputs and outputs in the memory of a device: read and written there, whatever the rest of the model needs of them.
#include "on_double.h"

#include <cuda_runtime.h>

#include <cmath>
#include <cstring>
#include <utility>

namespace {

using on_double::counting;
using on_double::cuda;
using on_double::kCuda;
using on_double::model_of;
using onnxrun::Device;
using onnxrun::Options;
using onnxrun::Session;
using onnxrun::Tensor;

Tensor on_device(const Options& options, const std::vector<float>& numbers, Device device = kCuda) {
  const auto count = static_cast<int64_t>(numbers.size());
  Tensor result = onnxrun::make_on(options, device, ONNXRUN_DTYPE_FLOAT32, {count});
  onnxrun::copy(options, Tensor::from<float>({count}, numbers), result);
  return result;
}

std::vector<float> on_host(const Options& options, const Tensor& tensor) {
  Tensor copy(ONNXRUN_DTYPE_FLOAT32, tensor.shape());
  onnxrun::copy(options, tensor, copy);
  const auto elements = copy.span<float>();
  return {elements.begin(), elements.end()};
}

std::string copies_in(const std::string& history) {
  std::string result;
  for (char kind : history)
    if (kind == 'u' || kind == 'd' || kind == 'm') result += kind;
  return result;
}

Options plain(Options options) {
  options.set("level", "0");
  return options;
}

TEST(CudaBinding, NeedsNoCopyFromDeviceToDevice) {
  const Options options = plain(cuda());
  const Session session(
      model_of("x: float32[n]", "y, z", "s: int64[1] = {-1}\n a = Neg(x)\n y = Exp(a)\n z = Reshape(a, s)"), options);
  for (const int64_t n : {8, 100, 8}) {
    std::vector<float> numbers = counting(static_cast<size_t>(n), -3);
    for (float& number : numbers) number = std::fmod(number, 8.0f);
    const Tensor x = on_device(options, numbers);
    Tensor y = on_device(options, std::vector<float>(static_cast<size_t>(n), 77));
    onnxrun::Run run(session);
    run.set_input("x", x);
    run.set_output("y", y);
    run.want("z", kCuda);
    cuda_double_start();
    const auto results = run.execute();
    EXPECT_EQ(copies_in(cuda_double_history()), "");
    EXPECT_EQ(results.at("y").address(), y.address());
    EXPECT_EQ(results.at("z").device(), kCuda);
    const std::vector<float> got_y = on_host(options, y), got_z = on_host(options, results.at("z"));
    for (size_t i = 0; i < numbers.size(); ++i) {
      EXPECT_FLOAT_EQ(got_y[i], std::exp(-numbers[i]));
      EXPECT_EQ(got_z[i], -numbers[i]);
    }
    // The same session, now by way of the host.
    const auto plain_results = session.run({{"x", Tensor::from<float>({n}, numbers)}});
    EXPECT_EQ(plain_results.at("z").span<float>()[0], 3.0f);
  }
}

// What the host computes, too, what it alone computes, and what is constant or handed through.
TEST(CudaBinding, ServesWhatTheHostReadsAndMakes) {
  const Options options = plain(cuda());
  const Session session(model_of("x: float32[4]", "same, host, both, fixed",
                                 R"(fixed: float32[2] = {5, 6}
  same = Identity(x)
  text = Cast(x, to=8)
  host = Cast(text, to=1)
  both = Neg(x)
  texts = Cast(both, to=8)
  back = Cast(texts, to=1)
  used = Add(back, x))"),
                        options);
  onnxrun::Run run(session);
  run.set_input("x", on_device(options, {1, 2, 3, 4}));
  for (const char* name : {"same", "host", "both", "fixed"}) run.want(name, kCuda);
  const auto results = run.execute();
  EXPECT_EQ(on_host(options, results.at("same")), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(on_host(options, results.at("host")), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(on_host(options, results.at("both")), (std::vector<float>{-1, -2, -3, -4}));
  EXPECT_EQ(on_host(options, results.at("fixed")), (std::vector<float>{5, 6}));
}

TEST(CudaBinding, ServesBodiesAndShapesThatDependOnData) {
  const Options options = plain(cuda());
  const Session session(model_of("x: float32[6], c: bool[]", "y, z", R"(y = If(c)
    then_branch:
      graph then() -> (a) {
        a = Neg(x)
      }
    else_branch:
      graph else() -> (b) {
        b = Abs(x)
      }
  z = NonZero(x))"),
                        options);
  for (const bool chosen : {true, false}) {
    onnxrun::Run run(session);
    run.set_input("x", on_device(options, {0, -1, 0, 2, 3, 0}));
    run.set_input("c", Tensor::scalar(chosen));
    run.want("y", kCuda);
    run.want("z", kCuda);
    const auto results = run.execute();
    EXPECT_EQ(on_host(options, results.at("y"))[1], 1.0f);
    EXPECT_EQ(on_host(options, results.at("y"))[3], chosen ? -2.0f : 2.0f);
    ASSERT_EQ(results.at("z").shape(), (onnxrun::Shape{1, 3}));
    Tensor indices(ONNXRUN_DTYPE_INT64, {1, 3});
    onnxrun::copy(options, results.at("z"), indices);
    EXPECT_EQ(indices.span<int64_t>()[2], 4);
  }
}

// An output over an input, as a state is kept; the input is read to the end.
TEST(CudaBinding, WritesOverAnInputAtTheEnd) {
  const Options options = plain(cuda());
  const Session session(model_of("x: float32[64]", "next, y", "next = Neg(x)\n a = Exp(next)\n y = Add(a, x)"),
                        options);
  const std::vector<float> numbers = counting(64, -2);
  for (int ahead = 0; ahead < 8; ++ahead) {
    const on_double::Variable eager("CUDA_DOUBLE_EAGER", std::to_string(ahead));
    const Session fresh(model_of("x: float32[64]", "next, y", "next = Neg(x)\n a = Exp(next)\n y = Add(a, x)"),
                        options);
    cuda_double_start();
    Tensor state = on_device(options, numbers);
    onnxrun::Run run(fresh);
    run.set_input("x", state);
    run.set_output("next", state);
    run.want("y");
    const auto results = run.execute();
    EXPECT_EQ(on_host(options, state)[0], 2.0f);
    for (size_t i = 0; i < 64; ++i)
      ASSERT_NEAR(results.at("y").span<float>()[i], std::exp(-numbers[i]) + numbers[i],
                  1e-3f * (1 + std::fabs(numbers[i])))
          << i << " in order " << ahead;
  }
}

TEST(CudaBinding, CopiesWhatIsNotAligned) {
  const Options options = plain(cuda());
  const Session session(model_of("x: float32[4]", "y", "y = Neg(x)"), options);
  const Tensor whole = on_device(options, counting(5, 0));
  const Tensor x = Tensor::wrap_device(kCuda, ONNXRUN_DTYPE_FLOAT32, {4}, static_cast<char*>(whole.address()) + 4, 16);
  Tensor room = on_device(options, std::vector<float>(6, 9));
  const Tensor y = Tensor::wrap_device(kCuda, ONNXRUN_DTYPE_FLOAT32, {4}, static_cast<char*>(room.address()) + 4, 16);
  onnxrun::Run run(session);
  run.set_input("x", x);
  run.set_output("y", y);
  run.execute();
  EXPECT_EQ(on_host(options, room), (std::vector<float>{9, -1, -2, -3, -4, 9}));
}

// Another library has given the default stream work that fills the input; onnxrun waits for it without being told.
TEST(CudaBinding, WaitsForTheDefaultStream) {
  const Options options = plain(cuda());
  const Session session(model_of("x: float32[4]", "y", "y = Neg(x)"), options);
  Tensor x = on_device(options, {0, 0, 0, 0});
  const std::vector<float> late{1, 2, 3, 4};
  ASSERT_EQ(cudaMemcpyAsync(x.address(), late.data(), 16, cudaMemcpyHostToDevice, cudaStreamLegacy), cudaSuccess);
  const auto results = session.run({{"x", x}});
  EXPECT_EQ(results.at("y").span<float>()[3], -4.0f);
}

TEST(CudaBinding, RefusesWhatItCannotServe) {
  const Options options = plain(cuda());
  const Session session(model_of("x: float32[4]", "y", "y = Neg(x)"), options);
  const auto message_of = [](auto&& call) -> std::string {
    try {
      call();
    } catch (const onnxrun::Error& error) {
      return error.what();
    }
    return "";
  };
  const Tensor x = on_device(options, {1, 2, 3, 4});
  const Tensor elsewhere = Tensor::wrap_device({2, 7}, ONNXRUN_DTYPE_FLOAT32, {4}, x.address(), 16);
  EXPECT_NE(message_of([&] {
              session.run({{"x", elsewhere}});
            }).find("input 'x' is in the memory of a device"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              Session(model_of("x: float32[4]", "y", "y = Neg(x)")).run({{"x", x}});
            }).find("none of the session's providers"),
            std::string::npos);
  EXPECT_NE(message_of([&] { (void)x.bytes(); }).find("lies in the memory of a device"), std::string::npos);
  EXPECT_NE(message_of([&] { onnxrun::make_on({}, kCuda, ONNXRUN_DTYPE_FLOAT32, {4}); }).find("no provider library"),
            std::string::npos);
  const Tensor small = on_device(options, {1, 2});
  EXPECT_NE(message_of([&] {
              onnxrun::Run run(session);
              run.set_input("x", x);
              run.set_output("y", small);
              run.execute();
            }).find("output 'y' is float32[4], but the caller's tensor for it is float32"),
            std::string::npos);
  // The session goes on.
  EXPECT_EQ(session.run({{"x", x}}).at("y").span<float>()[0], -1.0f);
}

// As another library gives a tensor and takes one: struct DLManagedTensor of dlpack.h.
struct DlManaged {
  void* data;
  int32_t device_type, device_id, rank;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byte_offset;
  void* context;
  void (*deleter)(DlManaged* self);
};
// By the library's type for the struct, which the sanitizer takes for another.
__attribute__((no_sanitize("undefined"))) void give_back(DlManaged* managed) { managed->deleter(managed); }

TEST(CudaBinding, ExchangesTensorsWithOtherLibraries) {
  const Options options = plain(cuda());
  const Session session(model_of("x: float32[4]", "y", "y = Neg(x)"), options);
  const Tensor memory = on_device(options, {1, 2, 3, 4});
  int64_t shape = 4;
  static int deleted;
  deleted = 0;
  DlManaged given{memory.address(), 2, 0, 1, 2, 32, 1, &shape, nullptr, 0, nullptr, [](DlManaged*) { ++deleted; }};
  {
    const Tensor x = Tensor::from_dlpack(&given, 0);
    onnxrun::Run run(session);
    run.set_input("x", x);
    run.want("y", kCuda);
    const auto results = run.execute();
    auto* const taken = static_cast<DlManaged*>(results.at("y").to_dlpack(0));
    EXPECT_EQ(std::pair(taken->device_type, taken->device_id), std::pair(2, 0));
    EXPECT_EQ(taken->data, results.at("y").address());
    give_back(taken);
    EXPECT_EQ(on_host(options, results.at("y")), (std::vector<float>{-1, -2, -3, -4}));
    EXPECT_EQ(deleted, 0);
  }
  EXPECT_EQ(deleted, 1);
}

}  // namespace
