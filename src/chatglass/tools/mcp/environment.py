"""The environment of servers that run here: a short list of names, and what their entry says."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PASSED = re.compile(
    r"""
    HOME | LOGNAME | PATH | SHELL | USER | TERM | TZ | TMPDIR | LANG | LANGUAGE | LC_.*
    | XDG_(CONFIG|DATA|CACHE|STATE)_HOME | XDG_RUNTIME_DIR
    | (HTTPS?|NO|ALL)_PROXY | (https?|no|all)_proxy
    | SSL_CERT_(FILE|DIR) | NODE_EXTRA_CA_CERTS | REQUESTS_CA_BUNDLE | CURL_CA_BUNDLE
    """,
    re.VERBOSE,
)


def server_environment(base: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The few variables of `base` that programs need to run and to reach the network, with `given`
    (the `env` of the entry) over them. Proxies that carry a password stay out."""
    passed = {
        name: value
        for name, value in base.items()
        if _PASSED.fullmatch(name)
        # An exported shell function is code.
        and not value.startswith("()")
        and not (name.lower().endswith("_proxy") and "@" in value)
    }
    return {**passed, "NO_COLOR": "1", **given}
