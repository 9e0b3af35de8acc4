// What stands behind the opaque handles of the C interface.
#pragma once

#include <onnxrun/onnxrun.h>

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/async.h"
#include "api/callbacks.h"
#include "api/custom_ops.h"
#include "api/named_list.h"
#include "api/ports.h"
#include "api/preparations.h"
#include "api/statistics.h"
#include "base/allocator.h"
#include "base/limits.h"
#include "base/value.h"
#include "edit/editor.h"
#include "import/import.h"
#include "ir/graph.h"
#include "optimize/driver.h"
#include "plan/provider_set.h"
#include "run/observer.h"
#include "run/poll.h"
#include "run/session.h"

struct onnxrun_blob {
  std::string text;
};

struct onnxrun_options {
  std::optional<onnxrun::import::LoadMode> load;
  bool strict = false;
  std::string external_root;
  bool allow_links = false;
  std::map<std::string, int64_t> dims;
  std::vector<std::string> providers{"cpu"};
  std::vector<onnxrun::plan::ProviderPtr> plugins;
  int level = 99;
  std::vector<std::string> passes, disabled_passes, print_after;
  int64_t max_patches = INT64_MAX;
  std::string optimized_model;  // file that a session writes; "": none
  int threads = 0;
  int streams = 1;
  int precision = ONNXRUN_PRECISION_HIGHEST;  // of float32 products
  bool reference_kernels = false;
  bool flush_denormals = true;
  int64_t opset = 0;
  bool portable = false;
  std::string external_data;
  int64_t external_threshold = 1024;
  onnxrun::api::StatisticsOptions statistics;
  onnxrun::api::LogPtr log;
  std::shared_ptr<const onnxrun::base::Allocator> allocator;
  onnxrun::api::CustomOpsPtr ops;
  std::vector<std::pair<int64_t onnxrun::base::Limits::*, int64_t>> set_limits;
  std::optional<double> set_timeout;

  onnxrun::base::Limits limits() const {
    onnxrun::base::Limits result = strict ? onnxrun::base::strict_limits() : onnxrun::base::Limits();
    for (const auto& [limit, value] : set_limits) result.*limit = value;
    return result;
  }
  // Seconds for a model to be read, for a session to be made and for each run; 0: any.
  double timeout() const { return set_timeout.value_or(strict ? 60 : 0); }
};

// Immutable; sessions share what lies inside.
struct onnxrun_model {
  onnxrun::api::CustomOpsPtr ops;  // that its nodes may be; null: none. Outlives them
  std::shared_ptr<const onnxrun::ir::Model> model;
  onnxrun::api::Ports inputs, outputs;
  std::shared_ptr<onnxrun::api::Preparations> preparations = std::make_shared<onnxrun::api::Preparations>();
};

struct onnxrun_editor {
  onnxrun::api::CustomOpsPtr ops;
  onnxrun::edit::Editor editor;
};

namespace onnxrun::api {

struct Session {
  Session(std::shared_ptr<const Preparation> given, run::SessionOptions options, int streams)
      : preparation(std::move(given)), session(preparation->prepared, std::move(options)), async(streams) {}
  const optimize::OptimizeReport& optimization() const { return preparation->optimization; }
  CustomOpsPtr ops;  // outlives the nodes that are such
  std::shared_ptr<const Preparation> preparation;
  run::Session session;
  Ports inputs, outputs;
  double timeout = 0;                      // seconds, of runs that set none
  std::unique_ptr<Statistics> statistics;  // null: nothing is counted
  LogPtr log;
  AsyncThreads async;
};

}  // namespace onnxrun::api

struct onnxrun_session {
  std::shared_ptr<onnxrun::api::Session> session;
};

struct onnxrun_value {
  onnxrun::base::Value value;
  bool writable = false;
};

struct onnxrun_run {
  std::shared_ptr<onnxrun::api::Session> session;
  onnxrun::api::NamedList inputs, outputs;
  std::map<std::string, int32_t> output_memories;  // of outputs that are to be made on devices
  double timeout = 0;
  std::atomic<bool> cancelled{false};
  onnxrun::run::Poll poll;
  onnxrun::run::Observer observer;
  std::vector<std::pair<std::string, onnxrun::base::Value>> results;
  const std::shared_ptr<onnxrun::api::Flight> flight = std::make_shared<onnxrun::api::Flight>();
};
