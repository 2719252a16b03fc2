"""A projector MLP as an ONNX graph: batch norms folded, layers quantised as in llama.py or left in float32."""

from __future__ import annotations

import numpy as np

from graph import FLOAT, Graph, l2_normalise


def fold_batch_norm(weight, bias, gamma, beta, mean, variance, epsilon=1e-5):
    """A linear layer followed by batch norm at inference, as one linear layer."""
    scale = gamma / np.sqrt(variance + epsilon)
    return weight * scale[:, None], (bias - mean) * scale + beta


def projector_graph(layers: list[tuple[np.ndarray, np.ndarray]]) -> Graph:
    """`layers`: (weight [out, in], bias [out]) with ReLU between them."""
    graph = Graph("projector")
    x = graph.input("features", FLOAT, ["batch", layers[0][0].shape[1]])
    for number, (weight, bias) in enumerate(layers):
        x = graph.op(
            "Gemm",
            x,
            graph.weight(f"layers.{number}.weight", weight.astype(np.float32)),
            graph.weight(f"layers.{number}.bias", bias.astype(np.float32)),
            transB=1,
        )
        if number + 1 < len(layers):
            x = graph.op("Relu", x)
    graph.output(l2_normalise(graph, x), "embedding", FLOAT, ["batch", layers[-1][0].shape[0]])
    return graph
