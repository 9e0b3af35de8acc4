// Kernels on byte-sized elements offered for packed sub-byte types: inputs are unpacked, and outputs packed, through scratch memory.
#pragma once

#include <memory>
#include <vector>

#include "base/packed.h"
#include "cpu/loops/copy.h"

namespace onnxrun::cpu {

// One element a byte, and back. The last byte's spare bits become 0.
void unpack(int32_t dtype, const void* from, uint8_t* to, int64_t count);
void pack(int32_t dtype, const uint8_t* from, void* to, int64_t count);

// A node whose packed tensors are shown as uint8.
class UnpackedNode {
 public:
  explicit UnpackedNode(const provider::Node& node);
  provider::Node node() const { return provider::Node(&node_); }
  bool any() const { return any_; }

 private:
  onnxrun_node node_;
  std::vector<onnxrun_tensor> inputs_, outputs_;
  bool any_ = false;
};

// The run context of a node whose packed tensors are shown as uint8.
class UnpackedRun {
 public:
  UnpackedRun(provider::RunContext& real, char* scratch, char* inner_scratch);  // unpacks the inputs
  provider::RunContext context() { return provider::RunContext(&proxy_.context); }
  void pack_outputs();

  // Bytes of scratch for a node's tensors.
  static size_t scratch_bytes(const provider::Node& node);

  struct Proxy {
    onnxrun_run_context context;
    onnxrun_run_context* real;
  };

 private:
  Proxy proxy_;
  std::vector<onnxrun_tensor> tensors_;
  std::vector<const onnxrun_tensor*> inputs_;
  std::vector<onnxrun_tensor*> outputs_;
};

// The kernel K, which moves byte-sized elements, for nodes with packed tensors. Output shapes must be known.
template <class K>
class Unpacked {
 public:
  static provider::Acceptance accepts(const provider::Node& node) {
    const UnpackedNode view(node);
    if (!view.any()) return provider::Acceptance::decline("no packed sub-byte tensor");
    const provider::Acceptance inner = K::accepts(view.node());
    return inner.declined() ? provider::Acceptance::decline(inner.reason()) : provider::Acceptance();
  }

  explicit Unpacked(const provider::Node& node) : own_(UnpackedRun::scratch_bytes(node)), kernel_(UnpackedNode(node).node()) {}

  size_t scratch_bytes() const {
    if constexpr (provider::WantsScratch<K>) return own_ + kernel_.scratch_bytes();
    else return own_;
  }

  void run(provider::RunContext& context) const {
    char* scratch = static_cast<char*>(context.scratch());
    UnpackedRun run(context, scratch, scratch + own_);
    provider::RunContext inner = run.context();
    kernel_.run(inner);
    run.pack_outputs();
  }

 private:
  size_t own_;
  K kernel_;
};

}  // namespace onnxrun::cpu
