// Options and models of the C++ interface. Included by onnxrun.hpp.
#pragma once

#include <onnxrun/expected.hpp>
#include <onnxrun/value.hpp>

#include <exception>
#include <functional>
#include <map>
#include <memory_resource>

namespace onnxrun {

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
    detail::check(api().options_set(handle_, detail::text(key), detail::text(value)));
    return *this;
  }
  Options& set(const std::string& key, int64_t value) { return set(key, std::to_string(value)); }
  Options& add_provider_library(const std::string& path, const std::vector<std::string>& settings = {}) {
    std::vector<const char*> texts;
    for (const std::string& setting : settings) texts.push_back(detail::text(setting));
    detail::check(api().options_add_provider_library(handle_, detail::text(path), texts.data(), texts.size()));
    return *this;
  }

  Options& add_op_library(const std::string& path, const std::vector<std::string>& settings = {}) {
    std::vector<const char*> texts;
    for (const std::string& setting : settings) texts.push_back(detail::text(setting));
    detail::check(api().options_add_op_library(handle_, detail::text(path), texts.data(), texts.size()));
    return *this;
  }
  // Operators of this process; `library` is an ops::Library of custom_op.hpp.
  template <class Library>
  Options& add_ops(std::unique_ptr<Library> library) {
    detail::check(api().options_add_ops(handle_, library->table()));
    library.release();
    return *this;
  }
  using Log = std::function<void(onnxrun_log_level level, std::string_view message)>;
  // Messages of `level` and more serious ones, from any thread. What `log` throws is swallowed.
  Options& set_log(onnxrun_log_level level, Log log) {
    auto own = std::make_unique<Log>(std::move(log));
    const auto write = [](void* context, int32_t weight, const char* message) {
      try {
        (*static_cast<Log*>(context))(static_cast<onnxrun_log_level>(weight), message);
      } catch (...) {
      }
    };
    const auto release = [](void* context) { delete static_cast<Log*>(context); };
    detail::check(api().options_set_log(handle_, level, write, release, own.get()));
    own.release();
    return *this;
  }
  // Where sessions and models get their memory from. `resource` must outlive them and the values they make, and be thread-safe.
  Options& set_memory_resource(std::pmr::memory_resource& resource) {
    const auto allocate = [](void* context, size_t bytes, size_t alignment) -> void* {
      try {
        return static_cast<std::pmr::memory_resource*>(context)->allocate(bytes, alignment);
      } catch (...) {
        return nullptr;
      }
    };
    const auto deallocate = [](void* context, void* block, size_t bytes) {
      static_cast<std::pmr::memory_resource*>(context)->deallocate(block, bytes, ONNXRUN_ALIGNMENT);
    };
    detail::check(api().options_set_allocator(handle_, allocate, deallocate, nullptr, &resource));
    return *this;
  }

  const onnxrun_options* get() const noexcept { return handle_; }

 private:
  onnxrun_options* handle_ = nullptr;
};

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
    detail::check(api().model_load(detail::text(path), options.get(), &made));
    handle_ = share(made);
  }
  // From memory, which is only read during the call.
  explicit Model(std::span<const std::byte> bytes, const Options& options = {}) {
    onnxrun_model* made = nullptr;
    detail::check(api().model_load_bytes(bytes.data(), bytes.size(), options.get(), &made));
    handle_ = share(made);
  }

  // From what `read` gives: it writes the next bytes to the span and returns how many, 0 at the end.
  static Model from_stream(const std::function<size_t(std::span<std::byte>)>& read, const Options& options = {}) {
    struct Source {
      const std::function<size_t(std::span<std::byte>)>& read;
      std::exception_ptr error;
    } source{read, nullptr};
    const auto call = [](void* context, void* to, size_t capacity) -> int64_t {
      auto& from = *static_cast<Source*>(context);
      try {
        return static_cast<int64_t>(from.read({static_cast<std::byte*>(to), capacity}));
      } catch (...) {
        from.error = std::current_exception();
        return -1;
      }
    };
    onnxrun_model* made = nullptr;
    onnxrun_status* const status = api().model_load_stream(call, &source, options.get(), &made);
    if (source.error) {
      api().status_free(status);
      std::rethrow_exception(source.error);
    }
    detail::check(status);
    return Model(made);
  }
  // The error as a value.
  static Expected<Model> try_load(const std::string& path, const Options& options = {}) {
    return attempt([&] { return Model(path, options); });
  }

  std::vector<Port> inputs() const { return detail::list_ports(get(), api().model_input_count, api().model_input); }
  std::vector<Port> outputs() const { return detail::list_ports(get(), api().model_output_count, api().model_output); }
  // The value of a key in metadata_props, "" when there is none.
  std::string metadata(const std::string& key) const {
    const char* text = nullptr;
    detail::check(api().model_metadata(get(), detail::text(key), &text));
    return text ? text : "";
  }
  std::map<std::string, std::string> metadata() const {
    size_t count = 0;
    detail::check(api().model_metadata_count(get(), &count));
    std::map<std::string, std::string> entries;
    for (size_t i = 0; i < count; ++i) {
      const char *key = nullptr, *value = nullptr;
      detail::check(api().model_metadata_entry(get(), i, &key, &value));
      entries.emplace(key, value);
    }
    return entries;
  }
  // A JSON report; `parts` combines onnxrun_inspect.
  std::string inspect(uint32_t parts = ONNXRUN_INSPECT_SUMMARY, const Options& options = {}) const {
    onnxrun_blob* text = nullptr;
    detail::check(api().model_inspect(get(), options.get(), parts, &text));
    return detail::take(text);
  }

  // The same model as the passes of the options' level leave it.
  Model optimized(const Options& options = {}) const {
    onnxrun_model* made = nullptr;
    detail::check(api().model_optimize(get(), options.get(), &made));
    return Model(made);
  }
  // Writes the model; a file that was there is replaced once the new one is whole.
  void save(const std::string& path, const Options& options = {}) const {
    detail::check(api().model_save(get(), detail::text(path), options.get()));
  }
  // The file's bytes.
  std::string to_bytes(const Options& options = {}) const {
    onnxrun_blob* bytes = nullptr;
    detail::check(api().model_save_bytes(get(), options.get(), &bytes));
    return detail::take(bytes);
  }

  // The text form: every node, type and constant.
  std::string to_text() const {
    onnxrun_blob* text = nullptr;
    detail::check(api().model_to_text(get(), &text));
    return detail::take(text);
  }
  // The model that `to_text` printed.
  static Model from_text(std::string_view text, const Options& options = {}) {
    onnxrun_model* made = nullptr;
    detail::check(api().model_from_text(text.data(), text.size(), options.get(), &made));
    return Model(made);
  }

  const onnxrun_model* get() const noexcept { return handle_.get(); }

 private:
  friend class Editor;
  friend class Quantization;
  explicit Model(onnxrun_model* made) : handle_(share(made)) {}
  static std::shared_ptr<onnxrun_model> share(onnxrun_model* made) { return {made, api().model_free}; }
  std::shared_ptr<onnxrun_model> handle_;
};

// Everything that is wrong with a file, as JSON.
inline std::string check_model(const std::string& path, const Options& options = {}) {
  onnxrun_blob* text = nullptr;
  detail::check(api().model_check(detail::text(path), options.get(), &text));
  return detail::take(text);
}

// The same of a file in memory.
inline std::string check_model(std::span<const std::byte> bytes, const Options& options = {}) {
  onnxrun_blob* text = nullptr;
  detail::check(api().model_check_bytes(bytes.data(), bytes.size(), options.get(), &text));
  return detail::take(text);
}

// The providers there are, as JSON.
inline std::string providers(const Options& options = {}) {
  onnxrun_blob* text = nullptr;
  detail::check(api().providers_report(options.get(), &text));
  return detail::take(text);
}

}  // namespace onnxrun
