// Ports: declared inputs and outputs in the form the C interface shows them.
#pragma once

#include <onnxrun/onnxrun.h>

#include <memory>
#include <string>
#include <vector>

#include "ir/fact.h"
#include "ir/graph.h"

namespace onnxrun::api {

// Ports stay where they are in memory.
class Ports {
 public:
  void add(const std::string& name, const ir::Fact& fact, bool has_default);
  size_t size() const { return ports_.size(); }
  // Throws kInvalidArgument naming `what` ("input") and the range.
  const onnxrun_port& at(size_t index, const char* what) const;

 private:
  struct Port {
    onnxrun_port view{};
    std::string name, type;
    std::vector<int64_t> dims;
    std::vector<std::string> names;
    std::vector<const char*> symbols;
  };
  std::vector<std::unique_ptr<Port>> ports_;
};

Ports input_ports(const ir::Model& model);
Ports output_ports(const ir::Model& model);

}  // namespace onnxrun::api
