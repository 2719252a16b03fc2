"""Makes the bundle for tests: the default bundle's architectures in miniature, with seeded random weights.

    python make_tiny.py --out DIR
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from bundle import BundleWriter
from efficientnet_lite import Stage, vision_graph
from graph import serialise
from llama import Feature, LlamaConfig, language_graph
from projector import projector_graph
from weights import pack_attention

SIZE = 32
STAGES = (Stage(1, 3, 1, 1), Stage(2, 5, 2, 2))
STEM, HEAD, DIMENSIONS = 8, 24, 16
LANGUAGE = LlamaConfig(
    layers=3, hidden=32, heads=2, key_value_heads=1, head_width=16, rope_base=1e4, norm_epsilon=1e-5, max_tokens=64
)
#: Both kinds of pooling, a layer in the middle and the last one (which carries the final norm).
FEATURES = [Feature(1, "mean"), Feature(3, "last")]


class RandomWeights:
    def __init__(self, seed: int):
        self.random = np.random.RandomState(seed)

    def matrix(self, *shape: int) -> np.ndarray:
        fan_in = int(np.prod(shape[1:]))
        return (self.random.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32)

    def vector(self, size: int, around: float) -> np.ndarray:
        return (around + 0.1 * self.random.standard_normal(size)).astype(np.float32)


def vision_state(weights: RandomWeights) -> dict[str, np.ndarray]:
    state: dict[str, np.ndarray] = {}

    def convolution(name: str, norm: str, *shape: int) -> None:
        state[f"{name}.weight"] = weights.matrix(*shape)
        state[f"{norm}.weight"] = weights.vector(shape[0], 1)
        state[f"{norm}.bias"] = weights.vector(shape[0], 0)
        state[f"{norm}.running_mean"] = weights.vector(shape[0], 0)
        state[f"{norm}.running_var"] = np.abs(weights.vector(shape[0], 1))

    convolution("_conv_stem", "_bn0", STEM, 3, 3, 3)
    number = 0
    for stage in STAGES:
        for _ in range(stage.repeats):
            name, inner = f"_blocks.{number}", STEM * stage.expansion
            if stage.expansion != 1:
                convolution(f"{name}._expand_conv", f"{name}._bn0", inner, STEM, 1, 1)
            convolution(f"{name}._depthwise_conv", f"{name}._bn1", inner, 1, stage.kernel, stage.kernel)
            convolution(f"{name}._project_conv", f"{name}._bn2", STEM, inner, 1, 1)
            number += 1
    convolution("_conv_head", "_bn1", HEAD, STEM, 1, 1)
    return state


def language_state(weights: RandomWeights, vocabulary: int) -> dict[str, np.ndarray]:
    config, wide = LANGUAGE, 2 * LANGUAGE.hidden
    state = {"embed_tokens.weight": weights.matrix(vocabulary, config.hidden), "norm.weight": weights.vector(config.hidden, 1)}
    for layer in range(config.layers):
        prefix = f"layers.{layer}"
        for part, heads in (("q", config.heads), ("k", config.key_value_heads), ("v", config.key_value_heads)):
            state[f"{prefix}.self_attn.{part}_proj.weight"] = weights.matrix(heads * config.head_width, config.hidden)
        state[f"{prefix}.self_attn.out.o_proj.weight"] = weights.matrix(config.hidden, config.hidden)
        state[f"{prefix}.mlp.gate_proj.weight"] = weights.matrix(wide, config.hidden)
        state[f"{prefix}.mlp.up_proj.weight"] = weights.matrix(wide, config.hidden)
        state[f"{prefix}.mlp.out.down_proj.weight"] = weights.matrix(config.hidden, wide)
        for norm in ("input_layernorm", "post_attention_layernorm"):
            state[f"{prefix}.{norm}.weight"] = weights.vector(config.hidden, 1)
    return pack_attention(state, config.layers)


def byte_tokenizer() -> Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={char: i for i, char in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=Path, required=True)
    writer = BundleWriter(arguments.parse_args().out)
    weights = RandomWeights(1)
    tokenizer = byte_tokenizer()
    linear_map = (weights.matrix(HEAD, DIMENSIONS), weights.vector(DIMENSIONS, 0))
    vision = vision_graph(vision_state(weights), STAGES, linear_map, SIZE)
    language, _ = language_graph(language_state(weights, tokenizer.get_vocab_size()), LANGUAGE, FEATURES, quantised=True)
    width = LANGUAGE.hidden * len(FEATURES)
    layers = [(weights.matrix(24, width), weights.vector(24, 0)), (weights.matrix(DIMENSIONS, 24), weights.vector(DIMENSIONS, 0))]
    labels = [{"names": [name], "gloss": f"a {name}"} for name in ("red", "green", "blue")]
    prototypes = np.eye(3, DIMENSIONS, dtype="<f4")
    writer.finish(
        {
            "name": "tiny-random",
            "version": 1,
            "license": "Apache-2.0",
            "vision": {
                "name": f"tiny-random-{DIMENSIONS}",
                "backbone": "EfficientNet-Lite in miniature, random weights",
                "graph": writer.write_graph("vision.onnx", serialise(vision.model("tiny"))),
                "input": {"width": SIZE, "height": SIZE, "fit": "stretch", "kernel": "cubic"},
                "dimensions": DIMENSIONS,
            },
            "labelPrototypes": {
                "labels": writer.write("label-prototypes.jsonl", "".join(json.dumps(l) + "\n" for l in labels).encode()),
                "embeddings": writer.write("label-prototypes.f32", prototypes.tobytes()),
            },
            "language": {
                "name": "Llama in miniature, random weights",
                "graph": writer.write_graph("language.onnx", serialise(language.model("tiny"))),
                "tokenizer": {
                    "definition": writer.write("tokenizer.json", tokenizer.to_str().encode()),
                    "config": writer.write("tokenizer_config.json", b"{}\n"),
                },
                "maxTokens": LANGUAGE.max_tokens,
                "text": {"foldWhitespace": True, "cutTrailing": ".", "suffix": "."},
                "features": [{"layer": f.layer, "pool": f.pool} for f in FEATURES],
                "dimensions": width,
            },
            "projector": {"graph": writer.write_graph("projector.onnx", serialise(projector_graph(layers).model("tiny")))},
            "templates": ["a photo of a {}", "{}"],
        }
    )


if __name__ == "__main__":
    main()
