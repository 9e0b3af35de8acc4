// onnx-run check: everything that is wrong with a model, and what is worth knowing before it is used.
#include <iostream>
#include <nlohmann/json.hpp>
#include <onnxrun/onnxrun.hpp>

#include "amounts.h"
#include "commands.h"
#include "outcome.h"
#include "session_flags.h"

namespace cli {
namespace {

void print_asks(const nlohmann::json& asks) {
  std::cout << "What the file would have you do:\n";
  if (asks.is_null()) {
    std::cout << "  cannot be told: it cannot be read that far\n";
    return;
  }
  const auto& largest = asks["largest_tensor"];
  std::cout << "  sizes: file of " << bytes(asks["file_bytes"]) << ", " << counted(asks["nodes"], "node") << ", "
            << counted(asks["initializers"], "initializer") << " of " << bytes(asks["weight_bytes"]);
  if (largest["bytes"] != 0)
    std::cout << " (largest: '" << largest["name"].get<std::string>() << "', " << bytes(largest["bytes"]) << ")";
  std::cout << ", " << counted(asks["functions"], "function") << ", graphs nested " << asks["nesting"] << " deep\n";
  std::cout << "  values it computes:";
  if (const auto& values = asks["computed_values"]; values.is_null()) {
    std::cout << " none, as it cannot be loaded\n";
  } else {
    std::cout << (values["largest"].empty() && values["of_unknown_size"] == 0 ? " none\n" : "\n");
    for (const auto& value : values["largest"])
      std::cout << "    '" << value["name"].get<std::string>() << "' of " << value["type"].get<std::string>() << ": "
                << bytes(value["bytes"]) << ", of " << value["node"].get<std::string>() << '\n';
    if (values["of_unknown_size"] != 0)
      std::cout << "    " << counted(values["of_unknown_size"], "value") << " of sizes that inputs or data decide\n";
  }
  std::cout << "  files read beside it:" << (asks["external_files"].empty() ? " none" : "") << '\n';
  for (const auto& file : asks["external_files"]) {
    std::cout << "    '" << file["location"].get<std::string>() << "': " << bytes(file["bytes"]) << " in "
              << counted(file["tensors"], "tensor");
    if (const auto why = file["refused"].get<std::string>(); !why.empty()) std::cout << "; refused: " << why;
    std::cout << '\n';
  }
  std::cout << "  loops:" << (asks["iterations"].empty() ? " none" : "") << '\n';
  for (const auto& loop : asks["iterations"]) {
    std::cout << "    " << loop["node"].get<std::string>() << ": ";
    if (loop["endless"].get<bool>()) std::cout << "no count given: until its condition ends it\n";
    else if (loop["trips"].is_null()) std::cout << "a count that the run computes\n";
    else std::cout << "at most " << loop["trips"] << " times\n";
  }
  std::cout << "  operators that onnxrun does not know:" << (asks["unknown_operators"].empty() ? " none" : "") << '\n';
  for (const auto& op : asks["unknown_operators"])
    std::cout << "    '" << op["operator"].get<std::string>() << "' of domain '" << op["domain"].get<std::string>()
              << "': " << counted(op["nodes"], "node") << '\n';
}

}  // namespace

void add_check(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("check", "List all problems of a model, each with a fix");
  auto flags = std::make_shared<SessionFlags>();
  auto path = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command->add_option("MODEL", *path, "Model file")->required()->type_name("");
  command->add_flag("--json", *json, "Print the report as JSON");
  auto untrusted = std::make_shared<bool>(false);
  command->add_flag("--untrusted", *untrusted,
                    "Check as --strict does, and tell what the file would do: files read beside it, sizes, loops, "
                    "operators not known; nothing is run");
  flags->add_loading(*command);
  command->footer("Exit code 3 when there are errors, 0 when there are only warnings or nothing.");
  command->callback([flags, path, json, untrusted, &exit_code] {
    flags->strict |= *untrusted;
    const std::string text = in_phase(kModel, [&] { return onnxrun::check_model(*path, flags->options()); });
    const auto report = nlohmann::json::parse(text);
    const auto errors = report["errors"].get<int64_t>(), warnings = report["warnings"].get<int64_t>();
    exit_code = errors == 0 ? kOk : kModel;
    if (errors != 0) std::cerr << '\'' << *path << "' has " << counted(errors, "error") << '\n';
    if (*json) {
      std::cout << text << '\n';
      return;
    }
    for (const auto& problem : report["problems"]) {
      std::cout << problem["severity"].get<std::string>() << ": ";
      if (const auto node = problem["node"].get<std::string>(); !node.empty()) std::cout << node << ": ";
      std::cout << problem["what"].get<std::string>() << '\n';
      if (const auto expected = problem["expected"].get<std::string>(); !expected.empty())
        std::cout << "  expected: " << expected << '\n';
      if (const auto fix = problem["fix"].get<std::string>(); !fix.empty()) std::cout << "  fix: " << fix << '\n';
    }
    if (*untrusted) print_asks(report["asks"]);
    std::cout << counted(errors, "error") << ", " << counted(warnings, "warning") << '\n';
  });
}

}  // namespace cli
