"""Makes what a notebook shows of an object: sentences, tables and pictures in one piece of HTML without links."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from dltrain.pages.render import render

if TYPE_CHECKING:
    import pandas as pd

    from dltrain.report.svg import Picture

MOST_ROWS = 20  # of a table


def card(
    title: str,
    subtitle: str,
    sentences: Sequence[str] = (),
    tables: Sequence[pd.DataFrame] = (),
    pictures: Sequence[Picture] = (),
    told: Sequence[str] = (),
) -> str:
    """Returns HTML for a cell of a notebook; `told` are sentences that open at a click."""
    return render(
        "api/templates/card.html",
        title=title,
        subtitle=subtitle,
        sentences=sentences,
        tables=[Markup(_html(table)) for table in tables if len(table)],  # pandas escapes the cells
        pictures=[(each.title, base64.b64encode(each.file().encode()).decode(), each.message) for each in pictures],
        told=told,
    )


def _html(table: pd.DataFrame) -> str:
    named = table.rename_axis(index=None)
    return str(named.to_html(border=0, na_rep="", float_format="{:.4g}".format, max_rows=MOST_ROWS))
