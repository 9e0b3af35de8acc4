// Runs one kernel of the CPU provider on given tensors, as the runtime would: accepts, bind, run, release.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <onnxrun/provider.hpp>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/tensor.h"

namespace onnxrun::cpu {

void register_all(provider::KernelTable& table);

using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>>;

struct KernelCall {
  std::string op;
  std::vector<base::Tensor> inputs;  // an empty tensor is an absent input
  std::vector<std::pair<base::DType, base::Dims>> outputs;
  std::map<std::string, Attribute> attributes = {};
  std::string kernel = "";  // of the operator's kernels the first of this name that accepts; "" is any
  std::string domain = "";
  bool cancelled = false;  // what the run says of itself all the time
  bool constants = true;   // whether the kernel sees the inputs' values before the run
  int precision = ONNXRUN_PRECISION_HIGHEST;
  int threads = 3;  // that `parallel` pretends to have: it runs ranges of the grain one after the other
};

namespace run_kernel_detail {

inline void append(void* text, const char* piece, size_t length) {
  static_cast<std::string*>(text)->append(piece, length);
}

inline void parallel(onnxrun_run_context*, int64_t count, int64_t grain, void (*task)(void*, int64_t, int64_t),
                     void* arg) {
  for (int64_t begin = 0; begin < count; begin += grain) task(arg, begin, std::min(begin + grain, count));
}

struct Context : onnxrun_run_context {
  bool cancelled = false;
};
inline int32_t cancelled(const onnxrun_run_context* context) {
  return static_cast<const Context*>(context)->cancelled ? 1 : 0;
}

inline void check(onnxrun_code code, const std::string& message) {
  if (code != ONNXRUN_OK) throw Error(static_cast<Code>(code), message);
}

}  // namespace run_kernel_detail

// The outputs. Throws the kernel's error; kUnsupported with all reasons when no kernel accepts. Outputs whose shape
// depends on values are not supported.
inline std::vector<base::Tensor> run_kernel(const KernelCall& call) {
  namespace detail = run_kernel_detail;
  static const provider::KernelTable table = [] {
    provider::KernelTable result;
    register_all(result);
    return result;
  }();

  std::vector<onnxrun_tensor> inputs, outputs;
  std::vector<base::Tensor> results;
  for (const base::Tensor& input : call.inputs) inputs.push_back(input ? input.view() : onnxrun_tensor{});
  std::vector<onnxrun_tensor> known = inputs;
  if (!call.constants)
    for (onnxrun_tensor& input : known) input.data = nullptr;
  for (const auto& [dtype, dims] : call.outputs) results.emplace_back(dtype, dims);
  for (const base::Tensor& output : results) outputs.push_back(output.view());
  std::vector<onnxrun_attribute> attributes;
  for (const auto& [name, value] : call.attributes) {
    onnxrun_attribute a{};
    a.name = name.c_str();
    if (const auto* i = std::get_if<int64_t>(&value)) a.kind = ONNXRUN_ATTRIBUTE_INT, a.i = *i;
    if (const auto* f = std::get_if<float>(&value)) a.kind = ONNXRUN_ATTRIBUTE_FLOAT, a.f = *f;
    if (const auto* s = std::get_if<std::string>(&value))
      a.kind = ONNXRUN_ATTRIBUTE_STRING, a.s = {s->data(), s->size()};
    if (const auto* v = std::get_if<std::vector<int64_t>>(&value))
      a.kind = ONNXRUN_ATTRIBUTE_INTS, a.ints = v->data(), a.count = v->size();
    attributes.push_back(a);
  }
  const onnxrun_node node{call.domain.c_str(), call.op.c_str(),   "",
                          attributes.data(),   attributes.size(), known.data(),
                          known.size(),        outputs.data(),    outputs.size(),
                          call.threads,        call.precision};

  std::string reasons;
  for (const onnxrun_kernel& kernel : table.kernels()) {
    if (call.domain != kernel.domain || call.op != kernel.op_type ||
        (!call.kernel.empty() && call.kernel != kernel.name))
      continue;
    std::string message;
    onnxrun_sink sink{&message, detail::append};
    onnxrun_acceptance terms{};
    onnxrun_code code = kernel.accepts(&node, &terms, &sink);
    void* state = nullptr;
    size_t scratch_bytes = 0;
    std::vector<std::byte> packed(terms.pack_bytes + 64);
    if (code == ONNXRUN_OK && kernel.pack != nullptr && terms.pack_bytes != 0)
      code = kernel.pack(&node, packed.data(), &sink);
    if (code == ONNXRUN_OK)
      code = kernel.bind(&node, terms.pack_bytes == 0 ? nullptr : packed.data(), &state, &scratch_bytes, &sink);
    if (code == ONNXRUN_UNSUPPORTED) {
      reasons += std::string(kernel.name) + ": " + message + "; ";
      continue;
    }
    detail::check(code, message);
    const auto scratch = base::Buffer::allocate(scratch_bytes + 1);
    const onnxrun_host host{detail::parallel, nullptr, detail::cancelled};
    std::vector<const onnxrun_tensor*> in;
    std::vector<onnxrun_tensor*> out;
    for (const onnxrun_tensor& input : inputs) in.push_back(&input);
    for (onnxrun_tensor& output : outputs) out.push_back(&output);
    detail::Context context{
        {&host, in.data(), out.data(), in.size(), out.size(), scratch->data(), nullptr, call.threads}, call.cancelled};
    code = kernel.run(state, &context, &sink);
    kernel.release(state);
    detail::check(code, message);
    return results;
  }
  throw Error(Code::kUnsupported, "no kernel for " + call.op + ": " + reasons);
}

}  // namespace onnxrun::cpu
