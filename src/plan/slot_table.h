// SlotTable: numbers the values of a graph as slots, one a memory in which the value is needed, and inserts the copies between them.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "plan/program.h"

namespace onnxrun::plan {

class SlotTable {
 public:
  SlotTable(const ir::Graph& graph, const ProgramOptions& options, std::vector<Slot>& slots, std::vector<Step>& steps,
            std::vector<int>& captures)
      : graph_(graph), options_(options), slots_(slots), steps_(steps), captures_(captures) {}

  // The slot of a value where it is produced: host memory for inputs, captures and constants, `memory` for what a step makes there.
  int home(ir::ValueId value) { return home(value, 0); }
  int make_in(ir::ValueId value, int memory) { return home(value, memory); }
  // The slot of a value in `memory`: its home, a constant uploaded once, a capture that the graph around copies before it runs this one, or the result of a copy
  // step put here, before the first use.
  int in_memory(ir::ValueId value, int memory);
  // Appends a step.
  void push(Step step);

 private:
  int home(ir::ValueId value, int memory);
  int add_slot(ir::ValueId value, int memory);
  int copied(ir::ValueId value, int source, int memory);
  base::Tensor upload(const base::Tensor& constant, int memory) const;

  const ir::Graph& graph_;
  const ProgramOptions& options_;
  std::vector<Slot>& slots_;
  std::vector<Step>& steps_;
  std::vector<int>& captures_;
  std::vector<int> homes_;                             // by value; -1: none yet
  std::map<std::pair<ir::ValueId, int>, int> others_;  // slots in memories beside the home
};

}  // namespace onnxrun::plan
