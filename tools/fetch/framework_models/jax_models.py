"""Models of JAX and Flax (nnx), exported by jax2onnx."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax2onnx import to_onnx

from trained_models.case import Case


class Perceptron(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(20, 64, rngs=rngs)
        self.norm = nnx.LayerNorm(64, rngs=rngs)
        self.last = nnx.Linear(64, 5, rngs=rngs)

    def __call__(self, x):
        return nnx.softmax(self.last(nnx.gelu(self.norm(self.first(x)))))


class Convolutional(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Conv(3, 16, (3, 3), strides=2, rngs=rngs)
        self.norm = nnx.BatchNorm(16, use_running_average=True, rngs=rngs)
        self.second = nnx.Conv(16, 32, (3, 3), rngs=rngs)
        self.last = nnx.Linear(32, 10, rngs=rngs)
        self.norm.mean.value = jnp.linspace(-0.5, 0.5, 16)
        self.norm.var.value = jnp.linspace(0.5, 1.5, 16)

    def __call__(self, x):
        x = nnx.relu(self.norm(self.first(x)))
        x = nnx.max_pool(nnx.silu(self.second(x)), window_shape=(2, 2), strides=(2, 2))
        return self.last(jnp.mean(x, axis=(1, 2)))


class Transformer(nnx.Module):
    def __init__(self, rngs):
        self.norm = nnx.LayerNorm(64, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(4, 64, decode=False, rngs=rngs)
        self.second = nnx.RMSNorm(64, rngs=rngs)
        self.up = nnx.Linear(64, 128, rngs=rngs)
        self.down = nnx.Linear(128, 64, rngs=rngs)

    def __call__(self, x):
        x = x + self.attention(self.norm(x))
        return x + self.down(nnx.gelu(self.up(self.second(x)), approximate=True))


def arithmetic(x):
    """Plain functions: sums, sorts, branches by where, and a scan."""
    _, sums = jax.lax.scan(lambda carry, row: (carry * 0.5 + row, carry), jnp.zeros(x.shape[1:]), x)
    return jnp.where(x > 0, jnp.log1p(jnp.abs(x)), jnp.tanh(sums)) @ jnp.sort(x, axis=-1).T


def pair(model, shape, batch):
    feed = np.random.default_rng(batch).normal(0, 1, [batch if dim == "B" else dim for dim in shape]).astype(np.float32)
    return [feed], [np.asarray(model(jnp.asarray(feed)))]


def exported(name, model, shape):
    further = [pair(model, shape, 3)] if "B" in shape else []
    return Case(name, to_onnx(model, inputs=[shape]), *pair(model, shape, 1), 1e-3, 1e-4, further)


def cases():
    rngs = nnx.Rngs(0)
    models = (("perceptron", Perceptron(rngs), ("B", 20)), ("convolutional", Convolutional(rngs), ("B", 32, 32, 3)), ("transformer", Transformer(rngs), ("B", 10, 64)),
              ("arithmetic", arithmetic, (6, 8)))
    for name, model, shape in models:
        name += "_jax2onnx"
        yield name, functools.partial(exported, name, model, shape)
