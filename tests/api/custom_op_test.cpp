// Operators of a caller's own, in the process: types, shapes, attributes, kernels, and what is refused.
#include <algorithm>
#include <atomic>

#include <onnxrun/custom_op.hpp>
#include <onnxrun/onnxrun.hpp>

#include "c_calls.h"

namespace {

using namespace c_calls;
using onnxrun::Code;
using onnxrun::Error;
using onnxrun::Model;
using onnxrun::Options;
using onnxrun::Session;
using onnxrun::Tensor;
using onnxrun::provider::Acceptance;
using onnxrun::provider::Node;
using onnxrun::provider::RunContext;
namespace ops = onnxrun::ops;

// y = scale * x, of x's shape.
struct Scaled {
  static constexpr const char *kDomain = "test", *kName = "Scaled", *kInputs = "x:T", *kOutputs = "y:T",
                              *kTypes = "T: float32 float64", *kAttributes = "scale:float!";
  static void infer(ops::Infer& infer) {
    if (infer.node().get_float("scale", 0) == 0) throw Error(Code::kInvalidModel, "a scale of zero");
    infer.same(0, 0);
  }
};
template <class T>
struct ScaledKernel {
  static Acceptance accepts(const Node& node) {
    return node.input(0).dtype == onnxrun::detail::dtype_of<T>::value ? Acceptance() : Acceptance::decline("type");
  }
  explicit ScaledKernel(const Node& node) : scale(static_cast<T>(node.get_float("scale", 1))) {}
  void run(RunContext& context) const {
    context.parallel(onnxrun::provider::count(context.input(0)), 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) context.out<T>(0)[i] = scale * context.in<T>(0)[i];
    });
  }
  T scale;
};

// The elements of x, each `times` times: the value decides the shape.
struct Repeated {
  static constexpr const char *kDomain = "test", *kName = "Repeated", *kInputs = "x:T, times:int64", *kOutputs = "y:T",
                              *kTypes = "T: float32";
  static constexpr uint64_t kValueInputs = 2;
  static void infer(ops::Infer& infer) {
    const auto times = infer.constant<int64_t>(1);
    int64_t size = -1;
    if (!times.empty() && infer.rank_known(0) && infer.dims(0)[0] >= 0) size = infer.dims(0)[0] * times[0];
    infer.set(0, ONNXRUN_DTYPE_FLOAT32, std::span<const int64_t>(&size, 1));
  }
};
struct RepeatedKernel {
  static Acceptance accepts(const Node&) { return {}; }
  explicit RepeatedKernel(const Node&) {}
  void run(RunContext& context) const {
    const int64_t times = *context.in<int64_t>(1), count = onnxrun::provider::count(context.input(0));
    for (int64_t i = 0; i < count; ++i) std::fill_n(context.out<float>(0) + i * times, times, context.in<float>(0)[i]);
  }
};

// What is positive: only the kernel knows how much that is.
struct Positive {
  static constexpr const char *kDomain = "test", *kName = "Positive", *kInputs = "x:float32", *kOutputs = "y:float32";
  static constexpr uint32_t kFlags = ONNXRUN_OP_DATA_SHAPE;
  static void infer(ops::Infer& infer) {
    const int64_t any = -1;
    infer.set(0, ONNXRUN_DTYPE_FLOAT32, std::span<const int64_t>(&any, 1));
  }
};
struct PositiveKernel {
  static Acceptance accepts(const Node&) { return {}; }
  explicit PositiveKernel(const Node&) {}
  void run(RunContext& context) const {
    std::vector<float> found;
    for (int64_t i = 0; i < onnxrun::provider::count(context.input(0)); ++i)
      if (context.in<float>(0)[i] > 0) found.push_back(context.in<float>(0)[i]);
    const auto size = static_cast<int64_t>(found.size());
    context.allocate_output(0, std::span<const int64_t>(&size, 1));
    std::copy(found.begin(), found.end(), context.out<float>(0));
  }
};

// Throws when it runs.
struct Failing : Positive {
  static constexpr const char* kName = "Failing";
  static constexpr uint32_t kFlags = 0;
  static void infer(ops::Infer& infer) { infer.same(0, 0); }
};
struct FailingKernel : PositiveKernel {
  using PositiveKernel::PositiveKernel;
  void run(RunContext&) const { throw std::runtime_error("the kernel is out of order"); }
};

Options with_ops() {
  auto library = std::make_unique<ops::Library>("test");
  library->add<Scaled>().kernel<ScaledKernel<float>>("cpu", "float32").kernel<ScaledKernel<double>>("cpu", "float64");
  library->add<Repeated>().kernel<RepeatedKernel>("cpu", "plain");
  library->add<Positive>().kernel<PositiveKernel>("cpu", "plain");
  library->add<Failing>().kernel<FailingKernel>("cpu", "plain");
  Options options;
  options.add_ops(std::move(library));
  return options;
}

std::string text(const std::string& signature, const std::string& statements) {
  return "onnxrun text 1\nir_version 8\nopset ai.onnx 17\nopset test 1\ngraph g(" + signature + ") -> (y) {\n" +
         statements + "\n}\n";
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(CustomOp, RunsWithAttributesOfEveryTypeItTakes) {
  for (const char* type : {"float32", "float64"}) {
    const Model model = Model::from_text(
        text(std::string("x: ") + type + "[batch,2]", "  t = test.Scaled(x, scale=2.5)\n  y = Neg(t)"), with_ops());
    EXPECT_EQ(model.outputs()[0].symbols[0], "batch");  // handed through inference
    const Session session(model);                       // the model knows its operators
    for (int64_t rows : {1, 3, 0}) {
      Tensor x(std::string(type) == "float32" ? ONNXRUN_DTYPE_FLOAT32 : ONNXRUN_DTYPE_FLOAT64, {rows, 2});
      std::vector<double> numbers(static_cast<size_t>(rows) * 2, 2.0);
      x.set(numbers);
      const Tensor y = session.run({{"x", x}}).at("y");
      EXPECT_EQ(y.shape(), (onnxrun::Shape{rows, 2}));
      EXPECT_EQ(y.doubles(), std::vector<double>(numbers.size(), -5.0));
    }
  }
}

TEST(CustomOp, HasShapesThatFollowFromValuesAndFromResults) {
  const Model model = Model::from_text(
      text("x: float32[n], times: int64[]", "  r = test.Repeated(x, times)\n  p = test.Positive(r)\n  y = Relu(p)"),
      with_ops());
  const Session session(model);
  for (int64_t times : {2, 1, 3}) {
    const auto results = session.run({{"x", Tensor::from<float>({3}, {1, -1, 2})}, {"times", Tensor::scalar(times)}});
    EXPECT_EQ(results.at("y").count(), 2 * times);
  }
}

TEST(CustomOp, IsComputedAheadWhereItsInputsAreConstant) {
  const Model model = Model::from_text(text("x: float32[2]",
                                            "  c: float32[2] = {1, 2}\n  s = test.Scaled(c, scale=3)\n"
                                            "  y = Add(x, s)"),
                                       with_ops());
  const Model optimized = model.optimized();
  EXPECT_EQ(optimized.to_text().find("Scaled"), std::string::npos) << optimized.to_text();
}

TEST(CustomOp, IsSavedLoadedAndEdited) {
  const Options options = with_ops();
  const Model model = Model::from_text(text("x: float32[n]", "  y = test.Scaled(x, scale=2)  # node 's'"), options);
  const std::string bytes = model.to_bytes();
  const Model again(std::as_bytes(std::span(bytes)), options);
  EXPECT_EQ(again.to_bytes(), bytes);
  EXPECT_EQ(Session(again).run({{"x", Tensor::from<float>({1}, {4})}}).at("y").span<float>()[0], 8);
  onnxrun::Editor editor(model);
  editor.insert("z = test.Scaled(y, scale=5)").add_output("z");
  EXPECT_EQ(Session(editor.finish()).run({{"x", Tensor::from<float>({1}, {4})}}).at("z").span<float>()[0], 40);
  const std::string plain = "onnxrun text 1\nopset ai.onnx 17\ngraph g(a: float32[n]) -> (b) {\n  b = Neg(a)\n}\n";
  onnxrun::Editor other(Model::from_text(plain));
  EXPECT_NE(error_of([&] { other.merge(model, {}); }).find("same options"), std::string::npos);
  onnxrun::Editor same(model);
  same.merge(Model::from_text(plain), {{"y", "a"}});
  EXPECT_EQ(Session(same.finish()).run({{"x", Tensor::from<float>({1}, {4})}}).at("b").span<float>()[0], -8);
}

TEST(CustomOp, IsUnknownWithoutItsLibrary) {
  const std::string model = text("x: float32[n]", "  y = test.Scaled(x, scale=2)");
  EXPECT_NE(error_of([&] { (void)Model::from_text(model); }).find("Scaled"), std::string::npos);
  const std::string bytes = Model::from_text(model, with_ops()).to_bytes();
  const std::string unknown = error_of([&] { (void)Model(std::as_bytes(std::span(bytes))); });
  EXPECT_NE(unknown.find("the operator 'Scaled' of domain 'test' is unknown"), std::string::npos) << unknown;
}

TEST(CustomOp, SaysWhereAModelUsesItWrongly) {
  const auto refused = [&](const std::string& signature, const std::string& statement) {
    return error_of([&] { (void)Model::from_text(text(signature, statement), with_ops()); });
  };
  EXPECT_NE(refused("x: float32[n]", "  y = test.Scaled(x)").find("scale"), std::string::npos);
  EXPECT_NE(refused("x: int32[n]", "  y = test.Scaled(x, scale=2)").find("int32"), std::string::npos);
  EXPECT_NE(refused("x: float32[n]", "  y = test.Scaled(x, x, scale=2)").find("Scaled"), std::string::npos);
  const std::string own = refused("x: float32[n]", "  y = test.Scaled(x, scale=0)  # node 's'");
  EXPECT_NE(own.find("a scale of zero"), std::string::npos) << own;
  EXPECT_NE(own.find("'s'"), std::string::npos) << own;
}

TEST(CustomOp, HandsOnWhatAKernelThrows) {
  const Session session(Model::from_text(text("x: float32[n]", "  y = test.Failing(x)"), with_ops()));
  const std::string error = error_of([&] { session.run({{"x", Tensor::from<float>({1}, {1})}}); });
  EXPECT_NE(error.find("out of order"), std::string::npos) << error;
  EXPECT_NE(error.find("Failing"), std::string::npos) << error;
}

TEST(CustomOp, NamesWhyNoKernelTakesANode) {
  auto library = std::make_unique<ops::Library>("test");
  library->add<Scaled>().kernel<ScaledKernel<double>>("cpu", "float64");
  Options options;
  options.add_ops(std::move(library));
  const Model model = Model::from_text(text("x: float32[n]", "  y = test.Scaled(x, scale=2)"), options);
  const std::string error = error_of([&] { Session{model}; });
  EXPECT_NE(error.find("float64: type"), std::string::npos) << error;
}

// A library in C, with one thing wrong at a time.
struct Parts {
  onnxrun_op_kernel kernel{};
  onnxrun_op op{};
  onnxrun_op_library library{};
  std::atomic<int> destroyed{0};
  Parts() {
    kernel.provider = "cpu";
    kernel.kernel.run = [](const void*, onnxrun_run_context*, onnxrun_sink*) { return ONNXRUN_OK; };
    op.domain = "test";
    op.name = "Op";
    op.since_version = 1;
    op.inputs = "x:float32";
    op.outputs = "y:float32";
    op.infer = [](void*, onnxrun_infer_call* call, onnxrun_sink* error) {
      const int64_t dim = 1;
      return call->set_output(call, 0, ONNXRUN_DTYPE_FLOAT32, &dim, 1, error);
    };
    op.kernels = &kernel;
    op.kernel_count = 1;
    library.abi_version = ONNXRUN_OP_ABI_VERSION;
    library.abi_revision = ONNXRUN_PROVIDER_ABI_REVISION;
    library.name = "parts";
    library.ops = &op;
    library.op_count = 1;
    library.self = &destroyed;
    library.destroy = [](void* self) { ++*static_cast<std::atomic<int>*>(self); };
  }
};

Outcome added(const Parts& parts) {
  const auto options = made<onnxrun_options>([](auto** out) { return api().options_create(out); });
  return Outcome(api().options_add_ops(options.get(), &parts.library));
}

TEST(OpLibrary, IsRefusedNamingWhatIsWrong) {
  const auto refused = [](void (*spoil)(Parts&), const char* part) {
    Parts parts;
    spoil(parts);
    const Outcome outcome = added(parts);
    EXPECT_NE(outcome.code, ONNXRUN_OK) << part;
    EXPECT_NE(outcome.message.find(part), std::string::npos) << outcome.message;
    EXPECT_EQ(parts.destroyed, 0) << part;
  };
  refused([](Parts& p) { p.library.abi_version = 7; }, "version 7");
  refused([](Parts& p) { p.library.abi_revision = ONNXRUN_PROVIDER_ABI_REVISION + 1; }, "needs a newer onnxrun");
  refused([](Parts& p) { p.library.ops = nullptr; }, "ops");
  refused([](Parts& p) { p.op.name = nullptr; }, "no name");
  refused([](Parts& p) { p.op.infer = nullptr; }, "infer");
  refused([](Parts& p) { p.op.since_version = 0; }, "version 0");
  refused([](Parts& p) { p.op.flags = 1u << 30; }, "flags");
  refused([](Parts& p) { p.op.domain = "", p.op.name = "Add"; }, "defined already");
  refused([](Parts& p) { p.op.inputs = "x"; }, "malformed");
  refused([](Parts& p) { p.op.outputs = ""; }, "no outputs");
  refused([](Parts& p) { p.op.types = "T: floatish"; }, "malformed");
  refused([](Parts& p) { p.op.attributes = "body:graph"; }, "graph");
  refused([](Parts& p) { p.op.kernels = nullptr; }, "kernels");
  refused([](Parts& p) { p.kernel.provider = nullptr; }, "no provider");
  refused([](Parts& p) { p.kernel.kernel.run = nullptr; }, "no run function");
  refused([](Parts& p) { p.kernel.kernel.bind = [](auto*, auto*, auto**, auto*, auto*) { return ONNXRUN_OK; }; },
          "bind and no release");
  EXPECT_REFUSED(api().options_add_ops(nullptr, nullptr), "options");
  Parts good;
  EXPECT_EQ(added(good).code, ONNXRUN_OK);
  EXPECT_EQ(good.destroyed, 1);
}

TEST(OpLibrary, IsDestroyedWithTheLastThatKnowsIt) {
  Parts parts;
  auto options = made<onnxrun_options>([](auto** out) { return api().options_create(out); });
  ASSERT_OK(api().options_add_ops(options.get(), &parts.library));
  const std::string source = text("x: float32[1]", "  y = test.Op(x)");
  auto model = made<onnxrun_model>(
      [&](auto** out) { return api().model_from_text(source.data(), source.size(), options.get(), out); });
  options.reset();
  auto session = session_of(model.get());
  model.reset();
  EXPECT_EQ(parts.destroyed, 0);
  session.reset();
  EXPECT_EQ(parts.destroyed, 1);
}

TEST(OpLibrary, MayNotBeAskedForThingsThatAreNotThere) {
  const auto load = [](auto infer) {
    Parts parts;
    parts.op.infer = infer;
    const auto options = made<onnxrun_options>([](auto** out) { return api().options_create(out); });
    EXPECT_OK(api().options_add_ops(options.get(), &parts.library));
    const std::string source = text("x: float32[n]", "  y = test.Op(x)");
    onnxrun_model* model = nullptr;
    const Outcome outcome(api().model_from_text(source.data(), source.size(), options.get(), &model));
    api().model_free(model);
    return outcome;
  };
  EXPECT_NE(load([](void*, onnxrun_infer_call*, onnxrun_sink*) { return ONNXRUN_OK; }).message.find("output 0"),
            std::string::npos);
  EXPECT_NE(load([](void*, onnxrun_infer_call* call, onnxrun_sink* error) {
              return call->set_output(call, 0, 99, nullptr, -1, error);
            }).message.find("no element type"),
            std::string::npos);
  EXPECT_NE(load([](void*, onnxrun_infer_call* call, onnxrun_sink* error) {
              return call->set_output(call, 0, 1, nullptr, 3, error);
            }).message.find("rank"),
            std::string::npos);
  EXPECT_NE(load([](void*, onnxrun_infer_call* call, onnxrun_sink* error) {
              const int64_t dim = INT64_MIN;
              return call->set_output(call, 0, 1, &dim, 1, error);
            }).message.find("negative"),
            std::string::npos);
  EXPECT_EQ(load([](void*, onnxrun_infer_call* call, onnxrun_sink*) {
              call->set_output(call, 17, 1, nullptr, -1, nullptr);
              const int64_t dim = 1;
              return call->set_output(call, 0, 1, &dim, 1, nullptr);
            }).code,
            ONNXRUN_OK);
}

}  // namespace
