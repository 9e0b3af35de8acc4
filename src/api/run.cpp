// Run functions of the C interface: inputs, outputs, control and results of one call.
#include <algorithm>
#include <cmath>

#include "api/functions.h"
#include "api/handles.h"
#include "api/profile_report.h"
#include "api/run.h"
#include "api/status.h"
#include "api/tensor_argument.h"

namespace onnxrun::api {
namespace {

void call_session(onnxrun_run& run, run::RunRequest& request) {
  request.control.check();
  try {
    run.session->session.run(request);
  } catch (const base::Error& error) {
    // With the context of a step it is the run that failed, not what the caller passed.
    const bool in_step = error.message() != error.what();
    if (in_step && (error.code() == Code::kInvalidArgument || error.code() == Code::kInvalidModel))
      throw base::Error(Code::kRunFailed, error.what());
    throw;
  }
}

}  // namespace

void execute(onnxrun_run& run) {
  run.results.clear();
  run.observer.events.clear();
  run.observer.left_out = 0;
  run::RunRequest request;
  request.inputs = run.inputs.values();
  request.outputs = run.outputs.values();
  if (!run.output_memories.empty())
    for (const auto& [name, value] : run.outputs.values()) {
      const auto found = run.output_memories.find(name);
      request.output_memories.push_back(found == run.output_memories.end() ? 0 : found->second);
    }
  request.control.cancel = &run.cancelled;
  if (run.poll) {
    run.poll.begin();
    request.control.poll = &run.poll;
  }
  request.control.deadline = base::Deadline::after(run.timeout > 0 ? run.timeout : run.session->timeout);
  run.observer.origin_ns = run::now_ns();
  run.observer.live_bytes = 0;
  if (run.observer.profile || run.observer.on_tap) request.observer = &run.observer;
  Statistics* const statistics = run.session->statistics.get();
  run::Observer watching;
  const bool due = statistics != nullptr && statistics->due();
  if (due) {
    statistics->look_at(run.inputs.values(), "input");
    if (!statistics->options().values.empty()) {
      watching = run.observer;
      statistics->watch(watching);
      request.observer = &watching;
    }
  }
  const int64_t begin = statistics != nullptr ? run::now_ns() : 0;
  try {
    call_session(run, request);
  } catch (const base::Error& error) {
    const Code code = error.code();
    if (statistics != nullptr) statistics->latency().failed(code);
    const bool asked = code == Code::kCancelled || code == Code::kDeadline;
    write_log(run.session->log, asked ? ONNXRUN_LOG_WARNING : ONNXRUN_LOG_ERROR,
              std::string("a run ended: ") + error.what());
    throw;
  } catch (...) {
    if (statistics != nullptr) statistics->latency().failed(Code::kInternal);
    throw;
  }
  if (statistics != nullptr) statistics->latency().succeeded(run::now_ns() - begin);
  if (due) {
    statistics->look_at(request.outputs, "output");
    if (run.observer.profile && request.observer == &watching) {
      run.observer.events = std::move(watching.events);
      run.observer.left_out = watching.left_out;
    }
  }
  run.results = std::move(request.outputs);
}

onnxrun_status* run_create(const onnxrun_session* session, onnxrun_run** out) {
  return guard([&] {
    need(out, "out");
    auto run = std::make_unique<onnxrun_run>();
    run->session = need(session, "session").session;
    *out = run.release();
  });
}

void run_free(onnxrun_run* run) {
  if (run == nullptr) return;
  if (run->flight->on()) {
    run->cancelled.store(true, std::memory_order_relaxed);
    run->flight->wait();
  }
  delete run;
}

onnxrun_status* run_set_input(onnxrun_run* run, const char* name, const onnxrun_value* value) {
  return guard([&] {
    idle(run);
    need(name, "name");
    if (value) run->inputs.set(name, value->value);
    else run->inputs.erase(name);
  });
}

onnxrun_status* run_set_output(onnxrun_run* run, const char* name, const onnxrun_value* value) {
  return guard([&] {
    idle(run);
    need(name, "name");
    if (value && (!value->value.is_tensor() || !value->writable))
      fail(Code::kInvalidArgument,
           "output '{}' cannot be written to the {} given; pass a writable tensor, or null to have one made", name,
           value->value.describe());
    run->outputs.set(name, value ? value->value : base::Value());
    run->output_memories.erase(name);
  });
}

onnxrun_status* run_set_output_device(onnxrun_run* run, const char* name, int32_t device_type, int32_t device_id) {
  return guard([&] {
    idle(run);
    need(name, "name");
    const int32_t memory = memory_argument(device_type, device_id);
    run->outputs.set(name, base::Value());
    run->output_memories[name] = memory;
  });
}

onnxrun_status* run_set_timeout(onnxrun_run* run, double seconds) {
  return guard([&] {
    if (std::isnan(seconds)) fail(Code::kInvalidArgument, "a time limit cannot be NaN");
    idle(run).timeout = seconds;
  });
}

onnxrun_status* run_set_tap(onnxrun_run* run, const char* name, onnxrun_tap tap, void* context) {
  return guard([&] {
    run::Observer& observer = idle(run).observer;
    if (tap && name && !run->session->session.program().makes(name))
      fail(Code::kInvalidArgument,
           "no node makes a value '{}'; it may be an input or a constant, or have been optimised away (not at level 0)",
           name);
    if (!tap) {
      observer.taps.clear();
      observer.tap_all = false;
      observer.on_tap = nullptr;
      return;
    }
    if (name) observer.taps.insert(name);
    else observer.tap_all = true;
    observer.on_tap = [tap, context](const std::string& tapped, base::Value value) {
      const onnxrun_value handle{std::move(value), false};
      tap(context, tapped.c_str(), &handle);
    };
  });
}

onnxrun_status* run_set_profile(onnxrun_run* run, int32_t on) {
  return guard([&] { idle(run).observer.profile = on != 0; });
}

onnxrun_status* run_execute(onnxrun_run* run) {
  return guard([&] { execute(idle(run)); });
}

onnxrun_status* run_cancel(onnxrun_run* run, int32_t on) {
  return guard([&] { need(run, "run").cancelled.store(on != 0, std::memory_order_relaxed); });
}

onnxrun_status* run_set_poll(onnxrun_run* run, int32_t (*poll)(void* context), void* context) {
  return guard([&] { idle(run).poll.set(poll, context); });
}

onnxrun_status* run_output_count(const onnxrun_run* run, size_t* out) {
  return guard([&] { need(out, "out") = idle(run).results.size(); });
}

namespace {

template <class Run>
auto& result_at(Run* run, size_t index) {
  auto& results = idle(run).results;
  if (index >= results.size())
    fail(Code::kInvalidArgument, "output {} does not exist, the last execution gave {}", index, results.size());
  return results[index];
}

}  // namespace

onnxrun_status* run_output_name(const onnxrun_run* run, size_t index, const char** out) {
  return guard([&] { need(out, "out") = result_at(run, index).first.c_str(); });
}

onnxrun_status* run_output(const onnxrun_run* run, size_t index, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    *out = new onnxrun_value{result_at(run, index).second, false};
  });
}

onnxrun_status* run_take_output(onnxrun_run* run, size_t index, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    auto taken = std::make_unique<onnxrun_value>();
    auto& [name, result] = result_at(run, index);
    std::swap(taken->value, result);
    if (taken->value.is_tensor() && taken->value.tensor().dtype() != base::DType::kString) {
      base::Tensor& tensor = taken->value.tensor();
      // Constants are held by the model, wrapped memory by the caller's value. What the caller gave to be written to is the caller's.
      const base::Value* const given = run->outputs.find(name);
      const bool own = given != nullptr && given->is_tensor() && given->tensor().raw() == tensor.raw();
      if (!own && tensor.memory() == 0 && tensor.buffer().use_count() != 1)
        tensor = tensor.clone(run->session->session.options().budget);
      taken->writable = true;
    }
    *out = taken.release();
  });
}

onnxrun_status* run_output_by_name(const onnxrun_run* run, const char* name, onnxrun_value** out) {
  return guard([&] {
    idle(run);
    need(name, "name");
    need(out, "out");
    for (const auto& [known, value] : run->results) {
      if (known != name) continue;
      *out = new onnxrun_value{value, false};
      return;
    }
    fail(Code::kInvalidArgument, "the last execution gave no output '{}'", name);
  });
}

onnxrun_status* run_profile(const onnxrun_run* run, onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    *out = new onnxrun_blob{profile_text(idle(run).observer)};
  });
}

}  // namespace onnxrun::api
