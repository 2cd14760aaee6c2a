// The table of all runs: sorted, searched and filtered here; what the folder holds comes from the server.
"use strict";

const STEP = 200;
const FIXED = [
  { key: "status", name: "status" }, { key: "typed", name: "typed" }, { key: "dataset", name: "dataset" },
  { key: "model", name: "model" }, { key: "metric", name: "metric" },
  { key: "validation", name: "validation", number: true }, { key: "test", name: "test", number: true },
  { key: "curve", name: "curve", plain: true }, { key: "seconds", name: "time", number: true }, { key: "started", name: "started" },
];
const chosen = new Set();
const curves = new Map();
let found = { rows: [], keys: [] };
let sorted = { key: "started", down: true };
let shown = STEP;

async function load() {
  try {
    found = await read(`/api/runs?conditions=${encodeURIComponent(byId("conditions").value)}`);
    showFault(null);
  } catch (error) {
    showFault(error);
    return;
  }
  draw();
}

function valueOf(row, key) {
  return key.startsWith("=") ? row.settings[found.keys.indexOf(key.slice(1))] : row[key];
}

function visible() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = found.rows.filter((row) => {
    const all = `${row.run} ${row.typed} ${row.dataset} ${row.model} ${row.status}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
  const order = (row) => valueOf(row, sorted.key);
  const known = rows.filter((row) => order(row) !== null && order(row) !== undefined);
  const rest = rows.filter((row) => order(row) === null || order(row) === undefined);
  const numbers = known.every((row) => typeof order(row) === "number");
  known.sort((a, b) => (numbers ? order(a) - order(b) : String(order(a)).localeCompare(String(order(b)), "en", { numeric: true })));
  if (sorted.down) known.reverse();
  return [...known, ...rest];
}

function draw() {
  const rows = visible();
  const keys = byId("differing").checked ? found.keys.map((key) => ({ key: `=${key}`, name: key })) : [];
  const columns = [...FIXED, ...keys];
  byId("count").textContent = `${rows.length.toLocaleString("en")} of ${found.rows.length.toLocaleString("en")} runs`;
  byId("runs").tHead.replaceChildren(element("tr", {}, element("td", {}), ...columns.map(heading)));
  byId("runs").tBodies[0].replaceChildren(...rows.slice(0, shown).map((row) => line(row, keys)));
  byId("more").hidden = rows.length <= shown;
  drawCurves(rows.slice(0, shown));
}

function heading(column) {
  if (column.plain) return element("th", { scope: "col" }, column.name);
  const mine = sorted.key === column.key;
  const turn = () => {
    sorted = { key: column.key, down: mine ? !sorted.down : Boolean(column.number) };
    draw();
  };
  const mark = mine ? (sorted.down ? " ▾" : " ▴") : "";
  return element("th", { scope: "col", class: column.number && "number", "aria-sort": mine ? (sorted.down ? "descending" : "ascending") : null },
    element("button", { type: "button", onclick: turn }, column.name + mark));
}

function line(row, keys) {
  const box = element("input", { type: "checkbox", "aria-label": `Compare ${row.run}`, onchange: (event) => choose(row.run, event.target.checked) });
  box.checked = chosen.has(row.run);
  const test = element("td", { class: "number" }, text(row.test));
  if (row.interval) test.append(" ", element("small", {}, `${text(row.interval[0])} to ${text(row.interval[1])}`));
  const title = element("td", { class: "typed" }, element("a", { href: runLink(row.run) }, row.typed || row.run));
  if (row.sweep) title.append(" ", element("small", {}, element("a", { href: sweepLink(row.sweep) }, `job ${row.run.split("/").pop()} of a sweep`)));
  if (row.fault || row.error) title.append(element("div", { class: "note" }, row.fault || row.error));
  return element("tr", {}, element("td", {}, box), element("td", {}, element("span", { class: `status ${row.status}` }, row.status)), title,
    element("td", {}, text(row.dataset)), element("td", {}, text(row.model)), element("td", {}, text(row.metric)),
    element("td", { class: "number" }, text(row.validation)), test,
    element("td", { "data-curve": row.run }), element("td", { class: "number" }, duration(row.seconds)), element("td", { class: "when" }, moment(row.started)),
    ...keys.map((column) => element("td", { class: "setting" }, text(valueOf(row, column.key)))));
}

function choose(run, wanted) {
  if (wanted) chosen.add(run);
  else chosen.delete(run);
  byId("compare").disabled = chosen.size < 2;
  byId("compare").textContent = chosen.size ? `Compare ${chosen.size} runs` : "Compare";
}

async function drawCurves(rows) {
  const stale = rows.filter((row) => row.status !== "damaged" && (!curves.has(row.run) || row.status === "running")).map((row) => row.run);
  for (let first = 0; first < stale.length; first += 50) {
    const some = stale.slice(first, first + 50);
    const answer = await read(`/api/curves?${some.map((run) => `run=${encodeURIComponent(run)}`).join("&")}`).catch(() => ({}));
    for (const [run, values] of Object.entries(answer)) curves.set(run, values);
  }
  for (const cell of document.querySelectorAll("[data-curve]")) {
    const values = curves.get(cell.dataset.curve) || [];
    if (values.length > 1) cell.replaceChildren(small(values));
  }
}

function small(values) {
  const low = Math.min(...values), high = Math.max(...values);
  const points = values.map((value, n) => `${((96 * n) / (values.length - 1)).toFixed(1)},${(24 - (22 * (value - low)) / (high - low || 1)).toFixed(1)}`);
  return vector("svg", { class: "small", viewBox: "0 0 96 26", role: "img", "aria-label": `from ${text(values[0])} to ${text(values[values.length - 1])}` }, vector("path", { d: `M${points.join("L")}` }));
}

let waiting;
byId("conditions").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(load, 300); });
byId("search").addEventListener("input", () => { shown = STEP; draw(); });
byId("differing").addEventListener("change", draw);
byId("controls").addEventListener("submit", (event) => event.preventDefault());
byId("more").addEventListener("click", () => { shown += STEP; draw(); });
byId("compare").addEventListener("click", () => { location.href = `/compare?${[...chosen].map((run) => `run=${encodeURIComponent(run)}`).join("&")}`; });
new EventSource("/api/changes").addEventListener("changed", load);
load();
