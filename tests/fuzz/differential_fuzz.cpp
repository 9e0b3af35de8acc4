// Runs models at a random level and as they are written on the plainest kernels: where the latter gives results, the former gives the same within rounding.
#include <cmath>
#include <initializer_list>
#include <regex>
#include <set>
#include <utility>

#include "fuzz/graph_mutator.h"
#include "fuzz/model_runs.h"

namespace {

using namespace onnxrun::fuzz;
using onnxrun::proto::ModelProto;

constexpr double kTolerance = 1e-3;

// Whether all that a run computes stays away from the largest numbers of its type, beyond which any order of sums and any precision shows.
struct Tame {
  bool tame = true;

  static void see(void* context, const char*, const onnxrun_value* value) {
    auto& self = *static_cast<Tame*>(context);
    int32_t kind = 0, dtype = 0;
    int64_t count = 0;
    settle(api().value_kind(value, &kind));
    if (kind != ONNXRUN_KIND_TENSOR) return;
    settle(api().value_tensor_info(value, &dtype, nullptr, nullptr, &count));
    const bool pairs = dtype == ONNXRUN_DTYPE_COMPLEX64 || dtype == ONNXRUN_DTYPE_COMPLEX128;
    if (dtype == ONNXRUN_DTYPE_STRING || count > (1 << 20)) return;
    std::vector<double> numbers(static_cast<size_t>(count) * (pairs ? 2 : 1));
    settle(api().value_to_doubles(value, numbers.data(), numbers.size()));
    const double largest = dtype == ONNXRUN_DTYPE_FLOAT16 ? 1e3 : dtype == ONNXRUN_DTYPE_FLOAT8E4M3FN ? 200 : 1e9;
    for (const double number : numbers) self.tame &= std::isfinite(number) && std::abs(number) < largest;
  }
};

// The same numbers but for about one part in a million: results that change by this much or more are a matter of rounding.
std::vector<Feed> shaken(const std::vector<Feed>& feeds, Random& random) {
  std::vector<Feed> result;
  for (const Feed& feed : feeds) {
    int32_t kind = 0, dtype = 0;
    const int64_t* dims = nullptr;
    size_t rank = 0;
    int64_t count = 0;
    settle(api().value_kind(feed.value.get(), &kind));
    Handle<onnxrun_value> value;
    if (kind == ONNXRUN_KIND_TENSOR) settle(api().value_tensor_info(feed.value.get(), &dtype, &dims, &rank, &count));
    if (dtype == ONNXRUN_DTYPE_FLOAT32 || dtype == ONNXRUN_DTYPE_FLOAT64) {
      std::vector<double> numbers(static_cast<size_t>(count));
      settle(api().value_to_doubles(feed.value.get(), numbers.data(), numbers.size()));
      for (double& number : numbers)
        number += (std::abs(number) + 0.1) * 1e-6 * static_cast<double>(random.between(-3, 3));
      value = made<onnxrun_value>([&](auto** out) { return api().value_create_tensor(dtype, dims, rank, out); });
      settle(api().value_from_doubles(value.get(), numbers.data(), numbers.size()));
    } else {
      value = made<onnxrun_value>([&](auto** out) { return api().value_share(feed.value.get(), out); });
    }
    result.push_back({feed.name, std::move(value)});
  }
  return result;
}

// Results that no longer follow their inputs, as tanh of large numbers, change in the same way: without, equal ones would look as if no rounding could tell them apart.
void shake_saturated(onnxrun::proto::GraphProto& graph, Random& random) {
  static const std::set<std::string> kSaturating = {"Tanh", "Sigmoid", "Erf", "Softmax", "RNN", "GRU", "LSTM"};
  const auto before = graph.node();
  graph.clear_node();
  size_t made = 0;
  const auto add = [&](const char* op, std::initializer_list<std::string> inputs, const std::string& output) {
    auto& node = *graph.add_node();
    node.set_op_type(op);
    node.add_output(output);
    for (const std::string& input : inputs) node.add_input(input);
    return &node;
  };
  for (const auto& from : before) {
    auto& node = *graph.add_node() = from;
    if (!node.domain().empty() || !kSaturating.contains(node.op_type())) continue;
    for (std::string& output : *node.mutable_output()) {
      if (output.empty()) continue;
      const std::string name = std::exchange(output, "plain " + output), stem = std::to_string(made++) + " noise";
      auto* noise = add("RandomUniformLike", {output}, stem);
      for (const auto& [key, value] :
           {std::pair("low", -3e-6f), {"high", 3e-6f}, {"seed", static_cast<float>(random.below(1000))}}) {
        auto& attribute = *noise->add_attribute();
        attribute.set_name(key);
        attribute.set_type(onnxrun::proto::AttributeProto::FLOAT);
        attribute.set_f(value);
      }
      add("Mul", {output, stem}, stem + " of it");
      add("Add", {output, stem + " of it"}, name);
    }
  }
}

// The model with its constants changed in the same way.
ModelProto shaken(ModelProto model, Random& random) {
  Subject subject(model, random);
  for (auto* tensor : subject.tensors()) {
    if (tensor->data_type() != 1 || tensor->raw_data().size() % 4 != 0) continue;
    std::string& bytes = *tensor->mutable_raw_data();
    for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
      float number = 0;
      std::memcpy(&number, bytes.data() + i, 4);
      number += (std::abs(number) + 0.1f) * 1e-6f * static_cast<float>(random.between(-3, 3));
      std::memcpy(bytes.data() + i, &number, 4);
    }
  }
  shake_saturated(*model.mutable_graph(), random);
  return model;
}

bool draws(const std::string& bytes) {
  static const std::regex kDrawing("Random|Bernoulli|Multinomial|Dropout|Sampling");
  return std::regex_search(bytes, kDrawing);
}

bool gave_up(const Outcome& outcome) {
  return outcome.code == ONNXRUN_LIMIT_EXCEEDED || outcome.code == ONNXRUN_DEADLINE ||
         outcome.code == ONNXRUN_UNSUPPORTED;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ModelProto header;
  if (!get(data, size, header) || draws({reinterpret_cast<const char*>(data), size})) return 0;
  Random random(static_cast<uint64_t>(header.model_version()));
  const std::string level = std::to_string(random.below(4));
  const auto plain = settings({{"level", "0"}, {"kernels", "reference"}});
  const auto model = load({data, size}, plain.get());
  std::vector<Feed> feeds;
  if (model == nullptr || !make_feeds(model.get(), random, false, feeds)) return 0;
  const auto options = settings({{"level", level}});
  const Outcome fast = run(model.get(), options.get(), feeds);
  Tame tame;
  const Outcome reference = run(model.get(), plain.get(), feeds, Tame::see, &tame);
  if (gave_up(fast) || gave_up(reference) || !tame.tame) return 0;
  const std::string found = difference(fast, reference, kTolerance);
  if (found.empty()) return 0;
  for (int attempt = 0; attempt < 6; ++attempt) {
    const std::string bytes = shaken(header, random).SerializeAsString();
    const auto other = load({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, plain.get());
    if (other == nullptr ||
        !difference(run(other.get(), plain.get(), shaken(feeds, random)), reference, kTolerance / 4).empty())
      return 0;
  }
  std::fprintf(stderr, "level %s: %s\n", level.c_str(), found.c_str());
  std::abort();
}
