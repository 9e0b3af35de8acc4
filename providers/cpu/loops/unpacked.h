// Kernels offered for types that they do not know, through scratch memory: those on byte-sized elements for packed sub-byte types, those on
// float32 for narrower floats.
#pragma once

#include <memory>
#include <vector>

#include "base/packed.h"
#include "cpu/loops/copy.h"

namespace onnxrun::cpu {

// One element a byte, and back. The last byte's spare bits become 0.
void unpack(int32_t dtype, const void* from, uint8_t* to, int64_t count);
void pack(int32_t dtype, const uint8_t* from, void* to, int64_t count);

// What tensors of other types look like to the kernel.
enum class Shown {
  kBytes,   // packed sub-byte types as uint8
  kFloats,  // float16 and bfloat16 as float32
};

// A node with some tensors shown as another type.
class ShownNode {
 public:
  ShownNode(const provider::Node& node, Shown rule);
  provider::Node node() const { return provider::Node(&node_); }
  bool any() const { return any_; }

 private:
  onnxrun_node node_;
  std::vector<onnxrun_tensor> inputs_, outputs_;
  bool any_ = false;
};

// The run context of such a node.
class ShownRun {
 public:
  ShownRun(provider::RunContext& real, Shown rule, char* scratch, char* inner_scratch);  // converts the inputs
  provider::RunContext context() { return provider::RunContext(&proxy_.context); }
  void convert_outputs();

  // Bytes of scratch for a node's tensors and their views.
  static size_t scratch_bytes(const provider::Node& node, Shown rule);

  struct Proxy {
    onnxrun_run_context context;
    onnxrun_run_context* real;
  };

 private:
  Proxy proxy_;
  Shown rule_;
  onnxrun_tensor** outputs_;
};

// The kernel K for nodes with tensors that `rule` shows as types K knows. Shapes of outputs must be known.
template <class K, Shown rule>
class Converted {
 public:
  static provider::Acceptance accepts(const provider::Node& node) {
    const ShownNode view(node, rule);
    if (!view.any())
      return provider::Acceptance::decline(rule == Shown::kBytes ? "no packed sub-byte tensor"
                                                                 : "no float16 or bfloat16 tensor");
    const provider::Acceptance inner = K::accepts(view.node());
    return inner.declined() ? provider::Acceptance::decline(inner.reason()) : provider::Acceptance();
  }

  explicit Converted(const provider::Node& node)
      : own_(ShownRun::scratch_bytes(node, rule)), kernel_(ShownNode(node, rule).node()) {}

  size_t scratch_bytes() const {
    if constexpr (provider::WantsScratch<K>) return own_ + kernel_.scratch_bytes();
    else return own_;
  }

  void run(provider::RunContext& context) const {
    char* scratch = static_cast<char*>(context.scratch());
    ShownRun run(context, rule, scratch, scratch + own_);
    provider::RunContext inner = run.context();
    kernel_.run(inner);
    run.convert_outputs();
  }

 private:
  size_t own_;
  K kernel_;
};

template <class K>
using Unpacked = Converted<K, Shown::kBytes>;
template <class K>
using Widened = Converted<K, Shown::kFloats>;

}  // namespace onnxrun::cpu
