"""Where the public sets are."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]


def data_folder() -> Path:
    chosen = os.environ.get("CONCIERGE_EVAL_DATA")
    return Path(chosen) if chosen else CHECKOUT.parent / "shared" / "data"
