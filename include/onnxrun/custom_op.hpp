// Operators of your own in C++: classes that say what they take, what follows for shapes, and kernels as those of provider.hpp.
//
// An operator class O has
//   static constexpr const char* kDomain, *kName;
//   static constexpr const char* kInputs, *kOutputs, *kTypes, *kAttributes;   // as texts of custom_op.h; kTypes and kAttributes may be left out
//   static void infer(ops::Infer& infer);                                     // throw onnxrun::Error where inputs do not fit
// and, if it needs them, kSinceVersion, kFlags and kValueInputs.
//
//   auto library = std::make_unique<ops::Library>("mine");
//   library->add<Swish>().kernel<SwishKernel>("cpu", "plain");
//   options.add_ops(std::move(library));                                      // in the process
//   ONNXRUN_OPS(library) { library.add<Swish>().kernel<SwishKernel>("cpu", "plain"); }   // or as a shared library's entry
#pragma once

#include <onnxrun/custom_op.h>
#include <onnxrun/provider.hpp>

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onnxrun::ops {

// What is known of a node's inputs, and what is said of its outputs.
class Infer {
 public:
  explicit Infer(onnxrun_infer_call* call) : call_(call) {}

  provider::Node node() const { return provider::Node(call_->node); }
  const onnxrun_tensor& input(size_t i) const {
    static constexpr onnxrun_tensor kAbsent{};
    return i < call_->node->input_count ? call_->node->inputs[i] : kAbsent;
  }
  bool has_input(size_t i) const { return provider::present(input(i)); }
  bool rank_known(size_t i) const { return input(i).rank >= 0; }
  // A dim below 0 is not known yet: see custom_op.h.
  std::span<const int64_t> dims(size_t i) const { return provider::dims(input(i)); }
  // Elements of a constant input; empty where it is none.
  template <class T>
  std::span<const T> constant(size_t i) const {
    if (input(i).data == nullptr) return {};
    return {static_cast<const T*>(input(i).data), static_cast<size_t>(provider::count(input(i)))};
  }

  void set(size_t output, int32_t dtype, std::span<const int64_t> dims) {
    give(output, dtype, dims.data(), static_cast<int32_t>(dims.size()));
  }
  // Of a shape that is not known.
  void set(size_t output, int32_t dtype) { give(output, dtype, nullptr, -1); }
  // Type and shape of an input.
  void same(size_t output, size_t from) {
    const onnxrun_tensor& fact = input(from);
    give(output, fact.dtype, fact.dims, fact.rank);
  }

 private:
  void give(size_t output, int32_t dtype, const int64_t* dims, int32_t rank) {
    std::string message;
    onnxrun_sink sink{&message, [](void* text, const char* piece, size_t length) {
                        static_cast<std::string*>(text)->append(piece, length);
                      }};
    const onnxrun_code code = call_->set_output(call_, output, dtype, dims, rank, &sink);
    if (code != ONNXRUN_OK) throw Error(static_cast<Code>(code), message);
  }
  onnxrun_infer_call* call_;
};

// Operators and their kernels, handed over to options or out of a shared library.
class Library {
 public:
  explicit Library(std::string name) : name_(std::move(name)) {}
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  class Entry {
   public:
    // A kernel class of provider.hpp; several of one provider are tried in this order. Texts are kept by pointer.
    template <class K>
    Entry& kernel(const char* provider, const char* name) {
      provider::KernelTable table;
      table.add<K>(library_->ops_[index_].domain, library_->ops_[index_].name, name);
      library_->kernels_[index_].push_back({provider, table.kernels().front()});
      return *this;
    }

   private:
    friend class Library;
    Entry(Library* library, size_t index) : library_(library), index_(index) {}
    Library* library_;
    size_t index_;
  };

  template <class O>
  Entry add() {
    onnxrun_op op{};
    op.domain = O::kDomain;
    op.name = O::kName;
    op.inputs = O::kInputs;
    op.outputs = O::kOutputs;
    op.since_version = 1;
    if constexpr (requires { O::kTypes; }) op.types = O::kTypes;
    if constexpr (requires { O::kAttributes; }) op.attributes = O::kAttributes;
    if constexpr (requires { O::kSinceVersion; }) op.since_version = O::kSinceVersion;
    if constexpr (requires { O::kFlags; }) op.flags = O::kFlags;
    if constexpr (requires { O::kValueInputs; }) op.value_inputs = O::kValueInputs;
    op.infer = [](void*, onnxrun_infer_call* call, onnxrun_sink* sink) {
      return provider::guard(sink, [&] {
        Infer infer(call);
        O::infer(infer);
        return ONNXRUN_OK;
      });
    };
    ops_.push_back(op);
    kernels_.emplace_back();
    return Entry(this, ops_.size() - 1);
  }

  // Valid until the next change. Its `destroy` deletes this object.
  const onnxrun_op_library* table() {
    for (size_t i = 0; i < ops_.size(); ++i) {
      ops_[i].kernels = kernels_[i].data();
      ops_[i].kernel_count = kernels_[i].size();
    }
    table_ = {ONNXRUN_OP_ABI_VERSION,
              ONNXRUN_PROVIDER_ABI_REVISION,
              name_.c_str(),
              ops_.data(),
              ops_.size(),
              this,
              [](void* self) { delete static_cast<Library*>(self); }};
    return &table_;
  }

 private:
  std::string name_;
  std::vector<onnxrun_op> ops_;
  std::deque<std::vector<onnxrun_op_kernel>> kernels_;  // by operator
  onnxrun_op_library table_{};
};

// The body of a shared library's entry: fills a library and hands it out.
template <class Fill>
onnxrun_code create(uint32_t abi_version, const onnxrun_op_library** out, onnxrun_sink* sink, const char* name,
                    Fill&& fill) noexcept {
  return provider::guard(sink, [&] {
    if (static_cast<int64_t>(abi_version) < int64_t{ONNXRUN_OP_ABI_VERSION})
      throw Error(Code::kUnsupported, "it needs a newer onnxrun: version " + std::to_string(ONNXRUN_OP_ABI_VERSION) +
                                          " of the operator interface");
    auto library = std::make_unique<Library>(name);
    fill(*library);
    *out = library.release()->table();
    return ONNXRUN_OK;
  });
}

}  // namespace onnxrun::ops

// Defines the entry of a shared library; the block that follows fills `library`.
#define ONNXRUN_OPS(library)                                                                                      \
  static void onnxrun_ops_fill(onnxrun::ops::Library& library);                                                   \
  extern "C" ONNXRUN_EXPORT onnxrun_code onnxrun_ops_create(uint32_t abi_version, const char* const*, size_t,     \
                                                            const onnxrun_op_library** out, onnxrun_sink* sink) { \
    return onnxrun::ops::create(abi_version, out, sink, "operators", onnxrun_ops_fill);                           \
  }                                                                                                               \
  static void onnxrun_ops_fill(onnxrun::ops::Library& library)
