"""A lesson as a notebook (.ipynb, format 4.5): its cells without outputs, for the reader to run."""

import json


def of(cells) -> str:
    """The notebook of a lesson's cells, as JSON."""
    found = []
    for cell in cells:
        about: dict = {
            "cell_type": cell.kind,
            "id": cell.name,
            "metadata": {},
            "source": cell.text.strip("\n").splitlines(True),
        }
        if cell.kind == "code":
            about |= {"execution_count": None, "outputs": []}
        found.append(about)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": found, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, ensure_ascii=False, indent=1)
