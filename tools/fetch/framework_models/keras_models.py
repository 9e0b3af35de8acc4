"""Models of Keras on TensorFlow, with random weights and moving statistics that are alive: each exported by tf2onnx from a traced function and by Keras' own export."""

import functools
import tempfile
from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from keras import layers

from trained_models.case import Case


def gelu(x):
    """The approximation: tf2onnx knows no Erfc, in which Keras writes the exact one."""
    return keras.activations.gelu(x, approximate=True)


def alive(model, seed):
    """Gives statistics, scales and biases other values than 0 and 1, which exporters and optimizers drop."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        name = weight.path.rsplit("/", 1)[-1]
        shape = tuple(weight.shape)
        if name in ("moving_mean", "beta", "bias"):
            weight.assign(random.normal(0, 0.1, shape).astype(np.float32))
        elif name in ("moving_variance", "gamma"):
            weight.assign(random.uniform(0.5, 1.5, shape).astype(np.float32))
    return model


def convolutional():
    image = keras.Input((32, 32, 3), name="image")
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(image)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    y = layers.Activation("hard_silu")(layers.BatchNormalization()(y))
    y = layers.Conv2D(16, 1)(y)
    x = layers.MaxPooling2D(2)(layers.add([x, layers.BatchNormalization()(y)]))
    x = layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="leaky_relu")(x)
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    x = layers.SeparableConv2D(24, 3, activation="swish")(layers.ZeroPadding2D(1)(x))
    x = layers.GlobalAveragePooling2D()(layers.AveragePooling2D(2)(x))
    return keras.Model(image, layers.Dense(10, activation="softmax")(x))


def transformer():
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = layers.Embedding(200, 64)(ids)
    for _ in range(2):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.add([x, layers.MultiHeadAttention(4, 16)(y, y)])
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        y = layers.Dense(128, activation=gelu)(y)
        x = layers.add([x, layers.Dense(64)(y)])
    return keras.Model(ids, layers.Dense(5)(layers.LayerNormalization()(x)))


def causal():
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = layers.Embedding(200, 64)(ids)
    y = layers.GroupQueryAttention(16, 4, 2)(x, x, use_causal_mask=True)
    x = layers.RMSNormalization()(layers.add([x, y]))
    x = layers.multiply([layers.Dense(96, activation="silu")(x), layers.Dense(96)(x)])
    return keras.Model(ids, layers.Dense(200)(x))


def vision_transformer():
    image = keras.Input((32, 32, 3), name="image")
    x = layers.Reshape((64, 48))(layers.Conv2D(48, 4, strides=4)(image))
    for _ in range(2):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.add([x, layers.MultiHeadAttention(3, 16)(y, y)])
        y = layers.Dense(96, activation=gelu)(layers.LayerNormalization(epsilon=1e-6)(x))
        x = layers.add([x, layers.Dense(48)(y)])
    return keras.Model(image, layers.Dense(10)(layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))))


def recurrent():
    ids = keras.Input((12,), dtype="int32", name="ids")
    x = layers.Embedding(100, 24)(ids)
    x = layers.Bidirectional(layers.LSTM(20, return_sequences=True))(x)
    x = layers.GRU(16)(x)
    return keras.Model(ids, layers.Dense(3, activation="sigmoid")(x))


def sequence():
    x = signal = keras.Input((64, 6), name="signal")
    for dilation in (1, 2, 4):
        y = layers.Conv1D(12, 3, padding="causal", dilation_rate=dilation, activation="elu")(x)
        x = layers.GroupNormalization(3)(layers.concatenate([x, y])[:, :, -12:])
    return keras.Model(signal, layers.Dense(4, activation="softplus")(layers.GlobalMaxPooling1D()(x)))


def mobile():
    return keras.applications.MobileNetV3Small(input_shape=(96, 96, 3), weights=None, classes=20)


def efficient():
    return keras.applications.EfficientNetV2B0(input_shape=(64, 64, 3), weights=None, classes=20, include_preprocessing=False)


BUILDERS = (convolutional, transformer, causal, vision_transformer, recurrent, sequence, mobile, efficient)


def feed_for(model, batch, seed):
    random = np.random.default_rng(seed)
    shape = [batch, *[9 if dim is None else dim for dim in model.inputs[0].shape[1:]]]
    if model.inputs[0].dtype == "int32":
        return random.integers(0, 100, shape).astype(np.int32)
    values = random.uniform(0, 1, shape).astype(np.float32)
    return values * 255 if model.inputs[0].shape[1] in (64, 96) and len(shape) == 4 else values


def by_tf2onnx(model):
    spec = [tf.TensorSpec([None, *model.inputs[0].shape[1:]], model.inputs[0].dtype, name=model.inputs[0].name)]
    function = tf.function(lambda x: model(x, training=False), input_signature=spec)
    return tf2onnx.convert.from_function(function, input_signature=spec, opset=18)[0]


def by_keras(model):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        model.export(path, format="onnx", verbose=False)
        return onnx.load(path)


def exported(name, model, export):
    one, three = [([feed], [np.asarray(model(feed, training=False))]) for feed in (feed_for(model, 1, 1), feed_for(model, 3, 2))]
    return Case(name, export(model), *one, 1e-3, 1e-4, [three])


def cases():
    for number, build in enumerate(BUILDERS):
        keras.utils.set_random_seed(number)
        model = alive(build(), number)
        for exporter, export in (("tf2onnx", by_tf2onnx), ("keras", by_keras)):
            name = f"{build.__name__}_{exporter}"
            yield name, functools.partial(exported, name, model, export)
