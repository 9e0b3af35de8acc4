// onnx-run check: everything that is wrong with a model, and what is worth knowing before it is used.
#include <iostream>
#include <nlohmann/json.hpp>
#include <onnxrun/onnxrun.hpp>

#include "commands.h"
#include "outcome.h"
#include "session_flags.h"

namespace cli {

void add_check(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("check", "List all problems of a model, each with a fix");
  auto flags = std::make_shared<SessionFlags>();
  auto path = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command->add_option("MODEL", *path, "Model file")->required()->type_name("");
  command->add_flag("--json", *json, "Print the report as JSON");
  flags->add_loading(*command);
  command->footer("Exit code 3 when there are errors, 0 when there are only warnings or nothing.");
  command->callback([flags, path, json, &exit_code] {
    const std::string text = in_phase(kModel, [&] { return onnxrun::check_model(*path, flags->options()); });
    const auto report = nlohmann::json::parse(text);
    const auto errors = report["errors"].get<size_t>(), warnings = report["warnings"].get<size_t>();
    exit_code = errors == 0 ? kOk : kModel;
    if (errors != 0) std::cerr << '\'' << *path << "' has " << errors << (errors == 1 ? " error\n" : " errors\n");
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
    std::cout << errors << (errors == 1 ? " error, " : " errors, ") << warnings
              << (warnings == 1 ? " warning" : " warnings") << '\n';
  });
}

}  // namespace cli
