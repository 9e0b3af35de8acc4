// Flags into options.
#include "session_flags.h"

#include <algorithm>
#include <set>

#include "outcome.h"

namespace cli {
namespace {

constexpr const char* kLimits[] = {"timeout",    "max_memory",          "max_tensor",       "max_file",
                                   "max_string", "max_nodes",           "max_initializers", "max_nesting",
                                   "max_rank",   "max_loop_iterations", "max_plans"};

// LIBRARY[,key=value]...
std::pair<std::string, std::vector<std::string>> split_library(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return {parts[0], {parts.begin() + 1, parts.end()}};
}

// A misspelt --dim would change nothing; say so.
void check_dims(const SessionFlags& flags, const std::string& model) {
  if (flags.dims.empty()) return;
  SessionFlags plain = flags;
  plain.dims.clear();
  std::set<std::string> symbols;
  for (const auto& port : onnxrun::Model(model, plain.options()).inputs())
    symbols.insert(port.symbols.begin(), port.symbols.end());
  symbols.erase("");
  symbols.erase("?");
  std::string known;
  for (const std::string& symbol : symbols) known += (known.empty() ? "" : ", ") + symbol;
  for (const std::string& dim : flags.dims) {
    const std::string name = split_assignment(dim, "--dim").first;
    if (!symbols.contains(name))
      throw Failure("--dim: no input has a dimension '" + name + "'; there are: " + (known.empty() ? "none" : known));
  }
}

}  // namespace

void SessionFlags::add_loading(CLI::App& command) {
  command.add_option("--dim", dims, "Size of a symbolic dimension, as batch=4; may be repeated")
      ->type_name("NAME=SIZE")
      ->allow_extra_args(false);
  command
      .add_option("--max-memory", max_memory,
                  "Bytes that the model may take, as 500M or 4G; default 80 % of the machine's or cgroup's memory")
      ->type_name("BYTES");
  command
      .add_option("--op-library", op_libraries, "Shared library that adds operators of its own; LIBRARY[,key=value]...")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      .add_option(
          "--limit", limits,
          "A limit for what the file may ask for, as max_nodes=10000 or timeout=10; may be repeated; a wrong name "
          "lists them")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command.add_flag("--strict", strict,
                   "For a file from somebody unknown: tight limits, warnings are errors, the file is read instead of "
                   "mapped");
}

void SessionFlags::add_running(CLI::App& command) {
  command
      .add_option("--provider", providers, "Provider to run on; may be repeated, in order of preference; default cpu")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command
      .add_option("--provider-library", provider_libraries,
                  "Plug-in library that adds a provider; LIBRARY[,key=value]...")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      .add_option("--precision", precision,
                  "Of products and convolutions of float32: highest (default), high, where 3x3 "
                  "convolutions may be Winograd's, or medium, where operands may be "
                  "rounded to bfloat16, and to 8 bits where weights have no more")
      ->check(CLI::IsMember({"highest", "high", "medium"}))
      ->type_name("WORD");
  command
      .add_option(
          "--kernels", kernels,
          "fastest (default), or reference: the plainest that an operator has, to tell whether a faster one is wrong")
      ->check(CLI::IsMember({"fastest", "reference"}))
      ->type_name("WORD");
  command.add_option("--level", level, "0 none, 1 basic (exact), 2 extended (fusions), 3 layout, 99 all; default 99")
      ->type_name("N");
  command
      .add_option("--passes", passes,
                  "Optimizer passes to run, and no others, separated by commas; names of onnxoptimizer's mean ours")
      ->type_name("NAME,...");
  command.add_option("--disable-pass", disabled_passes, "Optimizer pass to leave out; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command
      .add_option("--max-patches", max_patches,
                  "Stop optimising after so many changes, to find the one that makes a difference")
      ->type_name("N");
}

onnxrun::Options SessionFlags::options() const {
  return in_phase(kUsage, [&] {
    onnxrun::Options result;
    for (const std::string& library : provider_libraries) {
      const auto [path, settings] = split_library(library);
      result.add_provider_library(path, settings);
    }
    for (const std::string& library : op_libraries) {
      const auto [path, settings] = split_library(library);
      result.add_op_library(path, settings);
    }
    std::string names;
    for (const std::string& name : providers) names += (names.empty() ? "" : ",") + name;
    if (!names.empty()) result.set("providers", names);
    for (const std::string& dim : dims) {
      const auto [name, size] = split_assignment(dim, "--dim");
      result.set("dim." + name, size);
    }
    if (!precision.empty()) result.set("float32_matmul_precision", precision);
    if (!kernels.empty()) result.set("kernels", kernels);
    if (!level.empty()) result.set("level", level);
    if (!passes.empty()) result.set("passes", passes);
    std::string disabled;
    for (const std::string& name : disabled_passes) disabled += (disabled.empty() ? "" : ",") + name;
    if (!disabled.empty()) result.set("disable_passes", disabled);
    if (!max_patches.empty()) result.set("max_patches", max_patches);
    if (threads) result.set("threads", *threads);
    if (!max_memory.empty()) result.set("max_memory", max_memory);
    for (const std::string& limit : limits) {
      const auto [name, value] = split_assignment(limit, "--limit");
      if (std::find(std::begin(kLimits), std::end(kLimits), name) == std::end(kLimits)) {
        std::string known;
        for (const char* limit_name : kLimits) known += (known.empty() ? "" : ", ") + std::string(limit_name);
        throw Failure("--limit: '" + name + "' is no limit; there are: " + known);
      }
      result.set(name, value);
    }
    if (strict) result.set("strict", "1");
    return result;
  });
}

onnxrun::Options SessionFlags::operators() const {
  SessionFlags own;
  own.op_libraries = op_libraries;
  return own.options();
}

void SessionFlags::add_threads(CLI::App& command) {
  command.add_option("--threads", threads, "Threads of a run; default: all CPUs of the process")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
}

onnxrun::Session SessionFlags::open(const std::string& model, const onnxrun::Options& options) const {
  return in_phase(kModel, [&] {
    check_dims(*this, model);
    return onnxrun::Session(model, options);
  });
}

std::pair<std::string, std::string> split_assignment(const std::string& text, const std::string& flag) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    throw Failure(flag + ": '" + text + "' is not of the form NAME=VALUE");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace cli
