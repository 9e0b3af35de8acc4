// onnxoptimizer's names for passes.
#include <algorithm>

#include "base/error.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {
namespace {

constexpr std::string_view kNoOp[] = {"eliminate-no-op"};
constexpr std::string_view kIdentity[] = {"eliminate-identity"};
constexpr std::string_view kDead[] = {"eliminate-dead"};
constexpr std::string_view kUnused[] = {"eliminate-unused-initializers"};
constexpr std::string_view kDuplicate[] = {"share-duplicate-initializers"};
constexpr std::string_view kCommon[] = {"share-common-subexpressions"};
constexpr std::string_view kRepeated[] = {"eliminate-repeated", "merge-reshapes"};
constexpr std::string_view kIf[] = {"inline-if"};
constexpr std::string_view kFold[] = {"fold-constants"};
constexpr std::string_view kReshape[] = {"simplify-reshape"};
constexpr std::string_view kTransposes[] = {"merge-transposes", "eliminate-no-op"};
constexpr std::string_view kConcats[] = {"merge-concats"};
constexpr std::string_view kSlices[] = {"merge-slices"};
constexpr std::string_view kSqueezes[] = {"merge-squeezes"};
constexpr std::string_view kWeights[] = {"fold-scale-into-weights"};
constexpr std::string_view kMonotone[] = {"drop-monotone"};
constexpr std::string_view kLogSoftmax[] = {"fuse-log-softmax"};
constexpr std::string_view kReduce[] = {"merge-reduce-unsqueeze"};
constexpr std::string_view kGemm[] = {"fuse-gemm"};
constexpr std::string_view kPads[] = {"fold-pads"};
constexpr std::string_view kAbsorb[] = {"absorb-transposes"};
constexpr std::string_view kEinsum[] = {"replace-einsum"};
constexpr std::string_view kWhere[] = {"turn-where"};

}  // namespace

std::span<const Alias> aliases() {
  static constexpr Alias kAliases[] = {
      {"eliminate_common_subexpression", kCommon},
      {"eliminate_consecutive_idempotent_ops", kRepeated},
      {"eliminate_deadend", kDead},
      {"eliminate_duplicate_initializer", kDuplicate},
      {"eliminate_identity", kIdentity},
      {"eliminate_if_with_const_cond", kIf},
      {"eliminate_nop_cast", kNoOp},
      {"eliminate_nop_concat", kNoOp},
      {"eliminate_nop_dropout", kNoOp},
      {"eliminate_nop_expand", kNoOp},
      {"eliminate_nop_flatten", kNoOp},
      {"eliminate_nop_monotone_argmax", kMonotone},
      {"eliminate_nop_pad", kNoOp},
      {"eliminate_nop_reshape", kNoOp},
      {"eliminate_nop_split", kNoOp},
      {"eliminate_nop_transpose", kNoOp},
      {"eliminate_nop_with_unit", kNoOp},
      {"eliminate_shape_gather", kFold},
      {"eliminate_shape_op", kFold},
      {"eliminate_slice_after_shape", kFold},
      {"eliminate_unused_initializer", kUnused},
      {"fuse_add_bias_into_conv", kWeights},
      {"fuse_bn_into_conv", kWeights},
      {"fuse_concat_into_reshape", kReshape},
      {"fuse_consecutive_concats", kConcats},
      {"fuse_consecutive_log_softmax", kLogSoftmax},
      {"fuse_consecutive_reduce_unsqueeze", kReduce},
      {"fuse_consecutive_slices", kSlices},
      {"fuse_consecutive_squeezes", kSqueezes},
      {"fuse_consecutive_transposes", kTransposes},
      {"fuse_consecutive_unsqueezes", kSqueezes},
      {"fuse_matmul_add_bias_into_gemm", kGemm},
      {"fuse_pad_into_conv", kPads},
      {"fuse_pad_into_pool", kPads},
      {"fuse_transpose_into_gemm", kAbsorb},
      {"replace_einsum_with_matmul", kEinsum},
      {"rewrite_where", kWhere},
  };
  return kAliases;
}

std::vector<const Pass*> passes_named(std::string_view name) {
  std::span<const std::string_view> wanted(&name, 1);
  const auto alias = std::ranges::find(aliases(), name, &Alias::name);
  if (alias != aliases().end()) wanted = alias->passes;
  std::vector<const Pass*> found;
  for (const Pass& pass : pipeline())
    if (std::ranges::find(wanted, std::string_view(pass.name)) != wanted.end()) found.push_back(&pass);
  if (!found.empty()) return found;
  std::string names;
  for (const Pass& pass : pipeline()) names += (names.empty() ? "" : ", ") + std::string(pass.name);
  base::fail(base::Code::kInvalidArgument, "there is no pass '{}'; there are: {}", name, names);
}

}  // namespace onnxrun::optimize
