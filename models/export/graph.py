"""A small builder of ONNX graphs: names nodes in order, so the same calls give the same bytes."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
MICROSOFT = "com.microsoft"


class Graph:
    """Collects nodes and initializers; every method returns the name of what it made."""

    def __init__(self, name: str):
        self.name = name
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []
        self._constants: dict[tuple, str] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._uses_microsoft = False

    def input(self, name: str, dtype: int, shape: list) -> str:
        self._inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, value: str, name: str, dtype: int, shape: list) -> None:
        self._nodes.append(helper.make_node("Identity", [value], [name], name=f"output_{name}"))
        self._outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def weight(self, name: str, values: np.ndarray) -> str:
        self._initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def constant(self, values, dtype) -> str:
        """A small constant, made once however often it is asked for."""
        array = np.asarray(values, dtype=dtype)
        key = (array.tobytes(), str(array.dtype), array.shape)
        if key not in self._constants:
            self._constants[key] = self.weight(f"constant_{len(self._constants)}", array)
        return self._constants[key]

    def op(self, kind: str, *inputs: str, outputs: int | None = None, domain: str = "", **attributes):
        """Adds a node. With `outputs` it gives that many names (a list), otherwise the one name."""
        self._uses_microsoft |= domain == MICROSOFT
        number = len(self._nodes)
        names = [f"{kind.lower()}_{number}_{i}" for i in range(outputs or 1)]
        self._nodes.append(
            helper.make_node(kind, list(inputs), names, name=f"{kind}_{number}", domain=domain, **attributes)
        )
        return names if outputs else names[0]

    def model(self, doc: str) -> onnx.ModelProto:
        opsets = [helper.make_opsetid("", OPSET)]
        if self._uses_microsoft:
            opsets.append(helper.make_opsetid(MICROSOFT, 1))
        graph = helper.make_graph(self._nodes, self.name, self._inputs, self._outputs, self._initializers, doc)
        return helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="sharelock-export")


def l2_normalise(graph: Graph, x: str) -> str:
    return graph.op("LpNormalization", x, axis=-1, p=2)


def serialise(model: onnx.ModelProto) -> bytes:
    return model.SerializeToString(deterministic=True)


FLOAT, BOOL = TensorProto.FLOAT, TensorProto.BOOL
UINT8, INT8, INT32, INT64 = TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32, TensorProto.INT64
