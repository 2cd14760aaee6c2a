// The answer at each recorded epoch: a slider chooses the epoch, and canvases show the answer and the first units.
(() => {
  const panel = document.getElementById("boundary-panel");
  const content = JSON.parse(document.getElementById("boundary-content").textContent);
  const { axes, classes, frames, kept, points, target } = content, plane = axes.length === 2, PAUSE = 350;
  const slider = panel.querySelector("input"), button = panel.querySelector("button");
  const said = panel.querySelector("output");
  const canvas = panel.querySelector(".answers"), units = [...panel.querySelectorAll(".units canvas")];
  const LEFT = 46, RIGHT = 8, TOP = 8, BOTTOM = 34, WHITE = 0.04, STRONG = 0.75;
  let playing;

  const style = getComputedStyle(document.documentElement);
  const named = (number) => style.getPropertyValue(`--c${number}`).trim();
  const rgb = (hex) => [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));
  const rgba = (hex, strength) => `rgba(${rgb(hex).join()},${strength})`;
  const series = (place) => named(4 + (place % 8));
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const short = (value) => String(Number(value.toPrecision(3)));

  // A canvas as sharp as the screen; all lengths are in pixels of CSS.
  function prepared(shown) {
    const box = shown.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
    shown.width = Math.round(box.width * ratio);
    shown.height = Math.round(box.height * ratio);
    const context = shown.getContext("2d");
    context.scale(ratio, ratio);
    return { context, width: box.width, height: box.height };
  }

  // Cells from the lowest value of both axes on; `colour` gives red, green, blue and a strength from 0 to 1 of a cell.
  function image(context, across, up, colour, left, top, width, height, smooth) {
    const cells = document.createElement("canvas"), pixels = new ImageData(across, up);
    for (let place = 0; place < across * up; place++) {
      const [red, green, blue, strength] = colour(place);
      const row = up - 1 - Math.floor(place / across);
      pixels.data.set([red, green, blue, 255 * strength], 4 * (row * across + (place % across)));
    }
    cells.width = across;
    cells.height = up;
    cells.getContext("2d").putImageData(pixels, 0, 0);
    context.imageSmoothingEnabled = smooth;
    context.drawImage(cells, left, top, width, height);
  }

  const count = (axis, cells) => (axis.words ? axis.words.length : cells);
  // Where a value is between the ends of its axis, from 0 to 1; points of a word are spread over its band.
  function share(axis, value, place) {
    if (!axis.words) return (value - axis.low) / (axis.high - axis.low);
    return (value + 0.5 + (place === undefined ? 0 : 0.7 * (((place * 0.618) % 1) - 0.5))) / axis.words.length;
  }
  function marks(axis) {
    if (axis.words) return axis.words.map((word, place) => [place, word.length > 6 ? `${word.slice(0, 5)}…` : word]);
    const rough = (axis.high - axis.low) / 6, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((each) => each * power >= rough), found = [];
    for (let place = Math.ceil(axis.low / step); place * step <= axis.high; place++) {
      found.push([place * step, short(place * step)]);
    }
    return found;
  }

  function answerColour(frame) {
    const [first, second] = frame.answers.map(bytes);
    if (second) return (place) => [...rgb(series(first[place])), STRONG * (second[place] / 255) ** 2];
    if (!classes.length) return (place) => [...rgb(named(4)), WHITE + 0.8 * (first[place] / 255)];
    return (place) => {
      const away = (first[place] - 127.5) / 127.5;
      return [...rgb(series(away > 0 ? 1 : 0)), WHITE + (STRONG - WHITE) * Math.abs(away)];
    };
  }

  function line(context, values, x, y, colour, width) {
    context.beginPath();
    values.forEach((value, place) => context.lineTo(x(place), y(value)));
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }

  function drawAnswers(frame) {
    const { context, width, height } = prepared(canvas), wide = width - LEFT - RIGHT, high = height - TOP - BOTTOM;
    const [low, most] = content.range, span = most - low || 1;
    const amounts = classes.length ? { low: -0.1, high: 1.1 } : { low: low - 0.12 * span, high: most + 0.12 * span };
    const other = plane ? axes[1] : amounts;
    const x = (of) => LEFT + wide * of, y = (of) => TOP + high * (1 - of);
    context.save();
    context.beginPath();
    context.rect(LEFT, TOP, wide, high);
    context.clip();
    if (plane) {
      const smooth = !axes[0].words && !axes[1].words && frame.answers.length === 1;
      const [across, up] = axes.map((axis) => count(axis, content.cells));
      image(context, across, up, answerColour(frame), LEFT, TOP, wide, high, smooth);
    }
    points.target.forEach((value, place) => {
      const one = points.places[0][place];
      const two = plane ? points.places[1][place] : classes.length > 2 ? 1.05 : value;
      if (one === null || two === null) return;
      context.beginPath();
      context.arc(x(share(axes[0], one, place)), y(share(other, two, place + 7)), 2.6, 0, 7);
      context.fillStyle = classes.length ? series(value) : named(plane ? 4 : 2);
      context.globalAlpha = plane && !classes.length ? 0.1 + (0.9 * (value - low)) / span : 1;
      context.fill();
      context.globalAlpha = 1;
      context.strokeStyle = named(classes.length || !plane ? 3 : 2);
      context.lineWidth = 0.5;
      context.stroke();
    });
    if (!plane) {
      if (classes.length) line(context, [0.5, 0.5], x, (value) => y(share(other, value)), named(3), 1);
      frame.answers.forEach((values, each) => {
        const colour = frame.answers.length > 1 ? series(each) : classes.length ? named(1) : named(5);
        const at = axes[0].words ? (place) => x(share(axes[0], place)) : (place) => x(place / (values.length - 1));
        line(context, values, at, (value) => y(share(other, value)), colour, 2);
      });
    }
    context.restore();
    context.strokeStyle = named(3);
    context.strokeRect(LEFT, TOP, wide, high);
    context.fillStyle = named(2);
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "center";
    for (const [value, words] of marks(axes[0])) context.fillText(words, x(share(axes[0], value)), TOP + high + 15);
    context.fillText(axes[0].name, LEFT + wide / 2, height - 3);
    context.textAlign = "right";
    for (const [value, words] of marks(other)) context.fillText(words, LEFT - 5, y(share(other, value)) + 4);
    context.translate(10, TOP + high / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText(plane ? axes[1].name : classes.length === 2 ? `${target} ${classes[1]}` : target, 0, 0);
  }

  function drawUnits(frame) {
    units.forEach((shown, place) => {
      const { context, width, height } = prepared(shown), unit = frame.units[place];
      if (plane) {
        const values = bytes(unit);
        const away = (cell) => (values[cell] - 127.5) / 127.5;
        const colour = (cell) => [...rgb(series(away(cell) > 0 ? 1 : 0)), STRONG * Math.abs(away(cell))];
        const [across, up] = axes.map((axis) => count(axis, content.unit_cells));
        image(context, across, up, colour, 0, 0, width, height, false);
      } else {
        const y = (value) => height * (0.5 - 0.45 * value);
        line(context, [0, 0], (each) => each * width, y, named(3), 1);
        line(context, unit, (each) => (each / (unit.length - 1)) * width, y, named(4), 1.5);
      }
    });
  }

  function draw() {
    const frame = frames[slider.value];
    const recorded = ["loss", "val_loss"].filter((name) => name in frame);
    const losses = recorded.map((name) => `${name} ${frame[name].toFixed(4)}`);
    const when = frame.epoch ? `epoch ${frame.epoch}` : "before the training";
    const chosen = frame.epoch && frame.epoch === kept ? ["whose weights are kept"] : [];
    const words = [when, ...chosen, ...losses].join(", ");
    said.textContent = words;
    slider.setAttribute("aria-valuetext", words);
    const over = axes.map((axis) => axis.name).join(" and ");
    canvas.setAttribute("aria-label", `The answer for ${target} over ${over}, ${words}`);
    drawAnswers(frame);
    drawUnits(frame);
  }

  function stop() {
    clearInterval(playing);
    playing = undefined;
    button.textContent = "Play";
  }

  const entries = classes.length ? classes.map((name, place) => [series(place), `${target} ${name}`])
    : plane ? content.range.map((value, place) => [rgba(named(4), place ? 0.84 : 0.1), `${target} ${short(value)}`])
    : [[named(2), `${target} of train rows`], [named(5), "the answer"]];
  for (const [colour, words] of entries.slice(0, 12)) {
    const dot = document.createElement("span"), item = document.createElement("li");
    dot.style.background = colour;
    item.append(dot, words);
    panel.querySelector(".key").append(item);
  }
  slider.addEventListener("input", () => { stop(); draw(); });
  button.addEventListener("click", () => {
    if (playing) { stop(); return; }
    if (Number(slider.value) === frames.length - 1) slider.value = 0;
    button.textContent = "Stop";
    draw();
    playing = setInterval(() => {
      if (Number(slider.value) === frames.length - 1) { stop(); return; }
      slider.value = Number(slider.value) + 1;
      draw();
    }, PAUSE);
  });
  slider.value = Math.max(0, frames.findIndex((frame) => frame.epoch === kept));
  panel.hidden = false;
  draw();
  window.addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
