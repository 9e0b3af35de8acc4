"""Gelu and SiLU and their relatives."""

from case import Case


def shape(r):
    return r.pick((), (5,), (2, 3), (2, 7, 16), (1, 0, 4), (3, 1, 33))


def unary(op, types, **attributes):
    def draw(r):
        chosen = {name: pick(r) for name, pick in attributes.items() if r.chance()}
        return Case(op, [r.normal(*shape(r), scale=3)], chosen, dtype=r.pick(*types), symbolic=r.chance(0.3))
    return draw


def biased(op, types, required):
    def draw(r):
        x = r.normal(*r.pick((5,), (2, 3), (2, 7, 16), (3, 1, 33)), scale=3)
        bias = r.normal(x.shape[-1]) if required or r.chance() else None
        return Case(op, [x, bias], dtype=r.pick(*types), symbolic=r.chance(0.3), constant={1} if bias is not None and r.chance() else ())
    return draw


def scaled_silu(r):
    scale = r.normal() if r.chance() else None
    return Case("ScaledSiLU", [r.normal(*shape(r), scale=2), scale], {"alpha": r.pick(1.0, 0.5, 1.7)} if r.chance() else {},
                dtype=r.pick("float32", "float16", "bfloat16"))


FAMILIES = {
    "Gelu": unary("Gelu", ("float32", "float64", "float16", "bfloat16")),
    "QuickGelu": unary("QuickGelu", ("float32", "float16", "bfloat16"), alpha=lambda r: r.pick(1.0, 1.702, 0.3)),
    "FastGelu": biased("FastGelu", ("float32", "float16", "bfloat16"), False),
    "BiasGelu": biased("BiasGelu", ("float32", "float64", "float16", "bfloat16"), True),
    "ScaledSiLU": scaled_silu,
}
