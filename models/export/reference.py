"""The published implementations, as the yardstick: transformers for language, PyTorch for vision."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from transformers import AutoTokenizer


def packaged_tokenizer(path: Path) -> tuple[str, str]:
    """tokenizer.json and tokenizer_config.json of a GGUF, as transformers reads it."""
    tokenizer = AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        definition = json.loads((Path(folder) / "tokenizer.json").read_text(encoding="utf-8"))
        config = json.loads((Path(folder) / "tokenizer_config.json").read_text(encoding="utf-8"))
    config.pop("chat_template", None)  # captions and queries are never wrapped
    compact = {"ensure_ascii": False, "separators": (",", ":")}
    return json.dumps(definition, **compact), json.dumps(config, ensure_ascii=False, indent=2) + "\n"
