// Nodes with constant weights and the forms that they take with weights in codes.
#pragma once

#include "ir/patch.h"
#include "quantise/matrix.h"
#include "quantise/work.h"

namespace onnxrun::quantise {

// A product of a value with a constant matrix: MatMul, or a Gemm that is one with a bias.
struct Product {
  ir::ValueId value = ir::kNone, weight = ir::kNone, bias = ir::kNone;
  bool turned = false;  // the weight's rows are the output's channels
};
// Whether the node is such a product, with a finite float32 weight; notes why not where it is a MatMul or Gemm of a constant.
bool is_product(Work& work, const ir::Node& node, Product& product);

// The known float32 tensor that a node's input is, of at least as many elements as are worth it, all finite; else null, and noted.
const base::Tensor* weight_of(Work& work, const ir::Node& node, ir::ValueId value);

// The weights of a product, a row for each output channel.
Matrix matrix_of(const Product& product, const base::Tensor& weight);

// The settings for one weight, of rows of `length`: those of the work, but for 8 bits where fewer would save little room: in short rows, and in small weights.
Settings settings_of(const Work& work, ir::ValueId weight, int64_t length);

// The weights in codes, rounded as the settings say and as what was seen of `value`, which they multiply, allows.
Coded coded_weights(Work& work, const Settings& settings, const Matrix& matrix, ir::ValueId value, int64_t block,
                    Codes codes, bool single = false);

// A bias that makes up for the mean error of rows that became `found`, where calibration saw what they multiply; `own` may be none, and is the result where nothing is
// known.
base::Tensor corrected_bias(const base::Tensor& own, const Matrix& matrix, const Matrix& found, const ChannelSums* seen,
                            int64_t groups);

// Notes that `node` became `form`, with the weights' error.
void note(Work& work, const ir::Node& node, std::string form, const base::Tensor& before, int64_t after, double error);

// Constants named after `weight` for its codes, scales and, where there are any, zero points.
std::vector<ir::ValueId> add_codes(Work& work, ir::ValueId weight, const base::Tensor& codes,
                                   const base::Tensor& scales, const base::Tensor& zeros);

// Puts `result`, plus the product's bias, in the place of node `id`, which became `form` over the constants `made`, and applies the patch.
void replace_product(Work& work, ir::NodeId id, const Product& product, ir::Patch patch, ir::ValueId result,
                     std::string form, const std::vector<ir::ValueId>& made, double error);

// A Gather of rows of a constant: the rows in codes, each with a scale of its own, and the product of both.
bool quantise_gather(Work& work, ir::NodeId id);

// Weights of any operator in codes, made numbers again by DequantizeLinear: input `i` of the node, whose axis `axis` counts the output channels.
bool dequantise_input(Work& work, ir::NodeId id, size_t i, int64_t axis);

// Whether a Conv is a product at each place: of kernels of one element and one group.
bool is_pointwise(const ir::Graph& graph, const ir::Node& conv);

int64_t bytes_of(const base::Tensor& tensor);

}  // namespace onnxrun::quantise
