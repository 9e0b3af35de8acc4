// onnx-run optimize and convert: a model written anew.
#include <nlohmann/json.hpp>
#include <onnxrun/onnxrun.hpp>

#include <iostream>

#include "backup.h"
#include "commands.h"
#include "files.h"
#include "outcome.h"
#include "session_flags.h"

namespace cli {
namespace {

struct RewriteFlags {
  SessionFlags session;
  std::string model, output, external_data, external_threshold;
  int64_t opset = 0;
  bool portable = false, backup = false, overwrite = false, text = false;

  void add_to(CLI::App& command) {
    command.add_option("MODEL", model, "Model file")->required()->type_name("");
    command.add_option("-o,--output", output, "File to write")->required()->type_name("FILE");
    command.add_option("--external-data", external_data, "Put large tensors into this file, in the output's folder")
        ->type_name("NAME");
    command
        .add_option("--external-threshold", external_threshold,
                    "Size from which on a tensor is large, as 1K or 1M; default 1K")
        ->type_name("BYTES");
    command.add_flag("--portable", portable,
                     "Only operators that ONNX defines, at versions that ONNX Runtime 1.31 loads");
    auto* as_text =
        command.add_flag("--text", text, "Write the text form, which people can change and all commands read");
    for (const char* of_bytes : {"--external-data", "--external-threshold", "--portable"})
      as_text->excludes(command.get_option(of_bytes));
    command.add_flag("--backup", backup, "Let the output replace the input, which is kept as FILE.bak");
    command.add_flag("--overwrite", overwrite, "Let --external-data replace a file that is there");
    session.add_loading(command);
  }

  onnxrun::Options options() const {
    onnxrun::Options result = session.options();
    return in_phase(kUsage, [&] {
      if (opset != 0) result.set("opset", opset);
      if (portable) result.set("portable", "1");
      if (!external_data.empty()) result.set("external_data", external_data);
      if (!external_threshold.empty()) result.set("external_threshold", external_threshold);
      return std::move(result);
    });
  }
};

nlohmann::json summary_of(const onnxrun::Model& model) { return nlohmann::json::parse(model.inspect()); }

// What cannot be said at the opset is the model's fault, what cannot be written is not.
void save(const onnxrun::Model& model, const std::string& path, const onnxrun::Options& options) {
  in_phase(kModel, [&] {
    try {
      model.save(path, options);
    } catch (const onnxrun::Error& error) {
      if (error.code() == onnxrun::Code::kIo) throw Failure(error.what(), kRun);
      throw;
    }
  });
}

int rewrite(const RewriteFlags& flags, bool optimize) {
  if (flags.text && flags.opset != 0)
    throw Failure("--text: the text form has every operator as its newest version has it: leave --opset out");
  const onnxrun::Options options = flags.options();
  const onnxrun::Model source = in_phase(kModel, [&] { return onnxrun::Model(flags.model, options); });
  const nlohmann::json before = summary_of(source);
  Backup backup(flags.backup);
  backup.protect(flags.model, flags.output);
  const auto data = std::filesystem::path(flags.output).parent_path() / flags.external_data;
  if (!flags.external_data.empty())
    for (const auto& file : before["external_files"]) backup.protect(file.get<std::string>(), data.string());
  if (!flags.external_data.empty() && !flags.backup && !flags.overwrite && std::filesystem::exists(data))
    throw Failure("--external-data: '" + data.string() +
                  "' exists already and may belong to another model: name another file, or allow it with --overwrite");
  const onnxrun::Model result = optimize ? in_phase(kModel, [&] { return source.optimized(options); }) : source;
  if (flags.text) write_file(flags.output, in_phase(kModel, [&] { return result.to_text(); }));
  else save(result, flags.output, options);
  const std::vector<std::filesystem::path> kept = backup.keep();
  const nlohmann::json after = in_phase(kModel, [&] { return summary_of(onnxrun::Model(flags.output)); });
  std::cout << flags.output << ": opset " << after["opsets"].value("ai.onnx", 0) << " (was "
            << before["opsets"].value("ai.onnx", 0) << "), IR version " << after["ir_version"] << " (was "
            << before["ir_version"] << "), " << after["nodes"] << " nodes (were " << before["nodes"] << ")\n";
  for (const auto& path : kept) std::cout << "kept what was there as " << path.string() << '\n';
  if (kept.size() > 1) std::cout << "to go back, move them all: the model names its data file\n";
  return kOk;
}

}  // namespace

void add_optimize(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("optimize", "Write a model as the optimizer leaves it");
  auto flags = std::make_shared<RewriteFlags>();
  flags->add_to(*command);
  command
      ->add_option("--opset", flags->opset,
                   "Opset to write; default: the lowest, not below the model's, that says exactly the same")
      ->type_name("N");
  flags->session.add_running(*command);
  command->footer(
      "The output computes what the model does. It appears whole or not at all, and replaces what was there, but for "
      "the model itself without\n"
      "--backup. Names, metadata, documentation and named dimensions are kept; functions are inlined.");
  command->callback([flags, &exit_code] { exit_code = rewrite(*flags, true); });
}

void add_convert(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("convert", "Write a model at another opset, unoptimised");
  auto flags = std::make_shared<RewriteFlags>();
  flags->add_to(*command);
  command
      ->add_option("--opset", flags->opset,
                   "Opset to write; default: the lowest, not below the model's, that says exactly the same")
      ->type_name("N");
  command->footer(
      "Older opsets are written where they say exactly the same; otherwise the error names the node and the lowest "
      "opset that does. Operators\n"
      "that an opset lacks become what ONNX defines them to stand for.");
  command->callback([flags, &exit_code] { exit_code = rewrite(*flags, false); });
}

}  // namespace cli
