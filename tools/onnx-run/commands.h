// The subcommands of onnx-run: each adds itself to the parser, with what to do when it is called.
#pragma once

#include <CLI/CLI.hpp>

namespace cli {

void add_run(CLI::App& app, int& exit_code);
void add_test(CLI::App& app, int& exit_code);
void add_inspect(CLI::App& app, int& exit_code);
void add_check(CLI::App& app, int& exit_code);
void add_optimize(CLI::App& app, int& exit_code);
void add_convert(CLI::App& app, int& exit_code);
void add_quantize(CLI::App& app, int& exit_code);
void add_edit(CLI::App& app, int& exit_code);
void add_debug(CLI::App& app, int& exit_code);
void add_compare(CLI::App& app, int& exit_code);
void add_bench(CLI::App& app, int& exit_code);
void add_profile(CLI::App& app, int& exit_code);
void add_providers(CLI::App& app, int& exit_code);

}  // namespace cli
