// One element of any type read or written as double.
#include "cpu/loops/scalar.h"

#include <limits>

#include "cpu/cpu.h"

namespace onnxrun::cpu {
namespace {

template <class T>
double load(const void* data, int64_t index) {
  if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(static_cast<const T*>(data)[index]);
  else return static_cast<double>(static_cast<float>(static_cast<const T*>(data)[index]));
}

template <class T>
void save(void* data, int64_t index, double value) {
  T& to = static_cast<T*>(data)[index];
  if constexpr (std::is_same_v<T, bool>) to = value != 0;
  else if constexpr (std::is_integral_v<T>) {
    if (!(value == value)) to = 0;
    else if (value <= static_cast<double>(std::numeric_limits<T>::lowest())) to = std::numeric_limits<T>::lowest();
    else if (value >= static_cast<double>(std::numeric_limits<T>::max())) to = std::numeric_limits<T>::max();
    else to = static_cast<T>(value);
  } else {
    to = static_cast<T>(value);
  }
}

using Scalars = Join<Floats, Join<Ints, Types<bool>>>;

}  // namespace

Load scalar_load(DType type) {
  Load result = nullptr;
  dispatch(Scalars(), type, [&]<class T>(std::type_identity<T>) { result = load<T>; });
  if (result == nullptr)
    throw provider::Declined{std::string("no scalar access to ") + std::string(base::dtype_name(type))};
  return result;
}

Save scalar_save(DType type) {
  Save result = nullptr;
  dispatch(Scalars(), type, [&]<class T>(std::type_identity<T>) { result = save<T>; });
  if (result == nullptr)
    throw provider::Declined{std::string("no scalar access to ") + std::string(base::dtype_name(type))};
  return result;
}

}  // namespace onnxrun::cpu
