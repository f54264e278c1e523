"""Notebooks as text, made of cells."""

import json


def cell(source, kind: str = "code") -> dict:
    """Return a cell, its text whole or as a list of lines."""
    extra = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source, **extra}


def notebook(*cells, **values) -> str:
    """Return a notebook of these cells; of text alone they are code."""
    document = {
        "cells": [cell(c) if isinstance(c, str | list) else c for c in cells],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps({**document, **values})
