"""Eight-bit weights made signed, which today's processors multiply in one instruction.

A quantised model multiplies whole numbers, each less its zero point. Where weights are unsigned as
activations are, onnxruntime widens both to sixteen bits first, and is no faster than in floats.
With 128 taken from the weights and from their zero points all differences, and so all products,
stay what they were, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from indexer.encoders.derived import derived_session

WEIGHTS_AND_ZEROS = {b"MatMulIntegerToFloat": (1, 5), b"DynamicQuantizeMatMul": (1, 3)}
"""Which inputs of onnxruntime's own operators are weights, and their zero points."""
UINT8, INT8 = 2, 3
"""As ONNX and onnxruntime's format number types."""
SIGN_BIT = 0x80
TENSOR_TYPE_FIELD, VALUE_TYPE_FIELD = 10, 4
"""Where a tensor's and a value's type stand in their tables: `ort.fbs` of onnxruntime."""
PROBE_SIZE = 64


def signed(model: bytes) -> bytes:
    """Return a model in onnxruntime's format with the weights of its products signed.

    Raises ValueError for a model that is not as we know them, ImportError for an onnxruntime that
    no longer brings the reader of its format.
    """
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.InferenceSession import (
        InferenceSession,
    )

    content = bytearray(model)
    graph = InferenceSession.GetRootAs(content, 0).Model().Graph()
    names = set(_weights_and_zeros(graph))
    tensors = [graph.Initializers(i) for i in range(graph.InitializersLength())]
    tensors = [tensor for tensor in tensors if tensor.Name() in names]
    if len(tensors) != len(names):
        raise ValueError("some of its weights are not constant")
    for tensor in tensors:
        numbers = tensor.RawDataAsNumpy()  # a view of `content`
        numbers ^= SIGN_BIT
        _change_type(content, tensor, TENSOR_TYPE_FIELD)
    for value in (graph.NodeArgs(i) for i in range(graph.NodeArgsLength())):
        if value.Name() in names:
            _change_type(content, _tensor_type(value), VALUE_TYPE_FIELD)
    return bytes(content)


@lru_cache(maxsize=1)
def multiplies_exactly() -> bool:
    """Whether unsigned times signed is exact here; older processors add pairs in sixteen bits."""
    size = PROBE_SIZE
    session = derived_session("eight-bit-probe", made_of=f"{size}", make=_probe, threads=1)
    (found,) = session.run(None, {"given": np.full((size, size), 255, np.uint8)})
    return bool((found == 255 * 127 * size).all())


def _weights_and_zeros(graph: Any) -> Iterator[bytes]:
    for node in (graph.Nodes(i) for i in range(graph.NodesLength())):
        for place in WEIGHTS_AND_ZEROS.get(node.OpType(), ()):
            if place >= node.InputsLength() or not node.Inputs(place):
                raise ValueError(f"its weights of {node.Name()!r} have no zero point")
            yield node.Inputs(place)


def _tensor_type(value: Any) -> Any:
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.TensorTypeAndShape import (
        TensorTypeAndShape,
    )

    table, found = value.Type().Value(), TensorTypeAndShape()
    found.Init(table.Bytes, table.Pos)
    return found


def _change_type(content: bytearray, owner: Any, field: int) -> None:
    place = owner._tab.Pos + owner._tab.Offset(field)
    if int.from_bytes(content[place : place + 4], "little") != UINT8:
        raise ValueError("its weights are not of eight bits without a sign")
    content[place : place + 4] = INT8.to_bytes(4, "little")


def _probe() -> bytes:
    """Return a product with the largest weights there are."""
    from onnx import TensorProto, helper, numpy_helper

    size = PROBE_SIZE
    weights = numpy_helper.from_array(np.full((size, size), 127, np.int8), "weights")
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["given", "weights"], ["found"])],
        "probe",
        [helper.make_tensor_value_info("given", TensorProto.UINT8, [size, size])],
        [helper.make_tensor_value_info("found", TensorProto.INT32, [size, size])],
        [weights],
    )
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())
