"""The mapping that docs/usage-mapping.md shows is one."""

import re
from pathlib import Path

from tallystick.metering.mapping import read_mapping

PAGE = Path(__file__).resolve().parents[2] / "docs" / "usage-mapping.md"


def test_the_mapping_that_is_shown_is_read() -> None:
    """Whole, and each part of it has its row."""
    page = PAGE.read_text("utf-8")
    shown = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    mapping = read_mapping(shown[1].encode(), "shown")
    assert (len(mapping.accounts), len(mapping.gpus), mapping.partitions) == (1, 2, {"gpu-a": "a100"})
    assert all(f"`{name}" in page for name in ("cluster", "time_zone", "account.name", "gpu.source", "free.states"))
