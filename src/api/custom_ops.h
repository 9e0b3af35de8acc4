// Operators that callers bring: their definitions in a table beside the built-in ones, and their kernels.
#pragma once

#include <onnxrun/custom_op.h>

#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/custom_infer.h"
#include "ir/op.h"
#include "plan/provider_set.h"

namespace onnxrun::api {

// The operators of one library and of those before it. Not changed once it is shared.
class CustomOps {
 public:
  // With the operators of `before`, which may be null.
  explicit CustomOps(std::shared_ptr<const CustomOps> before);
  ~CustomOps();
  CustomOps(const CustomOps&) = delete;
  CustomOps& operator=(const CustomOps&) = delete;

  const ir::OpTable& table() const { return table_; }
  // All kernels, with those of `before`.
  plan::ExtraKernels kernels() const;

  // Has the table note which operators it is asked for, from now on; what it noted, by full names.
  void record();
  bool records() const { return noted_ != nullptr; }
  std::set<std::string> recorded() const;

  // Takes the library over, `destroy` included, unless it throws.
  void add(const onnxrun_op_library& library);

 private:
  void add_op(const onnxrun_op& op);
  void add_kernels(const onnxrun_op& op, const ir::OpDef& def);

  const std::shared_ptr<const CustomOps> before_;
  struct Noted {
    std::mutex mutex;
    std::set<std::string> names;
  };
  ir::OpTable table_;
  std::shared_ptr<Noted> noted_;
  std::deque<CustomOp> ops_;
  std::vector<ir::OpDef> defs_;  // with those of `before_`
  std::deque<std::string> names_;
  std::deque<std::pair<std::string, onnxrun_kernel>> kernels_;  // by provider
  void* self_ = nullptr;
  void (*destroy_)(void* self) = nullptr;
};
using CustomOpsPtr = std::shared_ptr<const CustomOps>;

// Loads the library at `path` and adds its operators. It stays loaded until the process ends. Throws kIo or kUnsupported naming the path.
CustomOpsPtr with_op_library(CustomOpsPtr before, const std::string& path, const char* const* settings, size_t count);
CustomOpsPtr with_ops(CustomOpsPtr before, const onnxrun_op_library& library);

}  // namespace onnxrun::api
