// The C++ interface of onnxrun: a thin header over onnxrun.h.
//
//   onnxrun::Session session("model.onnx");
//   auto image = onnxrun::Tensor::from({1, 1, 8, 8}, pixels);   // std::vector<float>
//   auto result = session.run({{"image", image}}).at("probabilities");
//   for (float p : result.span<float>()) std::cout << p << '\n';
//
// Everything throws onnxrun::Error. Model, Session and Value are cheap handles that share what they stand for; they may be used by any number of threads at
// once as long as nobody writes to a tensor that others read. A moved-from handle may only be assigned to or destroyed.
#pragma once

#include <onnxrun/error.hpp>
#include <onnxrun/onnxrun.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace onnxrun {

// The table of C functions. Throws kUnsupported when the library loaded is another version.
inline const onnxrun_api& api() {
  static const onnxrun_api* const table = onnxrun_get_api(ONNXRUN_API_VERSION);
  if (table == nullptr) throw Error(Code::kUnsupported, "the onnxrun library that was loaded does not have the interface this program was built for");
  return *table;
}

namespace detail {

inline void check(onnxrun_status* status) {
  if (status == nullptr) return;
  Error error(static_cast<Code>(api().status_code(status)), api().status_message(status));
  api().status_free(status);
  throw error;
}

inline std::string take(onnxrun_blob* blob) {
  const std::unique_ptr<onnxrun_blob, void (*)(onnxrun_blob*)> owner(blob, api().blob_free);
  return std::string(api().blob_data(blob), api().blob_size(blob));
}

template <class T> struct dtype_of;
template <> struct dtype_of<float> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_FLOAT32> {};
template <> struct dtype_of<double> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_FLOAT64> {};
template <> struct dtype_of<int8_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_INT8> {};
template <> struct dtype_of<int16_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_INT16> {};
template <> struct dtype_of<int32_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_INT32> {};
template <> struct dtype_of<int64_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_INT64> {};
template <> struct dtype_of<uint8_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_UINT8> {};
template <> struct dtype_of<uint16_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_UINT16> {};
template <> struct dtype_of<uint32_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_UINT32> {};
template <> struct dtype_of<uint64_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_UINT64> {};
template <> struct dtype_of<bool> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_BOOL> {};

}  // namespace detail

using Shape = std::vector<int64_t>;

// An input or output as the model declares it.
struct Port {
  std::string name;
  std::string type;  // for people: "float32[batch,3,?]"
  onnxrun_kind kind = ONNXRUN_KIND_UNKNOWN;
  onnxrun_dtype dtype = ONNXRUN_DTYPE_NONE;
  bool rank_known = false;
  Shape dims;                        // -1 where not a constant
  std::vector<std::string> symbols;  // by dim: its name or expression; "" for constants, "?" for unknown ones
  bool has_default = false;          // an input that may be left out
};

// A tensor, a sequence, a map, or an absent optional.
class Value {
 public:
  Value() { detail::check(api().value_create_absent(&handle_)); }
  explicit Value(onnxrun_value* handle) : handle_(handle) {}  // takes it over
  Value(const Value& other) { detail::check(api().value_share(other.handle_, &handle_)); }
  Value(Value&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Value& operator=(Value other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Value() {
    if (handle_) api().value_free(handle_);
  }

  static Value sequence(const std::vector<Value>& elements) {
    std::vector<const onnxrun_value*> handles;
    for (const Value& element : elements) handles.push_back(element.get());
    onnxrun_value* made = nullptr;
    detail::check(api().value_create_sequence(handles.data(), handles.size(), &made));
    return Value(made);
  }
  // Rank-1 tensors of equal length; keys are int64 or strings.
  static Value map(const Value& keys, const Value& values) {
    onnxrun_value* made = nullptr;
    detail::check(api().value_create_map(keys.get(), values.get(), &made));
    return Value(made);
  }
  // A TensorProto, or by `kind` a SequenceProto, OptionalProto or MapProto.
  static Value from_proto(std::string_view bytes, onnxrun_kind kind = ONNXRUN_KIND_UNKNOWN) {
    onnxrun_value* made = nullptr;
    detail::check(api().value_from_proto(bytes.data(), bytes.size(), kind, &made));
    return Value(made);
  }

  onnxrun_kind kind() const {
    int32_t kind = 0;
    detail::check(api().value_kind(handle_, &kind));
    return static_cast<onnxrun_kind>(kind);
  }
  bool is_tensor() const { return kind() == ONNXRUN_KIND_TENSOR; }
  bool absent() const { return kind() == ONNXRUN_KIND_OPTIONAL; }
  std::string describe() const {
    onnxrun_blob* text = nullptr;
    detail::check(api().value_describe(handle_, &text));
    return detail::take(text);
  }

  std::vector<Value> elements() const {
    size_t count = 0;
    detail::check(api().value_sequence_length(handle_, &count));
    std::vector<Value> result;
    for (size_t i = 0; i < count; ++i) {
      onnxrun_value* element = nullptr;
      detail::check(api().value_sequence_element(handle_, i, &element));
      result.emplace_back(element);
    }
    return result;
  }
  Value keys() const {
    onnxrun_value* made = nullptr;
    detail::check(api().value_map_keys(handle_, &made));
    return Value(made);
  }
  Value values() const {
    onnxrun_value* made = nullptr;
    detail::check(api().value_map_values(handle_, &made));
    return Value(made);
  }

  onnxrun_value* get() const noexcept { return handle_; }

 private:
  onnxrun_value* handle_ = nullptr;
};

// A value that is a tensor: contiguous, row-major.
class Tensor : public Value {
 public:
  // Throws kInvalidArgument when `value` is something else.
  Tensor(Value value) : Value(std::move(value)) { (void)count(); }

  // Zeroed memory of its own.
  Tensor(onnxrun_dtype dtype, const Shape& shape) : Value(make(dtype, shape)) {}

  // A copy of the elements.
  template <class T>
    requires(!std::is_same_v<T, bool>)
  static Tensor from(const Shape& shape, std::span<const T> elements) {
    onnxrun_value* made = nullptr;
    detail::check(api().value_wrap_tensor(detail::dtype_of<T>::value, shape.data(), shape.size(), const_cast<T*>(elements.data()), elements.size_bytes(), 0,
                                          nullptr, nullptr, &made));
    const Tensor view{Value(made)};
    if (static_cast<size_t>(view.count()) != elements.size()) throw Error(Code::kInvalidArgument, "the shape does not have as many elements as were given");
    Tensor result(detail::dtype_of<T>::value, shape);
    std::copy(elements.begin(), elements.end(), result.template mutable_span<T>().begin());
    return result;
  }
  template <class T>
  static Tensor from(const Shape& shape, const std::vector<T>& elements) {
    return from(shape, std::span<const T>(elements));
  }
  template <class T>
  static Tensor from(const Shape& shape, std::initializer_list<T> elements) {
    return from(shape, std::span<const T>(elements.begin(), elements.size()));
  }
  template <class T>
    requires std::is_arithmetic_v<T>
  static Tensor scalar(T value) {
    Tensor result(detail::dtype_of<T>::value, {});
    result.template mutable_span<T>()[0] = value;
    return result;
  }
  static Tensor strings(const Shape& shape, const std::vector<std::string>& elements) {
    std::vector<const char*> data;
    std::vector<size_t> lengths;
    for (const std::string& element : elements) {
      data.push_back(element.data());
      lengths.push_back(element.size());
    }
    onnxrun_value* made = nullptr;
    detail::check(api().value_create_strings(shape.data(), shape.size(), data.data(), lengths.data(), data.size(), &made));
    return Tensor(Value(made));
  }
  // Shows memory of the caller's, which must outlive every value that shares it. Runs may write to it when it is an output.
  template <class T>
  static Tensor wrap(const Shape& shape, std::span<T> elements) {
    using Element = std::remove_const_t<T>;
    onnxrun_value* made = nullptr;
    detail::check(api().value_wrap_tensor(detail::dtype_of<Element>::value, shape.data(), shape.size(), const_cast<Element*>(elements.data()),
                                          elements.size_bytes(), !std::is_const_v<T>, nullptr, nullptr, &made));
    return Tensor(Value(made));
  }

  onnxrun_dtype dtype() const {
    int32_t dtype = 0;
    detail::check(api().value_tensor_info(get(), &dtype, nullptr, nullptr, nullptr));
    return static_cast<onnxrun_dtype>(dtype);
  }
  Shape shape() const {
    const int64_t* dims = nullptr;
    size_t rank = 0;
    detail::check(api().value_tensor_info(get(), nullptr, &dims, &rank, nullptr));
    return Shape(dims, dims + rank);
  }
  int64_t count() const {
    int64_t count = 0;
    detail::check(api().value_tensor_info(get(), nullptr, nullptr, nullptr, &count));
    return count;
  }
  std::span<const std::byte> bytes() const {
    const void* data = nullptr;
    size_t size = 0;
    detail::check(api().value_data(get(), &data, &size));
    return {static_cast<const std::byte*>(data), size};
  }
  std::span<std::byte> mutable_bytes() {
    void* data = nullptr;
    size_t size = 0;
    detail::check(api().value_mutable_data(get(), &data, &size));
    return {static_cast<std::byte*>(data), size};
  }
  // The elements, valid while a value sharing them lives. Throws kInvalidArgument when T is not the element type.
  template <class T>
  std::span<const T> span() const {
    require(detail::dtype_of<T>::value);
    return {reinterpret_cast<const T*>(bytes().data()), static_cast<size_t>(count())};
  }
  template <class T>
  std::span<T> mutable_span() {
    require(detail::dtype_of<T>::value);
    return {reinterpret_cast<T*>(mutable_bytes().data()), static_cast<size_t>(count())};
  }
  std::string_view string(int64_t index) const {
    const char* data = nullptr;
    size_t length = 0;
    detail::check(api().value_string(get(), index, &data, &length));
    return {data, length};
  }
  // The elements of any numeric type as doubles (complex ones: two each).
  std::vector<double> doubles() const {
    const bool complex = dtype() == ONNXRUN_DTYPE_COMPLEX64 || dtype() == ONNXRUN_DTYPE_COMPLEX128;
    std::vector<double> result(static_cast<size_t>(count()) * (complex ? 2 : 1));
    detail::check(api().value_to_doubles(get(), result.data(), result.size()));
    return result;
  }
  void set(std::span<const double> elements) { detail::check(api().value_from_doubles(get(), elements.data(), elements.size())); }
  std::string to_proto(const std::string& name = {}) const {
    onnxrun_blob* bytes = nullptr;
    detail::check(api().value_to_proto(get(), name.c_str(), &bytes));
    return detail::take(bytes);
  }

 private:
  static Value make(onnxrun_dtype dtype, const Shape& shape) {
    onnxrun_value* made = nullptr;
    detail::check(api().value_create_tensor(dtype, shape.data(), shape.size(), &made));
    return Value(made);
  }
  void require(onnxrun_dtype wanted) const {
    if (dtype() != wanted) throw Error(Code::kInvalidArgument, "the elements of the " + describe() + " are not of the type asked for");
  }
};

// How to load and run; the keys are those of onnxrun.h.
class Options {
 public:
  Options() { detail::check(api().options_create(&handle_)); }
  Options(std::initializer_list<std::pair<const char*, std::string>> settings) : Options() {
    for (const auto& [key, value] : settings) set(key, value);
  }
  Options(Options&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Options& operator=(Options&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Options() { api().options_free(handle_); }

  Options& set(const std::string& key, const std::string& value) {
    detail::check(api().options_set(handle_, key.c_str(), value.c_str()));
    return *this;
  }
  Options& set(const std::string& key, int64_t value) { return set(key, std::to_string(value)); }
  Options& add_provider_library(const std::string& path, const std::vector<std::string>& settings = {}) {
    std::vector<const char*> texts;
    for (const std::string& setting : settings) texts.push_back(setting.c_str());
    detail::check(api().options_add_provider_library(handle_, path.c_str(), texts.data(), texts.size()));
    return *this;
  }

  const onnxrun_options* get() const noexcept { return handle_; }

 private:
  onnxrun_options* handle_ = nullptr;
};

namespace detail {

inline Port to_port(const onnxrun_port& port) {
  Port result;
  result.name = port.name;
  result.type = port.type;
  result.kind = static_cast<onnxrun_kind>(port.kind);
  result.dtype = static_cast<onnxrun_dtype>(port.dtype);
  result.rank_known = port.rank >= 0;
  for (int32_t i = 0; i < port.rank; ++i) {
    result.dims.push_back(port.dims[i]);
    result.symbols.emplace_back(port.symbols[i] ? port.symbols[i] : "");
  }
  result.has_default = port.has_default != 0;
  return result;
}

template <class Handle, class Count, class Get>
std::vector<Port> list_ports(const Handle* handle, Count count_ports, Get get_port) {
  size_t count = 0;
  check(count_ports(handle, &count));
  std::vector<Port> result;
  for (size_t i = 0; i < count; ++i) {
    const onnxrun_port* port = nullptr;
    check(get_port(handle, i, &port));
    result.push_back(to_port(*port));
  }
  return result;
}

}  // namespace detail

// A checked model file.
class Model {
 public:
  explicit Model(const std::string& path, const Options& options = {}) {
    onnxrun_model* made = nullptr;
    detail::check(api().model_load(path.c_str(), options.get(), &made));
    handle_ = share(made);
  }
  // From memory, which is only read during the call.
  explicit Model(std::span<const std::byte> bytes, const Options& options = {}) {
    onnxrun_model* made = nullptr;
    detail::check(api().model_load_bytes(bytes.data(), bytes.size(), options.get(), &made));
    handle_ = share(made);
  }

  std::vector<Port> inputs() const { return detail::list_ports(get(), api().model_input_count, api().model_input); }
  std::vector<Port> outputs() const { return detail::list_ports(get(), api().model_output_count, api().model_output); }
  // The value of a key in metadata_props, "" when there is none.
  std::string metadata(const std::string& key) const {
    const char* text = nullptr;
    detail::check(api().model_metadata(get(), key.c_str(), &text));
    return text ? text : "";
  }
  // A JSON report; `parts` combines onnxrun_inspect.
  std::string inspect(uint32_t parts = ONNXRUN_INSPECT_SUMMARY, const Options& options = {}) const {
    onnxrun_blob* text = nullptr;
    detail::check(api().model_inspect(get(), options.get(), parts, &text));
    return detail::take(text);
  }

  const onnxrun_model* get() const noexcept { return handle_.get(); }

 private:
  static std::shared_ptr<onnxrun_model> share(onnxrun_model* made) { return {made, api().model_free}; }
  std::shared_ptr<onnxrun_model> handle_;
};

// Everything that is wrong with a file, as JSON.
inline std::string check_model(const std::string& path, const Options& options = {}) {
  onnxrun_blob* text = nullptr;
  detail::check(api().model_check(path.c_str(), options.get(), &text));
  return detail::take(text);
}

// The providers there are, as JSON.
inline std::string providers(const Options& options = {}) {
  onnxrun_blob* text = nullptr;
  detail::check(api().providers_report(options.get(), &text));
  return detail::take(text);
}

using NamedValues = std::vector<std::pair<std::string, Value>>;

// Outputs of a run, in the order asked for.
class Results {
 public:
  explicit Results(NamedValues values) : values_(std::move(values)) {}
  size_t size() const { return values_.size(); }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }
  // Throws kInvalidArgument when there is none of that name.
  const Value& value(std::string_view name) const {
    for (const auto& [known, value] : values_)
      if (known == name) return value;
    throw Error(Code::kInvalidArgument, "the run gave no output '" + std::string(name) + "'");
  }
  Tensor at(std::string_view name) const { return Tensor(value(name)); }
  Tensor at(size_t index) const { return Tensor(values_.at(index).second); }

 private:
  NamedValues values_;
};

class Session;

// One call at a time with inputs, outputs and control that stay between executions; for loops that reuse buffers. `cancel` may be called from any thread.
class Run {
 public:
  using Tap = std::function<void(std::string_view name, const Value& value)>;

  explicit Run(const Session& session);

  void set_input(const std::string& name, const Value& value) { detail::check(api().run_set_input(get(), name.c_str(), value.get())); }
  // Asks for an output, made by the library or written to `into`. Without any call all are computed.
  void want(const std::string& name) { detail::check(api().run_set_output(get(), name.c_str(), nullptr)); }
  void set_output(const std::string& name, const Tensor& into) { detail::check(api().run_set_output(get(), name.c_str(), into.get())); }
  void set_timeout(double seconds) { detail::check(api().run_set_timeout(get(), seconds)); }
  void set_profile(bool on) { detail::check(api().run_set_profile(get(), on)); }
  // Hands the named intermediate values (none named: every one) to `tap`, on the thread of `execute`.
  void set_tap(Tap tap, const std::vector<std::string>& names = {}) {
    detail::check(api().run_set_tap(get(), nullptr, nullptr, nullptr));
    state_->tap = std::move(tap);
    if (!state_->tap) return;
    if (names.empty()) detail::check(api().run_set_tap(get(), nullptr, &Run::call_tap, state_.get()));
    for (const std::string& name : names) detail::check(api().run_set_tap(get(), name.c_str(), &Run::call_tap, state_.get()));
  }

  // An exception of a tap is rethrown after the run.
  Results execute() {
    state_->tap_error = nullptr;
    detail::check(api().run_execute(get()));
    if (state_->tap_error) std::rethrow_exception(state_->tap_error);
    size_t count = 0;
    detail::check(api().run_output_count(get(), &count));
    NamedValues values;
    for (size_t i = 0; i < count; ++i) {
      const char* name = nullptr;
      onnxrun_value* value = nullptr;
      detail::check(api().run_output_name(get(), i, &name));
      detail::check(api().run_output(get(), i, &value));
      values.emplace_back(name, Value(value));
    }
    return Results(std::move(values));
  }
  // Ends the execution that goes on and refuses later ones until called with false.
  void cancel(bool on = true) { detail::check(api().run_cancel(get(), on)); }
  // Steps of the last execution, as JSON.
  std::string profile() const {
    onnxrun_blob* text = nullptr;
    detail::check(api().run_profile(get(), &text));
    return detail::take(text);
  }

  onnxrun_run* get() const noexcept { return state_->handle; }

 private:
  struct State {
    onnxrun_run* handle = nullptr;
    Tap tap;
    std::exception_ptr tap_error;
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { api().run_free(handle); }
  };
  static void call_tap(void* context, const char* name, const onnxrun_value* value) {
    State& state = *static_cast<State*>(context);
    if (state.tap_error) return;
    try {
      onnxrun_value* shared = nullptr;
      detail::check(api().value_share(value, &shared));
      state.tap(name, Value(shared));
    } catch (...) {
      state.tap_error = std::current_exception();
    }
  }
  std::unique_ptr<State> state_;
};

struct RunOptions {
  std::vector<std::string> outputs;  // wanted; empty: all
  double timeout = 0;                // seconds; 0: no deadline
  Run::Tap tap;                      // receives intermediate values
  std::vector<std::string> taps;     // their names; empty: all of them
  std::string* profile = nullptr;    // receives the steps as JSON
};

// A model made ready to run. Any number of threads may call `run`.
class Session {
 public:
  explicit Session(const std::string& path, const Options& options = {}) : Session(Model(path, options), options) {}
  explicit Session(const Model& model, const Options& options = {}) {
    onnxrun_session* made = nullptr;
    detail::check(api().session_create(model.get(), options.get(), &made));
    handle_ = std::shared_ptr<onnxrun_session>(made, api().session_free);
  }

  std::vector<Port> inputs() const { return detail::list_ports(get(), api().session_input_count, api().session_input); }
  std::vector<Port> outputs() const { return detail::list_ports(get(), api().session_output_count, api().session_output); }

  Results run(const NamedValues& inputs, const RunOptions& options = {}) const {
    Run run(*this);
    for (const auto& [name, value] : inputs) run.set_input(name, value);
    for (const std::string& name : options.outputs) run.want(name);
    run.set_timeout(options.timeout);
    if (options.tap) run.set_tap(options.tap, options.taps);
    run.set_profile(options.profile != nullptr);
    Results results = run.execute();
    if (options.profile) *options.profile = run.profile();
    return results;
  }

  // Gives back memory held beside the weights.
  void trim() { detail::check(api().session_trim(handle_.get())); }
  // Bytes held now, as JSON.
  std::string memory() const {
    onnxrun_blob* text = nullptr;
    detail::check(api().session_memory(get(), &text));
    return detail::take(text);
  }

  const onnxrun_session* get() const noexcept { return handle_.get(); }

 private:
  std::shared_ptr<onnxrun_session> handle_;
};

inline Run::Run(const Session& session) : state_(std::make_unique<State>()) {
  detail::check(api().run_create(session.get(), &state_->handle));
}

}  // namespace onnxrun
