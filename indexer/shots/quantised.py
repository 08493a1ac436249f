"""TransNetV2 in eight-bit integers: the same judgements for a fifth of the work.

The graph is written by hand, for what a quantiser makes of an exported one spends more time between
the convolutions than in them. Channels come last throughout, convolutions over space see frames as
a batch, those over time see pixels as columns, and nothing is float until the last layers. Between
the two there is no nonlinearity, so the channels there are scaled to one range, exactly.

Weights have seven bits: processors without VNNI add pairs of 8-bit products in 16, which overflow.
The ranges are those met on moving textures made here, so every machine makes the same file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from indexer.shots.transnet_layers import (
    BATCH_NORM_EPS,
    DILATIONS,
    LOOKUP_FRAMES,
    TransNetV2,
)

WEIGHT_STEPS = 63
SIZES = ((27, 48), (13, 24), (6, 12))
"""Height and width of the images in each block."""
HEADROOM = 1.1
"""Real footage may go a little beyond what textures reach."""
OURS = "com.microsoft"
"""The domain of onnxruntime's own operators, which take channels last."""
ONNX_OPSET, IR_VERSION = 17, 9

Floats = NDArray[np.float32]


def quantised(network: TransNetV2) -> bytes:
    """Return the network as an ONNX file: inputs and output as `TransNetV2.forward`."""
    graph = _Graph()
    ranges = _ranges(network)
    x, x_scale = "frames", 1 / 255
    means = []
    for block, size, met in zip(network.SDDCNN, SIZES, ranges, strict=True):
        x, x_scale = _block(graph, block, x, x_scale, size, met)
        real = graph.add("DequantizeLinear", x, graph.scale(x_scale), graph.zero(0))
        means.append(graph.add("ReduceMean", real, axes=[1, 2], keepdims=0))
    flat = graph.add("Reshape", real, graph.constant(np.array([0, -1], np.int64)))
    _head(graph, network, flat, graph.add("Concat", *means, axis=1))
    return graph.file()


@dataclass(frozen=True)
class _Met:
    """The largest values met in one block."""

    between: tuple[Floats, Floats]  # of each channel between space and time, positive or negative
    after: tuple[float, float]  # of each layer, after its ReLU
    added: float


@dataclass
class _Graph:
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def add(self, kind: str, *inputs: str, out: str | None = None, domain: str = "",
            **attributes: Any) -> str:  # fmt: skip
        from onnx import helper

        name = out or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], domain=domain, **attributes))
        return name

    def constant(self, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def scale(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def zero(self, value: int) -> str:
        return self.constant(np.array(value, np.uint8))

    def file(self) -> bytes:
        from onnx import TensorProto, helper

        inputs = [
            helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", 27, 48, 3]),
            helper.make_tensor_value_info("histograms", TensorProto.FLOAT, ["n", 512]),
        ]
        output = helper.make_tensor_value_info("ends", TensorProto.FLOAT, ["n", 2])
        graph = helper.make_graph(self.nodes, "transnetv2", inputs, [output], self.constants)
        opsets = [helper.make_opsetid("", ONNX_OPSET), helper.make_opsetid(OURS, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        return bytes(model.SerializeToString())


def _block(graph: _Graph, block: Any, x: str, x_scale: float, size: tuple[int, int],
           met: _Met) -> tuple[str, float]:  # fmt: skip
    outs, scales = [], []
    for layer, between, after in zip(block.DDCNN, met.between, met.after, strict=True):
        y_scale = HEADROOM * after / 255
        x = _layer(graph, layer, x, x_scale, y_scale, size, between)
        x_scale = y_scale
        outs.append(x)
        scales.append(y_scale)
    sum_scale = HEADROOM * met.added / 255
    zero = graph.zero(0)
    added = graph.add(
        "QLinearAdd", outs[1], graph.scale(scales[1]), zero, outs[0], graph.scale(scales[0]), zero,
        graph.scale(sum_scale), zero, domain=OURS,
    )  # fmt: skip
    pooled = graph.add(
        "QLinearAveragePool", added, graph.scale(sum_scale), zero, graph.scale(sum_scale), zero,
        domain=OURS, channels_last=1, kernel_shape=[2, 2], strides=[2, 2],
    )  # fmt: skip
    return pooled, sum_scale


def _layer(graph: _Graph, layer: Any, x: str, x_scale: float, y_scale: float,
           size: tuple[int, int], between: Floats) -> str:  # fmt: skip
    """Add one layer: space, then time at four reaches. Its ReLU is the end of the 8-bit range."""
    height, width = size
    convolutions = layer.convolutions()
    level = HEADROOM * between  # each channel between is divided by its own reach
    space = np.concatenate([c.layers[0].weight[:, :, 0].numpy() for c in convolutions])
    unit = 1 / 127
    y = _convolve(graph, space / level[:, None, None, None], None, x, (x_scale, 0), (unit, 128),
                  pads=[1, 1, 1, 1])  # fmt: skip
    columns = graph.constant(np.array([1, -1, height * width, len(space)], np.int64))
    y = graph.add("Reshape", y, columns)
    parts = [f"{y}.{reach}" for reach in DILATIONS]
    _split(graph, y, parts, len(space) // 4)
    gain, bias = _batch_norm(layer.bn)
    filters = len(gain) // 4
    done = []
    for i, (part, reach, convolution) in enumerate(
        zip(parts, DILATIONS, convolutions, strict=True)
    ):
        own = slice(i * filters, (i + 1) * filters)
        time = convolution.layers[1].weight[..., 0].numpy() * gain[own, None, None, None]
        time = time * level[None, 2 * i * filters : 2 * (i + 1) * filters, None, None]
        done.append(
            _convolve(graph, time, bias[own], part, (unit, 128), (y_scale, 0),
                      pads=[reach, 0, reach, 0], dilations=[reach, 1])
        )  # fmt: skip
    joined = graph.add("Concat", *done, axis=3)
    images = np.array([-1, height, width, 4 * filters], np.int64)
    return graph.add("Reshape", joined, graph.constant(images))


def _split(graph: _Graph, whole: str, parts: list[str], channels: int) -> None:
    from onnx import helper

    sizes = graph.constant(np.full(len(parts), channels, np.int64))
    graph.nodes.append(helper.make_node("Split", [whole, sizes], parts, axis=3))


def _convolve(graph: _Graph, weight: Floats, bias: Floats | None, x: str,
              x_level: tuple[float, int], y_level: tuple[float, int],
              **attributes: Any) -> str:  # fmt: skip
    """Add a convolution; a level is the scale and the zero of 8-bit values."""
    steps = np.maximum(np.abs(weight).max(axis=(1, 2, 3)), 1e-12) / WEIGHT_STEPS
    whole = np.rint(weight / steps[:, None, None, None]).astype(np.int8)
    inputs = [
        x, graph.scale(x_level[0]), graph.zero(x_level[1]),
        graph.constant(whole), graph.constant(steps.astype(np.float32)),
        graph.constant(np.zeros(len(steps), np.int8)),
        graph.scale(y_level[0]), graph.zero(y_level[1]),
    ]  # fmt: skip
    if bias is not None:
        inputs.append(graph.constant(np.rint(bias / (steps * x_level[0])).astype(np.int32)))
    return graph.add("QLinearConv", *inputs, domain=OURS, channels_last=1,
                     kernel_shape=list(weight.shape[2:]), **attributes)  # fmt: skip


def _batch_norm(norm: Any) -> tuple[Floats, Floats]:
    gain = (norm.weight / torch.sqrt(norm.running_var + BATCH_NORM_EPS)).numpy()
    return gain, norm.bias.numpy() - norm.running_mean.numpy() * gain


def _head(graph: _Graph, network: TransNetV2, flat: str, means: str) -> None:
    """Add the last layers, in float: they are a hundredth of the work."""
    projected = _linear(graph, network.frame_sim_layer.projection, means)
    length = graph.add("ReduceL2", projected, axes=[1], keepdims=1)
    alike = graph.add("Div", projected, length)
    parts = [
        _similarity(graph, network.color_hist_layer.fc, "histograms"),
        _similarity(graph, network.frame_sim_layer.fc, alike),
        flat,
    ]
    x = graph.add("Concat", *parts, axis=1)
    x = graph.add("Relu", _linear(graph, network.fc1, x))
    answers = [_linear(graph, layer, x) for layer in (network.cls_layer1, network.cls_layer2)]
    graph.add("Sigmoid", graph.add("Concat", *answers, axis=1), out="ends")


def _similarity(graph: _Graph, layer: Any, x: str) -> str:
    """As `transnet_layers._Similarity`, from unit vectors."""
    half = LOOKUP_FRAMES // 2
    alike = graph.add("MatMul", x, graph.add("Transpose", x, perm=[1, 0]))
    around = graph.add("Pad", alike, graph.constant(np.array([0, half, 0, half], np.int64)))
    row = graph.add("Reshape", around, graph.constant(np.array([-1], np.int64)))
    num_frames = graph.add("Shape", x, start=0, end=1)
    none = graph.constant(np.array([0], np.int64))
    row = graph.add("Pad", row, graph.add("Concat", none, num_frames, axis=0))
    shape = graph.add("Concat", num_frames, graph.constant(np.array([-1], np.int64)), axis=0)
    skewed = graph.add("Reshape", row, shape)
    ends = [graph.constant(np.array([place], np.int64)) for place in (0, LOOKUP_FRAMES, 1)]
    near = graph.add("Slice", skewed, ends[0], ends[1], ends[2])
    return graph.add("Relu", _linear(graph, layer, near))


def _linear(graph: _Graph, layer: Any, x: str) -> str:
    weight, bias = graph.constant(layer.weight.numpy()), graph.constant(layer.bias.numpy())
    return graph.add("Gemm", x, weight, bias, transB=1)


def _ranges(network: TransNetV2) -> list[_Met]:
    """Return the largest values met in each block on moving textures, with cuts and dissolves."""
    from indexer.shots.network import histograms
    from indexer.shots.textures import moving_textures

    met: dict[str, Tensor] = {}

    def keep(name: str, values: Tensor) -> None:
        met[name] = torch.maximum(met.get(name, torch.zeros(())), values)

    handles = list(_watch(network, keep))
    for small in moving_textures():
        network(torch.from_numpy(small), torch.from_numpy(histograms(small)))
    for handle in handles:
        handle.remove()
    return [
        _Met(
            between=(met[f"{i}.0 between"].numpy(), met[f"{i}.1 between"].numpy()),
            after=(float(met[f"{i}.0 after"]), float(met[f"{i}.1 after"])),
            added=float(met[f"{i} added"]),
        )
        for i in range(len(network.SDDCNN))
    ]


def _watch(network: TransNetV2, keep: Any) -> Iterator[Any]:
    for i, block in enumerate(network.SDDCNN):
        blocks: Any = block
        yield blocks.pool.register_forward_hook(
            lambda _, given, __, name=f"{i} added": keep(name, given[0].amax())
        )
        for j, layer in enumerate(blocks.DDCNN):
            yield layer.bn.register_forward_hook(
                lambda _, __, out, name=f"{i}.{j} after": keep(name, out.amax())
            )
            yield layer.register_forward_pre_hook(
                lambda layer, given, name=f"{i}.{j} between": keep(
                    name,
                    torch.cat([c.layers[0](given[0])[0] for c in layer.convolutions()])
                    .abs().amax((1, 2, 3)).clamp_min(1e-6),
                )
            )  # fmt: skip
