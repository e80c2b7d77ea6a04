"""The user's own tools: typed functions of a file (`--tools`) or of a package (`chatglass.tools`).

What a file may import from here, and need not:

    from chatglass.tools.own import report, tool
"""

from __future__ import annotations

from chatglass.tools.own.marking import report, tool

__all__ = ["report", "tool"]
