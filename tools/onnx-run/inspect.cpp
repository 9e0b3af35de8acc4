// onnx-run inspect: what a model is made of.
#include <iostream>
#include <nlohmann/json.hpp>
#include <onnxrun/onnxrun.hpp>

#include "commands.h"
#include "files.h"
#include "html.h"
#include "inspect_text.h"
#include "outcome.h"
#include "session_flags.h"

namespace cli {
namespace {

struct InspectFlags {
  SessionFlags session;
  std::string model, html, print_after;
  bool json = false, ops = false, shapes = false, weights = false, explain = false, passes = false, text = false,
       whole = false, changes = false, build_list = false;
};

int inspect(const InspectFlags& flags) {
  onnxrun::Options options = flags.session.options();
  if (!flags.print_after.empty()) in_phase(kUsage, [&] { options.set("print_after", flags.print_after); });
  if (flags.changes) in_phase(kUsage, [&] { options.set("print_after", "all"); });
  if (flags.build_list) {
    options.set("record_operators", "1");
    const auto report = nlohmann::json::parse(
        in_phase(kModel, [&] { return onnxrun::Model(flags.model, options).inspect(ONNXRUN_INSPECT_BUILD, options); }));
    std::cout << "# What a reduced build of onnxrun needs to run a model: cmake -DONNXRUN_OPERATORS=FILE\n";
    for (const auto& line : report["build"]) std::cout << line.get<std::string>() << '\n';
    return kOk;
  }
  if (flags.whole) {
    std::cout << in_phase(kModel, [&] { return onnxrun::Model(flags.model, options).to_text(); });
    return kOk;
  }
  if (!flags.html.empty()) {
    write_file(
        flags.html, html_page(in_phase(kModel, [&] {
          return onnxrun::Model(flags.model, options).inspect(ONNXRUN_INSPECT_OPS | ONNXRUN_INSPECT_GRAPH, options);
        })));
    std::cout << flags.html << " shows the graph in any browser\n";
    return kOk;
  }
  uint32_t parts = ONNXRUN_INSPECT_DIGESTS | ONNXRUN_INSPECT_OPS;
  if (flags.shapes) parts |= ONNXRUN_INSPECT_SHAPES;
  if (flags.weights) parts |= ONNXRUN_INSPECT_WEIGHTS;
  if (flags.explain) parts |= ONNXRUN_INSPECT_EXPLAIN;
  if (flags.passes || flags.changes || !flags.print_after.empty()) parts |= ONNXRUN_INSPECT_PASSES;
  if (flags.text || flags.changes) parts |= ONNXRUN_INSPECT_TEXT;
  const std::string text =
      in_phase(kModel, [&] { return onnxrun::Model(flags.model, options).inspect(parts, options); });
  if (flags.text && !flags.json) {
    std::cout << nlohmann::json::parse(text)["text"].get<std::string>();
    return kOk;
  }
  if (flags.json) {
    std::cout << text << '\n';
    return kOk;
  }
  const Report report = Report::parse(text);
  if (flags.changes) {
    print_changes(std::cout, report, report["text"].get<std::string>());
    return kOk;
  }
  if (!flags.print_after.empty()) {
    print_graphs(std::cout, report);
    return kOk;
  }
  if (flags.ops) {
    for (const auto& op : report["ops"]) std::cout << op["op"].get<std::string>() << '\n';
    return kOk;
  }
  print_summary(std::cout, report);
  if (flags.shapes) print_values(std::cout, report);
  if (flags.weights) print_weights(std::cout, report);
  if (flags.explain) print_steps(std::cout, report);
  if (flags.passes) print_passes(std::cout, report);
  return kOk;
}

}  // namespace

void add_inspect(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("inspect", "Show what a model is made of");
  auto flags = std::make_shared<InspectFlags>();
  command->add_option("MODEL", flags->model, "Model file")->required()->type_name("");
  command->add_flag("--json", flags->json, "Print the report as JSON");
  command->add_flag("--ops", flags->ops, "Print only the operators used, one a line");
  command->add_flag("--build-list", flags->build_list,
                    "Print only what a build needs to run the model as these options say, one a line: cmake "
                    "-DONNXRUN_OPERATORS=FILE takes it, or several joined");
  command->add_flag("--shapes", flags->shapes, "Every value with its type and shape, and how many are known");
  command->add_flag("--weights", flags->weights, "Every initializer with type, shape, size and range");
  command->add_flag("--explain", flags->explain,
                    "Every step with its provider and kernel, and why other kernels declined");
  command->add_flag("--list-passes", flags->passes,
                    "Every optimizer pass with its level, what it changed and how long it took");
  command
      ->add_option(
          "--print-after", flags->print_after,
          "Print only the graph as text, each time that one of these optimizer passes, or of all, has changed it")
      ->type_name("NAME,...");
  command
      ->add_flag("--changes", flags->changes,
                 "Print only what each optimizer pass takes out of the graph's text (-) and puts in (+), pass by pass")
      ->excludes(command->get_option("--print-after"));
  auto* text = command->add_flag(
      "--text", flags->text,
      "Print only the graph as text, as it is after lifting: a line a node with types and shapes, bodies indented");
  command
      ->add_flag("--whole", flags->whole,
                 "With every element and all else the model says, so that the text is a model file for all commands")
      ->needs(text);
  command
      ->add_option("--html", flags->html,
                   "Write a web page of the graph that needs nothing else: shapes, costs, search, bodies")
      ->type_name("FILE");
  flags->session.add_running(*command);
  flags->session.add_loading(*command);
  auto* passes = command->get_option("--passes");
  passes->expected(0, 1)->description(passes->get_description() + "; with no names, as --changes");
  command->footer(
      "Operations count two for a multiply-add and are formulas where dimensions are symbolic; fix them with --dim. "
      "'sha256' is of the file,\n"
      "'digest' of what it says: equal for files that differ only in how they were serialised.");
  command->callback([flags, passes, &exit_code] {
    flags->changes |= passes->count() > 0 && flags->session.passes.empty();
    exit_code = inspect(*flags);
  });
}

}  // namespace cli
