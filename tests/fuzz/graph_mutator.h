// libFuzzer's custom mutator and crossover for inputs that are model files. Included by one file of a program.
#pragma once

#include <cstring>

#include "fuzz/model_mutation.h"

namespace onnxrun::fuzz {

inline size_t put(const proto::ModelProto& model, uint8_t* data, size_t size, size_t room) {
  const std::string bytes = model.SerializeAsString();
  if (bytes.empty() || bytes.size() > room) return size;
  std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}

inline bool get(const uint8_t* data, size_t size, proto::ModelProto& model) {
  return model.ParseFromArray(data, static_cast<int>(size)) && model.has_graph();
}

}  // namespace onnxrun::fuzz

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t room, unsigned seed) {
  using namespace onnxrun;
  fuzz::Random random(seed);
  proto::ModelProto model;
  if (!fuzz::get(data, size, model)) {
    model.Clear();
    model.set_ir_version(10);
    model.add_opset_import()->set_version(23);
    auto& input = *model.mutable_graph()->add_input();
    input.set_name("x");
    input.mutable_type()->mutable_tensor_type()->set_elem_type(1);
    model.mutable_graph()->set_name("made");
  }
  fuzz::mutate(model, random);
  return fuzz::put(model, data, size, room);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* first, size_t first_size, const uint8_t* second,
                                            size_t second_size, uint8_t* out, size_t room, unsigned seed) {
  using namespace onnxrun;
  fuzz::Random random(seed);
  proto::ModelProto model, other;
  if (!fuzz::get(first, first_size, model) || !fuzz::get(second, second_size, other)) return 0;
  fuzz::join(model, other, random);
  return fuzz::put(model, out, 0, room);
}
