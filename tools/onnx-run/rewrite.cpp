// onnx-run optimize and convert: a model written anew.
#include <nlohmann/json.hpp>
#include <onnxrun/onnxrun.hpp>

#include <iostream>

#include "commands.h"
#include "outcome.h"
#include "session_flags.h"
#include "written.h"

namespace cli {
namespace {

struct RewriteFlags {
  SessionFlags session;
  WriteFlags write;
  std::string model;

  void add_to(CLI::App& command) {
    command.add_option("MODEL", model, "Model file")->required()->type_name("");
    write.add_to(command);
    session.add_loading(command);
  }
};

nlohmann::json summary_of(const onnxrun::Model& model) { return nlohmann::json::parse(model.inspect()); }

int rewrite(const RewriteFlags& flags, bool optimize) {
  onnxrun::Options options = flags.session.options();
  flags.write.set(options);
  const onnxrun::Model source = in_phase(kModel, [&] { return onnxrun::Model(flags.model, options); });
  const nlohmann::json before = summary_of(source);
  // Of what is written: fused operators that a file holds are split when it is read.
  nlohmann::json nodes;
  flags.write.write(files_of(flags.model, source), options, [&] {
    if (!optimize) return source;
    onnxrun::Model optimized = source.optimized(options);
    nodes = summary_of(optimized)["nodes"];
    return optimized;
  });
  const nlohmann::json after = in_phase(kModel, [&] { return summary_of(onnxrun::Model(flags.write.output)); });
  std::cout << flags.write.output << ": opset " << after["opsets"].value("ai.onnx", 0) << " (was "
            << before["opsets"].value("ai.onnx", 0) << "), IR version " << after["ir_version"] << " (was "
            << before["ir_version"] << "), " << (optimize ? nodes : after["nodes"]) << " nodes (were "
            << before["nodes"] << ")\n";
  return kOk;
}

}  // namespace

void add_optimize(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("optimize", "Write a model as the optimizer leaves it");
  auto flags = std::make_shared<RewriteFlags>();
  flags->add_to(*command);
  flags->session.add_running(*command);
  command->footer(
      "The output computes what the model does. It appears whole or not at all, and replaces what was there, but for "
      "the model itself without\n"
      "--backup. Names, metadata, documentation and named dimensions are kept; functions are inlined.");
  command->callback([flags, &exit_code] { exit_code = rewrite(*flags, true); });
}

void add_convert(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("convert", "Write a model at another opset or as text, unoptimised");
  auto flags = std::make_shared<RewriteFlags>();
  flags->add_to(*command);
  command->footer(
      "Older opsets are written where they say exactly the same; otherwise the error names the node and the lowest "
      "opset that does. Operators\n"
      "that an opset lacks become what ONNX defines them to stand for.");
  command->callback([flags, &exit_code] { exit_code = rewrite(*flags, false); });
}

}  // namespace cli
