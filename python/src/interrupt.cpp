// Asking for signals.
#include "interrupt.h"

#include <nanobind/nanobind.h>

#include <atomic>
#include <thread>

#include "gil.h"

namespace nb = nanobind;

namespace onnxrun::python {
namespace {
std::atomic<std::thread::id> main_thread;
}

void note_main_thread() { main_thread.store(std::this_thread::get_id()); }

void watch_signals(Run& run) {
  if (main_thread.load(std::memory_order_relaxed) != std::this_thread::get_id()) return;
  run.set_poll([] {
    const WithGil gil;
    if (PyErr_CheckSignals() != 0) nb::raise_python_error();
    return false;
  });
}

}  // namespace onnxrun::python
