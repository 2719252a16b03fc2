"""Reads published weights into plain numpy state dicts."""

from __future__ import annotations

import importlib.resources
import re
from pathlib import Path

import gguf
import numpy as np
import torch

from llama import LlamaConfig


def packaged_file(package: str, pattern: str) -> Path:
    """The one file of an installed weight package that matches the pattern."""
    root = Path(str(importlib.resources.files(package)))
    found = sorted(root.rglob(pattern))
    if len(found) != 1:
        raise SystemExit(f"{package}: expected one {pattern}, found {len(found)}. Install requirements.txt.")
    return found[0]


def load_pth(path: Path) -> dict[str, np.ndarray]:
    state = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.numpy() for name, tensor in state.items()}


_GGUF_NAMES = {
    "token_embd": "embed_tokens",
    "output_norm": "norm",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.out.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.out.down_proj",
}


def _unpermute(weight: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp stores rotary pairs side by side; transformers stores the halves one after the other."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def load_gguf_llama(path: Path, layers: int, max_tokens: int) -> tuple[dict[str, np.ndarray], LlamaConfig]:
    """The first `layers` layers of a GGUF of the llama architecture, dequantised, under transformers' names."""
    reader = gguf.GGUFReader(path)

    def field(name: str):
        return reader.fields[f"llama.{name}"].contents()

    config = LlamaConfig(
        layers=int(field("block_count")),
        hidden=int(field("embedding_length")),
        heads=int(field("attention.head_count")),
        key_value_heads=int(field("attention.head_count_kv")),
        head_width=int(field("embedding_length")) // int(field("attention.head_count")),
        rope_base=float(field("rope.freq_base")),
        norm_epsilon=float(field("attention.layer_norm_rms_epsilon")),
        max_tokens=max_tokens,
    )
    state = {}
    for tensor in reader.tensors:
        match = re.fullmatch(r"(?:blk\.(\d+)\.)?(\w+)\.weight", tensor.name)
        if match is None or match[2] not in _GGUF_NAMES or (match[1] and int(match[1]) >= layers):
            continue
        values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if match[2] == "attn_q":
            values = _unpermute(values, config.heads)
        if match[2] == "attn_k":
            values = _unpermute(values, config.key_value_heads)
        prefix = f"layers.{match[1]}." if match[1] else ""
        state[f"{prefix}{_GGUF_NAMES[match[2]]}.weight"] = values
    return pack_attention(state, layers), config


def pack_attention(state: dict[str, np.ndarray], layers: int) -> dict[str, np.ndarray]:
    """Query, key and value rows joined into `qkv_proj`, as the graph multiplies them."""
    for layer in range(layers):
        prefix = f"layers.{layer}.self_attn"
        parts = [state.pop(f"{prefix}.{part}_proj.weight") for part in "qkv"]
        state[f"{prefix}.qkv_proj.weight"] = np.concatenate(parts)
    return state
