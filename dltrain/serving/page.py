"""The pages of the service: a form for single rows, and a description. Plain HTML that loads nothing from elsewhere."""

from __future__ import annotations

import json
from html import escape

from dltrain.record.signature import Column, Signature
from dltrain.serving.schema import describe_column, example

MOST_IN_A_LIST = 30

STYLE = """
:root { color-scheme: light dark; --edge: #8886; --accent: #2457c5; }
@media (prefers-color-scheme: dark) { :root { --accent: #8fb4ff; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem; }
label { display: block; font-weight: 600; margin-top: 0.9rem; overflow-wrap: anywhere; }
small { display: block; opacity: 0.8; overflow-wrap: anywhere; }
input, select, textarea { font: inherit; width: 100%; box-sizing: border-box; padding: 0.4rem;
  border: 1px solid var(--edge); border-radius: 4px; }
button { font: inherit; margin: 1rem 0; padding: 0.5rem 1.5rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem 0.3rem 0; border-bottom: 1px solid var(--edge);
  overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: 0.6rem; border: 1px solid var(--edge); }
progress { width: 100%; accent-color: var(--accent); }
.wrong { border-left: 4px solid #c62828; padding-left: 0.6rem; }
"""

SCRIPT = """
const form = document.querySelector("form"), answer = document.getElementById("answer");
function add(parent, name, text) {
  const made = parent.appendChild(document.createElement(name));
  if (text !== undefined) made.textContent = text;
  return made;
}
async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
async function readRow() {
  const row = {};
  for (const field of form.querySelectorAll("[data-column]")) {
    const kind = field.dataset.kind, value = field.value;
    if (kind === "image") row[field.dataset.column] = field.files.length ? await base64(field.files[0]) : "";
    else if (value === "") row[field.dataset.column] = null;
    else row[field.dataset.column] = kind === "numeric" ? Number(value) : value;
  }
  return row;
}
function show(found) {
  const row = found.rows[0];
  const text = typeof row.prediction === "object"
    ? Object.keys(row.prediction).filter(name => row.prediction[name]).join(", ") || "no label"
    : String(row.prediction);
  add(answer, "p", "Prediction: " + text).id = "prediction";
  if (row.probabilities) {
    const table = add(answer, "table");
    add(table, "caption", "Probabilities");
    for (const [name, probability] of Object.entries(row.probabilities)) {
      const line = add(table, "tr");
      add(line, "th", name).scope = "row";
      add(line, "td", (100 * probability).toFixed(1) + " %");
      const bar = add(add(line, "td"), "progress");
      bar.value = probability;
      bar.setAttribute("aria-label", name);
    }
  }
  for (const [name, words] of Object.entries(found.unknown))
    add(answer, "p", name + ": " + words.join(", ") + " is unknown to the model.");
}
form.addEventListener("submit", async event => {
  event.preventDefault();
  answer.replaceChildren();
  try {
    const row = await readRow();
    const reply = await fetch("predict", {method: "POST", headers: {"Content-Type": "application/json"},
                                          body: JSON.stringify({rows: [row]})});
    const found = await reply.json();
    if (reply.ok) { show(found); return; }
    const faults = Array.isArray(found.detail) ? found.detail : [{message: found.detail}];
    for (const fault of faults)
      add(answer, "p", (fault.column ? fault.column + ": " : "") + fault.message).className = "wrong";
  } catch (error) {
    add(answer, "p", "The service does not answer: " + error.message).className = "wrong";
  }
});
"""


def form_page(signature: Signature, title: str) -> str:
    """A form with a field for each column, and the answer to it.

    Args:
        signature: of the run.
        title: of the page.
    """
    first = example(signature)
    fields = "\n".join(
        _field(place, name, signature.by_source.get(name), first[name]) for place, name in enumerate(signature.needed)
    )
    body = f"""<form>
{fields}
<button>Predict</button>
</form>
<section id="answer" aria-live="polite" aria-label="Answer"></section>
<p><a href="docs">How to call it from a program</a></p>
<script>{SCRIPT}</script>"""
    return _page(title, f"<h1>{escape(title)}</h1>\n{body}")


def docs_page(signature: Signature, title: str, max_rows: int, max_bytes: int) -> str:
    """What a request and its answer hold.

    Args:
        signature: of the run.
        title: of the page.
        max_rows: of a request.
        max_bytes: of a request's body.
    """
    lines = "\n".join(
        f"<tr><th scope=row>{escape(name)}</th><td>{escape(describe_column(signature.by_source.get(name)))}</td></tr>"
        for name in signature.needed
    )
    request = json.dumps({"rows": [example(signature)]}, ensure_ascii=False, indent=2)
    gives = f"one of {', '.join(signature.classes)}" if signature.classes else "a number"
    if signature.kind.labels:
        gives = f"0 or 1 for each of {', '.join(signature.classes)}"
    return _page(
        title,
        f"""<h1>{escape(title)}</h1>
<p>POST /predict takes rows as JSON, at most {max_rows:,} rows and {max_bytes:,} bytes a request. The prediction of a
row is {escape(gives)}{", with the probability of each" if signature.classes else ""}.</p>
<pre>{escape(request)}</pre>
<table><caption>Columns of a row</caption>
{lines}
</table>
<p>A column that is missing, or a value of the wrong kind, is answered with 422 and its row and column; a body that is
too large with 413. <a href="health">GET /health</a> says that the service is up, <a href="metrics">GET /metrics</a> is
for Prometheus, <a href="openapi.json">openapi.json</a> is for client generators, and <a href="./">the form</a> tries
single rows.</p>""",
    )


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body><main>
{body}
</main></body>
</html>
"""


def _field(place: int, name: str, column: Column | None, value: object) -> str:
    kind = "text" if column is None else column.kind
    data = f'id="field-{place}" data-column="{escape(name)}" data-kind="{kind}" aria-describedby="about-{place}"'
    given = escape("" if value is None else str(value))
    if kind == "numeric":
        control = f'<input type="number" step="any" {data} value="{given}">'
    elif kind == "image":
        control = f'<input type="file" accept="image/png,image/jpeg,image/bmp,image/gif" required {data}>'
    elif kind == "category" and column is not None and len(column.words) <= MOST_IN_A_LIST:
        options = "".join(f'<option value="{escape(word)}">{escape(word)}</option>' for word in column.words)
        control = f'<select {data}>{options}<option value="">(missing)</option></select>'
    elif kind == "category":
        control = f'<input type="text" {data} value="{given}">'
    else:
        control = f'<textarea rows="4" {data}></textarea>'
    about = escape(describe_column(column))
    return f'<label for="field-{place}">{escape(name)}</label>\n{control}\n<small id="about-{place}">{about}</small>'
