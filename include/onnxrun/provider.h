/* The provider ABI: how an execution provider (CPU, CUDA, a plug-in of yours) offers kernels and memory to onnxrun.
 *
 * Version 1 is frozen. It grows by revisions, each of which adds functions and fields at the ends of structures that the host makes (node, acceptance,
 * host, run_context) or the plug-in (kernel, provider), and changes nothing that is there: a library takes plug-ins of its own revision and of older ones,
 * whose missing functions it takes for null. All functions may be called from any thread; two calls on the same bound kernel state or the same stream
 * never overlap. No function may let an exception escape: they return a code
 * and write a message to the sink. Views passed in are valid during the call only, unless a comment says otherwise. */
#ifndef ONNXRUN_PROVIDER_H
#define ONNXRUN_PROVIDER_H

#include <onnxrun/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ONNXRUN_PROVIDER_ABI_VERSION 1u
#define ONNXRUN_PROVIDER_ABI_REVISION 0u

/* Receives the text of an error or of a reason; may be called several times, the pieces are joined. */
typedef struct onnxrun_sink {
  void* context;
  void (*write)(void* context, const char* text, size_t length);
} onnxrun_sink;

typedef struct onnxrun_text {
  const char* data; /* not null-terminated */
  size_t length;
} onnxrun_text;

/* Kinds of attributes; the numbers are those of ONNX's AttributeProto.AttributeType. */
typedef enum onnxrun_attribute_kind {
  ONNXRUN_ATTRIBUTE_FLOAT = 1,
  ONNXRUN_ATTRIBUTE_INT = 2,
  ONNXRUN_ATTRIBUTE_STRING = 3,
  ONNXRUN_ATTRIBUTE_TENSOR = 4,
  ONNXRUN_ATTRIBUTE_FLOATS = 6,
  ONNXRUN_ATTRIBUTE_INTS = 7,
  ONNXRUN_ATTRIBUTE_STRINGS = 8,
  ONNXRUN_ATTRIBUTE_TENSORS = 9
} onnxrun_attribute_kind;

typedef struct onnxrun_attribute {
  const char* name;
  int32_t kind; /* onnxrun_attribute_kind: says which of the following fields is set */
  size_t count; /* of a list */
  float f;
  int64_t i;
  onnxrun_text s;
  const float* floats;
  const int64_t* ints;
  const onnxrun_text* strings;
  const onnxrun_tensor* tensors; /* also of a single tensor */
} onnxrun_attribute;

/* A node in canonical form (newest opset), with facts about its values. Optional values that are absent have dtype 0. Constants have
 * data; those of 128 KiB or more may be aligned to nothing in `accepts`, and in `bind`, too, where `pack` replaces them or they lie on a
 * device. */
typedef struct onnxrun_node {
  const char* domain; /* "" is ai.onnx */
  const char* op_type;
  const char* name;
  const onnxrun_attribute* attributes;
  size_t attribute_count;
  const onnxrun_tensor* inputs;
  size_t input_count;
  const onnxrun_tensor* outputs;
  size_t output_count;
  int32_t threads;   /* that a run will split work for; 0 where that is not known yet */
  int32_t precision; /* of matrix products and convolutions of float32: the least that is wanted */
} onnxrun_node;

/* Values of `precision`, in PyTorch's words (float32_matmul_precision). */
enum {
  ONNXRUN_PRECISION_HIGHEST = 0, /* an error no larger than that of float32 arithmetic */
  ONNXRUN_PRECISION_HIGH =
      1, /* operands may be two bfloat16 parts each, some 2^-17 relative, or be transformed: see docs/precision.md */
  ONNXRUN_PRECISION_MEDIUM = 2 /* operands may be rounded to bfloat16 (2^-9 relative each); sums are float32 */
};

#define ONNXRUN_MAX_ALIASES 8

/* What a kernel that takes a node asks for. Bit k of a mask stands for input or output k (those beyond 63 cannot be marked). */
typedef struct onnxrun_acceptance {
  uint64_t strided_inputs; /* read through strides; all others are handed over contiguous */
  uint64_t packed_inputs;  /* constants that `pack` replaces: their data is not read after `pack` */
  uint64_t host_inputs;    /* must lie in host memory (device providers); `run` reads them before it returns */
  uint64_t host_outputs;   /* are written to host memory (device providers), completely before `run` returns */
  uint64_t pack_bytes;     /* size of the packed constants; 0: nothing to pack */
  size_t alias_count;      /* pairs that may share one buffer, both of equal byte size */
  struct {
    int32_t input;
    int32_t output;
  } aliases[ONNXRUN_MAX_ALIASES];
  /* Non-zero: `bind` never answers ONNXRUN_UNSUPPORTED, so that what is packed here is needed nowhere else. */
  int32_t takes_all_shapes;
} onnxrun_acceptance;

/* Services of the host during `run`. */
typedef struct onnxrun_run_context onnxrun_run_context;
typedef struct onnxrun_host {
  /* Fork-join over [0, count) in ranges of a multiple of `grain`; returns when all are done. `task` must not throw. */
  void (*parallel)(onnxrun_run_context* context, int64_t count, int64_t grain,
                   void (*task)(void* arg, int64_t begin, int64_t end), void* arg);
  /* Gives output `index`, whose shape was not known when the kernel was bound, its dims and memory (of the device where the output
   * lies there); the output's view is set on success. Not for outputs of known shape. Only from within `run`. */
  onnxrun_code (*allocate_output)(onnxrun_run_context* context, size_t index, const int64_t* dims, int32_t rank,
                                  onnxrun_sink* error);
  /* Non-zero when the run was cancelled or its deadline passed; poll at least every 10 ms of work, from any thread. */
  int32_t (*cancelled)(const onnxrun_run_context* context);
} onnxrun_host;

struct onnxrun_run_context {
  const onnxrun_host* host;
  const onnxrun_tensor* const* inputs;
  onnxrun_tensor* const* outputs; /* outputs of unknown shape have null data until allocated */
  size_t input_count;
  size_t output_count;
  void* scratch;   /* as many bytes as `bind` asked for, aligned to 64, on a device to 256 */
  void* stream;    /* of the provider; null for host providers */
  int32_t threads; /* that `parallel` splits work for */
};

/* One implementation of one operator. A provider's kernels for an operator are tried in the order of its table. */
typedef struct onnxrun_kernel {
  const char* domain;
  const char* op_type;
  const char* name; /* of this implementation, e.g. "onednn" or "reference" */

  /* Would this kernel run `node`, of which constants, types and parts of shapes are known? ONNXRUN_OK fills `out` (zeroed by the
   * caller); ONNXRUN_UNSUPPORTED writes the reason. Other codes are errors of the node itself. */
  onnxrun_code (*accepts)(const onnxrun_node* node, onnxrun_acceptance* out, onnxrun_sink* message);

  /* Writes the packed constants, relocatable and independent of shapes that may change, to `bytes` (in host memory, aligned to 64).
   * Null when the kernel packs nothing. */
  onnxrun_code (*pack)(const onnxrun_node* node, void* bytes, onnxrun_sink* error);

  /* Prepares for concrete shapes. Output shapes are complete unless they depend on input values. `packed` stays valid for the
   * life of the state. ONNXRUN_UNSUPPORTED passes the node on to the next kernel that accepted. */
  onnxrun_code (*bind)(const onnxrun_node* node, const void* packed, void** state, size_t* scratch_bytes,
                       onnxrun_sink* error);

  /* Computes the outputs (enqueues the work on a device provider). The state is not changed. */
  onnxrun_code (*run)(const void* state, onnxrun_run_context* context, onnxrun_sink* error);

  void (*release)(void* state);

  /* Bytes of memory that a state holds: plans count against a cap. Null where that is not known. */
  size_t (*state_bytes)(const void* state);
} onnxrun_kernel;

/* A provider: a table of kernels and, for a device, its memory and streams. Host providers leave the device functions null.
 * On a stream all work runs in the order it was enqueued. */
typedef struct onnxrun_provider {
  uint32_t abi_version;  /* ONNXRUN_PROVIDER_ABI_VERSION it was built for */
  uint32_t abi_revision; /* ONNXRUN_PROVIDER_ABI_REVISION it was built for */
  const char* name;      /* lower case, e.g. "cpu" */
  const char* description;
  const onnxrun_kernel* kernels;
  size_t kernel_count;
  int32_t device_memory; /* 1: works in memory of its own, 0: in host memory */
  void* self;

  onnxrun_code (*allocate)(void* self, size_t bytes, void** out, onnxrun_sink* error); /* aligned to 256 */
  void (*deallocate)(void* self, void* memory); /* no work that uses it is pending */
  onnxrun_code (*create_stream)(void* self, void** stream, onnxrun_sink* error);
  void (*destroy_stream)(void* self, void* stream);
  /* Enqueues a copy of `bytes` bytes between host and device, or within the device. Host memory stays valid and unchanged until the
   * stream was synchronised; what is copied to it may be written then. */
  onnxrun_code (*copy)(void* self, void* stream, const void* from, int32_t from_device, void* to, int32_t to_device,
                       size_t bytes, onnxrun_sink* error);
  /* Waits until all work of the stream is done; reports the first error of that work. */
  onnxrun_code (*synchronize)(void* self, void* stream, onnxrun_sink* error);
  /* Releases the provider itself. */
  void (*destroy)(void* self);

  /* --- What follows may be null --- */

  /* Of a device whose memory others use, too: its numbers in DLPack (dlpack.h's DLDevice). `device_type` 0: nobody else knows its memory. */
  int32_t device_type;
  int32_t device_id;

  /* Events order the work of several streams of the provider, so that copies go on beside kernels. All four or none; with none, copies are given to
   * the stream of the kernels. One thread at a time uses an event. */
  onnxrun_code (*create_event)(void* self, void** event, onnxrun_sink* error);
  void (*destroy_event)(void* self, void* event);
  /* Places the event behind all work that the stream was given so far; it leaves its former place. */
  onnxrun_code (*record_event)(void* self, void* event, void* stream, onnxrun_sink* error);
  /* What the stream is given from now on begins when the work is done behind which the event stands now. Nobody waits here. */
  onnxrun_code (*await_event)(void* self, void* event, void* stream, onnxrun_sink* error);
  /* What the stream is given from now on begins when the work is done that others have given the device's default stream. */
  onnxrun_code (*await_callers)(void* self, void* stream, onnxrun_sink* error);

  /* Gives back what the idle stream holds in reserve. */
  void (*trim_stream)(void* self, void* stream);

  /* Recording, all four or none: what a stream is given between the first two calls is not done but kept, to be done as often as asked for, on the
   * same memory. `end_capture` ends it in any case; where something cannot be recorded it says why, and nothing was done. `*graph` is null, or a graph that
   * was recorded before and that the new recording replaces in place. */
  onnxrun_code (*begin_capture)(void* self, void* stream, onnxrun_sink* error);
  onnxrun_code (*end_capture)(void* self, void* stream, void** graph, onnxrun_sink* error);
  onnxrun_code (*launch_graph)(void* self, void* graph, void* stream, onnxrun_sink* error);
  void (*destroy_graph)(void* self, void* graph); /* no work of it is pending */
} onnxrun_provider;

/* The one symbol of a plug-in library, ONNXRUN_PROVIDER_ENTRY. `options` are "key=value" pairs. The result lives until its
 * `destroy`. */
typedef onnxrun_code (*onnxrun_provider_entry)(uint32_t abi_version, const char* const* options, size_t option_count,
                                               const onnxrun_provider** out, onnxrun_sink* error);
#define ONNXRUN_PROVIDER_ENTRY onnxrun_provider_create

#ifdef __cplusplus
}
#endif

#endif /* ONNXRUN_PROVIDER_H */
