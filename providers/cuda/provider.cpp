// The plug-in's entry: a device's memory, streams and kernels behind the provider ABI.
#include <onnxrun/provider.hpp>

#include <charconv>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cuda/host/check.h"
#include "cuda/host/device.h"
#include "cuda/host/libraries.h"
#include "cuda/kernel.h"

namespace onnxrun::cuda {

void register_all(provider::KernelTable& table);

Queue queue_of(Stream& stream) {
  return {stream.raw(), &stream, [](void* owner, cudaError_t error) {
            check(error, "launching a kernel");
            static_cast<Stream*>(owner)->count_work();
          }};
}

namespace {

using base::Code;
using base::fail;
using provider::guard;

struct Options {
  DeviceOptions device;
  std::string libraries;
};

template <class T>
T number(std::string_view option, std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    fail(Code::kInvalidArgument, "the CUDA provider's option '{}' needs a number, not '{}'", option, text);
  return value;
}

Options read_options(const char* const* options, size_t count) {
  Options result;
  for (size_t i = 0; i < count; ++i) {
    const std::string_view option = options[i];
    const size_t equals = option.find('=');
    const std::string_view key = option.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : option.substr(equals + 1);
    if (key == "device") result.device.index = number<int>(key, value);
    else if (key == "memory_limit") result.device.memory_limit = number<size_t>(key, value);
    else if (key == "libraries") result.libraries = value;
    else if (key == "compile") result.device.compile = number<int>(key, value) != 0;
    else if (key == "graphs") result.device.graphs = number<int>(key, value) != 0;
    else if (key == "algorithms") result.device.algorithms = value;
    else
      fail(Code::kInvalidArgument,
           "the CUDA provider has no option '{}'; it has device, memory_limit, libraries, compile, graphs and "
           "algorithms",
           key);
  }
  return result;
}

const provider::KernelTable& kernels() {
  static const provider::KernelTable table = [] {
    provider::KernelTable all;
    register_all(all);
    return all;
  }();
  return table;
}

struct Provider : onnxrun_provider {
  explicit Provider(const DeviceOptions& options) : onnxrun_provider{}, device(options) {
    text = "NVIDIA GPU: " + device.name();
    abi_version = ONNXRUN_PROVIDER_ABI_VERSION;
    abi_revision = ONNXRUN_PROVIDER_ABI_REVISION;
    name = "cuda";
    description = text.c_str();
    onnxrun_provider::kernels = cuda::kernels().kernels().data();
    kernel_count = cuda::kernels().kernels().size();
    device_memory = 1;
    self = this;
    allocate = [](void* p, size_t bytes, void** out, onnxrun_sink* sink) {
      return guard(sink, [&] {
        *out = of(p).allocate(bytes);
        return ONNXRUN_OK;
      });
    };
    deallocate = [](void* p, void* memory) { of(p).deallocate(memory); };
    create_stream = [](void* p, void** stream, onnxrun_sink* sink) {
      return guard(sink, [&] {
        *stream = new Stream(of(p));
        return ONNXRUN_OK;
      });
    };
    destroy_stream = [](void*, void* stream) { delete static_cast<Stream*>(stream); };
    copy = [](void*, void* stream, const void* from, int32_t from_device, void* to, int32_t to_device, size_t bytes,
              onnxrun_sink* sink) {
      return guard(sink, [&] {
        Stream& s = *static_cast<Stream*>(stream);
        if (from_device != 0 && to_device != 0) s.move(from, to, bytes);
        else if (to_device != 0) s.upload(from, to, bytes);
        else s.download(from, to, bytes);
        return ONNXRUN_OK;
      });
    };
    synchronize = [](void*, void* stream, onnxrun_sink* sink) {
      return guard(sink, [&] {
        static_cast<Stream*>(stream)->synchronize();
        return ONNXRUN_OK;
      });
    };
    destroy = [](void* p) { delete static_cast<Provider*>(p); };
    device_type = 2;  // DLPack's kDLCUDA
    device_id = options.index;
    offer_events();
    if (options.graphs) offer_graphs();
    trim_stream = [](void*, void* stream) { static_cast<Stream*>(stream)->trim(); };
  }
  void offer_graphs() {
    begin_capture = [](void*, void* stream, onnxrun_sink* sink) {
      return guard(sink, [&] {
        static_cast<Stream*>(stream)->begin_capture();
        return ONNXRUN_OK;
      });
    };
    end_capture = [](void*, void* stream, void** graph, onnxrun_sink* sink) {
      return guard(sink, [&] {
        auto* made = static_cast<Graph*>(*graph);
        static_cast<Stream*>(stream)->end_capture(made);
        *graph = made;
        return ONNXRUN_OK;
      });
    };
    launch_graph = [](void*, void* graph, void* stream, onnxrun_sink* sink) {
      return guard(sink, [&] {
        static_cast<Stream*>(stream)->launch(*static_cast<Graph*>(graph));
        return ONNXRUN_OK;
      });
    };
    destroy_graph = [](void*, void* graph) { delete static_cast<Graph*>(graph); };
  }
  void offer_events() {
    create_event = [](void* p, void** event, onnxrun_sink* sink) {
      return guard(sink, [&] {
        of(p).use();
        cudaEvent_t made = nullptr;
        check(cudaEventCreateWithFlags(&made, cudaEventDisableTiming), "creating an event");
        *event = made;
        return ONNXRUN_OK;
      });
    };
    destroy_event = [](void* p, void* event) {
      of(p).use();
      cudaEventDestroy(static_cast<cudaEvent_t>(event));
    };
    record_event = [](void* p, void* event, void* stream, onnxrun_sink* sink) {
      return guard(sink, [&] {
        of(p).use();
        check(cudaEventRecord(static_cast<cudaEvent_t>(event), static_cast<Stream*>(stream)->raw()),
              "placing an event");
        return ONNXRUN_OK;
      });
    };
    await_event = [](void* p, void* event, void* stream, onnxrun_sink* sink) {
      return guard(sink, [&] {
        of(p).use();
        check(cudaStreamWaitEvent(static_cast<Stream*>(stream)->raw(), static_cast<cudaEvent_t>(event), 0),
              "letting a stream wait");
        return ONNXRUN_OK;
      });
    };
    await_callers = [](void*, void* stream, onnxrun_sink* sink) {
      return guard(sink, [&] {
        static_cast<Stream*>(stream)->await_default();
        return ONNXRUN_OK;
      });
    };
  }
  static Device& of(void* p) { return static_cast<Provider*>(p)->device; }

  Device device;
  std::string text;
};

}  // namespace
}  // namespace onnxrun::cuda

extern "C" ONNXRUN_EXPORT onnxrun_code onnxrun_provider_create(uint32_t abi_version, const char* const* options,
                                                               size_t option_count, const onnxrun_provider** out,
                                                               onnxrun_sink* error) {
  using namespace onnxrun::cuda;
  return onnxrun::provider::guard(error, [&] {
    if (abi_version != ONNXRUN_PROVIDER_ABI_VERSION)
      fail(Code::kUnsupported, "this CUDA provider has version {} of the provider interface, version {} is wanted",
           ONNXRUN_PROVIDER_ABI_VERSION, abi_version);
    const Options chosen = read_options(options, option_count);
    open_libraries(chosen.libraries);
    *out = new Provider(chosen.device);
    return ONNXRUN_OK;
  });
}
