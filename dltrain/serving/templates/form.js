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
  for (const note of found.notes)
    add(answer, "p", note);
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
