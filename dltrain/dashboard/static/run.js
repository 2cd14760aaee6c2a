// One run: its facts, and curves and a log that grow while it trains.
"use strict";

const run = query.get("run") || "";
let history = { columns: [], rows: [] };
const charts = new Map();

async function load() {
  const details = await read(`/api/run?run=${encodeURIComponent(run)}`);
  document.title = `${details.name} · dltrain`;
  byId("name").textContent = details.name;
  state(details.status);
  byId("typed").textContent = `dltrain ${details.typed.join(" ")}`;
  const links = [];
  if (details.report) links.push(element("a", { href: fileLink(run, "report.html") }, "Report"));
  if (details.sweep) links.push(element("a", { href: sweepLink(details.sweep) }, "Sweep"));
  byId("links").replaceChildren(...links.flatMap((link) => [link, " "]));
  const told = (name, value) => (name === "started" ? moment(value) : name === "seconds" ? duration(value) : text(value));
  byId("facts").replaceChildren(...Object.entries(details.facts).map(([name, value]) => element("div", { class: "tile" }, element("b", {}, told(name, value)), element("span", {}, name))));
  byId("verdict").textContent = details.verdict;
  byId("scored").hidden = !details.metrics.rows.length;
  byId("metrics").replaceChildren(table(details.metrics.head, details.metrics.rows, "Metrics"));
  byId("notes").replaceChildren(...details.notes.map((note) => element("li", {}, note)));
  const checks = details.checks.length ? details.checks.map((each) => `${each.severity}: ${each.check}: ${each.sentence}`) : details.warnings;
  byId("checked").hidden = !checks.length;
  byId("checks").replaceChildren(...checks.map((sentence) => element("li", {}, sentence)));
  byId("settings").replaceChildren(table(["key", "value"], Object.entries(details.settings), "All settings"));
  byId("drawn").hidden = !details.pictures.length;
  byId("pictures").replaceChildren(...details.pictures.map((name) => element("figure", {}, element("img", { src: fileLink(run, `plots/${name}`), alt: name.replace(".svg", "").replaceAll("_", " "), loading: "lazy" }))));
  byId("commands").replaceChildren(...details.commands.map(([title, command]) => element("div", {}, element("p", { class: "note" }, title), element("pre", { class: "command", tabindex: "0", "aria-label": title }, command))));
}

async function settings() {
  const changed = await read(`/api/changed?run=${encodeURIComponent(run)}`);
  byId("changed").replaceChildren(changed.length ? table(["key", "value", "default"], changed, "Settings that are not the defaults") : element("p", { class: "note" }, "None is known."));
}

function state(status) {
  byId("status").textContent = status;
  byId("status").className = `status ${status}`;
}

function add(more) {
  if (more.columns.length) history.columns = more.columns;
  history.rows.push(...more.rows);
  const of = (name) => history.rows.map((row) => { const value = row[history.columns.indexOf(name)]; return typeof value === "number" ? value : null; });
  const scores = history.columns.filter((name) => history.columns.includes(`val_${name}`));
  const names = [...scores, ...history.columns.filter((name) => name !== "epoch" && !name.startsWith("val_") && !scores.includes(name))];
  for (const name of names) {
    const series = [{ key: name, label: history.columns.includes(`val_${name}`) ? `train ${name}` : name, colour: colour(1), dash: [6, 4] }];
    if (history.columns.includes(`val_${name}`)) series.unshift({ key: `val_${name}`, label: `validation ${name}`, colour: colour(0) });
    else delete series[0].dash;
    const data = [of("epoch"), ...series.map((each) => of(each.key))];
    if (charts.has(name)) charts.get(name).setData(data);
    else charts.set(name, chart(byId("curves"), name, series, data));
  }
}

function follow() {
  const source = new EventSource(`/api/follow?run=${encodeURIComponent(run)}&after=${history.rows.length}`);
  source.addEventListener("rows", (event) => {
    const more = JSON.parse(event.data);
    if (more.rows.length) add(more);
    if (more.log !== null) {
      const place = byId("log"), end = place.scrollHeight - place.scrollTop - place.clientHeight < 40;
      place.textContent = more.log;
      if (end) place.scrollTop = place.scrollHeight;
    }
    state(more.status);
  });
  source.addEventListener("ended", (event) => {
    source.close();
    state(JSON.parse(event.data).status);
    load().catch(showFault);
  });
  source.addEventListener("gone", () => {
    source.close();
    showFault(new Error("The directory of the run is gone, or cannot be read any more."));
  });
  // After a break the rows that are known would come twice, so that the page asks anew.
  source.onerror = () => { source.close(); setTimeout(follow, 3000); };
}

load().then(settings).catch(showFault);
follow();
