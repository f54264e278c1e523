"""Make the text of a notebook from cells."""

import json


def cell(source, kind: str = "code", count=None) -> dict:
    """Return a notebook cell as a dict.

    Args:
        source: the cell's content: a text or a list of lines.
        kind: "code" or another cell type of notebooks, such as "markdown".
        count: the number that a notebook shows beside a code cell, as in In[5].
    """
    extra = {"outputs": [], "execution_count": count} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source, **extra}


def notebook(*cells, **values) -> str:
    """Return the JSON text of a notebook.

    Args:
        cells: the cells as dicts; a text or a list of lines becomes a code cell.
        values: top-level entries of the notebook, instead of the usual ones.
    """
    document = {
        "cells": [cell(c) if isinstance(c, str | list) else c for c in cells],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps({**document, **values})
