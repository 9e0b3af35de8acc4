// Running operators on optionals: an absent value is an empty optional, a present one is its element.
#include "base/error.h"
#include "run/structural/functions.h"

namespace onnxrun::run {

void run_optional(StructuralContext& context) {
  context.set_output(0, context.has_input(0) ? context.input(0) : base::Value());
}

void run_optional_has_element(StructuralContext& context) {
  context.set_output(0, base::Tensor::scalar<bool>(context.has_input(0) && !context.input(0).absent()));
}

void run_optional_get_element(StructuralContext& context) {
  base::Value value = context.input(0);
  if (value.absent())
    base::fail(base::Code::kRunFailed, "the optional is empty; test it with OptionalHasElement first");
  context.set_output(0, std::move(value));
}

}  // namespace onnxrun::run
