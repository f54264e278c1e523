"""Make the text of a notebook from cells, and execute notebooks."""

import json
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tests.support.patient import SECONDS


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


def executed(document, folder: Path) -> list[tuple[str, list[dict]]]:
    """Execute a notebook in a new kernel, as Jupyter does it.

    Args:
        document: the notebook as `nbformat` reads it; its cells get their outputs.
        folder: the folder in which the kernel starts.

    Returns:
        For each code cell, the text that it has printed, and its other outputs.
    """
    where = {"metadata": {"path": str(folder)}}
    client = NotebookClient(
        document,
        timeout=SECONDS,
        startup_timeout=SECONDS,
        iopub_timeout=SECONDS,  # else a cell's output is cut off after 4 s
        kernel_name="python3",
        allow_errors=True,
        resources=where,
    )
    client.execute()
    found = []
    for each in document.cells:
        if each.cell_type == "code":
            streams = [o for o in each.outputs if o.output_type == "stream"]
            text = "".join(stream.text for stream in streams)
            found.append((text, [o for o in each.outputs if o not in streams]))
    return found


def document_of(*cells: str):
    """Return a notebook of code cells, as `nbformat` reads it."""
    v4 = nbformat.v4
    return v4.new_notebook(cells=[v4.new_code_cell(text) for text in cells])
