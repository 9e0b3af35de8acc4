// What functions on runs share.
#pragma once

#include "api/handles.h"
#include "api/status.h"

namespace onnxrun::api {

// Executes with what is set, counting and logging as the session does. Throws what went wrong.
void execute(onnxrun_run& run);

// The run behind an argument. Throws kInvalidArgument when it is null or an asynchronous execution goes on.
template <class Run>
Run& idle(Run* run) {
  need(run, "run");
  if (run->flight->on())
    fail(Code::kInvalidArgument, "the run is being executed; wait for it with run_wait, or for its callback");
  return *run;
}

}  // namespace onnxrun::api
