// Python's lock around the library's calls and in its callbacks.
//
// While it shuts down, Python up to 3.13 ends every other thread that asks for the lock, by unwinding its stack: through C++ code that
// may not throw, that ends the process. Such a thread sleeps here instead, as it does in Python 3.14.
#pragma once

#include <Python.h>
#include <unistd.h>

namespace onnxrun::python {

template <class Take>
auto take_lock(Take&& take) {
  try {
    return take();
  } catch (...) {  // the unwinding: Python throws nothing else
    for (;;) pause();
  }
}

class WithoutGil {
 public:
  WithoutGil() : state_(PyEval_SaveThread()) {}
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;
  ~WithoutGil() {
    take_lock([this] { PyEval_RestoreThread(state_); });
  }

 private:
  PyThreadState* state_;
};

class WithGil {
 public:
  WithGil() : state_(take_lock([] { return PyGILState_Ensure(); })) {}
  WithGil(const WithGil&) = delete;
  WithGil& operator=(const WithGil&) = delete;
  ~WithGil() { PyGILState_Release(state_); }

 private:
  PyGILState_STATE state_;
};

}  // namespace onnxrun::python
