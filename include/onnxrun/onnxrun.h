/* The C interface of onnxrun, a standalone ONNX inference runtime.
 *
 *   const onnxrun_api* onnxrun = onnxrun_get_api(ONNXRUN_API_VERSION);
 *
 * gives a table of functions, the library's only symbol. Version 1 is frozen: functions are only ever added at its end, and nothing that is there changes, so
 * that a program built against an older table keeps working with a newer library. A program that needs functions which an older library may lack compares
 * `size` with the place of the last one that it calls. docs/c_api.md says what may change and how.
 *
 * Conventions, for every function unless it says otherwise:
 *   Status     functions return null on success, otherwise a status that the caller frees with `status_free`. Outputs are then untouched.
 *   Ownership  handles given out through `T** out` belong to the caller, who frees them with the matching `..._free`; freeing null does nothing.
 *              What is passed in as `const` is only read during the call. Pointers to text and arrays inside a handle live as long as the handle.
 *   Sharing    a session keeps its model alive, a run its session: handles may be freed in any order. Values share their memory; copying one is cheap.
 *   Threads    models, sessions and values may be used by any number of threads at once, as long as nobody frees or writes to them meanwhile.
 *              An `onnxrun_options`, an `onnxrun_editor` and an `onnxrun_run` serve one thread at a time, but for `run_cancel` and `run_wait`.
 *   Errors     null or malformed arguments give ONNXRUN_INVALID_ARGUMENT. Nothing ever aborts the process.
 *   Callbacks  get the `context` they were given with, must not throw, jump out or free the handle that calls them, and may be called from any thread unless said.
 *   Text       is UTF-8 and null-terminated. Reports are JSON objects with a "version" that grows when they change incompatibly. */
#ifndef ONNXRUN_ONNXRUN_H
#define ONNXRUN_ONNXRUN_H

#include <onnxrun/custom_op.h>
#include <onnxrun/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ONNXRUN_API_VERSION 1u

typedef struct onnxrun_status onnxrun_status;   /* why a call failed */
typedef struct onnxrun_blob onnxrun_blob;       /* bytes or text made by the library */
typedef struct onnxrun_options onnxrun_options; /* how to load and run */
typedef struct onnxrun_model onnxrun_model;     /* a checked model file, immutable */
typedef struct onnxrun_editor onnxrun_editor;   /* a model that is being changed by hand */
typedef struct onnxrun_session onnxrun_session; /* a model made ready to run */
typedef struct onnxrun_value onnxrun_value;     /* tensor, sequence, map or absent optional */
typedef struct onnxrun_run onnxrun_run;         /* one call: inputs, outputs, control */

/* What a value is, and what an input or output is declared to be. */
typedef enum onnxrun_kind {
  ONNXRUN_KIND_UNKNOWN = 0, /* of ports only */
  ONNXRUN_KIND_TENSOR = 1,
  ONNXRUN_KIND_SPARSE_TENSOR = 2, /* of ports only */
  ONNXRUN_KIND_SEQUENCE = 3,
  ONNXRUN_KIND_OPTIONAL = 4, /* of a value: an absent optional */
  ONNXRUN_KIND_MAP = 5
} onnxrun_kind;

/* An input or output as the model declares it. Belongs to the model or session that gave it. */
typedef struct onnxrun_port {
  const char* name;
  const char* type;    /* for people: "float32[batch,3,?]", "sequence(int64[?])" */
  int32_t kind;        /* onnxrun_kind */
  int32_t dtype;       /* onnxrun_dtype of a tensor; 0: unknown or no tensor */
  int32_t rank;        /* of a tensor; -1: unknown */
  int32_t has_default; /* of an input: 1 when it may be left out */
  const int64_t* dims; /* `rank` of them; -1 where not a constant */
  const char* const*
      symbols; /* `rank` of them: the name or expression of a dim that is no constant, "?" for an unknown one; null for constants */
} onnxrun_port;

/* Called with an intermediate value right after it was computed, on the thread of `run_execute`. `value` is valid during the call; use `value_share`
 * to keep it. Must not throw. */
typedef void (*onnxrun_tap)(void* context, const char* name, const onnxrun_value* value);

/* Gives `run` the inputs of sample `index` by run_set_input. Returns 1; 0 where there are no more; a negative number to end the call. The same index
 * is asked for several times. Must not throw. */
typedef int32_t (*onnxrun_sample)(void* context, size_t index, onnxrun_run* run);

/* How much a log message matters. */
typedef enum onnxrun_log_level {
  ONNXRUN_LOG_ERROR = 1,   /* a model was refused, a run failed */
  ONNXRUN_LOG_WARNING = 2, /* what a file does that it should not; a run that was cancelled or took too long */
  ONNXRUN_LOG_INFO = 3     /* what was loaded and prepared, with counts and times */
} onnxrun_log_level;

/* Receives a message, null-terminated and valid during the call. */
typedef void (*onnxrun_log)(void* context, int32_t level, const char* message);

/* Gives `bytes` bytes aligned to `alignment`, which is ONNXRUN_ALIGNMENT, null when there are none left; and takes them back. From any thread, several
 * at once. */
#define ONNXRUN_ALIGNMENT 64
typedef void* (*onnxrun_allocate)(void* context, size_t bytes, size_t alignment);
typedef void (*onnxrun_deallocate)(void* context, void* block, size_t bytes);

/* Writes the next bytes, up to `capacity`, to `to` and returns how many; 0 at the end, less to give up. */
typedef int64_t (*onnxrun_read)(void* context, void* to, size_t capacity);

/* An asynchronous execution has ended: null or a status that the callee frees. On a thread of the library. */
typedef void (*onnxrun_done)(void* context, onnxrun_status* status);

/* What `model_inspect` reports beyond metadata, inputs and outputs. */
typedef enum onnxrun_inspect {
  ONNXRUN_INSPECT_SUMMARY = 0,
  ONNXRUN_INSPECT_OPS = 1 << 0,     /* "ops": operator histogram with FLOPs and bytes */
  ONNXRUN_INSPECT_SHAPES = 1 << 1,  /* "values": every value with type, shape and whether it is known */
  ONNXRUN_INSPECT_WEIGHTS = 1 << 2, /* "weights": every initializer with type, shape, bytes and range */
  ONNXRUN_INSPECT_EXPLAIN =
      1 << 3, /* "steps": provider, kernels and the reasons of those that declined; makes a session */
  ONNXRUN_INSPECT_DIGESTS = 1 << 4, /* "sha256" of the file and "digest" of the content, however it was serialised */
  ONNXRUN_INSPECT_PASSES =
      1
      << 5, /* "passes": every optimizer pass with its level, its patches and its seconds, and "printed": the graphs that print_after
                 asks for; makes a session */
  ONNXRUN_INSPECT_TEXT = 1 << 6,    /* "text": the graph and its bodies for people, a line a node */
  ONNXRUN_INSPECT_PATCHES = 1 << 7, /* "patches": every change that the optimizer makes, in order: {"pass","change"} */
  ONNXRUN_INSPECT_GRAPH =
      1
      << 8, /* "structure": {"name","inputs","outputs","captures","constants","types","nodes"}, each node with its values, attributes, operations, bytes
                and bodies, which are such graphs, too */
  ONNXRUN_INSPECT_BUILD =
      1
      << 9 /* "build": the lines of a list for ONNXRUN_OPERATORS, with which a library is built that runs this model and little else; the model
                was read with the option record_operators; makes a session */
} onnxrun_inspect;

typedef struct onnxrun_api {
  uint32_t version; /* ONNXRUN_API_VERSION of the library */
  size_t size;      /* sizeof(onnxrun_api) in the library: more functions follow in newer ones */

  /* The library's version, as "0.1.0". */
  const char* (*library_version)(void);

  /* --- status and blobs: never fail, take null --- */
  onnxrun_code (*status_code)(const onnxrun_status* status); /* ONNXRUN_OK for null */
  const char* (*status_message)(
      const onnxrun_status* status); /* first line: what went wrong; next lines: where. "" for null */
  void (*status_free)(onnxrun_status* status);
  const char* (*blob_data)(const onnxrun_blob* blob); /* followed by a null byte */
  size_t (*blob_size)(const onnxrun_blob* blob);      /* without that byte */
  void (*blob_free)(onnxrun_blob* blob);

  /* --- options ---
   * Keys of `options_set`; every value is text:
   *   loading   load           map (default): tensors stay views of the mapped file, which must not shrink while the model lives; copy: the file is read
   *             strict         0 or 1: for files from people nobody knows. What would be a warning is an error, load is copy, and the limits
   *                            below are tighter; what is set beside it holds all the same
   *             external_root  folder of external data; default: the model's own
   *             allow_links    0 or 1: external data may be reached through links
   *             dim.NAME       size of the symbolic dimension NAME of the model
   *             record_operators  0 or 1: note which operators reading the model and making sessions of it ask for, for ONNXRUN_INSPECT_BUILD
   *   session   providers      names in order of preference, separated by commas; default cpu. A node that none of them runs is an error
   *             level          optimisation: 0 or none; 1 or basic: every result stays exactly as it was; 2 or extended: fusions, equal within
   *                            rounding; 3 or layout: of sessions, whose values then may be laid out as kernels like them; 99 or all (default)
   *             passes         run exactly these optimizer passes, whatever the level; names separated by commas
   *                            (those of onnxoptimizer stand for ours)
   *             disable_passes leave these out
   *             print_after    report the graph after each run of these passes that changes it, or of "all": see ONNXRUN_INSPECT_PASSES
   *             max_patches    stop optimising after so many changes: halving it finds the one that makes a difference
   *             optimized_model  file to which making a session writes the model that model_optimize makes of it, with the options of saving; it
   *                            appears whole or not at all
   *             threads        that one run uses; 0 (default): as many as the process may use. On one machine results are the same to the last
   *                            bit whatever their number (operators that draw random numbers apart)
   *             streams        runs that go on at the same time; further callers wait; default 1
   *             float32_matmul_precision  of matrix products and convolutions of float32: highest (default), an error as of float32 arithmetic; high:
   *                            numbers may be two bfloat16 parts each (at most 2^-15 of sum |x||w| more), or 3x3 convolutions Winograd's (an error as of float32 arithmetic in which neighbours count, too); medium: operands may be bfloat16, sums float32 (at most 2^-8 of sum |x||w| more), and what meets weights of 2 to
   *                            8 bits may be rounded to 8 bits (at most 1/254 of the largest in its block), where the machine gains by it
   *             kernels        fastest (default); reference: the plainest that an operator has, slow, to tell whether a faster one is at fault
   *             denormals      flush (default) or keep
   *             statistics     off (default); runs: counts, errors and latencies; tensors: also what inputs and outputs hold. See session_stats
   *             statistics_every   look at tensors in every N-th run; default 1
   *             statistics_values  intermediate values to look at, too, names separated by commas, as for run_set_tap
   *             statistics_sample  elements that are kept of each tensor, chosen at random from all it ever held; 0 to 65536, default 256
   *   saving    opset          version of ai.onnx to write; 0 (default): the lowest, not below the source's, in which every node has exactly its meaning
   *             portable       0 or 1: only operators that ONNX defines, at versions that ONNX Runtime 1.31 loads
   *             external_data  file name, in the model's folder, for large tensors; default: none but for models that would pass 2 GiB
   *             external_threshold  bytes from which on a tensor is large; default 1024
   *   both      max_memory     bytes that the model may make us allocate, with K, M, G (powers of 1024) allowed; default: four fifths of the
   *                            machine's memory, or of the process's control group where that has less
   *             timeout        seconds that reading a model, making a session, each run (run_set_timeout comes first) and quantising,
   *                            its samples and any search included, may take; default: any; strict: 60
   *             max_tensor     bytes of one tensor, stored or computed; default: as max_memory; strict: 1G
   *             max_file       bytes of the model file; default 2G
   *             max_string     bytes of one name, text or string stored; default 1G; strict: 16M
   *             max_nodes      after functions are inlined, over all graphs; default 4000000; strict: 200000
   *             max_initializers  over all graphs; default 4000000; strict: 100000
   *             max_nesting    graphs in graphs, functions in functions; default 100; strict: 16
   *             max_rank       dims of a tensor; default 64; strict: 16
   *             max_loop_iterations  of one Loop, Scan or search; default: any; strict: 1000000
   *             max_plans      bytes of memory plans that a session keeps for shapes it has seen; default 64M
   *                            Under strict max_memory is at most 4G */
  onnxrun_status* (*options_create)(onnxrun_options** out);
  /* Copied; replaces the key's last value. ONNXRUN_INVALID_ARGUMENT names an unknown key, or a value that it cannot take. No other thread may use the options
   * meanwhile. */
  onnxrun_status* (*options_set)(onnxrun_options* options, const char* key, const char* value);
  /* Makes a provider from a plug-in library known under its own name. `settings` are "key=value" texts for the plug-in, may be null when 0. */
  onnxrun_status* (*options_add_provider_library)(onnxrun_options* options, const char* path,
                                                  const char* const* settings, size_t setting_count);
  /* Null is taken. What was made with them lives on. */
  void (*options_free)(onnxrun_options* options);

  /* --- models --- `options` may be null everywhere. Loading infers the types and shapes of all values; inspecting shows them, saving writes them. */
  onnxrun_status* (*model_load)(const char* path, const onnxrun_options* options, onnxrun_model** out);
  /* From memory; the bytes are copied where needed and may go after the call. External data is refused unless external_root is set. */
  onnxrun_status* (*model_load_bytes)(const void* data, size_t size, const onnxrun_options* options,
                                      onnxrun_model** out);
  /* Null is taken. Sessions, values and other models that share its weights live on. */
  void (*model_free)(onnxrun_model* model);
  /* Inputs without a default and with one, in the order of the file. */
  onnxrun_status* (*model_input_count)(const onnxrun_model* model, size_t* out);
  onnxrun_status* (*model_output_count)(const onnxrun_model* model, size_t* out);
  /* `*out` lives as long as the model. ONNXRUN_INVALID_ARGUMENT where there is no such index. */
  onnxrun_status* (*model_input)(const onnxrun_model* model, size_t index, const onnxrun_port** out);
  /* As model_input. */
  onnxrun_status* (*model_output)(const onnxrun_model* model, size_t index, const onnxrun_port** out);
  /* The value of a key in metadata_props; `*out` is null when there is none. */
  onnxrun_status* (*model_metadata)(const onnxrun_model* model, const char* key, const char** out);
  /* A JSON report; `parts` combines onnxrun_inspect. */
  onnxrun_status* (*model_inspect)(const onnxrun_model* model, const onnxrun_options* options, uint32_t parts,
                                   onnxrun_blob** out);
  /* Everything that is wrong with a file or worth knowing, as JSON: {"problems":[{"severity","node","what","expected","fix"}],"errors","warnings"}.
   * "asks" tells what the file would have its user do - "external_files", "iterations", "unknown_operators" and sizes - without running any of
   * it; null where the file cannot be read that far. A broken file is a report, no error. */
  onnxrun_status* (*model_check)(const char* path, const onnxrun_options* options, onnxrun_blob** out);

  /* --- values --- */
  /* A tensor with memory of its own, zeroed (strings: empty). */
  onnxrun_status* (*value_create_tensor)(int32_t dtype, const int64_t* dims, size_t rank, onnxrun_value** out);
  /* A tensor over the caller's memory of `bytes` bytes, aligned for its elements, contiguous. It must stay valid until `release(context)` is called, which
   * happens when the last value sharing it goes, on any thread (not when this call fails); without `release`, as long as any such value lives. With
   * `writable` 0 the library never writes to it. Not for strings. */
  onnxrun_status* (*value_wrap_tensor)(int32_t dtype, const int64_t* dims, size_t rank, void* data, size_t bytes,
                                       int32_t writable, void (*release)(void* context), void* context,
                                       onnxrun_value** out);
  /* A tensor of strings, copied; `lengths` may be null for null-terminated ones. */
  onnxrun_status* (*value_create_strings)(const int64_t* dims, size_t rank, const char* const* strings,
                                          const size_t* lengths, size_t count, onnxrun_value** out);
  /* Shares its elements; the handles stay the caller's. Whether they are of the type that an input takes is checked when it is run. */
  onnxrun_status* (*value_create_sequence)(const onnxrun_value* const* elements, size_t count, onnxrun_value** out);
  /* `keys`: rank-1 tensor of int64 or strings without repeats; `values`: rank-1 tensor of the same length. */
  onnxrun_status* (*value_create_map)(const onnxrun_value* keys, const onnxrun_value* values, onnxrun_value** out);
  /* An optional without content. */
  onnxrun_status* (*value_create_absent)(onnxrun_value** out);
  /* Another handle of the same value. */
  onnxrun_status* (*value_share)(const onnxrun_value* value, onnxrun_value** out);
  /* Null is taken. Memory goes with the last value that shares it. */
  void (*value_free)(onnxrun_value* value);

  /* An onnxrun_kind. */
  onnxrun_status* (*value_kind)(const onnxrun_value* value, int32_t* out);
  /* "float32 tensor [2,3]", "sequence of 4", ... */
  onnxrun_status* (*value_describe)(const onnxrun_value* value, onnxrun_blob** out);
  /* Of a tensor; any of the outputs may be null. `*dims` lives as long as the value. */
  onnxrun_status* (*value_tensor_info)(const onnxrun_value* value, int32_t* dtype, const int64_t** dims, size_t* rank,
                                       int64_t* count);
  /* Contiguous row-major elements of a tensor in host memory that holds no strings; sub-byte elements are packed little end first. `bytes` may be null. */
  onnxrun_status* (*value_data)(const onnxrun_value* value, const void** data, size_t* bytes);
  /* The same for writing: tensors of value_create_tensor and writable ones of value_wrap_tensor, while no run uses them. Results of runs may show
   * the model's own constants and cannot be written to. */
  onnxrun_status* (*value_mutable_data)(onnxrun_value* value, void** data, size_t* bytes);
  /* Element `index` of a tensor of strings; not null-terminated. */
  onnxrun_status* (*value_string)(const onnxrun_value* value, int64_t index, const char** data, size_t* length);
  /* All elements of a tensor of numbers or bool as doubles; `count` must be that of the tensor, twice as many for complex ones. int64 and uint64 beyond
   * 2^53 are rounded. */
  onnxrun_status* (*value_to_doubles)(const onnxrun_value* value, double* out, size_t count);
  /* Sets all elements, rounded to nearest even and saturated to the element type (integers: truncated); bool: not 0. Conditions of value_mutable_data. */
  onnxrun_status* (*value_from_doubles)(onnxrun_value* value, const double* data, size_t count);
  /* ONNXRUN_INVALID_ARGUMENT where it is none. */
  onnxrun_status* (*value_sequence_length)(const onnxrun_value* value, size_t* out);
  /* A handle of the caller's that shares the element. */
  onnxrun_status* (*value_sequence_element)(const onnxrun_value* value, size_t index, onnxrun_value** out);
  onnxrun_status* (*value_map_keys)(const onnxrun_value* value, onnxrun_value** out); /* rank-1 tensors */
  /* In the order of the keys. As those, handles of the caller's. */
  onnxrun_status* (*value_map_values)(const onnxrun_value* value, onnxrun_value** out);
  /* A value from the bytes of a protobuf message: TensorProto, SequenceProto, OptionalProto or MapProto by `kind` (an
   * onnxrun_kind; unknown: TensorProto). Copied. */
  onnxrun_status* (*value_from_proto)(const void* data, size_t size, int32_t kind, onnxrun_value** out);
  /* A tensor as the bytes of a TensorProto; `name` may be null. */
  onnxrun_status* (*value_to_proto)(const onnxrun_value* value, const char* name, onnxrun_blob** out);

  /* --- sessions --- */
  /* A model made ready to run, optimised and with weights packed; shares what it can with `model`, which may be freed. Any number of threads may use a session. */
  onnxrun_status* (*session_create)(const onnxrun_model* model, const onnxrun_options* options, onnxrun_session** out);
  /* Null is taken. Runs of it live on. */
  void (*session_free)(onnxrun_session* session);
  /* As the prepared model declares them. */
  onnxrun_status* (*session_input_count)(const onnxrun_session* session, size_t* out);
  onnxrun_status* (*session_output_count)(const onnxrun_session* session, size_t* out);
  /* `*out` lives as long as the session. */
  onnxrun_status* (*session_input)(const onnxrun_session* session, size_t index, const onnxrun_port** out);
  /* As session_input. */
  onnxrun_status* (*session_output)(const onnxrun_session* session, size_t index, const onnxrun_port** out);
  /* Gives back memory that idle streams hold beside the weights. */
  onnxrun_status* (*session_trim)(onnxrun_session* session);
  /* Bytes held now, JSON: {"blocks","packed","plans","used","peak","limit"}. */
  onnxrun_status* (*session_memory)(const onnxrun_session* session, onnxrun_blob** out);

  /* --- runs ---
   * A run may be executed many times; inputs, outputs wanted and control stay until changed. */
  onnxrun_status* (*run_create)(const onnxrun_session* session, onnxrun_run** out);
  /* Null is taken. Ends an asynchronous execution that goes on, and waits for it. */
  void (*run_free)(onnxrun_run* run);
  /* Null removes the input. Names and types are checked when executing. */
  onnxrun_status* (*run_set_input)(onnxrun_run* run, const char* name, const onnxrun_value* value);
  /* Asks for an output; without any call all are computed, in the model's order. A tensor in `value`, one that value_mutable_data takes, is
   * written to: its type and shape must be the result's. It may share memory with inputs, not with another output's tensor. Null: the
   * library allocates. After an error its contents are unspecified. */
  onnxrun_status* (*run_set_output)(onnxrun_run* run, const char* name, const onnxrun_value* value);
  /* Seconds that each execution may take; 0 or less: no deadline. */
  onnxrun_status* (*run_set_timeout)(onnxrun_run* run, double seconds);
  /* Hands intermediate value `name` (null: every one), of the graph or of a body in it, to `tap`. ONNXRUN_INVALID_ARGUMENT where no node of the
   * optimised model makes it. A null `tap` removes all taps. */
  onnxrun_status* (*run_set_tap)(onnxrun_run* run, const char* name, onnxrun_tap tap, void* context);
  /* 1: executions note their steps for run_profile, and take a little longer. 0, the default: they do not. */
  onnxrun_status* (*run_set_profile)(onnxrun_run* run, int32_t on);
  /* ONNXRUN_CANCELLED, ONNXRUN_DEADLINE: ended early; the session stays usable. */
  onnxrun_status* (*run_execute)(onnxrun_run* run);
  /* From any thread: 1 ends the current execution, and refuses later ones, until called with 0. */
  onnxrun_status* (*run_cancel)(onnxrun_run* run, int32_t on);
  /* Results of the last execution, in the order asked for. */
  onnxrun_status* (*run_output_count)(const onnxrun_run* run, size_t* out);
  /* `*out` lives until the next execution. */
  onnxrun_status* (*run_output_name)(const onnxrun_run* run, size_t index, const char** out);
  /* A handle of the caller's that shares the result; it stays what it is in later executions. */
  onnxrun_status* (*run_output)(const onnxrun_run* run, size_t index, onnxrun_value** out);
  /* The same. ONNXRUN_INVALID_ARGUMENT where the last execution gave no such output. */
  onnxrun_status* (*run_output_by_name)(const onnxrun_run* run, const char* name, onnxrun_value** out);
  /* Steps of the last execution when profiling, JSON: {"events":[{"node","op","provider","kernel","begin_ns","end_ns","depth","origin",
   * "operations","bytes","live_bytes"}],"left_out"}: arithmetic operations, null where not known; bytes of all inputs and outputs; bytes of computed
   * values that were still needed when the step had ended. Kernels that a provider records to launch as one are one event, op "Graph", and steps
   * outside have "not_recorded", the reason. "left_out": steps beyond the first million, where there are any. Names end after 1,000 bytes. */
  onnxrun_status* (*run_profile)(const onnxrun_run* run, onnxrun_blob** out);

  /* --- providers --- JSON: {"providers":[{"name","description","device","kernels","operators"}]}: those built in, and those of options. */
  onnxrun_status* (*providers_report)(const onnxrun_options* options, onnxrun_blob** out);

  /* --- optimising and saving ---
   * A model is written as a graph of standard operators with its functions inlined; names, documentation, metadata, symbolic dimensions and the types of
   * intermediate values are kept. Same model and options, same bytes. */
  /* A model that computes the same as the passes of the options' level leave it (those up to level 2; passes of level 3 are refused),
   * evaluated with the options' providers; shares weights with `model`. */
  onnxrun_status* (*model_optimize)(const onnxrun_model* model, const onnxrun_options* options, onnxrun_model** out);
  /* Writes a file, and one of external data where asked for: each appears whole, replacing what was there, or not at all. ONNXRUN_UNSUPPORTED names a node
   * that has no form at the opset wanted, and the lowest opset that would do. */
  onnxrun_status* (*model_save)(const onnxrun_model* model, const char* path, const onnxrun_options* options);
  /* The same file in memory; external_data must not be set. */
  onnxrun_status* (*model_save_bytes)(const onnxrun_model* model, const onnxrun_options* options, onnxrun_blob** out);

  /* --- the text form ---
   * A model as text that people can read and change: a line a node with types and shapes, bodies indented, every element of every constant. Operators stand
   * as their newest version has them. */
  onnxrun_status* (*model_to_text)(const onnxrun_model* model, onnxrun_blob** out);
  /* Reads it back, with types and shapes inferred anew. Errors say line and column. */
  onnxrun_status* (*model_from_text)(const char* text, size_t size, const onnxrun_options* options,
                                     onnxrun_model** out);

  /* --- editing ---
   * An editor holds a copy of a model that shares its weights. Values are named as in the main graph; nodes, those of bodies too, have numbers that
   * `editor_select` gives and that stay theirs until `editor_extract` or `editor_remove_output`. An edit that fails changes nothing. Types and shapes are those of the model as it was
   * given until `editor_finish`. */
  onnxrun_status* (*editor_create)(const onnxrun_model* model, onnxrun_editor** out);
  /* Null is taken. Models that it gave live on. */
  void (*editor_free)(onnxrun_editor* editor);
  /* The edited model, checked, with types and shapes inferred anew. The editor can go on. */
  onnxrun_status* (*editor_finish)(const onnxrun_editor* editor, onnxrun_model** out);
  /* The nodes whose operator ("Dropout", "ai.onnx.ml.Scaler") and name, or first output's name where they have none, match the patterns (* any characters, ?
   * one; null: all), in the order in which they run. Writes up to `capacity` of them; `*count` is how many there are. `nodes` may be null when 0. */
  onnxrun_status* (*editor_select)(onnxrun_editor* editor, const char* op, const char* name, int64_t* nodes,
                                   size_t capacity, size_t* count);
  /* A node, JSON: {"version","op","name","in_body","inputs":[{"name","type"} or null],"outputs":[...],"attributes":{name: text},"text"}. */
  onnxrun_status* (*editor_node)(onnxrun_editor* editor, int64_t node, onnxrun_blob** out);
  /* Keeps what computes `outputs` (none: the model's) from `inputs` (none: those of the model's that are needed), which become the model's in this order. */
  onnxrun_status* (*editor_extract)(onnxrun_editor* editor, const char* const* inputs, size_t input_count,
                                    const char* const* outputs, size_t output_count);
  /* Refused where `to` is taken. */
  onnxrun_status* (*editor_rename_value)(onnxrun_editor* editor, const char* from, const char* to);
  /* Names of nodes need not differ. */
  onnxrun_status* (*editor_rename_node)(onnxrun_editor* editor, int64_t node, const char* name);
  /* Its outputs, where they are read, are left for another node to make before `editor_finish`. */
  onnxrun_status* (*editor_remove_node)(onnxrun_editor* editor, int64_t node);
  /* Lets readers of its outputs read its first input of the same type and shape; refused, naming both, where there is none. Outputs of the model keep
   * their names. */
  onnxrun_status* (*editor_bypass_node)(onnxrun_editor* editor, int64_t node);
  /* Adds statements of the text form to the main graph: "w: float32[2] = {1, 2}  y = Add(x, w)". A value that nothing makes any more may be made again. */
  onnxrun_status* (*editor_insert)(onnxrun_editor* editor, const char* text);
  /* Null `value`: no input. */
  onnxrun_status* (*editor_set_node_input)(onnxrun_editor* editor, int64_t node, size_t index, const char* value);
  /* Lets all readers of `from`, and the model's outputs, take `to`. */
  onnxrun_status* (*editor_replace_uses)(onnxrun_editor* editor, const char* from, const char* to);
  /* Lets a value come from outside: its readers read a new input of that name. What made it stays, its result unread. */
  onnxrun_status* (*editor_add_input)(onnxrun_editor* editor, const char* value);
  /* Makes a value of the main graph an output, after the others. What is one already is refused. */
  onnxrun_status* (*editor_add_output)(onnxrun_editor* editor, const char* value);
  /* With the nodes that only it needs; the inputs stay. */
  onnxrun_status* (*editor_remove_output)(onnxrun_editor* editor, const char* value);
  /* Type and shape of an input of the model. `dtype` 0 and null `dims` keep what is there; a dim is a size, a name, or "?". */
  onnxrun_status* (*editor_set_input)(onnxrun_editor* editor, const char* input, int32_t dtype, const char* const* dims,
                                      size_t rank);
  /* A handle of the caller's that shares the constant and cannot be written to. ONNXRUN_INVALID_ARGUMENT where there is none of that name. */
  onnxrun_status* (*editor_constant)(const onnxrun_editor* editor, const char* name, onnxrun_value** out);
  /* Changes a constant, or adds one; copied. */
  onnxrun_status* (*editor_set_constant)(onnxrun_editor* editor, const char* name, const onnxrun_value* value);
  /* Null `value` removes the key. */
  onnxrun_status* (*editor_set_metadata)(onnxrun_editor* editor, const char* key, const char* value);
  /* Turns floating-point constants of `min_bytes` and more into zeros that take no room; `count`, which may be null, gets how many. */
  onnxrun_status* (*editor_strip_weights)(onnxrun_editor* editor, int64_t min_bytes, size_t* count);
  /* Adds the graph of `other`: `outputs[i]`, an output of this model or an input that both are to read, is taken where the other has its `inputs[i]`. Outputs so
   * used are outputs no more; all other inputs and outputs stay. `prefix`, which may be null, goes before all names of the other. */
  onnxrun_status* (*editor_merge)(onnxrun_editor* editor, const onnxrun_model* other, const char* const* outputs,
                                  const char* const* inputs, size_t count, const char* prefix);

  /* --- more of runs and models --- */
  /* `poll` is asked about twenty times a second while an execution goes on, on the thread of `run_execute`, also while that waits for its turn;
   * anything but 0 ends the execution as `run_cancel` does. It must not throw. Null: nobody is asked. */
  onnxrun_status* (*run_set_poll)(onnxrun_run* run, int32_t (*poll)(void* context), void* context);
  /* Gives a result away: as run_output, but the run keeps nothing of it, and a tensor (other than of strings) can be written to. Copied only where its memory is
   * shared, but for what run_set_output gave: that is itself what is taken, and later executions write to it. Taken twice, it is an absent optional. */
  onnxrun_status* (*run_take_output)(onnxrun_run* run, size_t index, onnxrun_value** out);
  /* The report of model_check on a file in memory. External data is refused unless external_root is set. */
  onnxrun_status* (*model_check_bytes)(const void* data, size_t size, const onnxrun_options* options,
                                       onnxrun_blob** out);

  /* --- quantising ---
   * A smaller model that computes nearly the same. `settings` are "key=value" texts:
   *   mode          weights (default): constants in few bits, arithmetic of float32; dynamic: products of matrices in 8 bits, with ranges found in each run;
   *                 static: operators in 8 bits between QuantizeLinear and DequantizeLinear, with ranges that the samples have; float: 16-bit floating point
   *   type          int8 (default), uint8, int4 (mode weights); fp16, bf16 (mode float)
   *   block         mode weights: weights along the summed axis that share a scale, a power of two from 16 on, default 32; 0: one scale an output channel
   *   symmetric     0 or 1: no zero points
   *   per_channel   1 (default) or 0: a scale for each output channel, or one for all
   *   standard      0 or 1: only operators that ONNX defines
   *   keep_io       0 or 1: mode float: inputs and outputs stay float32
   *   method        mode static, how a range follows from the values seen: mse, minmax, percentile, entropy; default: mse, or minmax where that is clearly better
   *   percentile    of that method; default 99.99
   *   rounding      of weights: nearest; refined: least squared error; aware: the same, weighed by what the samples multiply them by; compensated: one after the
   *                 other, the next making up for the error. Default: mode weights with samples compensated, else refined
   *   smooth        modes dynamic and static with samples: how much of the range of a product's input goes to its weights, 0 to 1; default 0.5 where that lessens
   *                 the error, else 0
   *   equalize      0 (default) or 1: modes dynamic and static: channels between two convolutions are scaled to a like size
   *   correct_bias  1 (default) or 0: modes dynamic (of convolutions) and static, with samples: biases make up for the mean error of the weights
   *   include       regular expression: only nodes whose name or operator it is found in
   *   exclude       those left alone
   *   target_error  root mean square of the outputs' errors against their size: nodes are left alone, the most costly first, until it is met
   *   samples       how many to use; default all
   * `sample` may be null where the mode needs none; with it the report says what the change costs. The report, which may be null, is JSON:
   * {"version","mode","type","samples","compared","smooth","equalized","bytes_before","bytes_after","changed":[{"node","op","form","bytes_before","bytes_after","error"}],
   * "left":[{"node","op","why"}],"error","outputs":[{"name","relative","largest","mean","cosine","top1"}],"worst":[...],"sensitivity","search"}.
   * ONNXRUN_UNSUPPORTED where the model is quantised already or nothing in it can be. */
  onnxrun_status* (*model_quantize)(const onnxrun_model* model, const onnxrun_options* options,
                                    const char* const* settings, size_t setting_count, onnxrun_sample sample,
                                    void* context, onnxrun_model** out, onnxrun_blob** report);

  /* --- asynchronous runs --- */
  /* Executes on a thread of the session, which has as many for this as it has streams, and calls `done(context, status)` there once the run may be used
   * again: results are ready, a next execution may be started, and the run may be freed, from within the callback, too. Until then only `run_cancel`,
   * `run_wait` and `run_free` (which cancels and waits) take the run, everything else is refused. Polls and taps are called on that thread. An error here means
   * that nothing was started and `done` is not called. The last handle of a session to be freed waits for the callbacks of others. */
  onnxrun_status* (*run_execute_async)(onnxrun_run* run, onnxrun_done done, void* context);
  /* Waits until no asynchronous execution of the run goes on; `done` may still be about to be called. */
  onnxrun_status* (*run_wait)(onnxrun_run* run);

  /* --- observation --- */
  /* What a session has done since it was made, JSON: {"version","statistics","runs","errors":{code: N},"latency":{"count","mean","min","max","p50","p90","p99",
   * "buckets":[[seconds, N]]},"tensors":[{"name","kind","runs","elements","nan","infinite","min","max","mean","deviation","sample":[...]}],"memory":{...}}.
   * Times in seconds, waiting for a stream included; a bucket counts what took no longer than its bound and longer than the one before; percentiles are
   * interpolated between bounds that lie up to 50 % apart. Minimum and maximum leave out NaN, mean and standard deviation what is not finite. What the option
   * `statistics` leaves out is missing here. May be called while runs go on. */
  onnxrun_status* (*session_stats)(const onnxrun_session* session, onnxrun_blob** out);
  /* The same in the text format that Prometheus reads (version 0.0.4); `name`, which may be null, becomes the label "session". */
  onnxrun_status* (*session_prometheus)(const onnxrun_session* session, const char* name, onnxrun_blob** out);
  /* Hands messages of `level` and more serious ones to `log`, about models loaded and sessions made with these options, and about their runs, on the
   * thread they concern. The options and what is made with them hold on to `context`: `release(context)`, which may be null, is called when the last of
   * them is gone (not when this call fails). Null `log`: no messages, the default. */
  onnxrun_status* (*options_set_log)(onnxrun_options* options, int32_t level, onnxrun_log log,
                                     void (*release)(void* context), void* context);

  /* --- memory --- */
  /* Where sessions and models made with these options get blocks from: copied and packed weights, planned memory, results. `release(context)`, which may be
   * null, is called once nothing made with it is left, values included (not when this call fails). Null for both functions: the system's heap. */
  onnxrun_status* (*options_set_allocator)(onnxrun_options* options, onnxrun_allocate allocate,
                                           onnxrun_deallocate deallocate, void (*release)(void* context),
                                           void* context);

  /* --- more of models --- */
  /* From what `read` gives until it returns 0, on this thread. External data is refused unless external_root is set. */
  onnxrun_status* (*model_load_stream)(onnxrun_read read, void* context, const onnxrun_options* options,
                                       onnxrun_model** out);
  /* The entries of metadata_props, sorted by key. */
  onnxrun_status* (*model_metadata_count)(const onnxrun_model* model, size_t* out);
  onnxrun_status* (*model_metadata_entry)(const onnxrun_model* model, size_t index, const char** key,
                                          const char** value);

  /* --- DLPack --- structures of dlpack.h: DLManagedTensor for `major` 0, DLManagedTensorVersioned for 1. */
  /* A tensor without a copy; the caller calls its deleter. Under version 0, which cannot say so, one that may not be written to is given, too. Not for
   * strings, nor for types narrower than 8 bits. */
  onnxrun_status* (*value_to_dlpack)(const onnxrun_value* value, uint32_t major, void** out);
  /* Takes the tensor over, without a copy: its deleter is called when the last value that shares it goes, on any thread (not when this call fails). It must be
   * aligned for its elements and contiguous; it may lie on a device. The value can be written to unless the tensor says that it is read-only. */
  onnxrun_status* (*value_from_dlpack)(void* tensor, uint32_t major, onnxrun_value** out);

  /* --- operators of your own --- */
  /* Models loaded with these options may use `library`'s operators, and so does what is made from them. Copied; its functions must stay callable until
   * `destroy` is called, when the last options, model, session and editor that know it are gone (not when this call fails). ONNXRUN_INVALID_ARGUMENT names an operator
   * that is malformed or defined already. */
  onnxrun_status* (*options_add_ops)(onnxrun_options* options, const onnxrun_op_library* library);
  /* The same from a shared library with the entry of custom_op.h; it stays loaded. `settings` are "key=value" texts for it, may be null when 0. */
  onnxrun_status* (*options_add_op_library)(onnxrun_options* options, const char* path, const char* const* settings,
                                            size_t setting_count);

  /* --- values on devices ---
   * Devices have their numbers in DLPack: type 1 is the host, 2 CUDA; runs take values on those devices on which a provider of the session works. There they are read
   * and written without a copy by way of the host. Work on them that was given to the device's default stream is waited for; that of others is to be done
   * before a run begins. When it ends, its own is done. */
  /* As value_wrap_tensor, over memory of a device. Kernels read and write it in place when it is aligned to ONNXRUN_ALIGNMENT, else it is copied within the device. */
  onnxrun_status* (*value_wrap_device)(int32_t dtype, const int64_t* dims, size_t rank, void* data, size_t bytes,
                                       int32_t device_type, int32_t device_id, int32_t writable,
                                       void (*release)(void* context), void* context, onnxrun_value** out);
  /* Where a tensor lies; any of the outputs may be null. `*data` is an address on that device, valid as long as a value that shares it. */
  onnxrun_status* (*value_device)(const onnxrun_value* value, int32_t* device_type, int32_t* device_id, void** data);
  /* A tensor of undefined contents in memory of a device, by the provider library of the options that works on it. */
  onnxrun_status* (*value_create_on)(const onnxrun_options* options, int32_t device_type, int32_t device_id,
                                     int32_t dtype, const int64_t* dims, size_t rank, onnxrun_value** out);
  /* Copies all elements to a tensor of the same type and shape that can be written to, wherever the two lie, and waits. `options`, null where both lie in
   * host memory, has the provider libraries for the devices. */
  onnxrun_status* (*value_copy)(const onnxrun_options* options, const onnxrun_value* from, onnxrun_value* to);
  /* As run_set_output with null, but the result is made in memory of a device. */
  onnxrun_status* (*run_set_output_device)(onnxrun_run* run, const char* name, int32_t device_type, int32_t device_id);
} onnxrun_api;

/* The table for `version`; null when the library does not have it. Lives as long as the library. */
ONNXRUN_EXPORT const onnxrun_api* onnxrun_get_api(uint32_t version);

#ifdef __cplusplus
}
#endif

#endif /* ONNXRUN_ONNXRUN_H */
