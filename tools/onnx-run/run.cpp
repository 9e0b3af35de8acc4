// onnx-run run: runs a model once or several times and shows or writes its outputs.
#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <optional>
#include <set>

#include "commands.h"
#include "files.h"
#include "inputs.h"
#include "npy.h"
#include "outcome.h"
#include "profile.h"
#include "session_flags.h"
#include "show.h"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

struct RunFlags {
  SessionFlags session;
  InputFlags inputs;
  std::string model, output_dir;
  int repeat = 1;
  double timeout = 0;
  bool quiet = false, verbose = false;
};

double milliseconds(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// A misspelt --dim would change nothing; say so.
void check_dims(const RunFlags& flags) {
  if (flags.session.dims.empty()) return;
  RunFlags plain = flags;
  plain.session.dims.clear();
  std::set<std::string> symbols;
  for (const auto& port : onnxrun::Model(flags.model, plain.session.options()).inputs())
    symbols.insert(port.symbols.begin(), port.symbols.end());
  symbols.erase("");
  symbols.erase("?");
  std::string known;
  for (const std::string& symbol : symbols) known += (known.empty() ? "" : ", ") + symbol;
  for (const std::string& dim : flags.session.dims) {
    const std::string name = split_assignment(dim, "--dim").first;
    if (!symbols.contains(name))
      throw Failure("--dim: no input has a dimension '" + name + "'; there are: " + (known.empty() ? "none" : known));
  }
}

void write_value(const std::filesystem::path& folder, const std::string& stem, const onnxrun::Value& value) {
  switch (value.kind()) {
    case ONNXRUN_KIND_TENSOR: return write_file(folder / (stem + ".npy"), write_npy(onnxrun::Tensor(value)));
    case ONNXRUN_KIND_SEQUENCE: {
      size_t i = 0;
      for (const onnxrun::Value& element : value.elements())
        write_value(folder, stem + "_" + std::to_string(i++), element);
      return;
    }
    case ONNXRUN_KIND_MAP:
      write_value(folder, stem + "_keys", value.keys());
      return write_value(folder, stem + "_values", value.values());
    default: return;  // nothing to write for an absent optional
  }
}

void write_outputs(const std::string& folder, const onnxrun::Results& results) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Failure("'" + folder + "' cannot be made: " + error.message(), kRun);
  std::set<std::string> used;
  for (const auto& [name, value] : results) {
    const std::string stem = file_name_of(name);
    if (!used.insert(stem).second)
      throw Failure("two outputs would be written to " + stem + ".npy; the second is '" + name + "'", kRun);
    write_value(folder, stem, value);
  }
}

void print_times(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  double sum = 0;
  for (const double time : times) sum += time;
  std::cout << std::fixed << std::setprecision(3);
  if (times.size() == 1) {
    std::cout << "time  " << times[0] << " ms\n";
  } else {
    std::cout << "time  min " << times.front() << "  median " << times[times.size() / 2] << "  mean "
              << sum / static_cast<double>(times.size()) << "  max " << times.back() << " ms over " << times.size()
              << " runs\n";
  }
  std::cout << std::defaultfloat << std::setprecision(6);
}

// What to try when a run fails on inputs that nobody gave: "" when all were given.
std::string hint_on_made_up(const onnxrun::NamedValues& inputs, const InputFlags& flags) {
  std::string names;
  for (const auto& [name, value] : inputs) {
    const auto names_it = [&, &wanted = name](const std::string& file) {
      return file.starts_with(wanted + "=") || file.find('=') == std::string::npos;
    };
    if (std::none_of(flags.files.begin(), flags.files.end(), names_it))
      names += (names.empty() ? "'" : ", '") + name + "'";
  }
  if (names.empty()) return {};
  return "\nMade up: " + names +
         ", with free dimensions of 1; --shape, --dim and --input give the model what it expects.";
}

int run(const RunFlags& flags) {
  const auto begin = Clock::now();
  const onnxrun::Options options = flags.session.options();
  const onnxrun::Session session = in_phase(kModel, [&] {
    check_dims(flags);
    return onnxrun::Session(flags.model, options);
  });
  if (flags.verbose) std::cout << "load  " << milliseconds(begin) << " ms\n";
  const onnxrun::NamedValues inputs = in_phase(kRun, [&] { return make_inputs(session.inputs(), flags.inputs); });
  if (flags.verbose)
    for (const auto& [name, value] : inputs) show_value(std::cout, "input " + name, value);

  return in_phase(kRun, [&] {
    onnxrun::Run run(session);
    for (const auto& [name, value] : inputs) run.set_input(name, value);
    run.set_timeout(flags.timeout);
    run.set_profile(flags.verbose);
    std::vector<double> times;
    std::optional<onnxrun::Results> results;
    for (int i = 0; i < flags.repeat; ++i) {
      const auto start = Clock::now();
      results.reset();
      try {
        results = run.execute();
      } catch (const onnxrun::Error& error) {
        if (error.code() != onnxrun::Code::kRunFailed && error.code() != onnxrun::Code::kInvalidModel) throw;
        throw Failure(error.what() + hint_on_made_up(inputs, flags.inputs), kRun);
      }
      times.push_back(milliseconds(start));
    }
    if (!flags.output_dir.empty()) write_outputs(flags.output_dir, *results);
    if (!flags.quiet) {
      for (const auto& [name, value] : *results) show_value(std::cout, name, value);
      if (flags.repeat > 1 || flags.verbose) print_times(times);
    }
    if (flags.verbose) {
      print_profile(std::cout, run.profile());
      print_memory(std::cout, session.memory());
    }
    return static_cast<int>(kOk);
  });
}

void add_picture_flags(CLI::App& command, PictureFlags& flags) {
  constexpr const char* kGroup = "Pictures";
  command
      .add_option("--image-layout", flags.layout, "Where channels, height and width lie; default by the input's shape")
      ->check(CLI::IsMember({"auto", "nchw", "nhwc", "chw", "hwc", "hw"}))
      ->group(kGroup)
      ->type_name("LAYOUT");
  command
      .add_option("--image-size", flags.size,
                  "Height and width to resize to; default the input's, where it is free the picture's")
      ->group(kGroup)
      ->type_name("HxW");
  command.add_option("--image-resize", flags.resize, "bilinear (default; half-pixel centres), area or nearest")
      ->check(CLI::IsMember({"bilinear", "area", "nearest"}))
      ->group(kGroup)
      ->type_name("HOW");
  command
      .add_option("--image-scale", flags.scale,
                  "Factor of the pixels 0..255; default 1/255 for floating point, 1 for integers")
      ->group(kGroup)
      ->type_name("X");
  command
      .add_option("--image-mean", flags.mean, "Subtracted after scaling; one number, or one a channel, as 0.5,0.5,0.5")
      ->delimiter(',')
      ->group(kGroup)
      ->type_name("X");
  command.add_option("--image-std", flags.std, "Divides after that")->delimiter(',')->group(kGroup)->type_name("X");
  command.add_flag("--image-grey", flags.grey, "One channel: 0.299 R + 0.587 G + 0.114 B")->group(kGroup);
  command.add_flag("--image-bgr", flags.bgr, "Channels in the order blue, green, red")->group(kGroup);
}

constexpr const char* kFooter =
    "Inputs\n"
    "  NAME=FILE by the file's ending: .npy; .npz (array NAME, or the only one; 'FILE.npz' alone: all arrays by name); "
    ".pb (a TensorProto,\n"
    "  SequenceProto, OptionalProto or MapProto); .png, .jpg (see Pictures); .raw (the elements' bytes, row-major, "
    "little-endian).\n"
    "  Inputs not given are made up from --seed: floating point uniform in [0, 1), integers and bool 0 or 1, strings "
    "one letter; the same\n"
    "  seed gives the same values on every machine. Symbolic dimensions take the size of --dim, of a given input or of "
    "--shape, else 1.\n"
    "Pictures\n"
    "  Element = (pixel * scale - mean) / std, after resizing. Transparency is laid on white. One channel where the "
    "input has one. Where only one\n"
    "  of height and width is fixed, the other follows in proportion, rounded up.\n"
    "Outputs\n"
    "  Written as NAME.npy, with _ for characters other than A-Z a-z 0-9 . _ -; each file appears whole or not at all. "
    "Types that numpy lacks are\n"
    "  widened (bfloat16, float8, float4 to float32; int4, int2 to int8). Elements of a sequence become NAME_0.npy, "
    "NAME_1.npy, ...; a map NAME_keys.npy\n"
    "  and NAME_values.npy.\n"
    "Example\n"
    "  onnx-run run digits.onnx --input image=5.png --image-resize area --output-dir out";

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("run", "Run a model and show its outputs");
  auto flags = std::make_shared<RunFlags>();
  command->add_option("MODEL", flags->model, "Model file")->required()->type_name("");
  command->add_option("--input", flags->inputs.files, "Value of an input; may be repeated")
      ->type_name("NAME=FILE")
      ->allow_extra_args(false);
  command
      ->add_option("--shape", flags->inputs.shapes,
                   "Shape of an input that is made up or raw, as image=1x3x224x224; may be repeated")
      ->type_name("NAME=SHAPE")
      ->allow_extra_args(false);
  command->add_option("--seed", flags->inputs.seed, "Of the inputs made up; default 0")->type_name("N");
  command->add_option("--output-dir", flags->output_dir, "Write every output to this folder")->type_name("DIR");
  command->add_option("--repeat", flags->repeat, "Run this often and show times")
      ->check(CLI::Range(1, 1000000000))
      ->type_name("N");
  command->add_option("--timeout", flags->timeout, "Seconds that a run may take")
      ->check(CLI::PositiveNumber)
      ->type_name("SECONDS");
  command->add_option("--threads", flags->session.threads, "Threads of a run; default: all CPUs of the process")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  flags->session.add_running(*command);
  flags->session.add_loading(*command);
  auto* quiet = command->add_flag("--quiet", flags->quiet, "Print nothing");
  command->add_flag("--verbose", flags->verbose, "Also print inputs, times, steps and memory")->excludes(quiet);
  add_picture_flags(*command, flags->inputs.picture);
  command->footer(kFooter);
  command->callback([flags, &exit_code] { exit_code = run(*flags); });
}

}  // namespace cli
