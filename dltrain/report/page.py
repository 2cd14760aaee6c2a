"""The HTML around a report: every text from outside is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from dltrain.report.svg import DARK, LIGHT, Picture, variable


class Html(str):
    """Text that is HTML already; anything else is escaped."""

    __slots__ = ()


def text(value: Any) -> Html:
    """A value as HTML: escaped, unless it is HTML already."""
    return value if isinstance(value, Html) else Html(escape(str(value)))


def join(parts: Iterable[Any]) -> Html:
    """Pieces one after the other."""
    return Html("\n".join(text(part) for part in parts if part))


def paragraph(*sentences: Any) -> Html:
    """A paragraph of these sentences."""
    return Html(f"<p>{' '.join(text(each) for each in sentences if each)}</p>")


def note(words: Any) -> Html:
    """A smaller paragraph beside something."""
    return Html(f'<p class="note">{text(words)}</p>')


def code(words: str) -> Html:
    """A command, on lines of its own."""
    return Html(f'<pre class="command" tabindex="0" role="group" aria-label="command"><code>{text(words)}</code></pre>')


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]], *, words: int = 1) -> Html:
    """A table that scrolls by itself where the page is narrower; the first cell of a row is its heading.

    Args:
        caption: what it holds.
        head: of the columns.
        rows: cells; numbers come as text already.
        words: how many of the first columns hold words, aligned left; the others hold numbers.
    """

    def kind(place: int) -> str:
        return "" if place < words else ' class="number"'

    heads = "".join(f'<th scope="col"{kind(place)}>{text(name)}</th>' for place, name in enumerate(head))
    lines = []
    for row in rows:
        first, *others = row
        cells = "".join(f"<td{kind(place)}>{text(cell)}</td>" for place, cell in enumerate(others, 1))
        lines.append(f'<tr><th scope="row">{text(first)}</th>{cells}</tr>')
    return Html(
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(caption)}"><table>'
        f"<caption>{text(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def pictures(shown: Sequence[Picture]) -> Html:
    """Pictures side by side where there is room, each with its message below."""
    figures = "".join(
        f'<figure><h3 aria-hidden="true">{text(each.title)}</h3>{each.inline()}'
        f"<figcaption>{text(each.message)}</figcaption></figure>"
        for each in shown
    )
    return Html(f'<div class="pictures">{figures}</div>') if figures else Html("")


def section(anchor: str, title: str, *parts: Any) -> Html:
    """A part of the page with a heading; none where it is empty."""
    inside = join(parts)
    if not inside:
        return Html("")
    return Html(
        f'<section id="{anchor}" aria-labelledby="{anchor}-h"><h2 id="{anchor}-h">{text(title)}</h2>{inside}</section>'
    )


def folded(title: str, *parts: Any) -> Html:
    """Long things that open at a click or with the keyboard."""
    return Html(f"<details><summary>{text(title)}</summary>{join(parts)}</details>")


def page(title: str, subtitle: str, sections: Sequence[Html]) -> str:
    """The whole file.

    Args:
        title: of the window and the first heading.
        subtitle: a line below it.
        sections: from `section`; empty ones are left out.
    """
    kept = [each for each in sections if each]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{text(title)}</title>
<style>{_style()}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header><h1>{text(title)}</h1><p class="note">{text(subtitle)}</p></header>
<nav aria-label="Contents"><ul>{"".join(_link(each) for each in kept)}</ul></nav>
<main id="main" tabindex="-1">
{join(kept)}
</main>
<footer class="note">Written by dltrain.</footer>
</body>
</html>
"""


def _link(part: Html) -> str:
    anchor = part.split('id="', 1)[1].split('"', 1)[0]
    title = part.split(f'<h2 id="{anchor}-h">', 1)[1].split("</h2>", 1)[0]
    return f'<li><a href="#{anchor}">{title}</a></li>'


def _style() -> str:
    def variables(palette: dict[str, str]) -> str:
        return "".join(f"{variable(mark)}:{colour};" for mark, colour in palette.items())

    return (
        f":root{{{variables(LIGHT)}--page:#fbfbfc;--card:#ffffff;--soft:#f1f3f5;--bad:#b42318;--good:#1a7f4b;}}"
        f"@media (prefers-color-scheme:dark){{:root{{{variables(DARK)}--page:#14171a;--card:#1b1f23;--soft:#262b31;"
        f"--bad:#ff9a8d;--good:#6fd3a0;}}}}{CSS}"
    )


CSS = """
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0 auto;padding:2.5rem 1.25rem 4rem;max-width:66rem;background:var(--page);color:var(--c1);
font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:break-word}
h1{font-size:1.9rem;line-height:1.2;margin:0;font-weight:650;letter-spacing:-.01em}
h2{font-size:1.25rem;margin:0 0 .75rem;font-weight:620}
h3{font-size:1rem;margin:0 0 .25rem;font-weight:600}
p{margin:.5rem 0;max-width:44rem}
a{color:var(--c4)}
.note,figcaption,caption{color:var(--c2);font-size:.875rem;line-height:1.45}
.skip{position:absolute;left:-999px}
.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem 1rem;border-radius:.4rem}
:focus-visible{outline:2px solid var(--c4);outline-offset:2px}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;padding:.75rem 0;margin:1rem 0 0;
border-top:1px solid var(--c3);border-bottom:1px solid var(--c3);font-size:.875rem}
nav a{text-decoration:none}
nav a:hover{text-decoration:underline}
section{margin-top:3rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,9rem),1fr));gap:.75rem;margin:1.25rem 0}
.tile{background:var(--card);border:1px solid var(--c3);border-radius:.6rem;padding:.9rem 1rem}
.tile b{display:block;white-space:nowrap;font-size:1.45rem;line-height:1.25;font-weight:620;
font-variant-numeric:tabular-nums}
.tile span{display:block;color:var(--c2);font-size:.8125rem;line-height:1.4}
.tile.main b{color:var(--c4)}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1rem;margin:1rem 0}
figure{margin:0;background:var(--card);border:1px solid var(--c3);border-radius:.6rem;padding:1rem;min-width:0}
figure svg{display:block;width:100%;height:auto}
svg *{stroke-linejoin:round;stroke-linecap:butt}
.scroll{overflow-x:auto;margin:1rem 0;background:var(--card);border:1px solid var(--c3);border-radius:.6rem}
table{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.7rem .9rem .2rem}
th,td{padding:.4rem .9rem;text-align:left;font-weight:400;vertical-align:top;border-top:1px solid var(--c3)}
thead th{border-top:0;color:var(--c2);font-size:.8125rem;white-space:nowrap}
.number{text-align:right;white-space:nowrap}
td.wide{min-width:14rem}
.finding{border-left:3px solid var(--c3);padding:.1rem 0 .1rem 1rem;margin:1.25rem 0}
.finding.problem{border-color:var(--bad)}
.finding.good{border-color:var(--good)}
.finding.notice{border-color:var(--c5)}
.finding .level{font-size:.75rem;color:var(--c2);text-transform:uppercase;letter-spacing:.05em}
.command{background:var(--soft);border-radius:.4rem;padding:.55rem .8rem;overflow-x:auto;margin:.4rem 0;
font-size:.8125rem;line-height:1.5}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.typed{color:var(--c4);font-weight:600}
.cell img{width:5rem;image-rendering:pixelated;display:block}
details{margin:.75rem 0}
summary{cursor:pointer;font-weight:600;padding:.25rem 0}
footer{margin-top:4rem}
@media print{nav,.skip{display:none}}
@media (max-width:40rem){body{padding-top:1.5rem}th,td{padding:.35rem .6rem}
section{margin-top:2.25rem}figure{padding:.75rem .6rem}}
"""
