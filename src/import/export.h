// Writing ONNX files: the graph's nodes in the form of an operator set in which they mean exactly the same.
#pragma once

#include <string>

#include "ir/graph.h"
#include "ir/op.h"

namespace onnxrun::import {

struct ExportOptions {
  const ir::OpTable* table = nullptr;  // must not be null
  // Version of ai.onnx to write; 0: the lowest not below the source's in which every node has exactly its canonical meaning.
  int64_t opset = 0;
  bool portable = false;    // only operators that ONNX defines, at versions that onnxruntime 1.31 loads
  bool decompose = true;    // what an opset asked for lacks may be written as what it stands for
  bool value_infos = true;  // write the types of the main graph's intermediate values
  bool external_data =
      false;  // put large tensors into a file beside the model; always where the model would pass 2 GiB
  int64_t external_min_bytes = 1024;  // tensors from this size on
  std::string external_name;          // of that file, in the model's folder; "": the model's name with ".data" added
};

// Writes a model file whole or not at all: to a temporary name in the same folder, synced, then renamed. The external data file, if any, is replaced just before
// the model. Throws kIo, kUnsupported (naming a node that has no form at the opset), kLimitExceeded.
void export_file(const ir::Model& model, const std::string& path, const ExportOptions& options = {});

// The same in memory; external data is refused, so models are limited to 2 GiB.
std::string export_bytes(const ir::Model& model, const ExportOptions& options = {});

}  // namespace onnxrun::import
