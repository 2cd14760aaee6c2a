// The panel "What if": reads the fields, computes the answer with the program of the model, and draws a curve a column.
(() => {
  const source = document.getElementById("what-if-content"), panel = document.getElementById("what-if");
  const content = JSON.parse(source.textContent);
  const { answer, columns, sums } = content, answers = compile(content.program);
  const WIDTH = 260, HEIGHT = 120, LEFT = 44, RIGHT = 8, TOP = 8, BOTTOM = 22, ROW = 18, MOST_BARS = 5, PAUSE = 700;
  const fields = [...panel.querySelectorAll(".field")].map((group, place) => ({
    column: columns[place], group, entry: group.querySelector("[id]"), slider: group.querySelector("[type=range]"),
    absent: group.querySelector("[type=checkbox]"), note: group.querySelector(".note"), picture: group.querySelector("svg"),
  }));
  const shown = panel.querySelector(".controls select");
  const outputs = (answer.form === "two" ? [answer.names[1]] : answer.names).map((name) => (answer.form === "quantity" ? name : `probability of ${name}`));
  const title = answer.form === "labels" ? "labels" : answer.target;
  let row = {}, start, drawing, saying;

  const short = (value, digits = 4) => (Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : "none");
  const coarse = (value) => short(value, 3);
  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const svg = (parent, name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return parent.appendChild(made);
  };

  // What the model gets for a field, and whether the field can be read.
  function read({ column, entry, absent }) {
    if (absent?.checked) return column.kind === "numeric" ? NaN : "";
    if (column.kind === "category") return entry.selectedOptions[0].hasAttribute("data-unknown") ? "\u0000" : entry.value;
    if (column.kind === "date") return entry.value.trim();
    return entry.value === "" ? NaN : Number(entry.value);
  }

  function write({ column, entry, slider, absent }, value) {
    const missing = column.kind !== "category" && (value === null || value === "");
    if (absent) absent.checked = missing;
    entry.disabled = missing;
    if (slider) slider.disabled = missing;
    if (!missing) {
      entry.value = value;
      if (slider) slider.value = value;
    }
  }

  // A remark beside a field: why it cannot be read, or that its value is none of the train rows'.
  function remark({ column, entry, absent }) {
    if (column.kind === "date" && !absent.checked && !new RegExp(column.pattern).test(entry.value.trim().toLowerCase()))
      return `Expected a date such as ${column.example}.`;
    if (column.kind !== "numeric" || absent.checked) return "";
    if (entry.value === "" || entry.validity.badInput) return "Expected a number; it counts as missing.";
    const value = Number(entry.value);
    if (column.low !== undefined && (value < column.low || value > column.high))
      return `Beyond the train rows, which have ${short(column.low)} to ${short(column.high)}.`;
    return "";
  }

  function added(rows) {
    for (const [name, { of, plus }] of Object.entries(sums))
      rows[name] = rows[of[0]].map((_, at) => of.reduce((sum, each) => sum + rows[each][at], plus));
    return rows;
  }

  // The answers for the row with each of some values in one column.
  function moved(name, values) {
    const rows = {};
    for (const column of columns) if (!sums[column.name]) rows[column.name] = values.map(() => row[column.name]);
    rows[name] = values;
    return answers(added(rows));
  }

  // The interval or the set of classes that holds the truth of a share of rows, as data/conformal.py has it.
  function held(found, numbers) {
    const { level, quantile } = answer.conformal, share = `${short(100 * level)} % of rows`;
    if (answer.form === "quantity") {
      if (answer.quantiles) {
        const low = Math.min(Math.min(...found) - quantile, found[0]), high = Math.max(Math.max(...found) + quantile, found[0]);
        return `${share}: ${short(low, 6)} to ${short(high, 6)}`;
      }
      const half = quantile * (answer.names.length > 1 ? found[1] : 1);
      return `${share}: ${short(found[0] - half, 6)} to ${short(found[0] + half, 6)}`;
    }
    const best = Math.max(...numbers);
    const names = answer.names.filter((_, at) => 1 - numbers[at] <= quantile || numbers[at] === best);
    return `${share}: ${names.join(" | ")}`;
  }

  // The answer in words, and the number of each of its names.
  function named(found) {
    const numbers = answer.form === "two" ? [1 - found[0], found[0]] : found;
    if (answer.form === "quantity") {
      const others = answer.names.slice(1).map((name, at) => `${name}: ${short(numbers[at + 1], 6)}`);
      if (answer.quantiles) return { words: `${short(numbers[0], 6)} (${others.join(", ")})`, numbers };
      const deviation = answer.names.length > 1 ? ` ± ${short(numbers[1])} (standard deviation)` : "";
      return { words: `${short(numbers[0], 6)}${deviation}`, numbers };
    }
    const over = (at) => numbers[at] > answer.threshold;
    if (answer.form === "labels") return { words: answer.names.filter((_, at) => over(at)).join(", ") || "no label", numbers };
    const best = answer.form === "two" ? +(found[0] > answer.threshold) : numbers.indexOf(Math.max(...numbers));
    return { words: `${answer.names[best]} (probability ${short(numbers[best])})`, numbers };
  }

  function tell(found) {
    const { words, numbers } = named(found);
    const box = document.getElementById("what-if-answer");
    box.replaceChildren(element("p", { class: "said" }, `${title}: `, element("b", {}, words)));
    if (answer.form !== "quantity") {
      const order = numbers.map((_, at) => at);
      if (answer.form === "classes" && numbers.length > MOST_BARS) order.sort((a, b) => numbers[b] - numbers[a]);
      const bars = order.slice(0, MOST_BARS).map((at) => {
        const bar = element("i");
        bar.style.width = `${100 * numbers[at]}%`;
        const parts = [answer.names[at], bar, numbers[at].toFixed(3)];
        return element("li", {}, ...["name", "bar", "number"].map((kind, part) => element("span", { class: kind }, parts[part])));
      });
      if (order.length > MOST_BARS) bars.push(element("li", { class: "note" }, `and ${order.length - MOST_BARS} more`));
      box.append(element("ul", { class: "bars" }, ...bars));
    }
    document.getElementById("what-if-start").textContent = `At the start: ${start ?? words}`;
    clearTimeout(saying);
    // Not at once, so that a screen reader does not read what a slider passes.
    if (start !== undefined) saying = setTimeout(() => { document.getElementById("what-if-said").textContent = `${title}: ${words}`; }, PAUSE);
    if (answer.conformal) box.append(element("p", { class: "note" }, `Holds the truth of ${held(found, numbers)}`));
    start ??= words;
    box.dataset.outputs = JSON.stringify(found);
  }

  function update() {
    for (const field of fields) {
      if (sums[field.column.name]) continue;
      row[field.column.name] = read(field);
      const text = remark(field);
      field.note.textContent = text;
      field.entry.setAttribute("aria-invalid", String(text.startsWith("Expected")));
    }
    const bad = fields.find(({ note, column }) => column.kind === "date" && note.textContent);
    if (bad) return;
    const whole = added(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, [value]])));
    for (const name of Object.keys(sums)) fields.find(({ column }) => column.name === name).entry.textContent = short(whole[name][0]);
    const [found] = answers(whole);
    if (start === undefined && answer.form === "classes") shown.selectedIndex = found.indexOf(Math.max(...found));
    tell(found);
    // The curves follow one by one, so that the page stays quick while a slider moves.
    clearTimeout(drawing);
    const waiting = fields.filter(({ picture }) => picture), curves = new Map();
    (function next() {
      const field = waiting.shift();
      if (field) curves.set(field, moved(field.column.name, field.column.curve));
      else return draw(curves, found);
      drawing = setTimeout(next);
    })();
  }

  function draw(curves, found) {
    const output = Math.max(shown.selectedIndex, 0);
    const averages = ({ column }) => column.average.map((each) => each[output]);
    const drawn = [...curves].flatMap(([field, own]) => [...own.map((each) => each[output]), ...averages(field)]);
    const all = [found[output], ...drawn].filter(Number.isFinite);
    let low = Math.min(...all), high = Math.max(...all);
    if (answer.form !== "quantity") [low, high] = [Math.floor(low * 20) / 20, Math.ceil(high * 20) / 20];
    if (high - low < 1e-9) [low, high] = [low - 0.5, high + 0.5];
    for (const [field, own] of curves) {
      const scale = { low, high, now: found[output], own: own.map((each) => each[output]), mean: averages(field) };
      (field.column.kind === "category" ? dots : line)(field, scale);
      const ends = ([from, to]) => `from ${short(from)} to ${short(to)}`;
      const [one, several] = [scale.own, scale.mean].map((each) => ends([Math.min(...each), Math.max(...each)]));
      field.picture.setAttribute("aria-label", `${outputs[output]} by ${field.column.title}: this row ${one}, now ${short(scale.now)}; mean ${several}`);
    }
  }

  function line({ column, picture }, { low, high, now, own, mean }) {
    const at = column.times ?? column.curve, value = column.kind === "numeric" ? row[column.name] : at[column.curve.indexOf(row[column.name])];
    const [from, to] = Number.isFinite(value) ? [Math.min(at[0], value), Math.max(at.at(-1), value)] : [at[0], at.at(-1)];
    const x = (each) => LEFT + (WIDTH - LEFT - RIGHT) * (each - from) / (to - from || 1);
    const y = (each) => TOP + (HEIGHT - TOP - BOTTOM) * (high - each) / (high - low);
    const points = (numbers) => numbers.map((each, place) => [at[place], each]);
    const path = (pairs) => pairs.filter((pair) => pair.every(Number.isFinite)).sort((one, other) => one[0] - other[0])
      .map(([left, up]) => `L${x(left).toFixed(1)} ${y(up).toFixed(1)}`).join("").replace("L", "M");
    frame(picture, HEIGHT, y, low, high);
    const ends = column.times ? [column.curve[0], column.curve.at(-1)] : [short(from), short(to)];
    svg(picture, "text", { x: LEFT, y: HEIGHT - 6, class: "tick" }, ends[0]);
    svg(picture, "text", { x: WIDTH - RIGHT, y: HEIGHT - 6, class: "tick", "text-anchor": "end" }, ends[1]);
    svg(picture, "path", { d: path(points(mean)), class: "mean" });
    svg(picture, "path", { d: path([...points(own), [value, now]]), class: "own" });
    if (Number.isFinite(value) && Number.isFinite(now)) svg(picture, "circle", { cx: x(value), cy: y(now), r: 4, class: "own" });
  }

  // A row for each word: a dot for this row, a stroke for the mean.
  function dots({ column, picture }, { low, high, own, mean }) {
    const height = TOP + ROW * own.length + BOTTOM, left = 92;
    const x = (each) => left + (WIDTH - left - RIGHT) * (each - low) / (high - low);
    picture.replaceChildren();
    picture.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
    for (const end of [low, high]) svg(picture, "line", { x1: x(end), x2: x(end), y1: TOP, y2: height - BOTTOM, class: "grid" });
    svg(picture, "text", { x: left, y: height - 6, class: "tick" }, coarse(low));
    svg(picture, "text", { x: WIDTH - RIGHT, y: height - 6, class: "tick", "text-anchor": "end" }, coarse(high));
    column.curve.forEach((word, place) => {
      const y = TOP + ROW * (place + 0.5), chosen = row[column.name] === word;
      const name = word || "(missing)";
      svg(picture, "line", { x1: left, x2: WIDTH - RIGHT, y1: y, y2: y, class: "grid" });
      svg(picture, "text", { x: left - 8, y: y + 4, class: chosen ? "tick chosen" : "tick", "text-anchor": "end" }, name.length > 13 ? `${name.slice(0, 12)}…` : name);
      svg(picture, "line", { x1: x(mean[place]), x2: x(mean[place]), y1: y - 6, y2: y + 6, class: "mean" });
      svg(picture, "circle", { cx: x(own[place]), cy: y, r: chosen ? 5 : 3.5, class: chosen ? "own" : "own other" });
    });
  }

  function frame(picture, height, y, low, high) {
    picture.replaceChildren();
    picture.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
    for (const end of [low, high]) {
      svg(picture, "line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(end), y2: y(end), class: "grid" });
      svg(picture, "text", { x: LEFT - 6, y: y(end) + 4, class: "tick", "text-anchor": "end" }, coarse(end));
    }
  }

  function reset() {
    for (const field of fields) if (!sums[field.column.name]) write(field, field.column.start);
    update();
  }

  for (const field of fields) {
    const { column, entry, slider, absent } = field;
    entry.addEventListener("input", () => { if (slider) slider.value = entry.value; update(); });
    slider?.addEventListener("input", () => { entry.value = Number(Number(slider.value).toFixed(column.decimals)); update(); });
    absent?.addEventListener("change", () => {
      entry.disabled = absent.checked;
      if (slider) slider.disabled = absent.checked;
      update();
    });
  }
  shown.replaceChildren(...outputs.map((name) => element("option", {}, name)));
  if (outputs.length === 1) shown.parentElement.replaceChildren(`Pictures show the ${outputs[0]}`);
  shown.addEventListener("change", update);
  panel.querySelector("button").addEventListener("click", reset);
  reset();
  panel.hidden = false;
})();
