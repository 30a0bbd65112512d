"""Write docs/openapi.json from the service's routes: `make docs-tables`."""

from pathlib import Path

from tallystick.web.application import described_app
from tallystick.web.description import describe, to_json

if __name__ == "__main__":
    Path(__file__).parents[1].joinpath("openapi.json").write_bytes(to_json(describe(described_app())))
