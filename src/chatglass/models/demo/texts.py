"""The demo's longer texts, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

WELCOME = """\
# Welcome to chatglass

You are talking to the **built-in demo model**. It runs inside this program, needs no key, sends \
nothing to the network and *costs nothing*. What it says is scripted: it shows what the program \
can do, and it cannot think.

## Try one of these

| type this | and see |
|---|---|
| `what time is it and what is 17*23?` | two tool calls at once |
| `list the files and read README.md` | the files of this folder |
| `list the files and what is 6*7, then search for TODO` | two rounds of calls, the first at once; \
**^O**, then **t**, shows where the time went |
| `write a file notes.txt saying hello` | a question before anything is written |
| `run "ls -la"` | a command, after you allow it |
| `think about the sea` | reasoning, folded above the answer |
| `write 2000 words about rivers` | a long answer; **Esc** stops it |
| `what did I ask first?` | that it remembers the session |
| `simulate a rate limit` | what a failing server looks like |

## What to look at

1. Each tool call is a **line in the answer**; open it to see its arguments and its full result.
2. The meter counts every token of every request, as the server reports it.
3. Sessions are kept on disk. You can close the program in mid-answer and go on later.

> Nothing is hidden: every message, tool call, token and cent is on screen while it happens.

## A real model

```sh
export OPENAI_API_KEY=...        # any OpenAI-compatible endpoint
chatglass --model gpt-5-mini

chatglass --base-url http://localhost:11434/v1 --model gemma3
```

**F1** shows the keys of where you are.
"""

MARKDOWN = """\
# Heading one

Text with **bold**, *italic*, ~~struck~~, `code` and a [link](https://example.org).

## Lists

- a point
  - a point below it
    - and one below that
- another point

1. first
2. second
3. third

## A table

| language | year | typed |
|:---|---:|:---:|
| Python | 1991 | dynamically |
| Rust | 2015 | statically |
| 日本語 | 2024 | ✓ |

## Code

```python
def fibonacci(n: int) -> int:
    \"\"\"The n-th Fibonacci number.\"\"\"
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a
```

```json
{"name": "demo", "tokens": [1, 2, 3], "free": true}
```

## A quote

> Simple is better than complex.
>
> > Complex is better than complicated.

---

That is what Markdown looks like here.
"""

CODE = """\
Here is a small program, scripted into the demo:

```python
from collections import Counter
from pathlib import Path


def longest_words(path: Path, most: int = 10) -> list[tuple[str, int]]:
    \"\"\"The longest words of a text, with how often each occurs.\"\"\"
    words = Counter(path.read_text(encoding="utf-8").lower().split())
    return sorted(words.items(), key=lambda item: (-len(item[0]), item[0]))[:most]


if __name__ == "__main__":
    for word, times in longest_words(Path("README.md")):
        print(f"{times:>4}  {word}")
```

1. `Counter` counts the words in one pass.
2. The key sorts by **length**, longest first, and then by the alphabet.
3. Nothing is installed: it needs only the standard library.
"""

_OPENINGS = (
    "Whoever looks at {topic} for the first time sees the large shape before the small one.",
    "There is more than one way to begin with {topic}, and most of them lead to the same place.",
    "Much of what is said about {topic} rests on a few plain observations.",
    "It helps to take {topic} in parts, and to ask of each part what it depends on.",
)
_MIDDLES = (
    "What counts is the order in which things happen, and who can see it.",
    "A good measure is one that two people read in the same way.",
    "Small causes add up slowly, so that the change is noticed only afterwards.",
    "The exceptions are few, and they are **worth more than the rule**, since they show its edge.",
    "Where the ground is uncertain, an *honest estimate* serves better than an exact guess.",
    "One can leave a good deal out and still be understood.",
    "Every name in the story stands for something that was once a question.",
    "What looks like a detail from afar is the whole matter from close by.",
)
_ENDINGS = (
    "So much for this side of {topic}; the other side is not far away.",
    "With that in hand, the next part of {topic} is easier to follow.",
    "None of this is settled, and that is why {topic} stays of interest.",
)
_TITLES = (
    "Where it starts",
    "What one can see",
    "How the parts fit",
    "What changes",
    "What stays",
    "A closer look",
    "The edges",
    "What to keep",
)


def long_text(topic: str, words: int) -> str:
    """About `words` words of scripted Markdown on any topic; the same ones every time."""
    head = (
        f"# On {topic}\n\n> The demo made this text of ready sentences. It is here for its length: "
        f"about {words:,} words.\n\n"
    )
    parts = [head]
    left = words - len(head.split())
    for part in _parts(topic):
        if left <= 0:
            break
        size = len(part.split())
        if size > left:
            part = " ".join(part.split(" ")[:left]).rstrip(" ,;|-") + "\n"
        parts.append(part)
        left -= size
    return "".join(parts)


def reflection(topic: str) -> str:
    """A short scripted answer to "think about X"."""
    return (
        f"Having thought about {topic}, in the way that a script thinks:\n\n"
        f"{_paragraph(topic, len(topic))}"
        "The reasoning stands folded above this answer; open it to read it. Its tokens are part of "
        "the answer's, and the meter shows them apart."
    )


def _parts(topic: str) -> Iterator[str]:
    """Headings, paragraphs, lists, quotes, tables and code, without end."""
    number = 0
    while True:
        title = _TITLES[number % len(_TITLES)]
        yield f"## {number + 1}. {title}\n\n"
        yield _paragraph(topic, number)
        yield _paragraph(topic, number + 3)
        match number % 4:
            case 0:
                chosen = [_MIDDLES[(number + i) % len(_MIDDLES)] for i in range(3)]
                yield "".join(f"- {sentence}\n" for sentence in chosen) + "\n"
            case 1:
                rows = "".join(
                    f"| part {i} | {(number + i) * 37} | {_TITLES[(number + i) % 8].lower()} |\n"
                    for i in range(1, 5)
                )
                yield f"| what | how much | note |\n|---|---:|---|\n{rows}\n"
            case 2:
                yield f"> {_MIDDLES[number % len(_MIDDLES)]}\n\n"
            case _:
                yield f"```python\ndef part_{number}(x: int) -> int:\n    return x + {number}\n```\n\n"
        number += 1


def _paragraph(topic: str, seed: int) -> str:
    chosen = (
        _OPENINGS[seed % len(_OPENINGS)],
        *(_MIDDLES[(seed * 3 + i) % len(_MIDDLES)] for i in range(4)),
        _ENDINGS[seed % len(_ENDINGS)],
    )
    return " ".join(sentence.format(topic=topic) for sentence in chosen) + "\n\n"
