// Reads a digit with onnxrun from Go: a thin layer over the C interface, errors as Go's own, memory shared instead of copied.
//
//	CGO_CFLAGS=-I/where/onnxrun/is/include CGO_LDFLAGS=-L/where/onnxrun/is/lib go build
//	./digits digits.onnx
//
// Prints the ten probabilities for a test pattern.
package main

/*
#cgo LDFLAGS: -lonnxrun
#include <onnxrun/onnxrun.h>
#include <stdlib.h>

// Go calls no function pointers: these do it for it.
static const onnxrun_api* api(void) { return onnxrun_get_api(ONNXRUN_API_VERSION); }
static onnxrun_code status_code(const onnxrun_status* s) { return api()->status_code(s); }
static const char* status_message(const onnxrun_status* s) { return api()->status_message(s); }
static void status_free(onnxrun_status* s) { api()->status_free(s); }
static onnxrun_status* model_load(const char* path, onnxrun_model** out) { return api()->model_load(path, NULL, out); }
static void model_free(onnxrun_model* m) { api()->model_free(m); }
static onnxrun_status* session_create(const onnxrun_model* m, onnxrun_session** out) {
  return api()->session_create(m, NULL, out);
}
static void session_free(onnxrun_session* s) { api()->session_free(s); }
static onnxrun_status* value_create(int32_t dtype, const int64_t* dims, size_t rank, onnxrun_value** out) {
  return api()->value_create_tensor(dtype, dims, rank, out);
}
static onnxrun_status* value_data(onnxrun_value* v, void** data, size_t* bytes) {
  return api()->value_mutable_data(v, data, bytes);
}
static void value_free(onnxrun_value* v) { api()->value_free(v); }
static onnxrun_status* run_create(const onnxrun_session* s, onnxrun_run** out) { return api()->run_create(s, out); }
static void run_free(onnxrun_run* r) { api()->run_free(r); }
static onnxrun_status* run_set_input(onnxrun_run* r, const char* name, const onnxrun_value* v) {
  return api()->run_set_input(r, name, v);
}
static onnxrun_status* run_execute(onnxrun_run* r) { return api()->run_execute(r); }
static onnxrun_status* run_take(onnxrun_run* r, size_t i, onnxrun_value** out) {
  return api()->run_take_output(r, i, out);
}
*/
import "C"

import (
	"fmt"
	"os"
	"unsafe"
)

// Error is what a call of the library failed with.
type Error struct {
	Code    int
	Message string
}

func (e *Error) Error() string { return e.Message }

func check(status *C.onnxrun_status) error {
	if status == nil {
		return nil
	}
	defer C.status_free(status)
	return &Error{int(C.status_code(status)), C.GoString(C.status_message(status))}
}

// Tensor holds float32 numbers in memory of the library.
type Tensor struct{ handle *C.onnxrun_value }

// NewTensor makes a zeroed one.
func NewTensor(dims ...int64) (*Tensor, error) {
	t := &Tensor{}
	var first *C.int64_t
	if len(dims) > 0 {
		first = (*C.int64_t)(unsafe.Pointer(&dims[0]))
	}
	return t, check(C.value_create(C.ONNXRUN_DTYPE_FLOAT32, first, C.size_t(len(dims)), &t.handle))
}

// Data is the memory itself, valid until Close.
func (t *Tensor) Data() ([]float32, error) {
	var data unsafe.Pointer
	var size C.size_t
	if err := check(C.value_data(t.handle, &data, &size)); err != nil {
		return nil, err
	}
	return unsafe.Slice((*float32)(data), int(size)/4), nil
}

// Close gives the memory back.
func (t *Tensor) Close() {
	C.value_free(t.handle)
	t.handle = nil
}

// Session is a model made ready; any number of goroutines may run it.
type Session struct{ handle *C.onnxrun_session }

// Open loads a model.
func Open(path string) (*Session, error) {
	text := C.CString(path)
	defer C.free(unsafe.Pointer(text))
	var model *C.onnxrun_model
	if err := check(C.model_load(text, &model)); err != nil {
		return nil, err
	}
	defer C.model_free(model)
	s := &Session{}
	return s, check(C.session_create(model, &s.handle))
}

// Close frees the session once no run uses it.
func (s *Session) Close() {
	C.session_free(s.handle)
	s.handle = nil
}

// Run gives the model's first output.
func (s *Session) Run(inputs map[string]*Tensor) (*Tensor, error) {
	var run *C.onnxrun_run
	if err := check(C.run_create(s.handle, &run)); err != nil {
		return nil, err
	}
	defer C.run_free(run)
	for name, tensor := range inputs {
		text := C.CString(name)
		err := check(C.run_set_input(run, text, tensor.handle))
		C.free(unsafe.Pointer(text))
		if err != nil {
			return nil, err
		}
	}
	if err := check(C.run_execute(run)); err != nil {
		return nil, err
	}
	out := &Tensor{}
	return out, check(C.run_take(run, 0, &out.handle))
}

func read(path string) error {
	session, err := Open(path)
	if err != nil {
		return err
	}
	defer session.Close()
	image, err := NewTensor(1, 1, 8, 8)
	if err != nil {
		return err
	}
	defer image.Close()
	pixels, err := image.Data()
	if err != nil {
		return err
	}
	for i := range pixels {
		pixels[i] = float32(i*7%16) / 16
	}
	result, err := session.Run(map[string]*Tensor{"image": image})
	if err != nil {
		return err
	}
	defer result.Close()
	probabilities, err := result.Data()
	if err != nil {
		return err
	}
	for _, p := range probabilities {
		fmt.Println(p)
	}
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: digits digits.onnx")
		os.Exit(2)
	}
	if err := read(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
