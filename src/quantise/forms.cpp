// What modes share: finding constant weights, and the forms in which they stay beside float32 arithmetic.
#include "quantise/forms.h"

#include <algorithm>
#include <cmath>

#include "optimize/reading.h"
#include "quantise/compensate.h"

namespace onnxrun::quantise {

using base::DType;
using base::Tensor;
using ir::ValueId;

namespace {

constexpr int64_t kShortRow = 32;        // of its own scale: with 8 bits a weight it takes less than twice the room
constexpr int64_t kLeastElements = 256;  // smaller weights save nothing that their scales do not cost

bool is_float32(const ir::Graph& graph, ValueId value) { return graph.value(value).fact.dtype == DType::kFloat32; }

// How much an error of each place of a row counts: the mean square of what multiplies it.
std::vector<float> importance_of(const Work& work, const std::string& value, int64_t length) {
  std::vector<float> result;
  const ChannelSums* sums = work.observed.sums(value);
  if (sums == nullptr || static_cast<int64_t>(sums->square.size()) != length) return result;
  double total = 0;
  for (const double square : sums->square) total += square;
  const double mean = total / static_cast<double>(sums->square.size());
  if (!(mean > 0) || !std::isfinite(mean)) return result;
  // Places that calibration did not reach count a little, too.
  for (const double square : sums->square) result.push_back(static_cast<float>(square / mean + 1e-3));
  return result;
}

}  // namespace

int64_t bytes_of(const Tensor& tensor) { return tensor ? static_cast<int64_t>(tensor.bytes()) : 0; }

const Tensor* weight_of(Work& work, const ir::Node& node, ValueId value) {
  const Tensor* tensor = value == ir::kNone ? nullptr : optimize::constant(work.graph, value);
  if (tensor == nullptr) return nullptr;
  if (tensor->dtype() != DType::kFloat32)
    return work.leave(node, "its weights are " + std::string(base::dtype_name(tensor->dtype()))), nullptr;
  if (tensor->count() < kLeastElements) return work.leave(node, "its weights are too few to be worth it"), nullptr;
  for (const float element : tensor->span<float>())
    if (!std::isfinite(element)) return work.leave(node, "its weights are not all finite"), nullptr;
  return tensor;
}

bool is_product(Work& work, const ir::Node& node, Product& product) {
  const ir::Graph& graph = work.graph;
  if (optimize::is(node, "MatMul")) {
    product = {node.inputs[0], node.inputs[1], ir::kNone, false};
    if (optimize::constant(graph, product.weight) == nullptr) return false;
    if (!is_float32(graph, product.value) || graph.value(product.weight).fact.rank() != 2)
      return work.leave(node, "its weights are no float32 matrix"), false;
    return weight_of(work, node, product.weight) != nullptr;
  }
  if (!optimize::is(node, "Gemm")) return false;
  product = {node.inputs[0], node.inputs[1], optimize::input(node, 2), node.attributes.get_int("transB", 0) != 0};
  if (optimize::constant(graph, product.weight) == nullptr) return false;
  if (node.attributes.get_int("transA", 0) != 0 || node.attributes.get_float("alpha", 1) != 1 ||
      (product.bias != ir::kNone && node.attributes.get_float("beta", 1) != 1))
    return work.leave(node, "its attributes are more than a product and a bias"), false;
  if (!is_float32(graph, product.value)) return work.leave(node, "its operands are not float32"), false;
  return weight_of(work, node, product.weight) != nullptr;
}

Matrix matrix_of(const Product& product, const Tensor& weight) {
  return product.turned ? rows_of(weight) : columns_of(weight);
}

Settings settings_of(const Work& work, ValueId weight, int64_t length) {
  Settings result = work.settings;
  if (result.bits() < 8 && (length < kShortRow || work.small.contains(weight))) result.type = DType::kInt8;
  return result;
}

Coded coded_weights(Work& work, const Settings& settings, const Matrix& matrix, ValueId value, int64_t block,
                    Codes codes, bool single) {
  const Rounding rounding = settings.rounding.value_or(Rounding::kRefined);
  const std::string& name = work.graph.value(value).name;
  if (rounding == Rounding::kCompensated && !single) {
    auto found = work.compensations.find(name);
    if (found == work.compensations.end()) {
      const auto sums = work.observed.pairs.find(name);
      found = work.compensations
                  .emplace(name, sums == work.observed.pairs.end() ? nullptr
                                                                   : Compensation::of(sums->second, settings.allowance))
                  .first;
    }
    if (found->second != nullptr && found->second->size() == matrix.length)
      return encode_compensated(matrix, settings, block, codes, *found->second);
  }
  const std::vector<float> importance =
      rounding == Rounding::kAware ? importance_of(work, name, matrix.length) : std::vector<float>();
  return encode(matrix, settings, block, codes, importance, single);
}

Tensor corrected_bias(const Tensor& own, const Matrix& matrix, const Matrix& found, const ChannelSums* seen,
                      int64_t groups) {
  if (seen == nullptr || groups < 1 || (own && own.count() != matrix.rows)) return own;
  const int64_t channels = static_cast<int64_t>(seen->sum.size()) / groups;  // of a group
  if (channels < 1 || matrix.length % channels != 0 || matrix.rows % groups != 0) return own;
  const int64_t kernel = matrix.length / channels;
  Tensor result(DType::kFloat32, {matrix.rows});
  for (int64_t r = 0; r < matrix.rows; ++r) {
    double sum = 0;
    for (int64_t i = 0; i < matrix.length; ++i) {
      const auto at = static_cast<size_t>(r * matrix.length + i);
      const int64_t channel = r / (matrix.rows / groups) * channels + i / kernel;
      sum += (static_cast<double>(matrix.data[at]) - found.data[at]) * seen->sum[static_cast<size_t>(channel)];
    }
    const double mean = sum / static_cast<double>(seen->count);
    result.mutable_data<float>()[r] = static_cast<float>((own ? own.data<float>()[r] : 0.0f) + mean);
  }
  return result;
}

bool is_pointwise(const ir::Graph& graph, const ir::Node& conv) {
  const auto dims = graph.value(conv.inputs[1]).fact.dims();
  return dims && dims->size() >= 3 && conv.attributes.get_int("group", 1) == 1 &&
         std::all_of(dims->begin() + 2, dims->end(), [](int64_t dim) { return dim == 1; });
}

void note(Work& work, const ir::Node& node, std::string form, const Tensor& before, int64_t after, double error) {
  work.notes.changes.push_back({label_of(work.graph, node), node.op->full_name(), std::move(form), bytes_of(before),
                                after, error, key_of(work.graph, node)});
}

std::vector<ValueId> add_codes(Work& work, ValueId weight, const Tensor& codes, const Tensor& scales,
                               const Tensor& zeros) {
  const std::string stem = work.graph.value(weight).name;
  std::vector<ValueId> made;
  const auto add = [&](const Tensor& tensor, const char* end) {
    made.push_back(work.graph.add_constant(tensor, work.graph.fresh_name(stem + end)));
  };
  add(codes, "_codes");
  add(scales, "_scales");
  if (zeros) add(zeros, "_zeros");
  return made;
}

void replace_product(Work& work, ir::NodeId id, const Product& product, ir::Patch patch, ValueId result,
                     std::string form, const std::vector<ValueId>& made, double error) {
  const ir::Node& node = work.graph.node(id);
  if (product.bias != ir::kNone) result = patch.emit(work.op("Add"), {result, product.bias});
  int64_t after = 0;
  for (const ValueId constant : made) after += bytes_of(work.graph.value(constant).fact.constant);
  note(work, node, std::move(form), *optimize::constant(work.graph, product.weight), after, error);
  patch.replace(node.outputs[0], result);
  patch.remove(id);
  work.apply(std::move(patch));
}

bool quantise_gather(Work& work, ir::NodeId id) {
  const ir::Node& node = work.graph.node(id);
  const Tensor* weight = weight_of(work, node, node.inputs[0]);
  if (weight == nullptr) return false;
  if (weight->rank() != 2 || node.attributes.get_int("axis", 0) != 0)
    return work.leave(node, "it does not choose rows of a matrix"), false;
  const ValueId indices = node.inputs[1];
  const bool blocks =
      work.settings.block_size() > 0 && !work.settings.standard && weight->dims()[1] % work.settings.block_size() == 0;
  const std::string how = blocks ? "gather blocks" : "gather rows";
  const int bits = blocks ? work.settings.bits() : 8;
  auto& made = work.made[{node.inputs[0], how}];
  double error = 0;
  if (made.empty()) {
    Settings settings = work.settings;
    if (!blocks) {
      settings.type = DType::kInt8;
      settings.symmetric = true;
    }
    const Matrix matrix = rows_of(*weight);
    const Coded coded =
        encode(matrix, settings, blocks ? settings.block_size() : 0, blocks ? Codes::kUnsigned : Codes::kOfType);
    error = coded.error;
    const std::string stem = work.graph.value(node.inputs[0]).name;
    const auto add = [&](Tensor tensor, const char* what) {
      made.push_back(work.graph.add_constant(std::move(tensor), work.graph.fresh_name(stem + what)));
    };
    if (blocks) {
      PackedBlocks packed = pack_blocks(coded, bits);
      add(packed.codes.reshaped({coded.rows, coded.length * bits / 8}), "_codes");
      add(packed.scales, "_scales");
      if (packed.zeros) add(packed.zeros, "_zeros");
    } else {
      Tensors tensors = to_tensors(coded, DType::kInt8, false);
      add(tensors.codes, "_codes");
      add(tensors.scales.reshaped({coded.rows, 1}), "_scales");
    }
  }
  ir::Patch patch(work.graph, "gather codes");
  ValueId result;
  if (blocks) {
    std::vector<ValueId> inputs = {made[0], indices, made[1]};
    if (made.size() > 2) inputs.push_back(made[2]);
    result = patch.emit(work.op("GatherBlockQuantized", kMicrosoft), std::move(inputs),
                        {{"bits", int64_t{bits}},
                         {"block_size", work.settings.block_size()},
                         {"gather_axis", int64_t{0}},
                         {"quantize_axis", int64_t{1}}},
                        node.name);
  } else {
    const ValueId codes = patch.emit(work.op("Gather"), {made[0], indices}, {{"axis", int64_t{0}}}, node.name);
    const ValueId scales = patch.emit(work.op("Gather"), {made[1], indices}, {{"axis", int64_t{0}}});
    const ValueId numbers = patch.emit(work.op("Cast"), {codes}, {{"to", static_cast<int64_t>(DType::kFloat32)}});
    result = patch.emit(work.op("Mul"), {numbers, scales});
  }
  int64_t after = 0;
  for (const ValueId constant : made) after += bytes_of(work.graph.value(constant).fact.constant);
  note(work, node, blocks ? "GatherBlockQuantized" : "Gather of codes", *weight, after, error);
  patch.replace(node.outputs[0], result);
  patch.remove(id);
  work.apply(std::move(patch));
  return true;
}

namespace {

// A constant that takes the place of a convolution's bias; kNone where it stays.
ValueId corrected_bias_of(Work& work, const ir::Node& node, const Matrix& matrix, const Coded& coded) {
  const ValueId before = optimize::input(node, 2);
  const Tensor* own = before == ir::kNone ? nullptr : optimize::float_constant(work.graph, before);
  const ChannelSums* seen = work.observed.sums(work.graph.value(node.inputs[0]).name);
  // Weights that were compensated have made up for it.
  if (!work.settings.correct_bias || work.settings.mode == Mode::kWeights || !optimize::is(node, "Conv") ||
      seen == nullptr || (before != ir::kNone && own == nullptr))
    return ir::kNone;
  const Tensor corrected = corrected_bias(own == nullptr ? Tensor() : *own, matrix, decode(coded), seen,
                                          node.attributes.get_int("group", 1));
  if (!corrected) return ir::kNone;
  return work.graph.add_constant(corrected, work.graph.fresh_name(label_of(work.graph, node) + "_bias"));
}

}  // namespace

bool dequantise_input(Work& work, ir::NodeId id, size_t i, int64_t axis) {
  const ir::Node& node = work.graph.node(id);
  const ValueId source = optimize::input(node, i);
  const Tensor* weight = weight_of(work, node, source);
  if (weight == nullptr) return false;
  const int64_t rank = weight->rank(), block = work.settings.block_size();
  // Blocks of other than matrices of columns are cut from rows, which a Reshape makes what they were.
  const bool columns = axis == 1 && rank == 2, leading = axis == 0;
  if (!columns && !leading) return work.leave(node, "its output channels are no axis that can have scales"), false;
  const int64_t length = weight->count() / std::max<int64_t>(weight->dims()[static_cast<size_t>(axis)], 1);
  const bool blocked = block > 0 && length > block;
  Settings settings = settings_of(work, source, length);
  if (!blocked) settings.block = 0;
  auto& made = work.made[{source, fmt::format("weights {}", axis)}];
  double error = 0;
  ValueId bias = ir::kNone;
  if (made.empty()) {
    const Matrix matrix = columns ? columns_of(*weight) : rows_of(*weight);
    const Coded coded = coded_weights(work, settings, matrix, node.inputs[0], blocked ? block : 0, Codes::kOfType,
                                      !settings.per_channel);
    error = coded.error;
    bias = corrected_bias_of(work, node, matrix, coded);
    Tensors tensors = to_tensors(coded, settings.type, columns);
    if (!blocked && !columns) tensors.codes = tensors.codes.reshaped(weight->dims());
    const std::string stem = work.graph.value(source).name;
    made.push_back(work.graph.add_constant(tensors.codes, work.graph.fresh_name(stem + "_codes")));
    made.push_back(work.graph.add_constant(tensors.scales, work.graph.fresh_name(stem + "_scales")));
    if (tensors.zeros) made.push_back(work.graph.add_constant(tensors.zeros, work.graph.fresh_name(stem + "_zeros")));
  }
  ir::Patch patch(work.graph, "weights in codes");
  if (bias != ir::kNone) patch.set_input(id, 2, bias);
  ir::Attributes attributes{{"axis", int64_t{blocked ? 1 - axis : axis}}};
  if (blocked) attributes.set("block_size", block);
  ValueId numbers = patch.emit(work.op("DequantizeLinear"), made, std::move(attributes));
  if (blocked && !columns && rank != 2)
    numbers =
        patch.emit(work.op("Reshape"), {numbers, patch.constant(Tensor::vector<int64_t>(weight->dims()), "shape")});
  int64_t after = 0;
  for (const ValueId constant : made) after += bytes_of(work.graph.value(constant).fact.constant);
  note(work, node, "DequantizeLinear", *weight, after, error);
  patch.set_input(id, i, numbers);
  work.apply(std::move(patch));
  return true;
}

}  // namespace onnxrun::quantise
