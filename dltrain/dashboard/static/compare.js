// Several runs over one another, what differs between them, and whether it is more than noise.
"use strict";

const names = query.getAll("run");
let found = null;

function positions(run) {
  const epochs = column(run, "epoch");
  const over = byId("over").value;
  const factor = over === "steps" ? run.steps : over === "seconds" ? run.seconds_per_epoch : 1;
  return typeof factor === "number" ? epochs.map((epoch) => (epoch === null ? null : epoch * factor)) : epochs.map(() => null);
}

function column(run, name) {
  const place = run.history.columns.indexOf(name);
  return run.history.rows.map((row) => (place >= 0 && typeof row[place] === "number" ? row[place] : null));
}

function draw() {
  byId("curves").replaceChildren();
  const metrics = [...new Set(found.runs.flatMap((run) => run.history.columns))].filter((name) => name !== "epoch" && !name.startsWith("val_") && name !== "learning_rate");
  const log = byId("scale").value === "log";
  for (const metric of metrics) {
    const parts = found.runs.flatMap((run, place) => [
      { run, key: `val_${metric}`, label: `${run.letter} validation`, colour: colour(place) },
      { run, key: metric, label: `${run.letter} train`, colour: colour(place), dash: [5, 4] },
    ]).filter((each) => each.run.history.columns.includes(each.key));
    const lines = parts.map((each) => {
      const x = positions(each.run), y = column(each.run, each.key).map((value) => (log && value <= 0 ? null : value));
      const kept = x.map((value, n) => [value, y[n]]).filter(([value]) => value !== null);
      return [kept.map(([value]) => value), kept.map(([, value]) => value)];
    });
    if (lines.some(([x]) => x.length)) chart(byId("curves"), metric, parts, uPlot.join(lines), { log, xLabel: byId("over").selectedOptions[0].textContent });
  }
  if (!byId("curves").children.length) byId("curves").append(element("p", { class: "note" }, "These runs have no such values."));
}

async function load() {
  if (names.length < 2) throw new Error("Choose two runs or more in the table of runs.");
  found = await read(`/api/compare?${names.map((name) => `run=${encodeURIComponent(name)}`).join("&")}`);
  byId("legend").replaceChildren(...found.runs.map((run, place) => {
    const letter = element("span", { class: "letter" }, run.letter);
    letter.style.color = colour(place);
    return element("div", {}, letter, element("a", { href: runLink(run.name) }, run.name), " ", element("code", {}, run.typed));
  }));
  byId("verdict").replaceChildren(...found.sentences.map((sentence) => element("p", {}, sentence)));
  const head = ["key", ...found.runs.map((run) => run.letter)];
  const parts = Object.entries(found.sections).filter(([, rows]) => Object.keys(rows).length);
  byId("differ").replaceChildren(...parts.flatMap(([title, rows]) => [element("h3", {}, title), table(head, Object.entries(rows).map(([key, values]) => [key, ...values]), title)]));
  draw();
}

byId("over").addEventListener("change", draw);
byId("scale").addEventListener("change", draw);
byId("controls").addEventListener("submit", (event) => event.preventDefault());
load().catch(showFault);
