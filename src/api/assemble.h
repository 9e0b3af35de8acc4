// Assembly: operator table, providers, import and session put together as options say.
#pragma once

#include <memory>

#include "api/handles.h"
#include "import/export.h"

namespace onnxrun::api {

// All operators; built on first use and never destroyed.
const ir::OpTable& op_table();

// The operators of the options: built-in ones and those that callers brought.
const ir::OpTable& op_table(const onnxrun_options& options);

// The options with the operators that the model was loaded with, in place of their own.
onnxrun_options options_for(const onnxrun_model& model, const onnxrun_options* options);

// Built-in providers and those of the options' libraries.
std::vector<plan::ProviderPtr> known_providers(const onnxrun_options& options);

// The providers listed in the options. Throws kInvalidArgument naming one that does not exist and those that do.
std::shared_ptr<const plan::ProviderSet> provider_set(const onnxrun_options& options);

// What a model read or run with the options may take.
base::BudgetPtr budget_of(const onnxrun_options& options, const base::Limits& limits);

auto import_options(const onnxrun_options& options) -> import::ImportOptions;
auto export_options(const onnxrun_options& options) -> import::ExportOptions;

// Stores the shapes that follow from computing small constant parts of the model.
void resolve_shapes(ir::Model& model, const onnxrun_options& options, const import::ImportOptions& settings);

// A copy of the model as the passes of the options' level leave it.
ir::Model optimized(const ir::Model& model, const onnxrun_options& options);

// What the passes of the options' level change, in order.
std::vector<optimize::PatchNote> patches_of(const ir::Model& model, const onnxrun_options& options);

// The handle that callers get; `ops` are those that its nodes may be.
onnxrun_model* make_handle(ir::Model model, CustomOpsPtr ops);

// A private copy of the model, optimised and made ready to run. Weights are shared with `model`. What is in `shared` for such options is taken from there,
// and put there where it is not.
std::shared_ptr<Session> make_session(const ir::Model& model, const onnxrun_options& options,
                                      Preparations* shared = nullptr);

// The caller's options, or defaults for null.
const onnxrun_options& or_defaults(const onnxrun_options* options);

}  // namespace onnxrun::api
