// What callers hook into: messages, memory, streams of bytes, DLPack.
#include <atomic>
#include <mutex>
#include <stdexcept>

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

Model sums(const Options& options = {}) {
  const std::string bytes = model_bytes::sums();
  return Model(std::as_bytes(std::span(bytes)), options);
}

TEST(Log, TellsOfModelsSessionsAndRuns) {
  std::vector<std::pair<onnxrun_log_level, std::string>> messages;
  std::mutex mutex;
  Options options;
  options.set_log(ONNXRUN_LOG_INFO, [&](onnxrun_log_level level, std::string_view message) {
    const std::lock_guard lock(mutex);
    messages.emplace_back(level, message);
  });
  EXPECT_THROW(Model(std::as_bytes(std::span("nonsense")), options), Error);
  const Session session(sums(options), options);
  EXPECT_FALSE(session.try_run({}));
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[0].first, ONNXRUN_LOG_ERROR);
  EXPECT_NE(messages[1].second.find("2 nodes"), std::string::npos) << messages[1].second;
  EXPECT_NE(messages[2].second.find("made a session"), std::string::npos) << messages[2].second;
  EXPECT_EQ(messages[3].first, ONNXRUN_LOG_ERROR);
  EXPECT_NE(messages[3].second.find("'x'"), std::string::npos) << messages[3].second;
}

TEST(Log, LeavesOutWhatMattersLess) {
  int messages = 0;
  Options options;
  options.set_log(ONNXRUN_LOG_ERROR, [&](auto, auto) { ++messages; });
  const Session session(sums(options), options);
  EXPECT_EQ(messages, 0);
  EXPECT_FALSE(session.try_run({}));
  EXPECT_EQ(messages, 1);
}

TEST(Log, MayThrowAndIsReleasedWithTheLastThatKnowsIt) {
  auto held = std::make_shared<int>(0);
  {
    Options options;
    options.set_log(ONNXRUN_LOG_INFO, [held](auto, auto) { throw std::runtime_error("no room for messages"); });
    const Session session(sums(options), options);
    options = Options();
    EXPECT_EQ(held.use_count(), 2);
    EXPECT_FALSE(session.try_run({}));
  }
  EXPECT_EQ(held.use_count(), 1);
  Options options;
  EXPECT_REFUSED(
      api().options_set_log(
          const_cast<onnxrun_options*>(options.get()), 9, [](void*, int32_t, const char*) {}, nullptr, nullptr),
      "no level");
  EXPECT_REFUSED(api().options_set_log(nullptr, 1, nullptr, nullptr, nullptr), "options");
}

// Counts what is held, and can run out.
class Counting : public std::pmr::memory_resource {
 public:
  std::atomic<int64_t> held{0}, given{0};
  std::atomic<bool> empty{false};

 private:
  void* do_allocate(size_t bytes, size_t alignment) override {
    if (empty) throw std::bad_alloc();
    held += static_cast<int64_t>(bytes);
    given += static_cast<int64_t>(bytes);
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* block, size_t bytes, size_t alignment) override {
    held -= static_cast<int64_t>(bytes);
    std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

TEST(Allocator, GivesWhatSessionsNeedAndGetsItBack) {
  Counting memory;
  {
    Options options;
    options.set_memory_resource(memory).set("level", "0");
    const Session session(sums(options), options);
    const auto x = Tensor::from<float>({1, 3}, {1, 2, 3});
    const Tensor z = session.run({{"x", x}, {"y", x}}).at("z");
    EXPECT_GT(memory.given, 0);
    EXPECT_EQ(z.span<float>()[2], 9);
  }
  EXPECT_EQ(memory.held, 0);
}

TEST(Allocator, ThatRunsOutIsAnError) {
  Counting memory;
  Options options;
  options.set_memory_resource(memory);
  Session session(sums(options), options);
  const auto x = Tensor::from<float>({1, 3}, {1, 2, 3});
  memory.empty = true;
  const auto failed = session.try_run({{"x", x}, {"y", x}});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Code::kLimitExceeded);
  memory.empty = false;
  EXPECT_TRUE(session.try_run({{"x", x}, {"y", x}}));
}

TEST(Allocator, MustAlignAndBeWhole) {
  const auto options = made<onnxrun_options>([](auto** out) { return api().options_create(out); });
  const auto allocate = [](void*, size_t bytes, size_t) {
    return static_cast<void*>(static_cast<char*>(std::aligned_alloc(64, bytes + 64)) + 8);
  };
  const auto deallocate = [](void*, void* block, size_t) { std::free(static_cast<char*>(block) - 8); };
  EXPECT_REFUSED(api().options_set_allocator(options.get(), allocate, nullptr, nullptr, nullptr), "both functions");
  EXPECT_REFUSED(api().options_set_allocator(nullptr, allocate, deallocate, nullptr, nullptr), "options");
  ASSERT_OK(api().options_set_allocator(options.get(), allocate, deallocate, nullptr, nullptr));
  const auto model = load_sums();
  const auto session =
      made<onnxrun_session>([&](auto** out) { return api().session_create(model.get(), options.get(), out); });
  const auto run = made<onnxrun_run>([&](auto** out) { return api().run_create(session.get(), out); });
  const auto x = floats({1, 3}, {1, 2, 3});
  for (const char* name : {"x", "y"}) ASSERT_OK(api().run_set_input(run.get(), name, x.get()));
  EXPECT_NE(Outcome(api().run_execute(run.get())).message.find("not aligned"), std::string::npos);
}

TEST(Stream, IsReadInPiecesUntilItsEnd) {
  const std::string bytes = model_bytes::sums();
  size_t at = 0;
  const auto read = [&](std::span<std::byte> to) {
    const size_t size = std::min({to.size(), bytes.size() - at, size_t{11}});
    std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()) + at, size, to.begin());
    at += size;
    return size;
  };
  EXPECT_EQ(Model::from_stream(read).inputs().size(), 2u);
  EXPECT_EQ(at, bytes.size());
  EXPECT_THROW(Model::from_stream([](auto) -> size_t { throw std::runtime_error("the wire is cut"); }),
               std::runtime_error);
  EXPECT_THROW(Model::from_stream([](auto to) { return to.size() + 1; }), Error);
  EXPECT_THROW(Model::from_stream([](auto) { return size_t{0}; }), Error);
  Options small;
  small.set("max_file", "1000");
  try {
    Model::from_stream([](auto to) { return to.size(); }, small);
    FAIL() << "an endless stream was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kLimitExceeded);
  }
}

TEST(Metadata, IsListed) {
  EXPECT_EQ(sums().metadata(), (std::map<std::string, std::string>{{"key", "text"}}));
  const auto model = load_sums();
  const char* text = nullptr;
  EXPECT_REFUSED(api().model_metadata_entry(model.get(), 1, &text, &text), "does not exist");
  EXPECT_REFUSED(api().model_metadata_entry(model.get(), 0, nullptr, &text), "key");
  EXPECT_REFUSED(api().model_metadata_count(nullptr, nullptr), "");
}

// The structures of dlpack.h.
struct DlTensor {
  void* data;
  int32_t device_type, device_id;
  int32_t rank;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
};
struct DlVersioned {
  uint32_t major, minor;
  void* context;
  void (*deleter)(DlVersioned*);
  uint64_t flags;
  DlTensor tensor;
};
// By the library's type for the struct, which the sanitizer takes for another.
__attribute__((no_sanitize("undefined"))) void give_back(DlVersioned* managed) { managed->deleter(managed); }

struct Owned {
  float numbers[6] = {0, 1, 2, 3, 4, 5};
  int64_t shape[2] = {2, 3}, strides[2] = {3, 1};
  int deleted = 0;
  DlVersioned managed{1, 0, this, [](DlVersioned* self) { ++static_cast<Owned*>(self->context)->deleted; }, 0, {}};
  Owned() { managed.tensor = {numbers, 1, 0, 2, 2, 32, 1, shape, strides, 0}; }
};

TEST(DlPack, IsTakenWithoutACopyAndDeletedOnce) {
  Owned owned;
  {
    Tensor tensor = Tensor::from_dlpack(&owned.managed);
    EXPECT_EQ(tensor.shape(), (onnxrun::Shape{2, 3}));
    EXPECT_EQ(tensor.span<float>().data(), owned.numbers);
    tensor.mutable_span<float>()[0] = 7;
    EXPECT_EQ(owned.numbers[0], 7);
    const onnxrun::Value shared = tensor;
    EXPECT_EQ(owned.deleted, 0);
  }
  EXPECT_EQ(owned.deleted, 1);
}

TEST(DlPack, IsNotWrittenToWhereItIsReadOnly) {
  Owned owned;
  owned.managed.flags = 1;
  Tensor tensor = Tensor::from_dlpack(&owned.managed);
  EXPECT_THROW(tensor.mutable_span<float>(), Error);
}

TEST(DlPack, IsRefusedNamingWhatIsWrongAndLeftToTheCaller) {
  const auto refused = [](void (*spoil)(Owned&), const char* part) {
    Owned owned;
    spoil(owned);
    onnxrun_value* value = nullptr;
    const Outcome outcome(api().value_from_dlpack(&owned.managed, 1, &value));
    EXPECT_NE(outcome.code, ONNXRUN_OK) << part;
    EXPECT_NE(outcome.message.find(part), std::string::npos) << outcome.message;
    EXPECT_EQ(owned.deleted, 0);
  };
  refused([](Owned& o) { o.managed.tensor.device_type = 0; }, "device");
  refused([](Owned& o) { o.managed.tensor.bits = 7; }, "7 bits");
  refused([](Owned& o) { o.managed.tensor.lanes = 4; }, "4 lanes");
  refused([](Owned& o) { o.strides[0] = 6; }, "not contiguous");
  refused([](Owned& o) { o.managed.tensor.rank = -1; }, "rank");
  refused([](Owned& o) { o.managed.tensor.rank = 65; }, "rank");
  refused([](Owned& o) { o.managed.tensor.shape = nullptr; }, "dims");
  refused([](Owned& o) { o.managed.tensor.data = nullptr; }, "data");
  refused([](Owned& o) { o.managed.tensor.byte_offset = 2; }, "aligned");
  refused([](Owned& o) { o.shape[0] = -3; }, "");
  refused([](Owned& o) { o.shape[0] = o.shape[1] = int64_t{1} << 40, o.managed.tensor.strides = nullptr; }, "");
  refused([](Owned& o) { o.managed.major = 2; }, "version 2");
  Owned owned;
  onnxrun_value* value = nullptr;
  EXPECT_EQ(Outcome(api().value_from_dlpack(&owned.managed, 2, &value)).code, ONNXRUN_UNSUPPORTED);
  EXPECT_REFUSED(api().value_from_dlpack(nullptr, 1, &value), "tensor");
  void* out = nullptr;
  EXPECT_REFUSED(api().value_to_dlpack(nullptr, 1, &out), "value");
  EXPECT_THROW(Tensor::strings({1}, {"text"}).to_dlpack(), Error);
  EXPECT_THROW(Tensor(ONNXRUN_DTYPE_INT4, {2}).to_dlpack(), Error);
  EXPECT_THROW(Tensor::scalar(1.0f).to_dlpack(2), Error);
}

TEST(DlPack, IsGivenWithShapeStridesAndWhetherItMayBeWrittenTo) {
  Tensor tensor = Tensor::from<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  auto* const managed = static_cast<DlVersioned*>(tensor.to_dlpack());
  EXPECT_EQ(managed->major, 1u);
  EXPECT_EQ(managed->flags, 0u);
  EXPECT_EQ(managed->tensor.strides[0], 3);
  EXPECT_EQ(managed->tensor.data, tensor.span<float>().data());
  tensor = Tensor::scalar(1.0f);  // the memory lives on
  EXPECT_EQ(static_cast<float*>(managed->tensor.data)[5], 6);
  give_back(managed);
  const float fixed = 3;
  const Tensor constant = Tensor::wrap<const float>({}, std::span<const float>(&fixed, 1));
  auto* const locked = static_cast<DlVersioned*>(constant.to_dlpack());
  EXPECT_EQ(locked->flags, 1u);
  EXPECT_EQ(locked->tensor.rank, 0);
  give_back(locked);
}

}  // namespace
