"""Real vocabularies to measure the estimator against. They are installed into a folder of their own
for this benchmark, by packages that carry their vocabulary, and never with the program.

| name | package | vocabulary |
|---|---|---|
| o200k | rs-bpe (PyPI) | OpenAI's since GPT-4o, 200,000 entries |
| llama3 | llama3-tokenizer-js (npm) | Llama 3's, byte BPE, 128,000 entries |
| mistral | mistral-tokenizer-js (npm) | Mistral 7B's, SentencePiece, 32,000 entries |
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PYPI = "rs-bpe==0.1.0"
NPM = ("llama3-tokenizer-js@1.2.0", "mistral-tokenizer-js@1.0.0", "typescript@5.9.3")
"""TypeScript is there for its messages in many languages, not for counting."""

_O200K = """
import json, sys
from rs_bpe.bpe import openai
vocabulary = openai.o200k_base()
print(json.dumps([vocabulary.count(text) for text in json.load(sys.stdin)]))
"""
_NODE = """
import fs from 'node:fs';
const texts = JSON.parse(fs.readFileSync(0, 'utf8'));
const { default: vocabulary } = await import('%s');
const count = text => vocabulary.encode(text, %s).length;
console.log(JSON.stringify(texts.map(count)));
"""
_PROGRAMS = {
    "llama3": _NODE % ("llama3-tokenizer-js", "{ bos: false, eos: false }"),
    "mistral": _NODE % ("mistral-tokenizer-js", "false, false"),
}


class Vocabularies:
    """Counts texts by each of them. `folder` is where the packages are, or are installed."""

    names = ("o200k", *_PROGRAMS)

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self) -> None:
        """Whatever is missing; needs Node and the two registries."""
        if shutil.which("node") is None or shutil.which("npm") is None:
            raise SystemExit("The benchmark of estimates needs node and npm.")
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._python.exists():
            _run(sys.executable, "-m", "venv", str(self.folder / "venv"))
            _run(str(self._python), "-m", "pip", "install", "--quiet", PYPI)
        if not (self.folder / "node_modules" / "typescript").exists():
            _run("npm", "install", "--silent", "--prefix", str(self.folder), *NPM)

    @property
    def _python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    def count(self, name: str, texts: Sequence[str]) -> list[int]:
        if name == "o200k":
            command = [str(self._python), "-c", _O200K]
        else:
            program = self.folder / f"{name}.mjs"
            program.write_text(_PROGRAMS[name])
            command = ["node", str(program)]
        done = subprocess.run(
            command, input=json.dumps(list(texts)), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{name}: {done.stderr.strip()[-500:]}")
        return json.loads(done.stdout)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
