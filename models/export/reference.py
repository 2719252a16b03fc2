"""The published implementations, as the yardstick: transformers for language, PyTorch for vision."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from transformers import AutoTokenizer


#: What ByteLevel splits by when it is not told (GPT-2's pattern). Written out, because `\s` means something else in
#: JavaScript's own expressions (it holds U+FEFF); tokenizers translate an explicit pattern, not an implied one.
GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def explicit_splitting(pre_tokenizer: dict) -> dict:
    """The same pre-tokenizer with its implied pattern as a step of its own."""
    if pre_tokenizer.get("type") != "ByteLevel" or not pre_tokenizer.get("use_regex", True):
        return pre_tokenizer
    split = {"type": "Split", "pattern": {"Regex": GPT2_PATTERN}, "behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [split, {**pre_tokenizer, "use_regex": False}]}


def packaged_tokenizer(path: Path) -> tuple[str, str]:
    """tokenizer.json and tokenizer_config.json of a GGUF, as transformers reads it."""
    tokenizer = AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        definition = json.loads((Path(folder) / "tokenizer.json").read_text(encoding="utf-8"))
        config = json.loads((Path(folder) / "tokenizer_config.json").read_text(encoding="utf-8"))
    definition["pre_tokenizer"] = explicit_splitting(definition["pre_tokenizer"])
    config.pop("chat_template", None)  # captions and queries are never wrapped
    compact = {"ensure_ascii": False, "separators": (",", ":")}
    return json.dumps(definition, **compact), json.dumps(config, ensure_ascii=False, indent=2) + "\n"
