// Quantisation in the C++ interface. Included by onnxrun.hpp.
#pragma once

#include <onnxrun/session.hpp>

namespace onnxrun {

// A model made smaller, and what that cost; settings and report are those of onnxrun.h's model_quantize.
//
//   onnxrun::Quantization small(model, {{"mode", "static"}}, [&](size_t i) { return i < images.size() ? inputs_of(images[i]) : onnxrun::NamedValues{}; });
//   small.model().save("small.onnx");
class Quantization {
 public:
  using Settings = std::vector<std::pair<std::string, std::string>>;
  // The inputs of a sample; none: there are no more. It is asked for the same sample several times; what it throws is rethrown.
  using Samples = std::function<NamedValues(size_t index)>;

  explicit Quantization(const Model& model, const Settings& settings = {}, const Samples& samples = {},
                        const Options& options = {})
      : model_(nullptr) {
    std::vector<std::string> texts;
    std::vector<const char*> pointers;
    for (const auto& [key, value] : settings) texts.push_back(key + "=" + value);
    for (const std::string& text : texts) pointers.push_back(detail::text(text));
    State state{&samples, nullptr};
    onnxrun_model* made = nullptr;
    onnxrun_blob* report = nullptr;
    onnxrun_status* const status =
        api().model_quantize(model.get(), options.get(), pointers.data(), pointers.size(),
                             samples ? &Quantization::call_samples : nullptr, &state, &made, &report);
    if (state.error) {
      api().status_free(status);
      api().blob_free(report);
      api().model_free(made);
      std::rethrow_exception(state.error);
    }
    detail::check(status);
    model_ = Model(made);
    report_ = detail::take(report);
  }

  const Model& model() const { return model_; }
  // JSON.
  const std::string& report() const { return report_; }

 private:
  struct State {
    const Samples* samples;
    std::exception_ptr error;
  };
  static int32_t call_samples(void* context, size_t index, onnxrun_run* run) {
    State& state = *static_cast<State*>(context);
    try {
      const NamedValues inputs = (*state.samples)(index);
      for (const auto& [name, value] : inputs) detail::check(api().run_set_input(run, detail::text(name), value.get()));
      return inputs.empty() ? 0 : 1;
    } catch (...) {
      state.error = std::current_exception();
      return -1;
    }
  }
  Model model_;
  std::string report_;
};

}  // namespace onnxrun
