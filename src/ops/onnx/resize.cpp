// Resize, and Upsample which is an older form of it (ONNX Resize-19, Upsample-10).
#include <algorithm>
#include <cmath>

#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/attributes/resize.h"
#include "ops/image_inputs.h"

namespace onnxrun::ops {
namespace {

using base::DType;
using ir::Dim;
using ir::Shape;
using ir::Tensor;

// Whether an optional vector is there: present and not of length 0.
bool given(const ir::InferContext& c, size_t i) {
  if (!c.has_input(i)) return false;
  const Shape* shape = c.shape(i);
  return shape == nullptr || shape->size() != 1 || !(*shape)[0].is_constant() || (*shape)[0].value() != 0;
}

// A symbolic dimension times a scale, where an exact expression exists.
Dim scaled(const Dim& in, float scale) {
  if (in.is_constant()) return Dim(resized(in.value(), scale));
  if (!(scale > 0)) return Dim(resized(1, scale));
  if (scale == std::floor(scale) && scale < 65536) return in * Dim(static_cast<int64_t>(scale));
  const float inverse = 1.0f / scale;
  int exponent = 0;
  if (inverse >= 2 && inverse < 65536 && std::frexp(inverse, &exponent) == 0.5f)
    return floor_div(in, Dim(static_cast<int64_t>(inverse)));
  return Dim();
}

void infer_resize(ir::InferContext& c) {
  const Shape* in = c.shape(0);
  const bool by_scales = given(c, 2), by_sizes = given(c, 3);
  if (!by_scales && !by_sizes) c.fail("neither of the inputs 'scales' and 'sizes' is given");
  if (in == nullptr) return c.set(0, c.dtype(0));
  const ResizeAttributes a = read_resize(c.attributes(), static_cast<int64_t>(in->size()));
  const DType type = c.dtype(0);
  if (a.mode != ResizeMode::kNearest && type != DType::kNone && (!base::is_numeric(type) || base::is_complex(type)))
    c.fail("mode {} cannot interpolate elements of type {}", c.attributes().get_string("mode"), base::dtype_name(type));
  const size_t which = by_sizes ? 3 : 2;
  require_vector(c, which, by_sizes ? "sizes" : "scales", Dim(static_cast<int64_t>(a.axes.size())));
  if (a.transform == ResizeTransform::kCropAndResize) {
    if (!given(c, 1)) c.fail("coordinate_transformation_mode tf_crop_and_resize needs the input 'roi'");
    require_vector(c, 1, "roi", Dim(2 * static_cast<int64_t>(a.axes.size())));
  }
  Shape out = *in;
  for (int64_t axis : a.axes) out[static_cast<size_t>(axis)] = Dim();
  if (by_sizes) {
    const auto sizes = c.elements(3);
    if (!sizes) return c.set(0, type, out);
    std::vector<int64_t> want;
    for (const Dim& dim : *sizes)
      if (dim.is_constant()) want.push_back(dim.value());
    const auto have = ir::concrete(*in);
    if (want.size() == sizes->size() && have) {
      const auto axes = resize_axes(a, *have, {}, want);
      for (size_t d = 0; d < out.size(); ++d) out[d] = Dim(axes[d].out);
    } else if (a.policy == ResizePolicy::kStretch) {
      for (size_t i = 0; i < a.axes.size(); ++i) {
        if ((*sizes)[i].is_constant() && (*sizes)[i].value() < 0)
          c.fail("input 'sizes' has the value {}", (*sizes)[i].value());
        out[static_cast<size_t>(a.axes[i])] = (*sizes)[i];
      }
    }
  } else if (const Tensor* scales = c.constant(2)) {
    for (size_t i = 0; i < a.axes.size(); ++i) {
      const size_t d = static_cast<size_t>(a.axes[i]);
      out[d] = scaled((*in)[d], scales->data<float>()[i]);
    }
    for (size_t d = 0; d < out.size(); ++d)
      if ((*in)[d].value() == 0 && out[d].value() > 0)
        c.fail("axis {} without elements cannot be resized to {}", d, out[d].value());
  }
  c.set(0, type, out);
}

// Resize-10 and Upsample: coordinates are x / scale; nearest takes the floor where it enlarges and the ceiling where it shrinks.
void finish_asymmetric(ir::Expansion& e, ir::ValueId scales) {
  const ir::Attributes base{{"mode", e.attributes().get_string("mode", "nearest")},
                            {"coordinate_transformation_mode", std::string("asymmetric")}};
  const auto with = [&](const char* nearest) {
    ir::Attributes attributes = base;
    if (attributes.get_string("mode") == "bilinear" || attributes.get_string("mode") == "trilinear")
      attributes.set("mode", std::string("linear"));
    attributes.set("nearest_mode", std::string(nearest));
    return attributes;
  };
  const Tensor known = e.fact(scales).constant;
  bool enlarges = !known, shrinks = false;
  if (known)
    for (float scale : known.span<float>()) {
      enlarges = enlarges || scale > 1;
      shrinks = shrinks || scale < 1;
    }
  if (!shrinks || !enlarges)
    return e.finish("Resize", {e.input(0), ir::kNone, scales}, with(shrinks ? "ceil" : "floor"));
  std::vector<float> down, up;
  for (float scale : known.span<float>()) {
    down.push_back(std::min(scale, 1.0f));
    up.push_back(std::max(scale, 1.0f));
  }
  const ir::ValueId small =
      e.emit("Resize", {e.input(0), ir::kNone, e.constant(Tensor::vector<float>(down))}, with("ceil"));
  e.finish("Resize", {small, ir::kNone, e.constant(Tensor::vector<float>(up))}, with("floor"));
}

void lift_resize(ir::Expansion& e, int since) {
  if (since < 11) return finish_asymmetric(e, e.input(1));
  // Empty roi, scales and sizes stand for absent ones.
  for (size_t i : {1, 2, 3}) {
    if (!e.has_input(i)) continue;
    const auto dims = e.fact(e.input(i)).dims();
    if (dims && dims->size() == 1 && (*dims)[0] == 0) e.set_input(i, ir::kNone);
  }
  e.keep();
}

void infer_upsample(ir::InferContext& c) { c.fail("Upsample is written as Resize in canonical form"); }

void lift_upsample(ir::Expansion& e, int since) {
  if (since >= 9) return finish_asymmetric(e, e.input(1));
  std::vector<float> scales = e.attributes().get_floats("scales");
  if (since < 7)
    scales = {1, 1, e.attributes().get_float("height_scale", 1), e.attributes().get_float("width_scale", 1)};
  finish_asymmetric(e, e.constant(Tensor::vector<float>(scales)));
}

// Resize-10, Upsample-9 and older ones: by scales alone, coordinates x / scale.
void lower_asymmetric(ir::Lowering& l, int opset) {
  const ir::Attributes& a = l.attributes();
  const std::string mode = a.get_string("mode", "nearest");
  if (!l.has_input(2) || l.has_input(3)) return l.refuse("it has no scales, as it must before opset 11");
  if (a.get_string("coordinate_transformation_mode", "half_pixel") != "asymmetric")
    return l.refuse("its coordinates are not asymmetric, as they are before opset 11");
  if (mode == "cubic") return l.refuse("its mode 'cubic' came with opset 11");
  for (const char* name : {"antialias", "axes", "keep_aspect_ratio_policy"})
    if (a.has(name)) return l.refuse("its attribute '{}' came with opset 18", name);
  const Tensor scales = l.constant_input(2);
  const std::string nearest = a.get_string("nearest_mode", "round_prefer_floor");
  bool enlarges = !scales, shrinks = false;
  if (scales)
    for (float scale : scales.span<float>()) {
      enlarges = enlarges || scale > 1;
      shrinks = shrinks || scale < 1;
    }
  if (mode == "nearest" && (nearest != (shrinks ? "ceil" : "floor") || (shrinks && enlarges)))
    return l.refuse("its nearest_mode '{}' is not how opset 10 rounds", nearest);
  if (opset < 10 && shrinks) return l.refuse("it shrinks, which Upsample does not");
  const ir::ValueId factors = l.input(2);
  if (opset < 9) {
    if (!scales || (opset < 7 && scales.count() != 4)) return l.refuse("its scales are not constants");
    const std::vector<float> list(scales.span<float>().begin(), scales.span<float>().end());
    if (opset < 7 && (list[0] != 1 || list[1] != 1)) return l.refuse("it does not resize height and width alone");
    l.source().attributes = opset < 7 ? ir::Attributes{{"height_scale", list[2]}, {"width_scale", list[3]}}
                                      : ir::Attributes{{"scales", list}};
    l.source().inputs = {l.input(0)};
  } else {
    l.source().attributes = {};
    l.source().inputs = {l.input(0), factors};
  }
  l.attributes().set("mode", opset < 7 && mode == "linear" ? std::string("bilinear") : mode);
  if (opset < 10) l.become("", "Upsample");
  l.keep();
}

void lower_resize(ir::Lowering& l, int opset) {
  if (opset < 11) return lower_asymmetric(l, opset);
  if (opset < 19 && l.attributes().get_string("coordinate_transformation_mode", "half_pixel") == "half_pixel_symmetric")
    return l.refuse("its coordinates 'half_pixel_symmetric' came with opset 19");
  if (opset < 13) {
    // Both had to be there, empty where they said nothing.
    for (size_t i : {1, 2})
      if (!l.has_input(i)) l.set_input(i, l.constant(Tensor::vector<float>({})));
  }
  l.keep();
}

}  // namespace

void define_onnx_resize(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Resize",
             .versions = {10, 11, 13, 18, 19},
             .signature = {.inputs = "X:T1, roi?:T2, scales?:float32, sizes?:int64",
                           .outputs = "Y:T1",
                           .types = "T1: numeric bool string complex | T2: float16 float32 float64",
                           .attributes =
                               "antialias:int, axes:ints, coordinate_transformation_mode:string, cubic_coeff_a:float, "
                               "exclude_outside:int, extrapolation_value:float, keep_aspect_ratio_policy:string, "
                               "mode:string, nearest_mode:string"},
             .infer = infer_resize,
             .lift = lift_resize,
             .lower = lower_resize});
  table.add({.domain = "",
             .name = "Upsample",
             .versions = {1, 7, 9, 10},
             .signature = {.inputs = "X:T, scales:float32",
                           .outputs = "Y:T",
                           .types = "T: numeric bool string complex",
                           .attributes = "mode:string"},
             .infer = infer_upsample,
             .lift = lift_upsample});
}

}  // namespace onnxrun::ops
