// onnx-run: run, test, inspect, check, rewrite and measure ONNX models from the command line.
#include <onnxrun/onnxrun.hpp>

#include <iostream>

#include "commands.h"
#include "outcome.h"
#include "plain_text.h"

namespace {

constexpr const char* kFooter =
    "Exit codes: 0 ok, 1 mismatch or failed case, 2 usage, 3 invalid or unsupported model, 4 run error.\n"
    "Errors go to standard error; its first line is the message. 'onnx-run COMMAND --help' explains a command.";

int exit_code_of(const onnxrun::Error& error) {
  switch (error.code()) {
    case onnxrun::Code::kInvalidArgument: return cli::kUsage;
    case onnxrun::Code::kInvalidModel:
    case onnxrun::Code::kUnsupported:
    case onnxrun::Code::kIo: return cli::kModel;
    default: return cli::kRun;
  }
}

// The commands of which `name` may be a misspelt one.
void refuse_unknown_command(const CLI::App& app, const std::string& name) {
  std::string known;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == name) return;
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  throw cli::Failure("there is no command '" + name + "'; there are " + known);
}

int run(int argc, char** argv) {
  CLI::App app("Runs ONNX models.", "onnx-run");
  app.set_version_flag("--version", std::string("onnx-run ") + onnxrun::api().library_version());
  app.require_subcommand(1);
  app.footer(kFooter);
  app.get_formatter()->column_width(32);
  int exit_code = cli::kOk;
  cli::add_run(app, exit_code);
  cli::add_test(app, exit_code);
  cli::add_inspect(app, exit_code);
  cli::add_check(app, exit_code);
  cli::add_optimize(app, exit_code);
  cli::add_convert(app, exit_code);
  cli::add_quantize(app, exit_code);
  cli::add_edit(app, exit_code);
  cli::add_compare(app, exit_code);
  cli::add_debug(app, exit_code);
  cli::add_bench(app, exit_code);
  cli::add_profile(app, exit_code);
  cli::add_providers(app, exit_code);
  if (argc > 1 && *argv[1] != '-') refuse_unknown_command(app, argv[1]);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      app.exit(error);
      return cli::kOk;
    }
    std::cerr << cli::plain_text(error.what()) << "\nonnx-run --help lists the commands\n";
    return cli::kUsage;
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  const cli::PlainText names_of_files(std::cout);
  try {
    const int code = run(argc, argv);
    if (!std::cout.flush()) throw cli::Failure("standard output could not be written", cli::kRun);
    return code;
  } catch (const cli::Failure& failure) {
    std::cout << std::flush;
    std::cerr << cli::plain_text(failure.what()) << '\n';
    return failure.exit();
  } catch (const onnxrun::Error& error) {
    std::cout << std::flush;
    std::cerr << cli::plain_text(error.what()) << '\n';
    return exit_code_of(error);
  } catch (const std::bad_alloc&) {
    std::cerr << "the system has no memory left to give\n";
    return cli::kRun;
  } catch (const std::exception& error) {
    std::cerr << cli::plain_text(error.what()) << '\n';
    return cli::kRun;
  }
}
