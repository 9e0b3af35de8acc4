// Runs regions of convolutions and what stands between them on blocked channels.
#include <algorithm>
#include <map>

#include "optimize/blocked_region.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

using ir::NodeId;
using ir::ValueId;

class Blocking {
 public:
  Blocking(const PassContext& context, const BlockedRegion& region)
      : context_(context), graph_(context.graph), region_(region), patch_(graph_, "block channels") {}

  ir::Patch run() {
    for (const NodeId id : region_.nodes) add(graph_.node(id));
    for (const NodeId id : region_.nodes) {
      for (const ValueId plain : graph_.node(id).outputs)
        if (plain != ir::kNone && read_plain(plain)) patch_.replace(plain, from_blocked(plain));
      patch_.remove(id);
    }
    return std::move(patch_);
  }

 private:
  void add(const ir::Node& node) {
    const BlockedForm& form = region_.forms.at(node.id);
    std::vector<ValueId> inputs;
    for (const BlockedOperand& operand : form.operands) {
      if (operand.constant) inputs.push_back(patch_.constant(operand.constant));
      else if (operand.blocked) inputs.push_back(blocked(operand.value));
      else inputs.push_back(operand.stored ? as_it_is(operand.value) : widened(operand.value));
    }
    const ValueId result = patch_.emit(form.op, std::move(inputs), form.attributes, node.name);
    for (const ValueId plain : node.outputs)
      if (plain != ir::kNone) blocked_[plain] = result;
  }

  ValueId blocked(ValueId plain) {
    auto [found, made] = blocked_.try_emplace(plain, ir::kNone);
    if (made) found->second = move("ToBlocked", widened(plain), {{"block", region_.block}}, plain);
    return found->second;
  }

  // New nodes that read a value of the region plain read what moves it out of the blocks.
  ValueId as_it_is(ValueId id) { return made_here(id) ? from_blocked(id) : id; }

  // The same as float32 where it is narrow.
  ValueId widened(ValueId id) {
    if (made_here(id)) return moved_out(id);
    if (id == ir::kNone || !is_narrow_float(type(id))) return id;
    return cast(id, ir::DType::kFloat32, wide_);
  }

  bool made_here(ValueId id) const {
    const NodeId maker = id == ir::kNone ? ir::kNone : graph_.value(id).producer;
    return maker != ir::kNone && region_.has(maker);
  }

  ValueId from_blocked(ValueId plain) {
    return is_narrow_float(type(plain)) ? cast(plain, type(plain), plain_) : moved_out(plain);
  }

  // In the type that blocks keep, made plain.
  ValueId moved_out(ValueId plain) {
    auto [found, made] = wide_.try_emplace(plain, ir::kNone);
    if (made)
      found->second =
          move("FromBlocked", blocked_.at(plain), {{"channels", (*graph_.value(plain).fact.shape)[1].value()}}, plain);
    return found->second;
  }

  ValueId cast(ValueId plain, ir::DType to, std::map<ValueId, ValueId>& casts) {
    const ValueId from = made_here(plain) ? moved_out(plain) : plain;
    auto [found, made] = casts.try_emplace(plain, ir::kNone);
    if (made) found->second = patch_.emit(context_.table.find("", "Cast"), {from}, {{"to", static_cast<int64_t>(to)}});
    return found->second;
  }

  ValueId move(const char* op, ValueId from, ir::Attributes attributes, ValueId plain) {
    if (type(plain) == ir::DType::kInt8) attributes.set("flip", int64_t{1});
    return patch_.emit(context_.table.find("onnxrun", op), {from}, std::move(attributes));
  }

  ir::DType type(ValueId id) const { return graph_.value(id).fact.dtype; }

  bool read_plain(ValueId id) const {
    const ir::Value& value = graph_.value(id);
    return value.output_uses > 0 || std::any_of(value.consumers.begin(), value.consumers.end(),
                                                [&](NodeId reader) { return !region_.has(reader); });
  }

  const PassContext& context_;
  const ir::Graph& graph_;
  const BlockedRegion& region_;
  ir::Patch patch_;
  std::map<ValueId, ValueId> blocked_, plain_, wide_;  // by value of the graph; wide_: plain, narrow floats as float32
};

}  // namespace

MatchResult match_block_channels(const PassContext& context, NodeId id) {
  if (!convolves(context.graph.node(id))) return MatchResult::none("no convolution");
  const BlockedRegion region = find_blocked_region(context, id);
  if (region.nodes.empty()) return MatchResult::none("nothing is gained");
  return Blocking(context, region).run();
}

}  // namespace onnxrun::optimize
