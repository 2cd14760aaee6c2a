"""Renders the pages of the service: a form for single rows, and a description, in HTML that loads nothing."""

from __future__ import annotations

import json

from dltrain.pages.render import render
from dltrain.record.signature import Signature
from dltrain.serving.schema import describe_column, example

MOST_IN_A_LIST = 30


def form_page(signature: Signature, title: str) -> str:
    """Renders a form with a field for each column and the prediction for it."""
    columns = {name: signature.by_source.get(name) for name in signature.needed}
    return render(
        "serving/templates/form.html",
        title=title,
        columns=columns,
        first=example(signature),
        describe=describe_column,
        most_in_a_list=MOST_IN_A_LIST,
    )


def docs_page(signature: Signature, title: str, max_rows: int, max_bytes: int) -> str:
    """Describes a request of at most so many rows and bytes, and its response."""
    return render(
        "serving/templates/docs.html",
        title=title,
        columns={name: describe_column(signature.by_source.get(name)) for name in signature.needed},
        request=json.dumps({"rows": [example(signature)]}, ensure_ascii=False, indent=2),
        labels=signature.kind.labels,
        classes=signature.classes,
        max_rows=max_rows,
        max_bytes=max_bytes,
    )
