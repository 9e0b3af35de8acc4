// The import itself, shared by loading a model and checking a file.
#pragma once

#include "import/context.h"
#include "import/map.h"

namespace onnxrun::import {

struct OpenModel {
  FileContents contents;
  std::string folder;  // of its external data
};

// Opens a model file. Throws kInvalidModel where the path is plainly something else, such as a SavedModel folder.
OpenModel open_model(const std::string& path, const ImportOptions& options);

// Imports a ModelProto. With `problems`, errors in nodes and values are collected there and the graph made is only good for more checks.
ir::Model run_import(Bytes bytes, std::shared_ptr<const void> owner, const std::string& name, const std::string& folder,
                     const ImportOptions& options, std::vector<Problem>* problems);

}  // namespace onnxrun::import
