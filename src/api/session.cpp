// Session functions of the C interface.
#include "api/assemble.h"
#include "api/functions.h"
#include "api/json.h"
#include "api/status.h"

namespace onnxrun::api {

Json memory_json(const run::Session& session) {
  const base::Budget& budget = *session.options().budget;
  return {{"blocks", session.block_bytes()}, {"packed", session.program().packed_bytes()},
          {"plans", session.plan_bytes()},   {"used", budget.used()},
          {"peak", budget.peak()},           {"limit", budget.cap()}};
}

onnxrun_status* session_create(const onnxrun_model* model, const onnxrun_options* options, onnxrun_session** out) {
  return guard([&] {
    need(out, "out");
    const ir::Model& given = *need(model, "model").model;
    const onnxrun_options wanted = options_for(*model, options);
    if (!wanted.optimized_model.empty())
      import::export_file(optimized(given, wanted), wanted.optimized_model, export_options(wanted));
    *out = new onnxrun_session{make_session(given, wanted, model->preparations.get())};
  });
}

void session_free(onnxrun_session* session) { delete session; }

onnxrun_status* session_input_count(const onnxrun_session* session, size_t* out) {
  return guard([&] { need(out, "out") = need(session, "session").session->inputs.size(); });
}

onnxrun_status* session_output_count(const onnxrun_session* session, size_t* out) {
  return guard([&] { need(out, "out") = need(session, "session").session->outputs.size(); });
}

onnxrun_status* session_input(const onnxrun_session* session, size_t index, const onnxrun_port** out) {
  return guard([&] { need(out, "out") = &need(session, "session").session->inputs.at(index, "input"); });
}

onnxrun_status* session_output(const onnxrun_session* session, size_t index, const onnxrun_port** out) {
  return guard([&] { need(out, "out") = &need(session, "session").session->outputs.at(index, "output"); });
}

onnxrun_status* session_trim(onnxrun_session* session) {
  return guard([&] { need(session, "session").session->session.trim(); });
}

onnxrun_status* session_memory(const onnxrun_session* session, onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    Json report{{"version", 1}};
    report.update(memory_json(need(session, "session").session->session));
    *out = make_blob(report);
  });
}

}  // namespace onnxrun::api
