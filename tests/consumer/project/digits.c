/* A user's program in C89: the same as digits.cpp over the table of functions. */
#include <onnxrun/onnxrun.h>
#include <onnxrun/provider.h>

#include <stdio.h>

static const onnxrun_api* api;

static int failed(onnxrun_status* status) {
  if (status == NULL) return 0;
  fprintf(stderr, "%s\n", api->status_message(status));
  api->status_free(status);
  return 1;
}

static int run(const char* path, onnxrun_model** model, onnxrun_session** session, onnxrun_value** image,
               onnxrun_run** runs, onnxrun_value** result) {
  static const int64_t dims[4] = {1, 1, 8, 8};
  double pixels[64];
  double probabilities[10];
  int i;
  for (i = 0; i < 64; ++i) pixels[i] = (i * 7 % 16) / 16.0;
  if (failed(api->model_load(path, NULL, model))) return 1;
  if (failed(api->session_create(*model, NULL, session))) return 1;
  if (failed(api->value_create_tensor(ONNXRUN_DTYPE_FLOAT32, dims, 4, image))) return 1;
  if (failed(api->value_from_doubles(*image, pixels, 64))) return 1;
  if (failed(api->run_create(*session, runs))) return 1;
  if (failed(api->run_set_input(*runs, "image", *image))) return 1;
  if (failed(api->run_execute(*runs))) return 1;
  if (failed(api->run_output_by_name(*runs, "probabilities", result))) return 1;
  if (failed(api->value_to_doubles(*result, probabilities, 10))) return 1;
  for (i = 0; i < 10; ++i) printf("%.6f\n", probabilities[i]);
  return 0;
}

int main(int argc, char** argv) {
  onnxrun_model* model = NULL;
  onnxrun_session* session = NULL;
  onnxrun_value* image = NULL;
  onnxrun_run* runs = NULL;
  onnxrun_value* result = NULL;
  int code;
  if (argc != 2) return 2;
  api = onnxrun_get_api(ONNXRUN_API_VERSION);
  if (api == NULL) return 3;
  code = run(argv[1], &model, &session, &image, &runs, &result);
  api->value_free(result);
  api->run_free(runs);
  api->value_free(image);
  api->session_free(session);
  api->model_free(model);
  return code;
}
