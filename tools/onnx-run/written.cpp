// Writing models.
#include "written.h"

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "backup.h"
#include "files.h"
#include "outcome.h"

namespace cli {

void WriteFlags::add_to(CLI::App& command) {
  command.add_option("-o,--output", output, "File to write")->required()->type_name("FILE");
  command
      .add_option("--opset", opset,
                  "Opset to write; default: the lowest, not below the model's, that says exactly the same")
      ->type_name("N");
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
  for (const char* of_bytes : {"--opset", "--external-data", "--external-threshold", "--portable"})
    as_text->excludes(command.get_option(of_bytes));
  command.add_flag("--backup", backup, "Let the output replace the input, which is kept as FILE.bak");
  command.add_flag("--overwrite", overwrite, "Let --external-data replace a file that is there");
}

void WriteFlags::set(onnxrun::Options& options) const {
  in_phase(kUsage, [&] {
    if (opset != 0) options.set("opset", opset);
    if (portable) options.set("portable", "1");
    if (!external_data.empty()) options.set("external_data", external_data);
    if (!external_threshold.empty()) options.set("external_threshold", external_threshold);
  });
}

void WriteFlags::write(const std::vector<std::string>& sources, const onnxrun::Options& options,
                       const std::function<onnxrun::Model()>& make) const {
  write_with(sources, [&] {
    const onnxrun::Model model = make();
    if (text) return write_file(output, model.to_text());
    try {
      model.save(output, options);
    } catch (const onnxrun::Error& error) {
      // What cannot be said at the opset is the model's fault, what cannot be written is not.
      if (error.code() == onnxrun::Code::kIo) throw Failure(error.what(), kRun);
      throw;
    }
  });
}

void WriteFlags::write_with(const std::vector<std::string>& sources, const std::function<void()>& put) const {
  Backup kept(backup);
  const std::string data = (std::filesystem::path(output).parent_path() / external_data).string();
  for (const std::string& source : sources) {
    kept.protect(source, output);
    if (!external_data.empty()) kept.protect(source, data);
  }
  if (!external_data.empty() && !backup && !overwrite && std::filesystem::exists(data))
    throw Failure("--external-data: '" + data +
                  "' exists already and may belong to another model: name another file, or allow it with --overwrite");
  in_phase(kModel, put);
  const std::vector<std::filesystem::path> files = kept.keep();
  for (const auto& path : files) std::cout << "kept what was there as " << path.string() << '\n';
  if (files.size() > 1) std::cout << "to go back, move them all: the model names its data file\n";
}

std::vector<std::string> files_of(const std::string& path, const onnxrun::Model& model) {
  std::vector<std::string> files{path};
  const auto report = nlohmann::json::parse(model.inspect());
  for (const auto& file : report["external_files"]) files.push_back(file.get<std::string>());
  return files;
}

}  // namespace cli
