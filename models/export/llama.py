"""A Llama-family decoder's first layers as an ONNX graph: token ids and mask in, pooled hidden states out.

Sequences are padded on the right; the causal mask keeps padding away from every real token, so a text gives the
same features alone and in a batch.

Quantised, a linear layer multiplies int8 by int8: weights with one scale per output, activations with one scale per
token, found at run time. A token's numbers never depend on its neighbours in the batch, and integer sums are exact, so
a text's feature is the same alone and in a batch but for the last float32 digits of attention. Before that, `smooth` moves outlier channels from the activations into the weights
(SmoothQuant, arXiv 2211.10438). Weights keep 7 bits (-63..63): processors without VNNI add two products in 16 bits.
The embedding table is int8 with one scale a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graph import BOOL, FLOAT, INT32, INT64, MICROSOFT, Graph


@dataclass(frozen=True)
class LlamaConfig:
    layers: int
    hidden: int
    heads: int
    key_value_heads: int
    head_width: int
    rope_base: float
    norm_epsilon: float
    max_tokens: int


@dataclass(frozen=True)
class Feature:
    """One part of the output: the hidden state after `layer` layers (0: the embeddings), pooled over the tokens."""

    layer: int
    pool: str  # "mean" or "last"


def quantise_rows(weight: np.ndarray, limit: int = 127) -> tuple[np.ndarray, np.ndarray]:
    """int8 rows in -limit..limit and one float scale each, [rows, 1]."""
    scale = np.abs(weight).max(axis=1, keepdims=True) / limit
    scale[scale == 0] = 1
    return np.rint(weight / scale).astype(np.int8), scale.astype(np.float32)


def rope_tables(config: LlamaConfig) -> tuple[np.ndarray, np.ndarray]:
    half = config.head_width // 2
    frequency = config.rope_base ** (-np.arange(half, dtype=np.float64) / half)
    angles = np.arange(config.max_tokens)[:, None] * frequency[None, :]
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


#: Largest weight: with activations in 0..255, the sum of two products fits 16 bits on every x86 kernel of the runtime.
WEIGHT_LIMIT = 63
#: Activations are stored unsigned around this (uint8 times int8 is the runtime's fast kernel; int8 times int8 is not).
ZERO_POINT = 128


class LlamaWriter:
    """Writes a decoder's nodes. Hidden states are [batch * tokens, width] but inside attention; `grid` is the shape
    [batch, tokens, -1]. `inputs` names what enters each group of linear layers, for calibration."""

    def __init__(self, graph: Graph, state: dict[str, np.ndarray], config: LlamaConfig, ids: str, quantised: bool):
        self.graph, self.state, self.config, self.quantised = graph, state, config, quantised
        self.grid = graph.op("Concat", graph.op("Shape", ids), graph.constant([-1], np.int64), axis=0)
        tokens = graph.op("Reshape", graph.op("Size", ids), graph.constant([1], np.int64))
        self.zero_points = graph.op("Expand", graph.constant(ZERO_POINT, np.uint8), tokens) if quantised else ""
        self.inputs: dict[str, str] = {}

    def linear(self, x: str, group: str, *weights: str) -> list[str]:
        """x · weightᵀ for each weight; all share one quantisation of x."""
        self.inputs[group] = x
        names = [(f"{group}.{name}", self.state[f"{group}.{name}.weight"]) for name in weights]
        if not self.quantised:
            op = self.graph.op
            return [op("MatMul", x, self.graph.weight(name, w.T.astype(np.float32))) for name, w in names]
        integers, scale = self.quantise_tokens(x)
        return [self.integer_product(integers, scale, name, weight) for name, weight in names]

    def quantise_tokens(self, x: str) -> tuple[str, str]:
        """[tokens, width] floats to uint8 around ZERO_POINT and one scale a token, [tokens, 1]."""
        graph = self.graph
        largest = graph.op("ReduceMax", graph.op("Abs", x), graph.constant([-1], np.int64), keepdims=0)
        floor = graph.constant(1e-8, np.float32)
        scale = graph.op("Mul", graph.op("Max", largest, floor), graph.constant(1 / 127, np.float32))
        integers = graph.op("QuantizeLinear", x, scale, self.zero_points, axis=0)
        return integers, graph.op("Unsqueeze", scale, graph.constant([1], np.int64))

    def integer_product(self, integers: str, scale: str, name: str, weight: np.ndarray) -> str:
        graph = self.graph
        values, scales = quantise_rows(weight, WEIGHT_LIMIT)
        product = graph.op(
            "MatMulIntegerToFloat",
            integers,
            graph.weight(f"{name}.values", values.T),
            graph.constant(1, np.float32),
            graph.weight(f"{name}.scales", scales[:, 0]),
            graph.constant(ZERO_POINT, np.uint8),
            domain=MICROSOFT,
        )
        return graph.op("Mul", product, scale)

    def embed(self, ids: str) -> str:
        graph = self.graph
        values, scales = quantise_rows(self.state["embed_tokens.weight"])
        flat = graph.op("Reshape", ids, graph.constant([-1], np.int64))
        rows = graph.op("Gather", graph.weight("embed.values", values), flat, axis=0)
        scale = graph.op("Gather", graph.weight("embed.scales", scales), flat, axis=0)
        return graph.op("Mul", graph.op("Cast", rows, to=FLOAT), scale)

    def attention(self, x: str, layer: int, lengths: str, total: str, tables: tuple[str, str]) -> str:
        config, prefix = self.config, f"layers.{layer}.self_attn"
        packed = self.graph.op("Reshape", self.linear(x, prefix, "qkv_proj")[0], self.grid)
        context = self.graph.op(
            "GroupQueryAttention",
            *(packed, "", "", "", "", lengths, total, *tables),
            outputs=3,
            domain=MICROSOFT,
            num_heads=config.heads,
            kv_num_heads=config.key_value_heads,
            do_rotary=1,
        )[0]
        flat = self.graph.op("Reshape", context, self.graph.constant([-1, config.hidden], np.int64))
        return self.linear(flat, f"{prefix}.out", "o_proj")[0]

    def feed_forward(self, x: str, layer: int) -> str:
        prefix = f"layers.{layer}.mlp"
        gate, up = self.linear(x, prefix, "gate_proj", "up_proj")
        silu = self.graph.op("QuickGelu", gate, domain=MICROSOFT, alpha=1.0)
        return self.linear(self.graph.op("Mul", silu, up), f"{prefix}.out", "down_proj")[0]

    def norm(self, x: str, name: str) -> str:
        weight = self.graph.weight(name, self.state[f"{name}.weight"].astype(np.float32))
        return self.graph.op("SimplifiedLayerNormalization", x, weight, axis=-1, epsilon=self.config.norm_epsilon)

    def add_and_norm(self, x: str, residual: str, name: str) -> tuple[str, str]:
        """(norm(x + residual), x + residual) as one node."""
        out = self.graph.op(
            "SkipSimplifiedLayerNormalization",
            x,
            residual,
            self.graph.weight(name, self.state[f"{name}.weight"].astype(np.float32)),
            outputs=4,
            domain=MICROSOFT,
            epsilon=self.config.norm_epsilon,
        )
        return out[0], out[3]


def pool(graph: Graph, hidden: str, mask: str, kind: str) -> str:
    """[batch, tokens, width] to [batch, width]; `mask` is int64 [batch, tokens]."""
    count = graph.op("ReduceSum", mask, graph.constant([1], np.int64), keepdims=1)
    if kind == "last":
        last = graph.op("Sub", count, graph.constant(1, np.int64))
        return graph.op("GatherND", hidden, last, batch_dims=1)
    shown = graph.op("Unsqueeze", graph.op("Cast", mask, to=BOOL), graph.constant([2], np.int64))
    kept = graph.op("Where", shown, hidden, graph.constant(0, np.float32))
    total = graph.op("ReduceSum", kept, graph.constant([1], np.int64), keepdims=0)
    return graph.op("Div", total, graph.op("Cast", count, to=FLOAT))


def language_graph(
    state: dict[str, np.ndarray], config: LlamaConfig, features: list[Feature], quantised: bool
) -> tuple[Graph, LlamaWriter]:
    graph = Graph("language")
    ids = graph.input("input_ids", INT64, ["batch", "tokens"])
    mask = graph.input("attention_mask", INT64, ["batch", "tokens"])
    writer = LlamaWriter(graph, state, config, ids, quantised)
    tables = tuple(graph.weight(f"rope.{n}", t) for n, t in zip(("cos", "sin"), rope_tables(config)))
    count = graph.op("ReduceSum", mask, graph.constant([1], np.int64), keepdims=0)
    lengths = graph.op("Cast", graph.op("Sub", count, graph.constant(1, np.int64)), to=INT32)
    total = graph.op("Cast", graph.op("Gather", graph.op("Shape", ids), graph.constant(1, np.int64)), to=INT32)

    hidden = writer.embed(ids)
    states = {0: hidden}
    deepest = max(f.layer for f in features)
    normed = writer.norm(hidden, "layers.0.input_layernorm")
    for layer in range(deepest):
        attended = writer.attention(normed, layer, lengths, total, tables)
        normed, hidden = writer.add_and_norm(attended, hidden, f"layers.{layer}.post_attention_layernorm")
        update = writer.feed_forward(normed, layer)
        if layer + 1 < deepest:
            normed, hidden = writer.add_and_norm(update, hidden, f"layers.{layer + 1}.input_layernorm")
        else:
            hidden = graph.op("Add", update, hidden)
        states[layer + 1] = hidden
    if deepest == config.layers:  # as transformers does: the last hidden state carries the final norm
        states[deepest] = writer.norm(hidden, "norm")

    pooled = [pool(graph, graph.op("Reshape", states[f.layer], writer.grid), mask, f.pool) for f in features]
    joined = pooled[0] if len(pooled) == 1 else graph.op("Concat", *pooled, axis=1)
    graph.output(joined, "features", FLOAT, ["batch", config.hidden * len(features)])
    return graph, writer
