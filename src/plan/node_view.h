// NodeView: an ir node with facts about its values, in the form of the provider ABI.
#pragma once

#include <deque>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "base/charge.h"
#include "ir/graph.h"
#include "ir/op.h"

#include <onnxrun/provider.h>

namespace onnxrun::plan {

// What a session tells its kernels.
struct NodeSettings {
  int threads = 0;                            // of a run; 0: not known
  int precision = ONNXRUN_PRECISION_HIGHEST;  // of float32 products
  bool reference_kernels = false;             // before faster ones, where an operator has one
  base::BudgetPtr budget = nullptr;           // of a view's lists; null: none
};

// Owns what the C view points to, except the node and the facts' constants, which must outlive it. Charged for a copy of the attributes' lists, too: kernels
// read them into their own.
class NodeView {
 public:
  // Null facts are absent values.
  NodeView(const ir::Node& node, std::span<const ir::Fact* const> inputs, std::span<const ir::Fact* const> outputs,
           const NodeSettings& settings);
  NodeView(const NodeView&) = delete;
  NodeView& operator=(const NodeView&) = delete;

  const onnxrun_node* get() const { return &node_; }

 private:
  onnxrun_tensor tensor(const ir::Fact* fact);
  void add_attribute(const ir::Attribute& attribute);

  base::Charge charge_;
  onnxrun_node node_{};
  std::deque<std::vector<int64_t>> dims_;
  std::deque<std::vector<onnxrun_tensor>> tensors_;
  std::deque<std::vector<onnxrun_text>> texts_;
  std::vector<onnxrun_tensor> inputs_, outputs_;
  std::vector<onnxrun_attribute> attributes_;
};

// Collects the messages a provider writes, as far as there is memory for them: nothing may be thrown through a provider.
class Message {
 public:
  onnxrun_sink* sink() { return &sink_; }
  const std::string& text() const { return text_; }
  void clear() { text_.clear(); }

 private:
  std::string text_;
  onnxrun_sink sink_{&text_, [](void* text, const char* piece, size_t length) {
                       try {
                         static_cast<std::string*>(text)->append(piece, length);
                       } catch (const std::bad_alloc&) {
                       }
                     }};
};

}  // namespace onnxrun::plan
