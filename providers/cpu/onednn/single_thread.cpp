// oneDNN's engine, and OpenMP's number of threads on the calling thread.
#include "cpu/onednn/single_thread.h"

#include <dlfcn.h>

#include <cstdlib>

namespace onnxrun::cpu::onednn {
namespace {

// Primitives that oneDNN keeps for whoever makes the same again: enough for the equal layers of a network. Plans keep theirs, within their limit, which
// does not count these: with oneDNN's own 1024, a session of ever new shapes would grow by tens of megabytes. The variable is oneDNN's.
constexpr int kKeptPrimitives = 64;
constexpr const char* kCapacityVariable = "ONEDNN_PRIMITIVE_CACHE_CAPACITY";

// The OpenMP runtime that oneDNN itself uses, found through it; null members where it uses none.
struct OpenMp {
  int (*get)() = nullptr;
  void (*set)(int) = nullptr;

  OpenMp() {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&dnnl_engine_get_count), &info) == 0 || info.dli_fname == nullptr) return;
    void* library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    void* from = library != nullptr ? library : RTLD_DEFAULT;
    get = reinterpret_cast<int (*)()>(dlsym(from, "omp_get_max_threads"));
    set = reinterpret_cast<void (*)(int)>(dlsym(from, "omp_set_num_threads"));
    if (get == nullptr || set == nullptr) {
      get = nullptr;
      set = nullptr;
    }
    if (library != nullptr) dlclose(library);
  }
};

const OpenMp& open_mp() {
  static const OpenMp instance;
  return instance;
}

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine instance = [] {
    if (std::getenv(kCapacityVariable) == nullptr) dnnl::set_primitive_cache_capacity(kKeptPrimitives);
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return instance;
}

SingleThread::SingleThread() {
  const OpenMp& omp = open_mp();
  if (omp.get == nullptr) return;
  const int now = omp.get();
  if (now == 1) return;
  saved_ = now;
  omp.set(1);
}

SingleThread::~SingleThread() {
  if (saved_ != 0) open_mp().set(saved_);
}

}  // namespace onnxrun::cpu::onednn
