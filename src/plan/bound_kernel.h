// BoundKernel: a kernel prepared for concrete shapes, and running one at once on known tensors.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/tensor.h"
#include "ir/graph.h"
#include "ir/op.h"

#include <onnxrun/provider.h>

namespace onnxrun::plan {

// Owns the state that `bind` made.
class BoundKernel {
 public:
  BoundKernel() = default;
  // Binds; nullopt, with the reason appended to `declined`, when the kernel passes these shapes on. Throws other failures as Error.
  static std::optional<BoundKernel> bind(const onnxrun_kernel& kernel, const onnxrun_node* node, const void* packed,
                                         std::string* declined);
  BoundKernel(BoundKernel&& other) noexcept;
  BoundKernel& operator=(BoundKernel&& other) noexcept;
  ~BoundKernel();

  explicit operator bool() const { return kernel_ != nullptr; }
  const onnxrun_kernel& kernel() const { return *kernel_; }
  size_t scratch_bytes() const { return scratch_; }
  // Of memory that the state holds; a guess where the provider does not say.
  size_t state_bytes() const;
  // Throws what the kernel reports as Error.
  void run(onnxrun_run_context& context) const;

 private:
  const onnxrun_kernel* kernel_ = nullptr;
  void* state_ = nullptr;
  size_t scratch_ = 0;
};

// Runs a host kernel on the calling thread. `inputs` null where absent; `outputs` are facts with dtype, of which known shapes are allocated up front.
// Returns one tensor an output (empty where the node has none), or nullopt when the kernel declines. Throws kDeadline past `deadline`.
std::optional<std::vector<base::Tensor>> run_now(const onnxrun_kernel& kernel, const ir::Node& node,
                                                 std::span<const base::Tensor* const> inputs,
                                                 std::span<const ir::Fact> outputs, const base::BudgetPtr& budget,
                                                 base::Deadline deadline = {});

}  // namespace onnxrun::plan
