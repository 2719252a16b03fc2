"""The fixed linear map of a vision space (partial whitening), and classes carried into it.

    embedding = L2norm(P · (features − mean)),  P = principal directions scaled by eigenvalue^(−0.3)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnxruntime
from PIL import Image

from graph import serialise

WHITENING = 0.3


@dataclass(frozen=True)
class LinearMap:
    weight: np.ndarray  # [features, dimensions]
    bias: np.ndarray  # [dimensions]
    dual: np.ndarray  # [features, dimensions]: carries rows that multiply features into the space


def read_pixels(path, size: int) -> np.ndarray:
    with Image.open(path) as image:
        rgb = image.convert("RGB")
        return np.asarray(rgb if rgb.size == (size, size) else rgb.resize((size, size), Image.Resampling.BICUBIC))


def extract_features(graph, paths: list, size: int, batch: int = 32) -> np.ndarray:
    """Backbone features of photos, float32 [photos, width]."""
    session = onnxruntime.InferenceSession(serialise(graph.model("features")))
    rows = []
    for start in range(0, len(paths), batch):
        pixels = np.stack([read_pixels(path, size) for path in paths[start : start + batch]])
        rows.append(session.run(None, {"pixels": pixels})[0])
    return np.concatenate(rows)


def fit_linear_map(features: np.ndarray, dimensions: int) -> LinearMap:
    x = features.astype(np.float64)
    mean = x.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(x - mean, rowvar=False))
    order = np.argsort(values)[::-1][:dimensions]
    values, vectors = values[order], vectors[:, order]
    # A direction's sign is arbitrary: the largest entry is positive, so that every machine agrees.
    vectors *= np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(dimensions)])
    weight = vectors * values**-WHITENING
    return LinearMap(
        weight.astype(np.float32), (-mean @ weight).astype(np.float32), vectors * values**WHITENING
    )


def label_prototypes(classifier: np.ndarray, linear_map: LinearMap) -> np.ndarray:
    """One unit vector a class: where the backbone's own classifier says the class lies, float32 [classes, dimensions]."""
    rows = (classifier - classifier.mean(axis=0)).astype(np.float64) @ linear_map.dual
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
