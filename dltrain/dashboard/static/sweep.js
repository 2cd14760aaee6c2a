// A sweep: a leaderboard that fills, parallel coordinates that filter it, the value over each key, what failed.
"use strict";

const sweep = query.get("sweep") || "";
const HEIGHT = 260, TOP = 34, GAP = 150;
const brushes = new Map();
let found = null;

// Numbers of a key's words, the words themselves where they are none, and whether a logarithm tells more.
function axisOf(words) {
  const numbers = words.map(Number);
  const known = words.filter((word) => word !== null);
  if (known.length && known.every((word) => word !== "" && !isNaN(Number(word)))) {
    const low = Math.min(...known.map(Number)), high = Math.max(...known.map(Number));
    return { values: words.map((word, n) => (word === null ? null : numbers[n])), names: null, log: low > 0 && high / low >= 50, low, high };
  }
  const names = [...new Set(known)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return { values: words.map((word) => (word === null ? null : names.indexOf(word))), names, log: false, low: 0, high: names.length - 1 };
}

function share(axis, value) {
  const place = axis.log ? Math.log : (x) => x;
  return (place(value) - place(axis.low)) / (place(axis.high) - place(axis.low) || 1);
}

const scored = () => found.jobs.filter((job) => job.status === "completed" && typeof job.value === "number");

function axes(jobs) {
  const keys = found.keys.map((key, n) => ({ key, ...axisOf(jobs.map((job) => (job.settings[n] === undefined ? null : job.settings[n]))) }));
  const values = jobs.map((job) => job.value);
  return [...keys, { key: found.monitor, values, names: null, log: Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) >= 50, low: Math.min(...values), high: Math.max(...values) }];
}

function passes(all, n) {
  return all.every((axis) => {
    const brush = brushes.get(axis.key);
    if (!brush || axis.values[n] === null) return !brush;
    const at = share(axis, axis.values[n]);
    return at >= brush[0] - 1e-9 && at <= brush[1] + 1e-9;
  });
}

function parallel() {
  const jobs = scored();
  byId("paths").hidden = jobs.length < 2 || !found.keys.length;
  if (byId("paths").hidden) return new Set(jobs.map((job) => job.job));
  const all = axes(jobs);
  const width = 80 + GAP * (all.length - 1) + 80;
  const picture = vector("svg", { class: "parallel", width, height: HEIGHT + TOP + 30, role: "img", "aria-label": `Each of ${jobs.length} jobs as a line over ${all.length} axes` });
  const y = (axis, value) => TOP + HEIGHT * (1 - share(axis, value));
  const kept = new Set();
  jobs.forEach((job, n) => {
    const inside = passes(all, n);
    if (inside) kept.add(job.job);
    const points = all.map((axis, place) => (axis.values[n] === null ? null : `${80 + GAP * place},${y(axis, axis.values[n]).toFixed(1)}`)).filter(Boolean);
    const best = job.rank !== null && job.rank < Math.max(1, jobs.length / 10);
    picture.append(vector("path", { d: `M${points.join("L")}`, class: `${best ? "good" : ""} ${inside ? "" : "out"}` }));
  });
  all.forEach((axis, place) => {
    const x = 80 + GAP * place;
    const end = (value) => (axis.names ? axis.names[value] : text(value));
    picture.append(vector("line", { x1: x, x2: x, y1: TOP, y2: TOP + HEIGHT }), vector("text", { x, y: 14, "text-anchor": "middle" }, axis.key.split(".").pop()),
      vector("text", { x, y: TOP - 6, "text-anchor": "middle", class: "end" }, end(axis.high)), vector("text", { x, y: TOP + HEIGHT + 16, "text-anchor": "middle", class: "end" }, end(axis.low)));
    const brush = brushes.get(axis.key);
    if (brush) picture.append(vector("rect", { class: "brush", x: x - 8, width: 16, y: TOP + HEIGHT * (1 - brush[1]), height: Math.max(2, HEIGHT * (brush[1] - brush[0])) }));
    const hold = vector("rect", { class: "hold", x: x - 14, width: 28, y: TOP, height: HEIGHT });
    hold.addEventListener("pointerdown", (event) => drag(event, hold, axis.key));
    picture.append(hold);
  });
  byId("parallel").replaceChildren(picture);
  return kept;
}

function drag(event, hold, key) {
  const at = (each) => { const box = hold.getBoundingClientRect(); return Math.min(1, Math.max(0, 1 - (each.clientY - box.top) / box.height)); };
  const start = at(event);
  const end = (each) => {
    removeEventListener("pointerup", end);
    const stop = at(each);
    if (Math.abs(stop - start) < 0.02) brushes.delete(key);
    else brushes.set(key, [Math.min(start, stop), Math.max(start, stop)]);
    draw();
  };
  addEventListener("pointerup", end);
}

// The same as dragging, for the keyboard.
function ranges() {
  const all = [...found.keys, found.monitor];
  byId("ranges").replaceChildren(element("details", {}, element("summary", {}, "Choose ranges"), ...all.map((key) => {
    const brush = brushes.get(key) || [0, 1];
    const field = (place, name) => element("label", {}, `${key}, ${name} in %`, element("input", { type: "number", min: 0, max: 100, value: Math.round(100 * brush[place]), onchange: (event) => {
      const next = [...(brushes.get(key) || [0, 1])];
      next[place] = Math.min(1, Math.max(0, Number(event.target.value) / 100));
      if (next[0] <= 0 && next[1] >= 1) brushes.delete(key);
      else brushes.set(key, [Math.min(...next), Math.max(...next)]);
      draw();
    } }));
    return element("form", {}, field(0, "from"), field(1, "to"));
  })));
}

function draw() {
  const kept = parallel();
  const jobs = [...scored()].sort((a, b) => a.rank - b.rank).filter((job) => kept.has(job.job));
  const others = found.jobs.filter((job) => job.status === "pruned");
  byId("brushed").textContent = brushes.size ? `${jobs.length} of ${scored().length} jobs are within the chosen ranges.` : "";
  const metrics = [...new Set(jobs.flatMap((job) => Object.keys(job.metrics)))].filter((name) => name !== "loss" && `val_${name}` !== found.monitor);
  const like = jobs.some((job) => job.like_the_best !== null);
  const head = ["job", ...found.keys, found.monitor, ...(like ? ["like the best"] : []), ...metrics, "epochs", "time"];
  const row = (job) => [element("a", { href: runLink(job.run) }, job.job), ...job.settings, job.value, ...(like ? [job.like_the_best ? "yes" : "no"] : []), ...metrics.map((name) => job.metrics[name]), job.epochs, duration(job.seconds)];
  byId("jobs").replaceChildren(jobs.length ? table(head, jobs.map(row), "Leaderboard") : element("p", { class: "note" }, "No job has been scored yet."));
  if (others.length) byId("jobs").append(element("p", { class: "note" }, `${others.length} jobs were pruned: they ended early, since others were better.`));
}

function effects() {
  const jobs = scored();
  byId("effects").hidden = jobs.length < 2 || !found.keys.length;
  byId("scatter").replaceChildren();
  if (byId("effects").hidden) return;
  for (const axis of axes(jobs).slice(0, -1)) {
    const pairs = jobs.map((job, n) => [axis.values[n], job.value]).filter(([x]) => x !== null).sort((a, b) => a[0] - b[0]);
    const place = axis.log ? Math.log10 : (x) => x;
    const title = axis.log ? `log10 ${axis.key}` : axis.key;
    chart(byId("scatter"), axis.key, [{ label: found.monitor, colour: colour(0) }], [pairs.map(([x]) => place(x)), pairs.map(([, value]) => value)], { points: true, xLabel: title, names: axis.names });
  }
}

async function load() {
  found = await read(`/api/sweep?sweep=${encodeURIComponent(sweep)}`);
  showFault(null);
  document.title = `${found.name} · dltrain`;
  byId("name").textContent = found.name;
  byId("typed").textContent = `dltrain ${found.typed.join(" ")}`;
  byId("links").replaceChildren(...(found.report ? [element("a", { href: fileLink(sweep, "report.html") }, "Report")] : []));
  const count = (status) => found.jobs.filter((job) => job.status === status).length;
  byId("count").textContent = ["completed", "pruned", "failed"].filter(count).map((status) => `${count(status)} ${status}`).concat(found.running.length ? [`${found.running.length} not ended`] : []).join(", ");
  byId("live").hidden = !found.running.length;
  byId("running").replaceChildren(table(["job", "status", "typed", "epoch"], found.running.map((job) => [element("a", { href: runLink(job.run) }, job.job), job.status, job.typed, `${job.epoch} of ${text(job.of)}`]), "Running now"));
  draw();
  ranges();
  effects();
  const weights = Object.entries(found.importance || {});
  byId("weighed").hidden = !weights.length;
  byId("importance").replaceChildren(table(["key", "share of the variance", ""], weights.map(([key, value]) => {
    const bar = element("div", { class: "bar" });
    bar.style.width = `${Math.round(200 * value)}px`;
    return [key, value, bar];
  }), "How much each key matters"));
  const failed = found.jobs.filter((job) => job.status === "failed");
  byId("failures").hidden = !failed.length;
  byId("failed").replaceChildren(table(["job", "reason", ...found.keys], failed.map((job) => [element("a", { href: runLink(job.run) }, job.job), job.reason, ...job.settings]), "Failed"));
}

new EventSource("/api/changes").addEventListener("changed", () => load().catch(showFault));
load().catch(showFault);
