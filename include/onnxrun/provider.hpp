// Writing a provider in C++: kernels are small classes, this header makes the C ABI's tables of them and turns their exceptions into codes.
//
// A kernel class K has
//   static Acceptance accepts(const Node& node);      // return Acceptance::decline("why") or an Acceptance
//   explicit K(const Node& node);                      // bind: shapes are concrete; throw Declined to pass the node on
//     or K(const Node& node, const void* packed);      // when it packs
//   void run(RunContext& context) const;
// and, if it needs them,
//   static void pack(const Node& node, void* bytes);   // Acceptance::pack gave the size
//   size_t scratch_bytes() const;
#pragma once

#include <onnxrun/provider.h>
#include <onnxrun/error.hpp>

#include <concepts>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <initializer_list>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onnxrun::provider {

inline bool present(const onnxrun_tensor& tensor) { return tensor.dtype != 0; }

// Dims of a tensor or fact whose rank is known.
inline std::span<const int64_t> dims(const onnxrun_tensor& tensor) {
  return {tensor.dims, static_cast<size_t>(tensor.rank < 0 ? 0 : tensor.rank)};
}

// Elements of a tensor of known shape.
inline int64_t count(const onnxrun_tensor& tensor) {
  int64_t result = 1;
  for (int64_t dim : dims(tensor)) result *= dim;
  return result;
}

inline bool shape_known(const onnxrun_tensor& fact) {
  if (fact.rank < 0) return false;
  for (int64_t dim : dims(fact))
    if (dim < 0) return false;
  return true;
}

// A node in canonical form with facts on its values; valid during the call it is passed to.
class Node {
 public:
  explicit Node(const onnxrun_node* node) : node_(node) {}

  const onnxrun_node* raw() const { return node_; }
  std::string_view domain() const { return node_->domain; }
  std::string_view op() const { return node_->op_type; }
  std::string_view name() const { return node_->name; }

  size_t input_count() const { return node_->input_count; }
  size_t output_count() const { return node_->output_count; }
  bool has_input(size_t i) const { return i < node_->input_count && present(node_->inputs[i]); }
  bool has_output(size_t i) const { return i < node_->output_count && present(node_->outputs[i]); }
  // An absent fact (dtype 0) beyond the end.
  const onnxrun_tensor& input(size_t i) const { return i < node_->input_count ? node_->inputs[i] : absent(); }
  const onnxrun_tensor& output(size_t i) const { return i < node_->output_count ? node_->outputs[i] : absent(); }

  bool has(std::string_view name) const { return find(name) != nullptr; }
  int64_t get_int(std::string_view name, int64_t fallback) const {
    const auto* a = find(name, ONNXRUN_ATTRIBUTE_INT);
    return a ? a->i : fallback;
  }
  float get_float(std::string_view name, float fallback) const {
    const auto* a = find(name, ONNXRUN_ATTRIBUTE_FLOAT);
    return a ? a->f : fallback;
  }
  std::string get_string(std::string_view name, std::string_view fallback = {}) const {
    const auto* a = find(name, ONNXRUN_ATTRIBUTE_STRING);
    return a ? std::string(a->s.data, a->s.length) : std::string(fallback);
  }
  std::vector<int64_t> get_ints(std::string_view name) const {
    const auto* a = find(name, ONNXRUN_ATTRIBUTE_INTS);
    return a ? std::vector<int64_t>(a->ints, a->ints + a->count) : std::vector<int64_t>();
  }
  std::vector<float> get_floats(std::string_view name) const {
    const auto* a = find(name, ONNXRUN_ATTRIBUTE_FLOATS);
    return a ? std::vector<float>(a->floats, a->floats + a->count) : std::vector<float>();
  }
  std::vector<std::string> get_strings(std::string_view name) const {
    std::vector<std::string> result;
    if (const auto* a = find(name, ONNXRUN_ATTRIBUTE_STRINGS))
      for (size_t i = 0; i < a->count; ++i) result.emplace_back(a->strings[i].data, a->strings[i].length);
    return result;
  }
  // Null when absent; valid during the call.
  const onnxrun_tensor* get_tensor(std::string_view name) const {
    const auto* a = find(name, ONNXRUN_ATTRIBUTE_TENSOR);
    return a ? a->tensors : nullptr;
  }
  // That a run will split work for; 0 where that is not known yet.
  int threads() const { return node_->threads; }
  // ONNXRUN_PRECISION_HIGHEST, _HIGH or _MEDIUM.
  int precision() const { return node_->precision; }

 private:
  static const onnxrun_tensor& absent() {
    static constexpr onnxrun_tensor kAbsent{};
    return kAbsent;
  }
  const onnxrun_attribute* find(std::string_view name, int32_t kind = 0) const {
    for (size_t i = 0; i < node_->attribute_count; ++i) {
      const onnxrun_attribute& a = node_->attributes[i];
      if (name == a.name && (kind == 0 || kind == a.kind)) return &a;
    }
    return nullptr;
  }

  const onnxrun_node* node_;
};

// A kernel's answer to a node.
class Acceptance {
 public:
  Acceptance() : terms_{} {}
  static Acceptance decline(std::string reason) {
    Acceptance result;
    result.reason_ = reason.empty() ? std::string("declined") : std::move(reason);
    return result;
  }

  Acceptance& strided(size_t input) {
    terms_.strided_inputs |= bit(input);
    return *this;
  }
  Acceptance& host_input(size_t input) {
    terms_.host_inputs |= bit(input);
    return *this;
  }
  Acceptance& host_output(size_t output) {
    terms_.host_outputs |= bit(output);
    return *this;
  }
  // `pack` will write `bytes` bytes that replace the constant `inputs`.
  Acceptance& pack(uint64_t bytes, std::initializer_list<size_t> inputs) {
    terms_.pack_bytes = bytes;
    for (size_t input : inputs) terms_.packed_inputs |= bit(input);
    return *this;
  }
  // The kernel's constructor throws Declined for no shapes.
  Acceptance& takes_all_shapes() {
    terms_.takes_all_shapes = 1;
    return *this;
  }
  // Output may share the buffer of input (same byte size), as the kernel reads each element before it writes it.
  Acceptance& alias(int32_t input, int32_t output) {
    if (terms_.alias_count < ONNXRUN_MAX_ALIASES) {
      terms_.aliases[terms_.alias_count].input = input;
      terms_.aliases[terms_.alias_count].output = output;
      ++terms_.alias_count;
    }
    return *this;
  }

  bool declined() const { return !reason_.empty(); }
  const std::string& reason() const { return reason_; }
  const onnxrun_acceptance& terms() const { return terms_; }

 private:
  static uint64_t bit(size_t k) { return k < 64 ? uint64_t{1} << k : 0; }
  onnxrun_acceptance terms_;
  std::string reason_;
};

// Thrown by a kernel's constructor to pass a node with these concrete shapes on to the next kernel.
struct Declined {
  std::string reason;
};

// What `run` works with.
class RunContext {
 public:
  explicit RunContext(onnxrun_run_context* context) : context_(context) {}

  onnxrun_run_context* raw() const { return context_; }
  size_t input_count() const { return context_->input_count; }
  size_t output_count() const { return context_->output_count; }
  bool has_input(size_t i) const { return i < context_->input_count && present(*context_->inputs[i]); }
  bool has_output(size_t i) const { return i < context_->output_count && present(*context_->outputs[i]); }
  const onnxrun_tensor& input(size_t i) const { return *context_->inputs[i]; }
  const onnxrun_tensor& output(size_t i) const { return *context_->outputs[i]; }
  template <class T>
  const T* in(size_t i) const {
    return static_cast<const T*>(context_->inputs[i]->data);
  }
  template <class T>
  T* out(size_t i) const {
    return static_cast<T*>(context_->outputs[i]->data);
  }

  void* scratch() const { return context_->scratch; }
  void* stream() const { return context_->stream; }
  int threads() const { return context_->threads; }

  // Gives an output whose shape depends on input values its shape and memory.
  const onnxrun_tensor& allocate_output(size_t index, std::span<const int64_t> dims) {
    std::string message;
    onnxrun_sink sink{&message, [](void* text, const char* piece, size_t length) {
                        static_cast<std::string*>(text)->append(piece, length);
                      }};
    const onnxrun_code code =
        context_->host->allocate_output(context_, index, dims.data(), static_cast<int32_t>(dims.size()), &sink);
    if (code != ONNXRUN_OK) throw Error(static_cast<Code>(code), message);
    return *context_->outputs[index];
  }

  bool cancelled() const { return context_->host->cancelled(context_) != 0; }
  void check_cancelled() const {
    if (cancelled()) throw Error(Code::kCancelled, "the run was cancelled");
  }

  // Calls task(begin, end) over ranges covering [0, count), in parallel. The first exception of a task is rethrown here.
  template <class F>
  void parallel(int64_t count, int64_t grain, F&& task) {
    if (count <= 0) return;
    if (context_->threads <= 1 || count <= grain) {
      task(int64_t{0}, count);
      return;
    }
    struct Shared {
      F& task;
      std::exception_ptr error;
      int32_t failed = 0;
    } shared{task, nullptr, 0};
    context_->host->parallel(
        context_, count, grain,
        [](void* arg, int64_t begin, int64_t end) {
          auto& s = *static_cast<Shared*>(arg);
          try {
            s.task(begin, end);
          } catch (...) {
            if (__atomic_exchange_n(&s.failed, 1, __ATOMIC_ACQ_REL) == 0) s.error = std::current_exception();
          }
        },
        &shared);
    if (shared.error) std::rethrow_exception(shared.error);
  }

 private:
  onnxrun_run_context* context_;
};

// Runs `body` and turns what it throws into a code and a message.
template <class F>
onnxrun_code guard(onnxrun_sink* sink, F&& body) noexcept {
  auto report = [sink](const char* text) {
    if (sink != nullptr && sink->write != nullptr) sink->write(sink->context, text, std::strlen(text));
  };
  try {
    return body();
  } catch (const Declined& declined) {
    report(declined.reason.c_str());
    return ONNXRUN_UNSUPPORTED;
  } catch (const Error& error) {
    report(error.what());
    return static_cast<onnxrun_code>(error.code());
  } catch (const std::bad_alloc&) {
    report("out of memory");
    return ONNXRUN_LIMIT_EXCEEDED;
  } catch (const std::exception& error) {
    report(error.what());
    return ONNXRUN_INTERNAL;
  } catch (...) {
    report("unknown exception");
    return ONNXRUN_INTERNAL;
  }
}

template <class K>
concept Packs = requires(const Node& node, void* bytes) {
  K::pack(node, bytes);
};
template <class K>
concept WantsScratch = requires(const K& kernel) {
  { kernel.scratch_bytes() } -> std::convertible_to<size_t>;
};
// Beside the kernel itself: what its tables take that grow with shapes.
template <class K>
concept HoldsTables = requires(const K& kernel) {
  { kernel.table_bytes() } -> std::convertible_to<size_t>;
};

// A provider's kernels, best first for each operator.
class KernelTable {
 public:
  // `domain`, `op` and `name` must be string literals (they are kept by pointer).
  template <class K>
  void add(const char* domain, const char* op, const char* name) {
    onnxrun_kernel kernel{};
    kernel.domain = domain;
    kernel.op_type = op;
    kernel.name = name;
    kernel.accepts = [](const onnxrun_node* node, onnxrun_acceptance* out, onnxrun_sink* sink) {
      return guard(sink, [&] {
        const Acceptance acceptance = K::accepts(Node(node));
        if (acceptance.declined()) throw Declined{acceptance.reason()};
        *out = acceptance.terms();
        return ONNXRUN_OK;
      });
    };
    if constexpr (Packs<K>) {
      kernel.pack = [](const onnxrun_node* node, void* bytes, onnxrun_sink* sink) {
        return guard(sink, [&] {
          K::pack(Node(node), bytes);
          return ONNXRUN_OK;
        });
      };
    }
    kernel.bind = [](const onnxrun_node* node, const void* packed, void** state, size_t* scratch, onnxrun_sink* sink) {
      return guard(sink, [&] {
        K* bound;
        if constexpr (std::constructible_from<K, const Node&, const void*>) bound = new K(Node(node), packed);
        else bound = new K(Node(node));
        *state = bound;
        if constexpr (WantsScratch<K>) *scratch = bound->scratch_bytes();
        else *scratch = 0;
        return ONNXRUN_OK;
      });
    };
    kernel.run = [](const void* state, onnxrun_run_context* context, onnxrun_sink* sink) {
      return guard(sink, [&] {
        RunContext run(context);
        static_cast<const K*>(state)->run(run);
        return ONNXRUN_OK;
      });
    };
    kernel.release = [](void* state) { delete static_cast<K*>(state); };
    kernel.state_bytes = [](const void* state) -> size_t {
      if constexpr (HoldsTables<K>) return sizeof(K) + static_cast<const K*>(state)->table_bytes();
      else return sizeof(K);
    };
    kernels_.push_back(kernel);
  }

  const std::vector<onnxrun_kernel>& kernels() const { return kernels_; }

 private:
  std::vector<onnxrun_kernel> kernels_;
};

}  // namespace onnxrun::provider
