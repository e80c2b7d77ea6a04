"""Tests of the store. The conformance suite is imported, so its asserts are rewritten by name."""

import pytest

pytest.register_assert_rewrite("store.conformance", "store.whole_conformance")
