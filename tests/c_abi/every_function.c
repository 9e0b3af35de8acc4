/* Calls every function of the C interface from C89, and fails for any that it has not called. */
#include <onnxrun/onnxrun.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const onnxrun_api* table;
static unsigned char called[4096];
static int failures = 0;

/* A function of the table, noted as called. */
#define CALL(name) (called[offsetof(onnxrun_api, name)] = 1, table->name)

static void fail(int line, const char* what) {
  fprintf(stderr, "line %d: %s\n", line, what);
  ++failures;
}
static void expect_ok(int line, onnxrun_status* status) {
  if (status == NULL) return;
  fail(line, CALL(status_message)(status));
  CALL(status_free)(status);
}
static void expect_code(int line, onnxrun_status* status, onnxrun_code code) {
  const char* const message = CALL(status_message)(status);
  if (CALL(status_code)(status) != code || message[0] == 0) fail(line, message);
  CALL(status_free)(status);
}
#define OK(call) expect_ok(__LINE__, call)
#define CODE(call, code) expect_code(__LINE__, call, code)
#define EXPECT(condition)                         \
  do {                                            \
    if (!(condition)) fail(__LINE__, #condition); \
  } while (0)

static const char* const model_text =
    "onnxrun text 1\n"
    "ir_version 8\n"
    "opset ai.onnx 17\n"
    "metadata 'key' = 'text'\n"
    "graph sums(x: float32[n,3], y: float32[n,3]) -> (z) {\n"
    "  w: float32[3] = {1, 2, 3}\n"
    "  t = Add(x, y)  # node 'first'\n"
    "  u = Mul(t, w)  # node 'scale'\n"
    "  z = Add(u, x)  # node 'second'\n"
    "}\n";

static void check_blob(int line, onnxrun_blob* blob, const char* part) {
  if (blob == NULL || CALL(blob_size)(blob) == 0 || strstr(CALL(blob_data)(blob), part) == NULL)
    fail(line, blob ? table->blob_data(blob) : "no blob");
  CALL(blob_free)(blob);
}
#define BLOB(call, part)               \
  do {                                 \
    onnxrun_blob* made_ = NULL;        \
    onnxrun_blob** out = &made_;       \
    OK(call);                          \
    check_blob(__LINE__, made_, part); \
  } while (0)

static onnxrun_model* load(const onnxrun_options* options) {
  onnxrun_model* model = NULL;
  OK(CALL(model_from_text)(model_text, strlen(model_text), options, &model));
  if (model == NULL) exit(1);
  return model;
}

static onnxrun_value* floats(double first) {
  static const int64_t dims[2] = {1, 3};
  double numbers[3];
  onnxrun_value* value = NULL;
  numbers[0] = first;
  numbers[1] = first + 1;
  numbers[2] = first + 2;
  OK(CALL(value_create_tensor)(ONNXRUN_DTYPE_FLOAT32, dims, 2, &value));
  OK(CALL(value_from_doubles)(value, numbers, 3));
  return value;
}

static int counted = 0;
static void count(void* context) { ++*(int*)context; }

static void values(void) {
  static const int64_t two[1] = {2};
  static const char* const words[2] = {"one", "two"};
  static const size_t lengths[2] = {3, 2};
  float memory[2];
  onnxrun_value *wrapped = NULL, *strings = NULL, *sequence = NULL, *absent = NULL, *map = NULL, *other = NULL;
  const onnxrun_value* elements[2];
  const void* data = NULL;
  void* writable = NULL;
  const char* text = NULL;
  const int64_t* dims = NULL;
  size_t size = 0, rank = 0;
  int32_t kind = 0, dtype = 0;
  int64_t elements_of = 0;
  double numbers[2];
  onnxrun_blob* proto = NULL;
  void* shared = NULL;

  memory[0] = 1.5f;
  memory[1] = 2.5f;
  OK(CALL(value_wrap_tensor)(ONNXRUN_DTYPE_FLOAT32, two, 1, memory, sizeof memory, 1, count, &counted, &wrapped));
  OK(CALL(value_kind)(wrapped, &kind));
  EXPECT(kind == ONNXRUN_KIND_TENSOR);
  OK(CALL(value_tensor_info)(wrapped, &dtype, &dims, &rank, &elements_of));
  EXPECT(dtype == ONNXRUN_DTYPE_FLOAT32 && rank == 1 && dims[0] == 2 && elements_of == 2);
  OK(CALL(value_data)(wrapped, &data, &size));
  EXPECT(data == memory && size == sizeof memory);
  OK(CALL(value_mutable_data)(wrapped, &writable, &size));
  EXPECT(writable == memory);
  OK(CALL(value_to_doubles)(wrapped, numbers, 2));
  EXPECT(numbers[0] == 1.5 && numbers[1] == 2.5);
  BLOB(CALL(value_describe)(wrapped, out), "float32");

  OK(CALL(value_device)(wrapped, &kind, &dtype, &writable));
  EXPECT(kind == 1 && dtype == 0 && writable == memory);
  OK(CALL(value_create_on)(NULL, 1, 0, ONNXRUN_DTYPE_FLOAT32, two, 1, &other));
  OK(CALL(value_copy)(NULL, wrapped, other));
  OK(table->value_to_doubles(other, numbers, 2));
  EXPECT(numbers[1] == 2.5);
  table->value_free(other);
  OK(CALL(value_wrap_device)(ONNXRUN_DTYPE_FLOAT32, two, 1, memory, sizeof memory, 2, 0, 1, NULL, NULL, &other));
  OK(table->value_device(other, &kind, NULL, NULL));
  EXPECT(kind == 2);
  CODE(table->value_data(other, &data, &size), ONNXRUN_INVALID_ARGUMENT);
  table->value_free(other);

  OK(CALL(value_to_proto)(wrapped, "w", &proto));
  OK(CALL(value_from_proto)(table->blob_data(proto), table->blob_size(proto), ONNXRUN_KIND_TENSOR, &other));
  OK(table->value_to_doubles(other, numbers, 2));
  EXPECT(numbers[1] == 2.5);
  table->blob_free(proto);
  CALL(value_free)(other);

  OK(CALL(value_create_strings)(two, 1, words, lengths, 2, &strings));
  OK(CALL(value_string)(strings, 1, &text, &size));
  EXPECT(size == 2 && memcmp(text, "tw", 2) == 0);
  elements[0] = wrapped;
  elements[1] = strings;
  OK(CALL(value_create_sequence)(elements, 2, &sequence));
  OK(CALL(value_sequence_length)(sequence, &size));
  EXPECT(size == 2);
  OK(CALL(value_sequence_element)(sequence, 1, &other));
  table->value_free(other);
  OK(CALL(value_create_absent)(&absent));
  OK(CALL(value_create_map)(strings, wrapped, &map));
  OK(CALL(value_map_keys)(map, &other));
  table->value_free(other);
  OK(CALL(value_map_values)(map, &other));
  table->value_free(other);
  table->value_free(map);
  table->value_free(sequence);
  table->value_free(absent);
  table->value_free(strings);

  /* To another library and back: the memory stays the same, and goes when the last sharer does. */
  OK(CALL(value_to_dlpack)(wrapped, 1, &shared));
  OK(CALL(value_share)(wrapped, &other));
  table->value_free(other);
  table->value_free(wrapped);
  EXPECT(counted == 0);
  OK(CALL(value_from_dlpack)(shared, 1, &other));
  OK(table->value_data(other, &data, NULL));
  EXPECT(data == memory);
  table->value_free(other);
  EXPECT(counted == 1);
}

struct stream {
  const char* data;
  size_t left;
};
static int64_t read_some(void* context, void* to, size_t capacity) {
  struct stream* const from = (struct stream*)context;
  size_t size = capacity < 7 ? capacity : 7;
  if (size > from->left) size = from->left;
  memcpy(to, from->data, size);
  from->data += size;
  from->left -= size;
  return (int64_t)size;
}
static int64_t give_up(void* context, void* to, size_t capacity) {
  (void)context;
  (void)to;
  (void)capacity;
  return -1;
}

static void models(const char* folder) {
  onnxrun_model *model = load(NULL), *other = NULL;
  onnxrun_blob* bytes = NULL;
  const onnxrun_port* port = NULL;
  const char *text = NULL, *key = NULL;
  size_t size = 0;
  char path[1024];
  struct stream from;

  OK(CALL(model_input_count)(model, &size));
  EXPECT(size == 2);
  OK(CALL(model_output_count)(model, &size));
  EXPECT(size == 1);
  OK(CALL(model_input)(model, 1, &port));
  EXPECT(strcmp(port->name, "y") == 0 && port->rank == 2 && strcmp(port->symbols[0], "n") == 0);
  OK(CALL(model_output)(model, 0, &port));
  EXPECT(strcmp(port->name, "z") == 0);
  OK(CALL(model_metadata)(model, "key", &text));
  EXPECT(strcmp(text, "text") == 0);
  OK(CALL(model_metadata_count)(model, &size));
  EXPECT(size == 1);
  OK(CALL(model_metadata_entry)(model, 0, &key, &text));
  EXPECT(strcmp(key, "key") == 0 && strcmp(text, "text") == 0);
  CODE(table->model_metadata_entry(model, 1, &key, &text), ONNXRUN_INVALID_ARGUMENT);
  BLOB(CALL(model_inspect)(model, NULL, ONNXRUN_INSPECT_OPS | ONNXRUN_INSPECT_SHAPES, out), "\"Add\"");
  BLOB(CALL(model_to_text)(model, out), "onnxrun text 1");
  OK(CALL(model_optimize)(model, NULL, &other));
  CALL(model_free)(other);

  sprintf(path, "%.900s/c_abi_sums.onnx", folder);
  OK(CALL(model_save)(model, path, NULL));
  OK(CALL(model_load)(path, NULL, &other));
  table->model_free(other);
  BLOB(CALL(model_check)(path, NULL, out), "\"errors\":0");
  remove(path);
  OK(CALL(model_save_bytes)(model, NULL, &bytes));
  OK(CALL(model_load_bytes)(table->blob_data(bytes), table->blob_size(bytes), NULL, &other));
  table->model_free(other);
  BLOB(CALL(model_check_bytes)(table->blob_data(bytes), table->blob_size(bytes), NULL, out), "\"errors\":0");
  from.data = table->blob_data(bytes);
  from.left = table->blob_size(bytes);
  OK(CALL(model_load_stream)(read_some, &from, NULL, &other));
  OK(table->model_input_count(other, &size));
  EXPECT(size == 2);
  table->model_free(other);
  CODE(table->model_load_stream(give_up, NULL, NULL, &other), ONNXRUN_IO);
  table->blob_free(bytes);
  table->model_free(model);
}

static int samples = 0;
static int32_t give_sample(void* context, size_t index, onnxrun_run* run) {
  onnxrun_value *x, *y;
  if (index >= 2) return 0;
  x = floats(1);
  y = floats(2);
  OK(table->run_set_input(run, "x", x));
  OK(table->run_set_input(run, "y", y));
  table->value_free(x);
  table->value_free(y);
  ++*(int*)context;
  return 1;
}

static void quantising(void) {
  static const char* const settings[1] = {"mode=float"};
  onnxrun_model *model = load(NULL), *smaller = NULL;
  onnxrun_blob* report = NULL;
  OK(CALL(model_quantize)(model, NULL, settings, 1, give_sample, &samples, &smaller, &report));
  check_blob(__LINE__, report, "\"mode\":\"float\"");
  EXPECT(samples >= 2);
  table->model_free(smaller);
  table->model_free(model);
}

static void editing(void) {
  static const char* const out_names[1] = {"sum"};
  static const char* const in_names[1] = {"x"};
  static const char* const dims[2] = {"batch", "3"};
  onnxrun_model *model = load(NULL), *other = NULL;
  onnxrun_editor* editor = NULL;
  onnxrun_value* constant = NULL;
  int64_t node = 0;
  size_t found = 0;

  OK(CALL(editor_create)(model, &editor));
  OK(CALL(editor_select)(editor, "Add", "second", &node, 1, &found));
  EXPECT(found == 1);
  BLOB(CALL(editor_node)(editor, node, out), "\"second\"");
  OK(CALL(editor_rename_value)(editor, "z", "sum"));
  OK(CALL(editor_rename_node)(editor, node, "last"));
  OK(CALL(editor_set_node_input)(editor, node, 1, "y"));
  OK(CALL(editor_replace_uses)(editor, "t", "x"));
  OK(CALL(editor_constant)(editor, "w", &constant));
  OK(CALL(editor_set_constant)(editor, "w", constant));
  table->value_free(constant);
  OK(CALL(editor_set_metadata)(editor, "key", NULL));
  OK(CALL(editor_strip_weights)(editor, 1 << 20, &found));
  OK(CALL(editor_insert)(editor, "r = Relu(u)"));
  OK(CALL(editor_add_output)(editor, "r"));
  OK(CALL(editor_remove_output)(editor, "r"));
  OK(CALL(editor_add_output)(editor, "u"));
  OK(CALL(editor_select)(editor, "Mul", NULL, &node, 1, &found));
  OK(CALL(editor_bypass_node)(editor, node));
  OK(CALL(editor_set_input)(editor, "x", 0, dims, 2));
  OK(CALL(editor_merge)(editor, model, out_names, in_names, 1, "more_"));
  OK(CALL(editor_finish)(editor, &other));
  table->model_free(other);
  OK(CALL(editor_add_input)(editor, "more_t"));
  OK(CALL(editor_select)(editor, "Add", "more_first", &node, 1, &found));
  EXPECT(found == 1);
  OK(CALL(editor_remove_node)(editor, node));
  OK(CALL(editor_extract)(editor, NULL, 0, NULL, 0));
  CALL(editor_free)(editor);
  table->model_free(model);
}

static int messages = 0;
static void take_message(void* context, int32_t level, const char* message) {
  EXPECT(level >= ONNXRUN_LOG_ERROR && level <= ONNXRUN_LOG_INFO && message[0] != 0);
  ++*(int*)context;
}

/* Blocks with their size before them, so that what comes back can be checked. */
static long held = 0;
static void* allocate(void* context, size_t bytes, size_t alignment) {
  char* block;
  (void)context;
  EXPECT(alignment == ONNXRUN_ALIGNMENT);
  if (posix_memalign((void**)&block, alignment, bytes + ONNXRUN_ALIGNMENT) != 0) return NULL;
  memcpy(block, &bytes, sizeof bytes);
  __sync_fetch_and_add(&held, 1);
  return block + ONNXRUN_ALIGNMENT;
}
static void deallocate(void* context, void* block, size_t bytes) {
  size_t given;
  (void)context;
  memcpy(&given, (char*)block - ONNXRUN_ALIGNMENT, sizeof given);
  if (given != bytes) fail(__LINE__, "a block came back with another size");
  __sync_fetch_and_sub(&held, 1);
  free((char*)block - ONNXRUN_ALIGNMENT);
}

static int taps = 0;
static void tap(void* context, const char* name, const onnxrun_value* value) {
  (void)value;
  EXPECT(strcmp(name, "u") == 0);
  ++*(int*)context;
}
static int32_t poll(void* context) {
  (void)context;
  return 0;
}

struct outcome {
  onnxrun_run* run;
  int done;
  onnxrun_code code;
  double first;
};
static void done(void* context, onnxrun_status* status) {
  struct outcome* const out = (struct outcome*)context;
  out->code = table->status_code(status);
  table->status_free(status);
  if (out->code == ONNXRUN_OK) {
    onnxrun_value* z = NULL;
    double numbers[3];
    if (table->run_output(out->run, 0, &z) == NULL && table->value_to_doubles(z, numbers, 3) == NULL)
      out->first = numbers[0];
    table->value_free(z);
  }
  __sync_synchronize();
  out->done = 1;
  __sync_synchronize();
}

static void sessions(void) {
  onnxrun_options* options = NULL;
  onnxrun_model* model;
  onnxrun_session* session = NULL;
  onnxrun_run* run = NULL;
  onnxrun_value *x = floats(1), *y = floats(10), *z = NULL, *into = floats(0);
  const onnxrun_port* port = NULL;
  const char* name = NULL;
  size_t size = 0;
  double numbers[3];
  struct outcome outcome;
  int released = 0;

  OK(CALL(options_create)(&options));
  OK(CALL(options_set)(options, "statistics", "tensors"));
  OK(table->options_set(options, "level", "0"));
  OK(table->options_set(options, "statistics_values", "u"));
  OK(CALL(options_set_log)(options, ONNXRUN_LOG_INFO, take_message, count, &messages));
  OK(CALL(options_set_allocator)(options, allocate, deallocate, count, &released));
  CODE(CALL(options_add_provider_library)(options, "/nowhere/provider.so", NULL, 0), ONNXRUN_IO);
  CODE(CALL(options_add_op_library)(options, "/nowhere/ops.so", NULL, 0), ONNXRUN_IO);
  BLOB(CALL(providers_report)(options, out), "\"cpu\"");
  model = load(options);
  OK(CALL(session_create)(model, options, &session));
  CALL(options_free)(options);
  table->model_free(model);
  EXPECT(messages >= 1);

  OK(CALL(session_input_count)(session, &size));
  EXPECT(size == 2);
  OK(CALL(session_output_count)(session, &size));
  EXPECT(size == 1);
  OK(CALL(session_input)(session, 0, &port));
  EXPECT(strcmp(port->name, "x") == 0);
  OK(CALL(session_output)(session, 0, &port));

  OK(CALL(run_create)(session, &run));
  CODE(CALL(run_execute)(run), ONNXRUN_INVALID_ARGUMENT);
  OK(CALL(run_set_input)(run, "x", x));
  OK(table->run_set_input(run, "y", y));
  OK(CALL(run_set_output)(run, "z", into));
  OK(CALL(run_set_timeout)(run, 100));
  OK(CALL(run_set_tap)(run, "u", tap, &taps));
  OK(CALL(run_set_poll)(run, poll, NULL));
  OK(CALL(run_set_profile)(run, 1));
  OK(table->run_execute(run));
  EXPECT(taps == 1);
  OK(table->value_to_doubles(into, numbers, 3));
  EXPECT(numbers[0] == 12 && numbers[1] == 28 && numbers[2] == 48);
  OK(CALL(run_output_count)(run, &size));
  EXPECT(size == 1);
  OK(CALL(run_output_name)(run, 0, &name));
  EXPECT(strcmp(name, "z") == 0);
  OK(CALL(run_output_by_name)(run, "z", &z));
  table->value_free(z);
  OK(CALL(run_output)(run, 0, &z));
  table->value_free(z);
  OK(CALL(run_take_output)(run, 0, &z));
  table->value_free(z);
  BLOB(CALL(run_profile)(run, out), "\"scale\"");
  OK(CALL(run_cancel)(run, 1));
  CODE(table->run_execute(run), ONNXRUN_CANCELLED);
  OK(table->run_cancel(run, 0));

  OK(CALL(run_set_output_device)(run, "z", 2, 0));
  OK(table->run_set_output(run, "z", NULL));
  memset(&outcome, 0, sizeof outcome);
  outcome.run = run;
  OK(CALL(run_execute_async)(run, done, &outcome));
  OK(CALL(run_wait)(run));
  while (!*(volatile int*)&outcome.done) continue;
  EXPECT(outcome.code == ONNXRUN_OK && outcome.first == 12);
  CODE(table->run_execute_async(run, NULL, NULL), ONNXRUN_INVALID_ARGUMENT);

  BLOB(CALL(session_stats)(session, out), "\"invalid_argument\":1");
  BLOB(table->session_stats(session, out), "\"name\":\"u\"");
  BLOB(CALL(session_prometheus)(session, "a \"b\"", out), "onnxrun_runs_total{session=\"a \\\"b\\\"\"} 4");
  BLOB(CALL(session_memory)(session, out), "\"limit\"");
  OK(CALL(session_trim)(session));
  CALL(session_free)(session);
  CALL(run_free)(run);
  EXPECT(released == 0 || held == 0);
  table->value_free(x);
  table->value_free(y);
  table->value_free(into);
  EXPECT(held == 0);
  EXPECT(released == 1);
}

/* y = x doubled, in the process. */
static onnxrun_code infer_double(void* self, onnxrun_infer_call* call, onnxrun_sink* error) {
  const onnxrun_tensor* const x = &call->node->inputs[0];
  (void)self;
  return call->set_output(call, 0, x->dtype, x->dims, x->rank, error);
}
static onnxrun_code run_double(const void* state, onnxrun_run_context* context, onnxrun_sink* error) {
  const float* const x = (const float*)context->inputs[0]->data;
  float* const y = (float*)context->outputs[0]->data;
  int64_t count = 1, i;
  int32_t d;
  (void)state;
  (void)error;
  for (d = 0; d < context->inputs[0]->rank; ++d) count *= context->inputs[0]->dims[d];
  for (i = 0; i < count; ++i) y[i] = 2 * x[i];
  return ONNXRUN_OK;
}

static void operators(void) {
  static const char* const text =
      "onnxrun text 1\nopset ai.onnx 17\nopset test 1\n"
      "graph g(x: float32[n]) -> (y) {\n  y = test.Double(x)\n}\n";
  static const int64_t dims[1] = {2};
  onnxrun_op_kernel kernel;
  onnxrun_op op;
  onnxrun_op_library library;
  onnxrun_options* options = NULL;
  onnxrun_model* model = NULL;
  onnxrun_session* session = NULL;
  onnxrun_run* run = NULL;
  onnxrun_value *x = NULL, *y = NULL;
  double numbers[2];
  int destroyed = 0;

  memset(&kernel, 0, sizeof kernel);
  kernel.provider = "cpu";
  kernel.kernel.run = run_double;
  memset(&op, 0, sizeof op);
  op.domain = "test";
  op.name = "Double";
  op.since_version = 1;
  op.inputs = "x:T";
  op.outputs = "y:T";
  op.types = "T: float32";
  op.infer = infer_double;
  op.kernels = &kernel;
  op.kernel_count = 1;
  memset(&library, 0, sizeof library);
  library.abi_version = ONNXRUN_OP_ABI_VERSION;
  library.name = "test";
  library.ops = &op;
  library.op_count = 1;
  library.self = &destroyed;
  library.destroy = count;

  OK(table->options_create(&options));
  OK(CALL(options_add_ops)(options, &library));
  OK(table->model_from_text(text, strlen(text), options, &model));
  OK(table->session_create(model, NULL, &session));
  table->options_free(options);
  table->model_free(model);
  OK(table->run_create(session, &run));
  table->session_free(session);
  OK(table->value_create_tensor(ONNXRUN_DTYPE_FLOAT32, dims, 1, &x));
  numbers[0] = 3;
  numbers[1] = -4;
  OK(table->value_from_doubles(x, numbers, 2));
  OK(table->run_set_input(run, "x", x));
  OK(table->run_execute(run));
  OK(table->run_output(run, 0, &y));
  OK(table->value_to_doubles(y, numbers, 2));
  EXPECT(numbers[0] == 6 && numbers[1] == -8);
  table->value_free(x);
  table->value_free(y);
  EXPECT(destroyed == 0);
  table->run_free(run);
  EXPECT(destroyed == 1);
}

int main(int argc, char** argv) {
  size_t slot;
  table = onnxrun_get_api(ONNXRUN_API_VERSION);
  if (table == NULL || argc != 2) return 2;
  EXPECT(onnxrun_get_api(ONNXRUN_API_VERSION + 1) == NULL);
  EXPECT(table->version == ONNXRUN_API_VERSION && table->size == sizeof *table);
  EXPECT(strlen(CALL(library_version)()) > 0);
  values();
  models(argv[1]);
  quantising();
  editing();
  sessions();
  operators();
  for (slot = offsetof(onnxrun_api, library_version); slot < sizeof *table; slot += sizeof(void (*)(void)))
    if (!called[slot]) {
      fprintf(stderr, "function %lu of the table is not called\n",
              (unsigned long)((slot - offsetof(onnxrun_api, library_version)) / sizeof(void (*)(void))));
      ++failures;
    }
  return failures == 0 ? 0 : 1;
}
