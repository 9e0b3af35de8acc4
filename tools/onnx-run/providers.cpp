// onnx-run providers: what there is to run on.
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <onnxrun/onnxrun.hpp>

#include "amounts.h"
#include "commands.h"
#include "outcome.h"
#include "session_flags.h"

namespace cli {

void add_providers(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("providers", "List the providers that models can run on");
  auto flags = std::make_shared<SessionFlags>();
  auto json = std::make_shared<bool>(false);
  command
      ->add_option("--provider-library", flags->provider_libraries,
                   "Plug-in library that adds a provider; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_flag("--json", *json, "Print the report as JSON");
  command->callback([flags, json, &exit_code] {
    const std::string report = onnxrun::providers(flags->options());
    if (*json) {
      std::cout << report << '\n';
    } else {
      const auto parsed = nlohmann::json::parse(report);
      for (const auto& provider : parsed["providers"])
        std::cout << provider["name"].get<std::string>() << ": " << provider["description"].get<std::string>() << "; "
                  << counted(provider["kernels"].get<int64_t>(), "kernel") << " for "
                  << counted(provider["operators"].get<int64_t>(), "operator")
                  << (provider["device"] == true ? ", memory of its own" : "") << '\n';
    }
    exit_code = kOk;
  });
}

}  // namespace cli
