// DenormalGuard: sets and restores the flushing of denormal floats on the calling thread.
#include "base/float_control.h"
#include "base/parallel.h"

namespace onnxrun::base {

DenormalGuard::DenormalGuard(bool flush) : saved_(float_control()) {
  set_float_control((saved_ & ~kFlushBits) | (flush ? kFlushBits : 0));
}

// The other bits, among them the exception flags raised meanwhile, stay as they are.
DenormalGuard::~DenormalGuard() { set_float_control((float_control() & ~kFlushBits) | (saved_ & kFlushBits)); }

}  // namespace onnxrun::base
