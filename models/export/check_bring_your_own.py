"""Proves bring_your_own.py on tiny random models of the real architectures, against the formulas of transformers and PyTorch.

    python check_bring_your_own.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn
from transformers import Dinov2Config, Dinov2Model, LlamaConfig, LlamaForCausalLM

import bring_your_own
from make_tiny import byte_tokenizer

WIDTH, HIDDEN = 32, 48


def make_vision(folder: Path) -> Dinov2Model:
    config = Dinov2Config(hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14)
    model = Dinov2Model(config).eval()
    model.save_pretrained(folder)
    settings = {
        "size": {"shortest_edge": 32}, "do_center_crop": True, "crop_size": {"height": 28, "width": 28}, "resample": 3,
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return model


def make_language(folder: Path) -> LlamaForCausalLM:
    tokenizer = byte_tokenizer()
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=HIDDEN, intermediate_size=64, num_hidden_layers=3,
        num_attention_heads=3, num_key_value_heads=1, max_position_embeddings=128,
    )
    model = LlamaForCausalLM(config).eval()
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text("{}")
    return model


def make_projector(path: Path, width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for start, end in ((width, 40), (40, 40), (40, 40)):
        layers += [nn.Linear(start, end), nn.BatchNorm1d(end), nn.ReLU(), nn.Dropout(0.2)]
    projector = nn.Sequential(*layers, nn.Linear(40, WIDTH))
    for module in projector:
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    torch.save({"state_dict": {f"language_projector.{k}": v for k, v in projector.state_dict().items()}}, path)
    return projector.eval()


def smallest_cosine(ours: np.ndarray, theirs: torch.Tensor) -> float:
    reference = theirs.detach().numpy()
    return float(((ours * reference).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(reference, axis=1)).min())


def check(name: str, cosine: float, floor: float) -> None:
    print(f"{name}: smallest cosine {cosine:.7f} (floor {floor})")
    if not cosine >= floor:
        raise SystemExit(f"{name} differs.")


def main() -> None:
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        vision, language = make_vision(root / "dinov2"), make_language(root / "llama")
        for features, pools, precision, floor in (
            (None, [(3, "last")], ["--float32"], 0.9999),
            ("1:mean,3:last", [(1, "mean"), (3, "last")], [], 0.995),
        ):
            projector = make_projector(root / "sharelock.pt", HIDDEN * len(pools))
            out = root / f"bundle-{len(pools)}"
            chosen = ["--features", features] if features else []
            places = ["--vision", str(root / "dinov2"), "--language", str(root / "llama"), "--checkpoint", str(root / "sharelock.pt")]
            bring_your_own.main([*places, *chosen, *precision, "--name", "own", "--out", str(out)])

            ids = torch.randint(0, 256, (4, 11))
            states = language(ids, output_hidden_states=True).hidden_states
            pooled = [states[layer][:, -1] if pool == "last" else states[layer].mean(1) for layer, pool in pools]
            expected = torch.cat(pooled, dim=1)
            session = onnxruntime.InferenceSession(out / "language.onnx")
            ours = session.run(None, {"input_ids": ids.numpy(), "attention_mask": np.ones((4, 11), np.int64)})[0]
            check(f"language {features or 'last token, last layer'}", smallest_cosine(ours, expected), floor)

            session = onnxruntime.InferenceSession(out / "projector.onnx")
            ours = session.run(None, {"features": expected.detach().numpy()})[0]
            check("projector", smallest_cosine(ours, projector(expected)), 0.99999)

        pixels = torch.randint(0, 256, (3, 28, 28, 3), dtype=torch.uint8)
        mean, deviation = (torch.tensor(v)[None, :, None, None] for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
        expected = vision((pixels.permute(0, 3, 1, 2).float() / 255 - mean) / deviation).last_hidden_state[:, 0]
        session = onnxruntime.InferenceSession(out / "vision.onnx")
        check("vision", smallest_cosine(session.run(None, {"pixels": pixels.numpy()})[0], expected), 0.99999)


if __name__ == "__main__":
    main()
