"""`python -m chatglass.models.demo` as a process, steered over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from typing import Any


class DemoProcess:
    def __init__(self, rate: float) -> None:
        """`rate`: tokens a second."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chatglass.models.demo", "--rate", str(rate)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        told = json.loads(self.process.stdout.readline())
        self.base_url, self.token = told["base_url"], told["token"]

    @property
    def env(self) -> dict[str, str]:
        """What leads a program to it."""
        return {"OPENAI_BASE_URL": self.base_url, "OPENAI_API_KEY": self.token}

    def state(self) -> dict[str, Any]:
        request = urllib.request.Request(
            self.base_url.removesuffix("/v1") + "/control/state",
            headers={"authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
