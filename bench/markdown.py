"""What streamed and whole Markdown cost: CPU per 1,000 tokens by thousand, and full renders.

    .venv/bin/python bench/markdown.py [TOKENS]

Tokens are four characters. `lines()` is called every 17 tokens, which is 60 times a second at
1,000 tokens a second.
"""

from __future__ import annotations

import statistics
import sys
import time

from chatglass.tui.markdown.document import MarkdownDocument
from chatglass.tui.markdown.highlight import find_lexer, warm
from chatglass.tui.markdown.look import MarkdownLook

TOKEN, FRAME, WIDTH = 4, 17, 100
LOOK = MarkdownLook.from_theme_variables({"primary": "#0178D4", "accent": "#FEA62B"}, dark=True)

RICH = """## How the cache is filled

The **first** read goes to disk, and every later one is served from memory, as long as the entry is
younger than `max_age` seconds. See [the notes](https://example.org/notes) for *why* that is so, and
what happens when two readers ask for the same key at once.

1. Look up the key
   - hit: give it back
   - miss: go on
2. Take the lock, and look again
3. Read, store, release

| step | cost | note |
|------|-----:|------|
| look up | 2 µs | a dict |
| lock | 40 µs | only on a miss |
| read | 3 ms | `pread` of one block |

```python
def read(self, key: str) -> bytes:
    entry = self.entries.get(key)
    if entry is not None and entry.age < self.max_age:
        return entry.data  # still fresh
    with self.lock:
        return self._fill(key, f"{self.root}/{key}")
```

> A stale entry is worse than none: it is wrong *quietly*.

"""
CODE = RICH[RICH.index("def read") : RICH.index("```\n\n>")]


def _shapes(size: int) -> dict[str, str]:
    def fill(head: str, part: str) -> str:
        return (head + part * (size // len(part) + 1))[:size]

    return {
        "rich": fill("", RICH),
        "paragraph": fill("", "One **long** paragraph with `code`, that never ends and goes on. "),
        "soft lines": fill(
            "", "A line of a paragraph, *broken* by hand at some eighty columns here.\n"
        ),
        "one fence": fill("```python\n", CODE),
        "fence in item": fill("1. Do this:\n\n   ```python\n", "   x = compute('a', 1)  # note\n"),
        "one list": fill("", "- item with **bold** words\n  - and one inside it\n"),
        "one table": fill("| a | b | c |\n|---|---|---|\n", "| cell one | `cell` two | 12.5 |\n"),
        "one quote": fill("", "> A quoted line, as long as most of them are.\n"),
        "one line of code": fill("```\n", "0123456789abcdef"),
    }


def _stream(text: str) -> list[float]:
    """CPU milliseconds of each thousand tokens."""
    document = MarkdownDocument(complete=False)
    spent: list[float] = []
    for thousand in range(0, len(text), 1000 * TOKEN):
        begun = time.process_time()
        for at in range(thousand, min(thousand + 1000 * TOKEN, len(text)), TOKEN * FRAME):
            end = min(at + TOKEN * FRAME, thousand + 1000 * TOKEN)
            for token in range(at, end, TOKEN):
                document.push(text[token : min(token + TOKEN, end)])
            document.lines(WIDTH, LOOK)
        spent.append((time.process_time() - begun) * 1000)
    begun = time.perf_counter()
    document.finish()
    document.lines(WIDTH, LOOK)
    spent.append((time.perf_counter() - begun) * 1000)
    return spent


def _full(text: str) -> float:
    times = []
    for _ in range(15):
        begun = time.process_time()
        MarkdownDocument(text).lines(WIDTH, LOOK)
        times.append((time.process_time() - begun) * 1000)
    return statistics.median(times)


def main() -> None:
    tokens = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    for language in ("python", "javascript", "bash", "json", "html", "rust"):
        begun = time.perf_counter()
        find_lexer(language)
        print(f"lexer {language:11} {(time.perf_counter() - begun) * 1000:6.1f} ms")
    warm()
    print(
        f"\n{'streamed':18}{'1st':>8}{'middle':>8}{'last':>8}{'ratio':>7}{'finish':>8}   CPU ms per 1,000 tokens"
    )
    for name, text in _shapes(tokens * TOKEN).items():
        *spent, finish = _stream(text)
        middle = statistics.median(spent)
        ratio = spent[-1] / spent[0]
        print(f"{name:18}{spent[0]:8.1f}{middle:8.1f}{spent[-1]:8.1f}{ratio:7.2f}{finish:8.1f}")
    print(f"\n{'full render':18}{'ms':>8}")
    for size in (1_000, 4_000, 16_000):
        print(f"{size:<18}{_full(_shapes(size)['rich']):8.1f}")
    print(f"{'4000 of code':18}{_full(_shapes(4_000)['one fence']):8.1f}")


if __name__ == "__main__":
    main()
