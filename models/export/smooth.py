"""SmoothQuant (arXiv 2211.10438) for a Llama-family state dict: the function stays, outlier channels move into weights."""

from __future__ import annotations

import numpy as np
import onnxruntime

from graph import FLOAT, serialise
from llama import Feature, LlamaConfig, language_graph

#: How much of a channel's spread the weights take over: 0 none, 1 all of it.
STRENGTH = 0.7


def channel_maxima(
    state: dict[str, np.ndarray], config: LlamaConfig, layers: int, batches: list[tuple[np.ndarray, np.ndarray]]
) -> dict[str, np.ndarray]:
    """The largest absolute value of each channel that enters each group of linear layers, over real tokens."""
    graph, writer = language_graph(state, config, [Feature(layers, "mean")], quantised=False)
    groups = list(writer.inputs)
    for number, group in enumerate(groups):
        graph.output(writer.inputs[group], f"group_{number}", FLOAT, ["tokens", None])
    session = onnxruntime.InferenceSession(serialise(graph.model("calibration")))
    maxima: dict[str, np.ndarray] = {}
    for ids, mask in batches:
        _, *values = session.run(None, {"input_ids": ids, "attention_mask": mask})
        for group, value in zip(groups, values):
            largest = np.abs(value[mask.reshape(-1).astype(bool)]).max(axis=0)
            maxima[group] = np.maximum(maxima.get(group, 0), largest)
    return maxima


def _factors(activation: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    weight = np.max([np.abs(w).max(axis=0) for w in weights], axis=0)
    factors = np.maximum(activation, 1e-5) ** STRENGTH / np.maximum(weight, 1e-5) ** (1 - STRENGTH)
    return np.maximum(factors, 1e-5).astype(np.float32)


def smooth(
    state: dict[str, np.ndarray], config: LlamaConfig, layers: int, maxima: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """A state dict of the same function whose activations are flatter. What came before a linear layer is divided by
    the factors (a norm's weight, the value rows, the up rows), the layer's columns are multiplied by them."""
    out = dict(state)

    def move(before: str, group: str, names: list[str], factors: np.ndarray) -> None:
        out[before] = (out[before].T / factors).T
        for name in names:
            out[f"{group}.{name}.weight"] = out[f"{group}.{name}.weight"] * factors[None, :]

    for layer in range(layers):
        attention, mlp = f"layers.{layer}.self_attn", f"layers.{layer}.mlp"
        for norm, group, names in (
            ("input_layernorm", attention, ["qkv_proj"]),
            ("post_attention_layernorm", mlp, ["gate_proj", "up_proj"]),
        ):
            factors = _factors(maxima[group], [out[f"{group}.{name}.weight"] for name in names])
            move(f"layers.{layer}.{norm}.weight", group, names, factors)

        # The query heads of a group share one value head, so they share its factors.
        group = f"{attention}.out"
        shape = (config.key_value_heads, config.heads // config.key_value_heads, config.head_width)
        shared = maxima[group].reshape(shape).max(axis=1)
        columns = np.abs(out[f"{group}.o_proj.weight"]).max(axis=0).reshape(shape).max(axis=1)
        value = _factors(shared.reshape(-1), [columns.reshape(1, -1)])
        spread = np.repeat(value.reshape(shape[0], 1, shape[2]), shape[1], axis=1).reshape(-1)
        out[f"{group}.o_proj.weight"] = out[f"{group}.o_proj.weight"] * spread[None, :]
        packed = out[f"{attention}.qkv_proj.weight"].copy()
        packed[-value.size :] /= value[:, None]
        out[f"{attention}.qkv_proj.weight"] = packed

        group = f"{mlp}.out"
        factors = _factors(maxima[group], [out[f"{group}.down_proj.weight"]])
        move(f"{mlp}.up_proj.weight", group, ["down_proj"], factors)
    return out
