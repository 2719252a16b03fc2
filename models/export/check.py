"""Compares a bundle's graphs with the published implementations on real photos and captions; exits 1 when they differ.

    python check.py --bundle DIR --dataset DIR
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

import make_references
from efficientnet_lite import SIZE
from make_references import torch_embeddings, transformers_features
from vision_space import read_pixels

PHOTOS, CAPTIONS = 100, 50
VISION_COSINE, LANGUAGE_COSINE = 0.9999, 0.999


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def check_vision(bundle: Path, rows: list[dict], dataset: Path) -> np.ndarray:
    pixels = np.stack([read_pixels(dataset / row["image"], SIZE) for row in rows[:PHOTOS]])
    session = onnxruntime.InferenceSession(bundle / "vision.onnx")
    ours = np.concatenate([session.run(None, {"pixels": pixels[i : i + 10]})[0] for i in range(0, PHOTOS, 10)])
    return cosines(ours, torch_embeddings(pixels, bundle))


def check_language(bundle: Path, rows: list[dict]) -> np.ndarray:
    manifest = json.loads((bundle / "manifest.json").read_text())
    make_references.TEXTS = [row["captions"][0] for row in rows[:CAPTIONS]]
    theirs = transformers_features(bundle)
    graph = b"".join((bundle / part).read_bytes() for part in manifest["language"]["graph"])
    session = onnxruntime.InferenceSession(graph)
    tokenizer = Tokenizer.from_file(str(bundle / "tokenizer.json"))
    ours = []
    for text in make_references.TEXTS:
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        ours.append(session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0])
    return cosines(np.stack(ours), theirs)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bundle", type=Path, required=True)
    arguments.add_argument("--dataset", type=Path, required=True)
    options = arguments.parse_args()
    lines = (options.dataset / "captions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    vision, language = check_vision(options.bundle, rows, options.dataset), check_language(options.bundle, rows)
    print(f"vision, {PHOTOS} photos, ONNX against PyTorch: smallest cosine {vision.min():.7f} (floor {VISION_COSINE})")
    print(f"language, {CAPTIONS} captions, int8 against transformers float32: smallest cosine {language.min():.7f} (floor {LANGUAGE_COSINE})")
    if vision.min() < VISION_COSINE or language.min() < LANGUAGE_COSINE:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
