// onnx-run quantize: a smaller model, and what it costs.
#include <nlohmann/json.hpp>
#include <onnxrun/onnxrun.hpp>

#include <unistd.h>

#include <chrono>
#include <iomanip>
#include <iostream>
#include <optional>
#include <sstream>

#include "amounts.h"
#include "calibration.h"
#include "commands.h"
#include "files.h"
#include "inputs.h"
#include "outcome.h"
#include "quantize_plot.h"
#include "quantize_report.h"
#include "session_flags.h"
#include "written.h"

namespace cli {
namespace {

using onnxrun::NamedValues;
using Settings = onnxrun::Quantization::Settings;

struct QuantizeFlags {
  SessionFlags session;
  WriteFlags write;
  PictureFlags picture;
  std::string model, mode = "weights", type, calibration, include, exclude, method, rounding, report_file, plot;
  std::optional<int64_t> block, samples;
  std::optional<double> target_error, percentile, smooth;
  bool equalize = false, no_bias_correction = false;
  bool symmetric = false, per_channel = false, per_tensor = false, keep_io = false, json = false, table = false,
       measure = false;
};

std::string type_of(const QuantizeFlags& flags) {
  return !flags.type.empty() ? flags.type : flags.mode == "float" ? "fp16" : "int8";
}

std::string exact(double number) {
  std::ostringstream text;
  text << std::setprecision(17) << number;
  return text.str();
}

Settings settings_of(const QuantizeFlags& flags) {
  Settings result = {{"mode", flags.mode}, {"type", type_of(flags)}};
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) result.emplace_back(key, value);
  };
  if (flags.block) add("block", std::to_string(*flags.block));
  if (flags.symmetric) add("symmetric", "1");
  if (flags.per_tensor) add("per_channel", "0");
  if (flags.keep_io) add("keep_io", "1");
  if (flags.write.portable) add("standard", "1");
  if (flags.samples) add("samples", std::to_string(*flags.samples));
  if (flags.target_error) add("target_error", exact(*flags.target_error));
  if (flags.percentile) add("percentile", exact(*flags.percentile));
  if (flags.smooth) add("smooth", exact(*flags.smooth));
  if (flags.equalize) add("equalize", "1");
  if (flags.no_bias_correction) add("correct_bias", "0");
  add("method", flags.method);
  add("rounding", flags.rounding);
  add("include", flags.include);
  add("exclude", flags.exclude);
  return result;
}

// Counts on standard error where it takes long: on one line of a terminal, else a line for each tenth.
class Progress {
 public:
  explicit Progress(size_t samples) : samples_(samples), terminal_(isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (shown_ && terminal_) std::cerr << "\r\033[K";
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void saw(size_t index) {
    constexpr std::chrono::seconds kPatience{2};
    if (index < next_ || std::chrono::steady_clock::now() - begin_ < kPatience) return;
    next_ = terminal_ ? index + 1 : index + std::max<size_t>(samples_ / 10, 1);
    shown_ = true;
    std::cerr << (terminal_ ? "\r" : "") << "calibration: sample " << index + 1 << " of " << samples_
              << (terminal_ ? "\033[K" : "\n") << std::flush;
  }

 private:
  size_t samples_, next_ = 0;
  bool terminal_, shown_ = false;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

onnxrun::Quantization quantized(const onnxrun::Model& source, const Settings& settings, const Calibration* calibration,
                                const onnxrun::Options& options) {
  onnxrun::Quantization::Samples samples;
  Progress progress(calibration ? calibration->size() : 0);
  if (calibration)
    samples = [&](size_t index) {
      progress.saw(index);
      return calibration->sample(index);
    };
  try {
    return onnxrun::Quantization(source, settings, samples, options);
  } catch (const onnxrun::Error& error) {
    throw Failure(error.what(),
                  error.code() == onnxrun::Code::kInvalidArgument                                               ? kUsage
                  : error.code() == onnxrun::Code::kUnsupported || error.code() == onnxrun::Code::kInvalidModel ? kModel
                                                                                                                : kRun);
  }
}

int quantize(const QuantizeFlags& flags) {
  onnxrun::Options options = flags.session.options();
  flags.write.set(options);
  if (!flags.table && flags.write.output.empty()) throw Failure("-o FILE is required, or --table");
  const onnxrun::Model source = in_phase(kModel, [&] { return onnxrun::Model(flags.model, options); });
  std::optional<Calibration> calibration;
  if (!flags.calibration.empty())
    calibration.emplace(flags.calibration, source.inputs(), flags.picture, Room::of(options));
  const Calibration* samples = calibration ? &*calibration : nullptr;
  if (flags.table) {
    const nlohmann::ordered_json table = quantization_table(source, settings_of(flags), samples, options);
    if (!flags.report_file.empty()) write_file(flags.report_file, table.dump(2) + "\n");
    if (!flags.plot.empty()) write_file(flags.plot, plot_of(table));
    if (flags.json) std::cout << table.dump(2) << '\n';
    else print_table(std::cout, table);
    if (flags.write.output.empty()) return kOk;
  }
  nlohmann::ordered_json report;
  flags.write.write(files_of(flags.model, source), options, [&] {
    onnxrun::Quantization made = quantized(source, settings_of(flags), samples, options);
    report = nlohmann::ordered_json::parse(made.report());
    if (samples != nullptr || flags.measure)
      report["measured"] = measured_change(source, made.model(), samples, options);
    return made.model();
  });
  report["output"] = flags.write.output;
  report["file_bytes_before"] = size_of(files_of(flags.model, source));
  report["file_bytes_after"] =
      in_phase(kModel, [&] { return size_of(files_of(flags.write.output, onnxrun::Model(flags.write.output))); });
  if (!flags.report_file.empty()) write_file(flags.report_file, report.dump(2) + "\n");
  if (flags.json) std::cout << report.dump(2) << '\n';
  else print_report(std::cout, report);
  return kOk;
}

constexpr const char* kFooter =
    "Modes\n"
    "  weights  constants in 8 or 4 bits, in blocks (com.microsoft.MatMulNBits) or, with --block 0 or --portable, "
    "DequantizeLinear; float32 arithmetic\n"
    "  dynamic  products of matrices in 8 bits, with ranges found in each run; other weights as above\n"
    "  static   convolutions, products and what lies between in 8 bits (QuantizeLinear, DequantizeLinear), with ranges "
    "from --calibration\n"
    "  float    float16 or bfloat16; nodes whose numbers do not fit stay float32 and are named\n"
    "Calibration\n"
    "  A folder of .npz files, one a sample with an array for each input; of folders with input_0.pb, ...; of .npy, "
    ".pb "
    "or pictures (see below) for a\n"
    "  model with one input; or one .npz whose arrays hold a sample an entry of their first axis. With it the report "
    "says what the change costs and gains.\n"
    "Examples\n"
    "  onnx-run quantize model.onnx -o small.onnx --type int4\n"
    "  onnx-run quantize model.onnx -o small.onnx --mode static --calibration samples/ --target-error 0.02\n"
    "  onnx-run quantize model.onnx --table --calibration samples/";

}  // namespace

void add_quantize(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("quantize", "Write a model with fewer bits, and say what that costs");
  auto flags = std::make_shared<QuantizeFlags>();
  command->add_option("MODEL", flags->model, "Model file")->required()->type_name("");
  flags->write.add_to(*command);
  command->get_option("--output")->required(false);
  command->add_option("--mode", flags->mode, "weights (default), dynamic, static or float")
      ->check(CLI::IsMember({"weights", "dynamic", "static", "float"}))
      ->type_name("MODE");
  command
      ->add_option("--type", flags->type,
                   "int8 (default), uint8, int4 of weights; fp16 (default) or bf16 of mode float")
      ->check(CLI::IsMember({"int8", "uint8", "int4", "fp16", "float16", "bf16", "bfloat16"}))
      ->type_name("TYPE");
  command
      ->add_option("--block", flags->block,
                   "Weights that share a scale, a power of two; default 32; 0: one scale an output channel")
      ->type_name("N");
  command->add_flag("--symmetric", flags->symmetric, "No zero points");
  command->add_flag("--per-channel", flags->per_channel, "A scale for each output channel; the default")
      ->excludes(command->add_flag("--per-tensor", flags->per_tensor, "One scale for a whole weight"));
  command->add_option("--include", flags->include, "Only nodes in whose name or operator this is found")
      ->type_name("REGEX");
  command->add_option("--exclude", flags->exclude, "Leave such nodes alone")->type_name("REGEX");
  command->add_flag("--keep-io", flags->keep_io, "Mode float: inputs and outputs stay float32");
  command
      ->add_option(
          "--rounding", flags->rounding,
          "Of weights: nearest, refined (least squared error), aware (weighed by what samples multiply) or "
          "compensated (later weights make up for errors of earlier ones); default of mode weights compensated with "
          "--calibration, else refined")
      ->check(CLI::IsMember({"nearest", "refined", "aware", "compensated"}))
      ->type_name("WORD");
  constexpr const char* kGroup = "Calibration";
  command->add_option("--calibration", flags->calibration, "Samples: a folder, or an .npz")
      ->group(kGroup)
      ->type_name("PATH");
  command->add_option("--samples", flags->samples, "Use so many at most")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->group(kGroup)
      ->type_name("N");
  command
      ->add_option(
          "--method", flags->method,
          "Of ranges: mse, minmax, percentile or entropy; default: mse, or minmax where that is clearly better")
      ->check(CLI::IsMember({"minmax", "percentile", "mse", "entropy"}))
      ->group(kGroup)
      ->type_name("WORD");
  command
      ->add_option("--smooth", flags->smooth,
                   "How much of the range of a product's inputs goes to its weights, 0 to 1; "
                   "default 0.5 where that lessens the error, else 0")
      ->check(CLI::Range(0.0, 1.0))
      ->group(kGroup)
      ->type_name("X");
  command->add_flag("--equalize", flags->equalize, "Scale the channels between two convolutions to a like size")
      ->group(kGroup);
  command
      ->add_flag("--no-bias-correction", flags->no_bias_correction,
                 "Let biases be, whatever the mean error of the weights")
      ->group(kGroup);
  command->add_option("--percentile", flags->percentile, "Of that method; default 99.99")
      ->group(kGroup)
      ->type_name("P");
  command
      ->add_option("--target-error", flags->target_error,
                   "Root mean square of the outputs' errors against their size: leave alone the nodes that cost most "
                   "until it is met")
      ->check(CLI::Range(1e-9, 1e6))
      ->group(kGroup)
      ->type_name("E");
  auto* table =
      command->add_flag("--table", flags->table, "Try every mode that can be and print what each costs and gains");
  command->add_option("--plot", flags->plot, "Draw the table as an SVG: errors, speeds and sizes")
      ->needs(table)
      ->type_name("FILE");
  command->add_flag("--measure", flags->measure,
                    "Time both models and report their memory without --calibration, too, on inputs that are made up");
  command->add_flag("--json", flags->json, "Print the report as JSON");
  command->add_option("--report", flags->report_file, "Write it to this file")->type_name("FILE");
  add_picture_flags(*command, flags->picture);
  flags->session.add_threads(*command);
  flags->session.add_loading(*command);
  command->footer(kFooter);
  command->callback([flags, &exit_code] { exit_code = quantize(*flags); });
}

}  // namespace cli
