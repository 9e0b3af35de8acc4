// Makes one LogSoftmax of the Log of a Softmax.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {

MatchResult match_fuse_log_softmax(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& log = graph.node(id);
  if (!is(log, "Log")) return MatchResult::none("no Log");
  const ir::Node* softmax = made_by(graph, log.inputs[0], "Softmax");
  if (softmax == nullptr || !read_once(graph, log.inputs[0]))
    return MatchResult::none("not of a Softmax read here only");
  ir::Patch patch(graph, "fuse LogSoftmax");
  patch.replace(log.outputs[0],
                patch.emit(context.table.find("", "LogSoftmax"), {softmax->inputs[0]}, softmax->attributes));
  patch.remove(id);
  patch.remove(softmax->id);
  return patch;
}

}  // namespace onnxrun::optimize
