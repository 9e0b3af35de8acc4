// onnx-run optimize and convert: a model written anew.
#include <nlohmann/json.hpp>
#include <onnxrun/onnxrun.hpp>

#include <filesystem>
#include <iostream>
#include <span>

#include "commands.h"
#include "files.h"
#include "outcome.h"
#include "proto_forms.h"
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
  const nlohmann::json after =
      in_phase(kModel, [&] { return summary_of(onnxrun::Model(flags.write.output, flags.session.operators())); });
  std::cout << flags.write.output << ": opset " << after["opsets"].value("ai.onnx", 0) << " (was "
            << before["opsets"].value("ai.onnx", 0) << "), IR version " << after["ir_version"] << " (was "
            << before["ir_version"] << "), " << (optimize ? nodes : after["nodes"]) << " nodes (were "
            << before["nodes"] << ")\n";
  return kOk;
}

// A model from protobuf's text or JSON form, or to one. Without other wishes every field stays as it is; a model with weights in other files takes them in.
int convert_form(const RewriteFlags& flags) {
  onnxrun::Options options = flags.session.options();
  flags.write.set(options);
  const auto from = proto_form_of(flags.model), to = proto_form_of(flags.write.output);
  if (to && (flags.write.text || !flags.write.external_data.empty()))
    throw Failure("'" + flags.write.output +
                  "' is to be protobuf's form, which is neither --text nor beside --external-data");
  std::string bytes = read_file(flags.model);
  if (from) bytes = proto_from_form(bytes, *from, flags.model);
  if (!flags.write.rewrites() && flags.session.dims.empty() && !names_other_files(bytes, flags.model)) {
    flags.write.write_with(
        {flags.model}, [&] { write_file(flags.write.output, to ? proto_to_form(bytes, *to, flags.model) : bytes); });
    std::cout << flags.write.output << ": written, every field as it was\n";
    return kOk;
  }
  const onnxrun::Model source = in_phase(kModel, [&] {
    if (!from) return onnxrun::Model(flags.model, options);
    const std::filesystem::path folder = std::filesystem::path(flags.model).parent_path();
    options.set("external_root", folder.empty() ? "." : folder.string());
    return onnxrun::Model(std::as_bytes(std::span(bytes)), options);
  });
  const std::vector<std::string> files = files_of(flags.model, source);
  if (!to) {
    flags.write.write(files, options, [&] { return source; });
  } else {
    flags.write.write_with(
        files, [&] { write_file(flags.write.output, proto_to_form(source.to_bytes(options), *to, flags.model)); });
  }
  std::cout << flags.write.output << ": written\n";
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
  auto* command = app.add_subcommand(
      "convert", "Write a model at another opset, as text, or in protobuf's text or JSON form, unoptimised");
  auto flags = std::make_shared<RewriteFlags>();
  flags->add_to(*command);
  command->footer(
      "Older opsets are written where they say exactly the same; otherwise the error names the node and the lowest "
      "opset that does. Operators\n"
      "that an opset lacks become what ONNX defines them to stand for. Names that end in .textproto, .prototxt or "
      ".pbtxt "
      "are protobuf's text form\n"
      "of a model, .json and .onnxjson its JSON form, as input and as output: every field is kept.");
  command->callback([flags, &exit_code] {
    const bool form = proto_form_of(flags->model) || proto_form_of(flags->write.output);
    exit_code = form ? convert_form(*flags) : rewrite(*flags, false);
  });
}

}  // namespace cli
