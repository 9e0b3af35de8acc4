// Sessions and runs of the C++ interface. Included by onnxrun.hpp.
#pragma once

#include <onnxrun/expected.hpp>
#include <onnxrun/model.hpp>

#include <exception>
#include <functional>
#include <future>
#include <optional>
#include <stop_token>

namespace onnxrun {

using NamedValues = std::vector<std::pair<std::string, Value>>;

// A tensor of undefined contents on a device, made by the provider library of the options that works there.
inline Tensor make_on(const Options& options, Device device, onnxrun_dtype dtype, const Shape& shape) {
  onnxrun_value* made = nullptr;
  detail::check(api().value_create_on(options.get(), device.type, device.id, dtype, shape.data(), shape.size(), &made));
  return Tensor(Value(made));
}

// Copies the elements to a tensor of the same type and shape, wherever the two lie; the options have the provider libraries for that.
inline void copy(const Options& options, const Tensor& from, Tensor& to) {
  detail::check(api().value_copy(options.get(), from.get(), to.get()));
}

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
  Tensor at(size_t index) const {
    if (index >= values_.size())
      throw Error(Code::kInvalidArgument, "the run gave " + std::to_string(values_.size()) +
                                              " outputs, not one of number " + std::to_string(index));
    return Tensor(values_[index].second);
  }

 private:
  NamedValues values_;
};

class Session;

// One call at a time with inputs, outputs and control that stay between executions; for loops that reuse buffers. `cancel` may be called from any thread.
class Run {
 public:
  using Tap = std::function<void(std::string_view name, const Value& value)>;

  explicit Run(const Session& session);

  void set_input(const std::string& name, const Value& value) {
    detail::check(api().run_set_input(get(), detail::text(name), value.get()));
  }
  // Asks for an output, made by the library or written to `into`. Without any call all are computed.
  void want(const std::string& name) { detail::check(api().run_set_output(get(), detail::text(name), nullptr)); }
  void set_output(const std::string& name, const Tensor& into) {
    detail::check(api().run_set_output(get(), detail::text(name), into.get()));
  }
  // Asks for an output in the memory of a device.
  void want(const std::string& name, Device device) {
    detail::check(api().run_set_output_device(get(), detail::text(name), device.type, device.id));
  }
  void set_timeout(double seconds) { detail::check(api().run_set_timeout(get(), seconds)); }
  void set_profile(bool on) { detail::check(api().run_set_profile(get(), on)); }
  // Hands the named intermediate values (none named: every one) to `tap`, on the thread of `execute`.
  void set_tap(Tap tap, const std::vector<std::string>& names = {}) {
    detail::check(api().run_set_tap(get(), nullptr, nullptr, nullptr));
    state_->tap = std::move(tap);
    if (!state_->tap) return;
    if (names.empty()) detail::check(api().run_set_tap(get(), nullptr, &Run::call_tap, state_.get()));
    for (const std::string& name : names)
      detail::check(api().run_set_tap(get(), detail::text(name), &Run::call_tap, state_.get()));
  }

  // Asks `poll` about twenty times a second, on the thread of `execute`, whether to end the run. What it throws ends the run, too.
  void set_poll(std::function<bool()> poll) {
    state_->poll = std::move(poll);
    detail::check(api().run_set_poll(get(), state_->poll ? &Run::call_poll : nullptr, state_.get()));
  }

  // An exception of a tap or a poll is rethrown after the run. Tensors of the results can be written to. `stop` ends this execution as `cancel` does.
  Results execute(std::stop_token stop = {}) {
    state_->error = nullptr;
    std::optional<Stop> watch;
    if (stop.stop_possible()) watch.emplace(stop, Cancel{get()});
    onnxrun_status* const status = api().run_execute(get());
    watch.reset();
    return state_->collect(status, stop);
  }
  // The same on a thread of the session, whose `streams` say how many go on at once. Until the future is ready nothing but `cancel` may be called; a Run that is
  // destroyed before cancels and waits. Taps and polls are called on that thread.
  std::future<Results> execute_async(std::stop_token stop = {}) {
    auto pending = std::make_unique<Pending>();
    pending->state = state_.get();
    return start(std::move(pending), stop);
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
  friend class Session;
  struct Cancel {
    onnxrun_run* run;
    void operator()() const noexcept { (void)api().run_cancel(run, 1); }
  };
  using Stop = std::stop_callback<Cancel>;

  struct State {
    onnxrun_run* handle = nullptr;
    Tap tap;
    std::function<bool()> poll;
    std::exception_ptr error;
    std::future<void> settled;  // of an asynchronous execution: its callback is done with this
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
      if (settled.valid()) {
        if (handle) (void)api().run_cancel(handle, 1);
        settled.wait();
      }
      api().run_free(handle);
    }

    // The outcome of an execution.
    Results collect(onnxrun_status* status, const std::stop_token& stop) {
      if (stop.stop_requested()) detail::check(api().run_cancel(handle, 0));
      if (error) {
        api().status_free(status);
        std::rethrow_exception(error);
      }
      detail::check(status);
      size_t count = 0;
      detail::check(api().run_output_count(handle, &count));
      NamedValues values;
      for (size_t i = 0; i < count; ++i) {
        const char* name = nullptr;
        onnxrun_value* value = nullptr;
        detail::check(api().run_output_name(handle, i, &name));
        detail::check(api().run_take_output(handle, i, &value));
        values.emplace_back(name, Value(value));
      }
      return Results(std::move(values));
    }
  };
  // An asynchronous execution on its way.
  struct Pending {
    State* state = nullptr;
    std::unique_ptr<Run> own;  // where nobody else keeps it
    std::promise<Results> results;
    std::promise<void> settled;
    std::stop_token stop;
    std::optional<Stop> watch;
  };

  static std::future<Results> start(std::unique_ptr<Pending> pending, std::stop_token stop) {
    State& state = *pending->state;
    std::future<Results> results = pending->results.get_future();
    state.error = nullptr;
    pending->stop = stop;
    if (stop.stop_possible()) pending->watch.emplace(stop, Cancel{state.handle});
    std::future<void> settled = pending->settled.get_future();
    std::swap(state.settled, settled);
    onnxrun_status* const status = api().run_execute_async(state.handle, &Run::call_done, pending.get());
    if (status != nullptr) {
      std::swap(state.settled, settled);
      detail::check(status);
    }
    pending.release();
    return results;
  }
  static void call_done(void* context, onnxrun_status* status) {
    const std::unique_ptr<Pending> pending(static_cast<Pending*>(context));
    pending->watch.reset();
    std::optional<Results> results;
    std::exception_ptr error;
    try {
      results = pending->state->collect(status, pending->stop);
    } catch (...) {
      error = std::current_exception();
    }
    pending->settled.set_value();  // from here on the state may be gone
    if (results) pending->results.set_value(std::move(*results));
    else pending->results.set_exception(error);
  }
  static void call_tap(void* context, const char* name, const onnxrun_value* value) {
    State& state = *static_cast<State*>(context);
    if (state.error) return;
    try {
      onnxrun_value* shared = nullptr;
      detail::check(api().value_share(value, &shared));
      state.tap(name, Value(shared));
    } catch (...) {
      state.error = std::current_exception();
    }
  }
  static int32_t call_poll(void* context) {
    State& state = *static_cast<State*>(context);
    try {
      return state.poll() ? 1 : 0;
    } catch (...) {
      state.error = std::current_exception();
      return 1;
    }
  }
  std::unique_ptr<State> state_;
};

struct RunOptions {
  std::vector<std::string> outputs{};  // wanted; empty: all
  double timeout = 0;                  // seconds; 0: no deadline
  Run::Tap tap{};                      // receives intermediate values
  std::vector<std::string> taps{};     // their names; empty: all of them
  std::string* profile = nullptr;      // receives the steps as JSON; not of run_async
  std::stop_token stop{};              // ends the run
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
  std::vector<Port> outputs() const {
    return detail::list_ports(get(), api().session_output_count, api().session_output);
  }

  Results run(const NamedValues& inputs, const RunOptions& options = {}) const {
    Run run = prepared(inputs, options);
    run.set_profile(options.profile != nullptr);
    Results results = run.execute(options.stop);
    if (options.profile) *options.profile = run.profile();
    return results;
  }
  // The same with the error as a value.
  Expected<Results> try_run(const NamedValues& inputs, const RunOptions& options = {}) const {
    return attempt([&] { return run(inputs, options); });
  }
  // On a thread of the session, whose option `streams` says how many go on at once; others queue. An exception, of a tap, too, comes from the future. Throws
  // what is wrong with names at once.
  std::future<Results> run_async(const NamedValues& inputs, const RunOptions& options = {}) const {
    auto pending = std::make_unique<Run::Pending>();
    pending->own = std::make_unique<Run>(prepared(inputs, options));
    pending->state = pending->own->state_.get();
    return Run::start(std::move(pending), options.stop);
  }

  // Gives back memory held beside the weights.
  void trim() { detail::check(api().session_trim(handle_.get())); }
  // Bytes held now, as JSON.
  std::string memory() const {
    onnxrun_blob* text = nullptr;
    detail::check(api().session_memory(get(), &text));
    return detail::take(text);
  }

  // What was counted since the session was made, as JSON: see the option `statistics`.
  std::string stats() const {
    onnxrun_blob* text = nullptr;
    detail::check(api().session_stats(get(), &text));
    return detail::take(text);
  }
  // The same in Prometheus' text format, with `name` as the label "session" where there is one.
  std::string prometheus(const std::string& name = {}) const {
    onnxrun_blob* text = nullptr;
    detail::check(api().session_prometheus(get(), name.empty() ? nullptr : detail::text(name), &text));
    return detail::take(text);
  }

  const onnxrun_session* get() const noexcept { return handle_.get(); }

 private:
  Run prepared(const NamedValues& inputs, const RunOptions& options) const {
    Run run(*this);
    for (const auto& [name, value] : inputs) run.set_input(name, value);
    for (const std::string& name : options.outputs) run.want(name);
    run.set_timeout(options.timeout);
    if (options.tap) run.set_tap(options.tap, options.taps);
    return run;
  }
  std::shared_ptr<onnxrun_session> handle_;
};

inline Run::Run(const Session& session) : state_(std::make_unique<State>()) {
  detail::check(api().run_create(session.get(), &state_->handle));
}

}  // namespace onnxrun
