/* Operators of your own: what they take and give, what follows for types and shapes, and kernels by provider.
 *
 *   from a shared library   export ONNXRUN_OP_ENTRY and load it with `options_add_op_library` or `onnx-run --op-library`
 *   in the process          fill an onnxrun_op_library and hand it to `options_add_ops`
 *
 * Version 1 is frozen and grows by the revisions of the provider ABI, whose kernels and views these are. Functions may be called from any thread, several at once; none may let an exception
 * escape: they return a code and write a message to the sink. custom_op.hpp makes C++ classes of it. */
#ifndef ONNXRUN_CUSTOM_OP_H
#define ONNXRUN_CUSTOM_OP_H

#include <onnxrun/provider.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ONNXRUN_OP_ABI_VERSION 1u

/* What an operator's `infer` works with. */
typedef struct onnxrun_infer_call onnxrun_infer_call;
struct onnxrun_infer_call {
  /* Attributes, and facts about the inputs. A dim below -1 stands for a size that is not known yet, as "batch" of the model: equal numbers are equal
   * sizes, and they may be handed to `set_output`. -1 is a size of which nothing is known, rank -1 an unknown shape. `data` is that of a constant, or null. */
  const onnxrun_node* node;
  /* Gives output `index` its type and shape; rank -1 where the shape is not known. Outputs that the node does not have are ignored. */
  onnxrun_code (*set_output)(onnxrun_infer_call* call, size_t index, int32_t dtype, const int64_t* dims, int32_t rank,
                             onnxrun_sink* error);
};

enum {
  ONNXRUN_OP_RANDOM = 1 << 0,    /* two runs may differ: never computed ahead, never merged with its like */
  ONNXRUN_OP_DATA_SHAPE = 1 << 1 /* the shapes of outputs depend on what is computed: the kernel allocates them */
};

/* A kernel and the provider it belongs to: "cpu", or that of a plug-in. It is `domain` and `op_type` of the operator that count. `accepts` may be null: every node is
 * taken; `bind` and `release`, too: then `run` gets no state. */
typedef struct onnxrun_op_kernel {
  const char* provider;
  onnxrun_kernel kernel;
} onnxrun_op_kernel;

/* An operator. Texts may be null when empty:
 *   inputs, outputs  "X:T, W:T, bias?:T"  name:type; `?` optional, `*` one or more (last), `**` any number (last), `~` each of its own type ("rest*~:all")
 *   types            "T: float16 float32 | I: int32 int64"  what a type variable may be: element types, or the groups floats, ints, uints, integers, numeric,
 *                    complex and all; a type in a signature is a variable, an element type or a group
 *   attributes       "alpha:float, axes:ints!"  name:kind; `!` required; kinds: int float string tensor ints floats strings tensors */
typedef struct onnxrun_op {
  const char* domain; /* not one that ONNX defines the operator in */
  const char* name;
  int32_t since_version; /* of the domain: models that import an older one are refused */
  uint32_t flags;        /* ONNXRUN_OP_... */
  const char* inputs;
  const char* outputs;
  const char* types;
  const char* attributes;
  uint64_t
      value_inputs; /* bit k: the value of input k may decide the shapes of outputs; `infer` is asked again once it is known */
  /* Sets the type and shape of every output from what is known of the inputs: of a model with sizes still open, and of each run. ONNXRUN_INVALID_MODEL,
   * with a message, where the inputs do not fit. */
  onnxrun_code (*infer)(void* self, onnxrun_infer_call* call, onnxrun_sink* error);
  void* self;
  const onnxrun_op_kernel* kernels; /* best first for each provider */
  size_t kernel_count;
} onnxrun_op;

typedef struct onnxrun_op_library {
  uint32_t abi_version;  /* ONNXRUN_OP_ABI_VERSION it was built for */
  uint32_t abi_revision; /* ONNXRUN_PROVIDER_ABI_REVISION it was built for */
  const char* name;      /* for messages */
  const onnxrun_op* ops;
  size_t op_count;
  void* self;
  void (*destroy)(void* self); /* may be null */
} onnxrun_op_library;

/* The one symbol of a shared library, ONNXRUN_OP_ENTRY. `settings` are "key=value" texts; ONNXRUN_UNSUPPORTED where `abi_version`, the newest that the library
 * loading it knows, is older than what it needs. The result lives until its `destroy`. */
typedef onnxrun_code (*onnxrun_op_entry)(uint32_t abi_version, const char* const* settings, size_t setting_count,
                                         const onnxrun_op_library** out, onnxrun_sink* error);
#define ONNXRUN_OP_ENTRY onnxrun_ops_create

#ifdef __cplusplus
}
#endif

#endif /* ONNXRUN_CUSTOM_OP_H */
