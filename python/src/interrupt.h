// Ctrl-C during a run: signal handlers written in Python only run on the main thread, when it asks.
#pragma once

#include <onnxrun/onnxrun.hpp>

namespace onnxrun::python {

// The calling thread is the one that Python's signal handlers run on. Called at import and in forked children.
void note_main_thread();

// Lets the run, when it is executed on the main thread, look for signals; what a handler raises ends it and is rethrown.
void watch_signals(Run& run);

}  // namespace onnxrun::python
