// Sessions and runs of the C++ interface. Included by onnxrun.hpp.
#pragma once

#include <onnxrun/model.hpp>

#include <exception>
#include <functional>

namespace onnxrun {

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

  void set_input(const std::string& name, const Value& value) {
    detail::check(api().run_set_input(get(), name.c_str(), value.get()));
  }
  // Asks for an output, made by the library or written to `into`. Without any call all are computed.
  void want(const std::string& name) { detail::check(api().run_set_output(get(), name.c_str(), nullptr)); }
  void set_output(const std::string& name, const Tensor& into) {
    detail::check(api().run_set_output(get(), name.c_str(), into.get()));
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
      detail::check(api().run_set_tap(get(), name.c_str(), &Run::call_tap, state_.get()));
  }

  // Asks `poll` about twenty times a second, on the thread of `execute`, whether to end the run. What it throws ends the run, too.
  void set_poll(std::function<bool()> poll) {
    state_->poll = std::move(poll);
    detail::check(api().run_set_poll(get(), state_->poll ? &Run::call_poll : nullptr, state_.get()));
  }

  // An exception of a tap or a poll is rethrown after the run. Tensors of the results can be written to.
  Results execute() {
    state_->error = nullptr;
    onnxrun_status* const status = api().run_execute(get());
    if (state_->error) {
      api().status_free(status);
      std::rethrow_exception(state_->error);
    }
    detail::check(status);
    size_t count = 0;
    detail::check(api().run_output_count(get(), &count));
    NamedValues values;
    for (size_t i = 0; i < count; ++i) {
      const char* name = nullptr;
      onnxrun_value* value = nullptr;
      detail::check(api().run_output_name(get(), i, &name));
      detail::check(api().run_take_output(get(), i, &value));
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
    std::function<bool()> poll;
    std::exception_ptr error;
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { api().run_free(handle); }
  };
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
  std::string* profile = nullptr;      // receives the steps as JSON
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
