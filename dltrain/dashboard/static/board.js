// What all pages share: elements made of text (never of HTML), tables, charts, and the words for numbers.
"use strict";

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function vector(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const byId = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const runLink = (name) => `/run?run=${encodeURIComponent(name)}`;
const sweepLink = (name) => `/sweep?sweep=${encodeURIComponent(name)}`;
const fileLink = (name, file) => `/files/${[...name.split("/"), ...file.split("/")].map(encodeURIComponent).join("/")}`;

function text(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 1e9 || size < 1e-3) return value.toExponential(3);
  return size < 1e3 ? value.toPrecision(4) : value.toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

function duration(seconds) {
  if (typeof seconds !== "number") return "";
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return seconds < 3600 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function moment(started) {
  const date = new Date(started);
  if (!started || isNaN(date)) return "";
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

async function read(path) {
  const answer = await fetch(path);
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Error(typeof told.detail === "string" ? told.detail : `The board answered ${answer.status}.`);
  }
  return answer.json();
}

function showFault(error) {
  const place = byId("fault");
  place.textContent = error ? error.message : "";
  place.hidden = !error;
}

function table(head, rows, caption) {
  const numeric = (place) => rows.length > 0 && rows.every((row) => typeof row[place] === "number" || row[place] === null || row[place] === undefined);
  const cell = (value) => (value instanceof Node ? element("td", {}, value) : element("td", { class: typeof value === "number" ? "number" : "setting" }, Array.isArray(value) ? value.map(text).join(" to ") : text(value)));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${caption}: table` }, element("table", {},
    element("thead", {}, element("tr", {}, ...head.map((name, place) => element("th", { scope: "col", class: place > 0 && numeric(place) && "number" }, name)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, element("th", { scope: "row" }, row[0] instanceof Node ? row[0] : text(row[0])), ...row.slice(1).map(cell))))));
}

const colour = (place) => getComputedStyle(document.documentElement).getPropertyValue(`--c${4 + (place % 8)}`).trim();
const shade = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const WHOLE = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((first) => first * 10 ** power)).flat();
// The legend shows the last values while no place of the chart is pointed at.
const pointedOrLast = (plot, value, place, at) => (at === null || at === undefined ? plot.data[place].at(-1) : value);

// Draws lines of uPlot; `series` has a label, a colour and perhaps `dash` for each of the columns behind the first.
function chart(place, title, series, columns, { log = false, points = false, xLabel = "epoch", names = null } = {}) {
  const box = element("div", { class: "chart" }, element("h3", {}, title));
  place.append(box);
  const axis = { stroke: shade("--c2"), grid: { stroke: shade("--c3"), width: 1 }, ticks: { stroke: shade("--c3") }, font: "12px system-ui" };
  const drawn = new uPlot({
    width: Math.max(240, box.clientWidth - 24), height: 220,
    legend: { show: !points },
    scales: { x: { time: false, range: columns[0].length < 2 || points ? padded : undefined }, y: { distr: log ? 3 : 1 } },
    axes: [
      { ...axis, label: xLabel, labelSize: 18, ...(xLabel === "seconds" ? {} : { incrs: WHOLE }), labelFont: "12px system-ui", ...(names ? { splits: () => names.map((_, n) => n), values: () => names } : {}) },
      { ...axis, size: (_, marks) => Math.max(56, 20 + 7 * Math.max(0, ...(marks || []).map((mark) => mark.length))), values: (_, splits) => splits.map(mark) },
    ],
    series: [
      { label: xLabel, value: (plot, value, place, at) => (names ? (value === null ? "" : names[Math.round(value)]) : text(pointedOrLast(plot, value, place, at))) },
      ...series.map((each) => ({ label: each.label, stroke: each.colour, width: 1.75, dash: each.dash, spanGaps: true, value: (plot, value, place, at) => text(pointedOrLast(plot, value, place, at)), ...(points ? { paths: () => null, points: { show: true, size: 7, fill: each.colour } } : { points: { show: columns[0].length < 30 } }) })),
    ],
  }, columns, box);
  new ResizeObserver(() => drawn.setSize({ width: Math.max(240, box.clientWidth - 24), height: 220 })).observe(box);
  return drawn;
}

function mark(value) {
  if (value === null) return "";
  return Math.abs(value) < 1e3 ? String(Number(value.toPrecision(4))) : value.toLocaleString("en", { maximumSignificantDigits: 4 });
}

function padded(_, low, high) {
  const room = (high - low) * 0.08 || 0.5;
  return [low - room, high + room];
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => location.reload());
