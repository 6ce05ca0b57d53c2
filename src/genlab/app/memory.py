"""What the collector of garbage need not look at.

Streamlit collects garbage after every run of a page, and all that was ever imported, torch among it, is
walked each time. What is there for good is therefore frozen: taken out of what is walked.
"""

from __future__ import annotations

import gc
import sys

_modules = 0  # that were there when it was last frozen


def freeze_what_was_imported() -> bool:
    """To be called at the end of a page's run. Returns whether there was anything new."""
    global _modules
    if len(sys.modules) <= _modules:
        return False
    gc.collect()  # or garbage would be frozen, too
    gc.freeze()
    _modules = len(sys.modules)
    return True
