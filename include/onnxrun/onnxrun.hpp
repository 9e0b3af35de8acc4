// The C++ interface of onnxrun: a thin header over onnxrun.h.
//
//   onnxrun::Session session("model.onnx");
//   auto image = onnxrun::Tensor::from({1, 1, 8, 8}, pixels);   // std::vector<float>
//   auto result = session.run({{"image", image}}).at("probabilities");
//   for (float p : result.span<float>()) std::cout << p << '\n';
//
// Everything throws onnxrun::Error. Model, Session and Value are cheap handles that share what they stand for; they may be used by any number of threads at
// once as long as nobody writes to a tensor that others read. A moved-from handle may only be assigned to or destroyed.
#pragma once

#include <onnxrun/editor.hpp>
#include <onnxrun/quantize.hpp>
#include <onnxrun/session.hpp>
