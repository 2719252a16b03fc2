"""EfficientNet-Lite (arXiv 1905.11946, without squeeze-and-excitation, ReLU6) as an ONNX graph, from its state dict.

Batch norms are folded into the convolutions. Input `pixels`: uint8 [N, 224, 224, 3], RGB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graph import FLOAT, UINT8, Graph, l2_normalise

SIZE = 224
BATCH_NORM_EPSILON = 1e-3


@dataclass(frozen=True)
class Stage:
    repeats: int
    kernel: int
    stride: int
    expansion: int


#: The seven stages of Lite0; widths are read off the weights.
LITE0 = (
    Stage(1, 3, 1, 1),
    Stage(2, 3, 2, 6),
    Stage(2, 5, 2, 6),
    Stage(3, 3, 2, 6),
    Stage(3, 5, 1, 6),
    Stage(4, 5, 2, 6),
    Stage(1, 3, 1, 6),
)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding: the odd pixel goes to the end."""
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class LiteBackbone:
    """Writes the backbone's nodes; `size` follows the feature map's side."""

    def __init__(self, graph: Graph, state: dict[str, np.ndarray], size: int = SIZE):
        self.graph, self.state, self.size = graph, state, size

    def convolve(self, x: str, conv: str, norm: str, stride: int = 1, groups: int = 1, relu: bool = True) -> str:
        weight = self.state[f"{conv}.weight"].astype(np.float64)
        scale = self.state[f"{norm}.weight"] / np.sqrt(self.state[f"{norm}.running_var"] + BATCH_NORM_EPSILON)
        bias = self.state[f"{norm}.bias"] - self.state[f"{norm}.running_mean"] * scale
        kernel = weight.shape[-1]
        begin, end = same_padding(self.size, kernel, stride)
        out = self.graph.op(
            "Conv",
            x,
            self.graph.weight(f"{conv}.weight", (weight * scale[:, None, None, None]).astype(np.float32)),
            self.graph.weight(f"{conv}.bias", bias.astype(np.float32)),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[begin, begin, end, end],
            group=groups,
        )
        self.size = -(-self.size // stride)
        if not relu:
            return out
        return self.graph.op("Clip", out, self.graph.constant(0, np.float32), self.graph.constant(6, np.float32))

    def block(self, x: str, name: str, stage: Stage, stride: int) -> str:
        inner = x
        if stage.expansion != 1:
            inner = self.convolve(inner, f"{name}._expand_conv", f"{name}._bn0")
        width = self.state[f"{name}._depthwise_conv.weight"].shape[0]
        inner = self.convolve(inner, f"{name}._depthwise_conv", f"{name}._bn1", stride, groups=width)
        inner = self.convolve(inner, f"{name}._project_conv", f"{name}._bn2", relu=False)
        first = f"{name}._expand_conv" if stage.expansion != 1 else f"{name}._depthwise_conv"
        width_in = self.state[f"{first}.weight"].shape[1 if stage.expansion != 1 else 0]
        width_out = self.state[f"{name}._project_conv.weight"].shape[0]
        if stride == 1 and width_in == width_out:
            inner = self.graph.op("Add", inner, x)
        return inner

    def features(self, x: str, stages: tuple[Stage, ...]) -> str:
        """Pixels scaled and channels first in; the mean of the last feature map out, [N, width]."""
        x = self.convolve(x, "_conv_stem", "_bn0", stride=2)
        number = 0
        for stage in stages:
            for repeat in range(stage.repeats):
                x = self.block(x, f"_blocks.{number}", stage, stage.stride if repeat == 0 else 1)
                number += 1
        x = self.convolve(x, "_conv_head", "_bn1")
        return self.graph.op("Flatten", self.graph.op("GlobalAveragePool", x), axis=1)


def vision_graph(
    state: dict[str, np.ndarray],
    stages: tuple[Stage, ...],
    linear_map: tuple[np.ndarray, np.ndarray] | None,
    size: int = SIZE,
) -> Graph:
    """uint8 pixels to unit embeddings; without a linear map, to raw features (`features`)."""
    graph = Graph("vision")
    pixels = graph.input("pixels", UINT8, ["batch", size, size, 3])
    x = graph.op("Cast", pixels, to=FLOAT)
    x = graph.op("Mul", graph.op("Sub", x, graph.constant(127, np.float32)), graph.constant(1 / 128, np.float32))
    x = graph.op("Transpose", x, perm=[0, 3, 1, 2])
    features = LiteBackbone(graph, state, size).features(x, stages)
    if linear_map is None:
        graph.output(features, "features", FLOAT, ["batch", None])
        return graph
    weight, bias = linear_map
    x = graph.op("Gemm", features, graph.weight("map.weight", weight), graph.weight("map.bias", bias))
    graph.output(l2_normalise(graph, x), "embedding", FLOAT, ["batch", weight.shape[1]])
    return graph
