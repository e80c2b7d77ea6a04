"""The token estimator against real vocabularies, on texts it was not fitted to.

python -m bench.estimates [--tools DIR]   prints the 90th percentile of the relative error by kind:

- `plain`: of a text, uncalibrated;
- `after 5`: of a text, by a calibration that learned from five others of its kind;
- `request`: of the next request of a session, whose earlier texts five requests have reported: what
  the meter and the forecast show, since only what is new has to be estimated.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.estimate_texts import KINDS, samples
from bench.vocabularies import Vocabularies
from chatglass.models.estimates import Calibration, estimate_text

_SESSIONS = 400
_REQUESTS = 5


def percentile(errors: Sequence[float]) -> float:
    """The 90th."""
    return statistics.quantiles(errors, n=10, method="inclusive")[-1]


def plain(estimates: Sequence[int], counts: Sequence[int]) -> float:
    return percentile(
        [abs(estimate / count - 1) for estimate, count in zip(estimates, counts, strict=True)]
    )


def calibrated(estimates: Sequence[int], counts: Sequence[int]) -> tuple[float, float]:
    """(of a text, of a request) after five requests, over sessions of texts drawn at random."""
    rng = random.Random(5)
    of_text: list[float] = []
    of_request: list[float] = []
    for _ in range(_SESSIONS):
        drawn = rng.sample(range(len(counts)), _REQUESTS + 1)
        calibration = Calibration()
        estimated = reported = 0
        for place in drawn[:-1]:
            estimated += estimates[place]
            reported += counts[place]
            calibration.learn(calibration.apply(estimated), reported)
        estimate, count = calibration.apply(estimates[drawn[-1]]), counts[drawn[-1]]
        of_text.append(abs(estimate / count - 1))
        of_request.append(abs(estimate - count) / (reported + count))
    return percentile(of_text), percentile(of_request)


def main() -> None:
    parser = argparse.ArgumentParser(description="Token estimates against real vocabularies.")
    default = Path(tempfile.gettempdir()) / "chatglass-vocabularies"
    parser.add_argument("--tools", type=Path, default=default, metavar="DIR")
    tools: Path = parser.parse_args().tools
    vocabularies = Vocabularies(tools)
    vocabularies.install()
    texts = {kind: samples(kind, tools) for kind in KINDS}
    print("90th percentile of the relative error of estimates")
    print(f"{'':<10}{'':>8}" + "".join(f"{name:^30}" for name in vocabularies.names))
    heads = f"{'plain':>10}{'after 5':>10}{'request':>10}"
    print(f"{'kind':<10}{'samples':>8}" + heads * len(vocabularies.names))
    for kind, found in texts.items():
        if len(found) <= _REQUESTS:
            print(f"{kind:<10}{len(found):>8}  no texts of this kind on this machine")
            continue
        estimates = [estimate_text(text) for text in found]
        line = f"{kind:<10}{len(found):>8}"
        for name in vocabularies.names:
            counts = vocabularies.count(name, found)
            figures = (plain(estimates, counts), *calibrated(estimates, counts))
            line += "".join(f"{figure:>10.1%}" for figure in figures)
        print(line)


if __name__ == "__main__":
    main()
