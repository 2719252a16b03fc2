"""Writes a bundle's files and its manifest.json (read by models/bundle.ts, which documents the fields)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

FORMAT_VERSION = 1
#: Largest file: a graph is cut into parts of this size and joined in memory.
PART_BYTES = 48_000_000


class BundleWriter:
    def __init__(self, folder: Path):
        self.folder = folder
        self.files: dict[str, dict] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        self.files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        return name

    def write_graph(self, name: str, content: bytes) -> list[str]:
        if len(content) <= PART_BYTES:
            return [self.write(name, content)]
        starts = range(0, len(content), PART_BYTES)
        return [self.write(f"{name}.{i}", content[s : s + PART_BYTES]) for i, s in enumerate(starts)]

    def finish(self, description: dict) -> None:
        manifest = {"format": "sharelock-bundle", "formatVersion": FORMAT_VERSION, **description, "files": self.files}
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        (self.folder / "manifest.json").write_text(text, encoding="utf-8")
