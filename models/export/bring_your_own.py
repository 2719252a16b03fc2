"""Makes a bundle from models of your own.

    python bring_your_own.py --vision DIR --language DIR_OR_GGUF [--features 30:last] [--checkpoint FILE] --name NAME --out DIR

--vision      a Hugging Face folder of a vision backbone whose first token is the image (DINOv2, ViT); its preprocessor_config.json
              says size, crop, mean and deviation
--language    a Hugging Face folder or GGUF of the llama family (model_type "llama": Llama, SmolLM2, TinyLlama)
--features    LAYER:POOL, comma-separated; default: the paper's choice, the last token after the last layer
--checkpoint  a ShareLock checkpoint: a state dict with `language_projector.*`, linear layers and batch norms in order. Without one
              the bundle has no projector yet: train it with `sharelock train --bundle DIR`
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModel

from bundle import BundleWriter
from graph import serialise
from llama import Feature, LlamaConfig, language_graph
from projector import fold_batch_norm, projector_graph
from reference import packaged_tokenizer
from weights import load_gguf_llama, pack_attention

KERNELS = {0: "nearest", 1: "lanczos3", 2: "linear", 3: "cubic"}  # Pillow's numbers
ENTRY_LAYERS = 10_000
MAX_TOKENS = 128


class Pixels(torch.nn.Module):
    """uint8 [N, height, width, 3] to unit embeddings: scaling, transposition, backbone, first token, length 1."""

    def __init__(self, backbone: torch.nn.Module, mean: list[float], deviation: list[float]):
        super().__init__()
        self.backbone = backbone
        self.register_buffer("mean", torch.tensor(mean)[None, :, None, None])
        self.register_buffer("deviation", torch.tensor(deviation)[None, :, None, None])

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        x = pixels.permute(0, 3, 1, 2).float() / 255
        tokens = self.backbone((x - self.mean) / self.deviation).last_hidden_state
        return torch.nn.functional.normalize(tokens[:, 0], dim=-1)


def vision_input(folder: Path) -> tuple[dict, list[float], list[float]]:
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    size = settings["size"].get("shortest_edge") or settings["size"]["height"]
    crop = settings.get("crop_size", {"height": size, "width": size}) if settings.get("do_center_crop") else None
    shape = crop or {"height": size, "width": size}
    fit = {"fit": "crop", "cropFrom": size} if crop else {"fit": "stretch"}
    kernel = KERNELS[settings.get("resample", 3)]
    return {"width": shape["width"], "height": shape["height"], **fit, "kernel": kernel}, settings["image_mean"], settings["image_std"]


def write_vision(writer: BundleWriter, folder: Path) -> dict:
    image, mean, deviation = vision_input(folder)
    backbone = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    example = torch.zeros(2, image["height"], image["width"], 3, dtype=torch.uint8)
    program = torch.onnx.export(
        Pixels(backbone, mean, deviation).eval(),
        (example,),
        input_names=["pixels"],
        output_names=["embedding"],
        dynamic_shapes=({0: torch.export.Dim("batch", max=1024)},),
        dynamo=True,
        verbose=False,
    )
    return {
        "name": folder.name,
        "backbone": f"{backbone.config.model_type} ({folder.name})",
        "graph": writer.write_graph("vision.onnx", serialise(program.model_proto)),
        "input": image,
        "dimensions": backbone.config.hidden_size,
    }


def load_folder(folder: Path) -> tuple[dict[str, np.ndarray], LlamaConfig]:
    """A Hugging Face folder of the llama family under the names llama.py reads."""
    settings = json.loads((folder / "config.json").read_text())
    if settings["model_type"] != "llama" or settings.get("attention_bias") or settings.get("mlp_bias"):
        raise SystemExit(f"{folder}: model_type \"llama\" without biases works, this is {settings['model_type']}.")
    rope = settings.get("rope_scaling") or settings.get("rope_parameters") or {}
    if rope.get("rope_type", rope.get("type", "default")) != "default":
        raise SystemExit(f"{folder}: scaled rotary embeddings are not supported; the plain ones work.")
    heads = settings["num_attention_heads"]
    config = LlamaConfig(
        layers=settings["num_hidden_layers"],
        hidden=settings["hidden_size"],
        heads=heads,
        key_value_heads=settings.get("num_key_value_heads", heads),
        head_width=settings.get("head_dim") or settings["hidden_size"] // heads,
        rope_base=float(settings.get("rope_theta") or rope.get("rope_theta", 10_000)),
        norm_epsilon=settings["rms_norm_eps"],
        max_tokens=MAX_TOKENS,
    )
    state = {}
    for file in sorted(folder.glob("*.safetensors")):
        for name, tensor in load_file(file).items():
            name = name.removeprefix("model.").replace("self_attn.o_proj", "self_attn.out.o_proj")
            state[name.replace("mlp.down_proj", "mlp.out.down_proj")] = tensor.float().numpy()
    return pack_attention(state, config.layers), config


def parse_features(text: str | None, layers: int) -> list[Feature]:
    if text is None:
        return [Feature(layers, "last")]
    pairs = [part.split(":") for part in text.split(",")]
    if any(len(pair) != 2 or pair[1] not in ("mean", "last") or int(pair[0]) > layers for pair in pairs):
        raise SystemExit(f"--features: LAYER:mean or LAYER:last with layers up to {layers} work, this is {text}.")
    return [Feature(int(layer), pool) for layer, pool in pairs]


def write_language(writer: BundleWriter, source: Path, wanted: str | None, quantised: bool) -> dict:
    if source.suffix == ".gguf":
        state, config = load_gguf_llama(source, ENTRY_LAYERS, MAX_TOKENS)
        definition, settings = packaged_tokenizer(source)
    else:
        state, config = load_folder(source)
        definition = Tokenizer.from_file(str(source / "tokenizer.json")).to_str()
        settings = (source / "tokenizer_config.json").read_text(encoding="utf-8")
    features = parse_features(wanted, config.layers)
    graph, _ = language_graph(state, config, features, quantised)
    return {
        "name": source.stem,
        "graph": writer.write_graph("language.onnx", serialise(graph.model("token ids to pooled features"))),
        "tokenizer": {
            "definition": writer.write("tokenizer.json", definition.encode()),
            "config": writer.write("tokenizer_config.json", settings.encode()),
        },
        "maxTokens": MAX_TOKENS,
        "text": {"foldWhitespace": False, "cutTrailing": "", "suffix": ""},
        "features": [{"layer": f.layer, "pool": f.pool} for f in features],
        "dimensions": config.hidden * len(features),
    }


def checkpoint_layers(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """`language_projector.*` as linear layers, each batch norm folded into the layer before it."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    state = content.get("state_dict", content)
    prefix = "language_projector."
    modules: dict[str, dict[str, np.ndarray]] = {}
    for name, tensor in state.items():
        if name.startswith(prefix):
            module, _, part = name.removeprefix(prefix).rpartition(".")
            modules.setdefault(module, {})[part] = tensor.float().numpy()
    layers: list[tuple[np.ndarray, np.ndarray]] = []
    for module in modules.values():  # a state dict keeps the order of the modules
        if module["weight"].ndim == 2:
            layers.append((module["weight"], module.get("bias", np.zeros(len(module["weight"]), np.float32))))
        else:
            statistics = (module["weight"], module["bias"], module["running_mean"], module["running_var"])
            layers[-1] = fold_batch_norm(*layers[-1], *statistics)
    if not layers:
        raise SystemExit(f"{path} has no {prefix}* tensors; a ShareLock checkpoint has.")
    return layers


def main(argv: list[str] | None = None) -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--vision", type=Path, required=True)
    arguments.add_argument("--language", type=Path, required=True)
    arguments.add_argument("--features")
    arguments.add_argument("--checkpoint", type=Path)
    arguments.add_argument("--float32", action="store_true", help="keep the language model unquantised")
    arguments.add_argument("--name", required=True, help="lower-case letters, digits and dashes")
    arguments.add_argument("--license", default="see the card")
    arguments.add_argument("--out", type=Path, required=True)
    options = arguments.parse_args(argv)

    writer = BundleWriter(options.out)
    description = {"name": options.name, "version": 1, "license": options.license}
    description["vision"] = write_vision(writer, options.vision)
    description["language"] = write_language(writer, options.language, options.features, not options.float32)
    if options.checkpoint is not None:
        graph = projector_graph(checkpoint_layers(options.checkpoint))
        description["projector"] = {"graph": writer.write_graph("projector.onnx", serialise(graph.model("projector")))}
    writer.finish({**description, "templates": ["a photo of a {}"]})


if __name__ == "__main__":
    main()
