// Computes a program (exporting/program.py): compile(program) returns a function from raw columns to the answers.
// A tensor is {shape, data}: all numbers have 64 bits, truth is 1 or 0, and words stand in a plain array.
"use strict";
const { compile, STEPS } = (() => {
  const size = (shape) => shape.reduce((product, each) => product * each, 1);
  const tensor = (shape, data) => ({ shape, data });
  const place = (axis, shape) => (axis < 0 ? axis + shape.length : axis);

  // Numbers of one, two or three tensors whose shapes are stretched to each other, as NumPy does.
  function elementwise(compute, ...tensors) {
    const rank = Math.max(...tensors.map((each) => each.shape.length));
    const shapes = tensors.map((each) => [...Array(rank - each.shape.length).fill(1), ...each.shape]);
    const shape = Array.from({ length: rank }, (_, axis) => {
      const lengths = shapes.map((each) => each[axis]);
      return lengths.find((length) => length !== 1) ?? 1;
    });
    const steps = shapes.map((each) => {
      let step = 1;
      const own = Array(rank);
      for (let axis = rank - 1; axis >= 0; axis--) {
        own[axis] = each[axis] === 1 ? 0 : step;
        step *= each[axis];
      }
      return own;
    });
    const found = new Float64Array(size(shape));
    const index = Array(rank).fill(0), offsets = tensors.map(() => 0);
    const [a, b, c] = tensors.map((each) => each.data);
    for (let at = 0; at < found.length; at++) {
      found[at] = compute(a[offsets[0]], b && b[offsets[1]], c && c[offsets[2]]);
      for (let axis = rank - 1; axis >= 0; axis--) {
        const wraps = ++index[axis] === shape[axis];
        for (let each = 0; each < steps.length; each++) offsets[each] += steps[each][axis] * (wraps ? 1 - shape[axis] : 1);
        if (!wraps) break;
        index[axis] = 0;
      }
    }
    return tensor(shape, found);
  }

  // The data seen as (before, length, after) around one axis.
  function around(x, axis) {
    const at = place(axis, x.shape);
    return [size(x.shape.slice(0, at)), x.shape[at], size(x.shape.slice(at + 1))];
  }

  function reduce(x, axes, keepdims, start, join, end = (value) => value) {
    let { shape, data } = x;
    for (const axis of axes.map((each) => place(each, x.shape))) {
      const [before, length, after] = around({ shape, data }, axis);
      const found = new Float64Array(before * after).fill(start);
      for (let i = 0; i < before; i++)
        for (let j = 0; j < length; j++)
          for (let k = 0; k < after; k++)
            found[i * after + k] = join(found[i * after + k], data[(i * length + j) * after + k]);
      data = found.map((value) => end(value, length));
      shape = shape.map((each, other) => (other === axis ? 1 : each));
    }
    const gone = new Set(keepdims ? [] : axes.map((each) => place(each, x.shape)));
    return tensor(shape.filter((_, axis) => !gone.has(axis)), data);
  }

  // The slices of a tensor at places of one axis, in their order.
  function along(x, axis, places) {
    const [before, length, after] = around(x, axis);
    const data = x.data instanceof Float64Array ? new Float64Array(before * places.length * after) : [];
    for (let i = 0; i < before; i++)
      for (let j = 0; j < places.length; j++)
        for (let k = 0; k < after; k++)
          data[(i * places.length + j) * after + k] = x.data[(i * length + places[j]) * after + k];
    return tensor(x.shape.map((each, other) => (other === place(axis, x.shape) ? places.length : each)), data);
  }

  function reshaped(x, shape) {
    const known = shape.reduce((product, each) => (each === -1 ? product : product * each), 1);
    return tensor(shape.map((each) => (each === -1 ? x.data.length / known : each)), x.data);
  }

  function matmul(x, kernel) {
    const [inputs, outputs] = kernel.shape, rows = x.data.length / inputs;
    const found = new Float64Array(rows * outputs);
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < inputs; i++) {
        const value = x.data[row * inputs + i];
        if (value === 0) continue;
        for (let o = 0; o < outputs; o++) found[row * outputs + o] += value * kernel.data[i * outputs + o];
      }
    return tensor([...x.shape.slice(0, -1), outputs], found);
  }

  // Two tensors with letters for their axes, such as "bki,kio->bko"; letters that the result lacks are summed.
  function einsum(a, b, equation) {
    const [left, right, result] = equation.split(/,|->/);
    const lengths = new Map();
    [[left, a], [right, b]].forEach(([letters, x]) => [...letters].forEach((letter, axis) => lengths.set(letter, x.shape[axis])));
    const letters = [...result, ...[...lengths.keys()].filter((letter) => !result.includes(letter))];
    const steps = (names, shape) => letters.map((letter) => (names.includes(letter) ? size(shape.slice(names.indexOf(letter) + 1)) : 0));
    const shape = [...result].map((letter) => lengths.get(letter));
    const [ofA, ofB, ofResult] = [steps(left, a.shape), steps(right, b.shape), steps(result, shape)];
    const found = new Float64Array(size(shape));
    const last = letters.length - 1;
    (function loop(axis, atA, atB, at) {
      const length = lengths.get(letters[axis]), stepA = ofA[axis], stepB = ofB[axis], step = ofResult[axis];
      if (axis === last)
        for (let i = 0; i < length; i++, atA += stepA, atB += stepB, at += step) found[at] += a.data[atA] * b.data[atB];
      else for (let i = 0; i < length; i++) loop(axis + 1, atA + i * stepA, atB + i * stepB, at + i * step);
    })(0, 0, 0, 0);
    return tensor(shape, found);
  }

  function getItem(x, key) {
    const filled = key.includes("...") ? key : [...key, "..."];
    const taken = filled.filter((part) => part !== "..." && part !== "new").length;
    const open = Array(x.shape.length - taken).fill([null, null]), shape = [];
    let cut = x, axis = 0;
    for (const part of filled.flatMap((each) => (each === "..." ? open : [each]))) {
      if (part === "new") {
        shape.push(1);
        continue;
      }
      const all = Array.from({ length: x.shape[axis] }, (_, each) => each);
      if (typeof part === "number") cut = along(cut, axis, [part < 0 ? part + all.length : part]);
      else {
        const wanted = all.slice(part[0] ?? 0, part[1] ?? undefined);
        if (wanted.length < all.length) cut = along(cut, axis, wanted);
        shape.push(wanted.length);
      }
      axis += 1;
    }
    return tensor(shape, cut.data);
  }

  function pad(x, width) {
    return width.reduce((padded, [before, after], axis) => {
      if (!before && !after) return padded;
      const zeros = (length) => tensor(padded.shape.map((each, other) => (other === axis ? length : each)), new Float64Array(length * padded.data.length / padded.shape[axis]));
      return concatenate([zeros(before), padded, zeros(after)], axis);
    }, x);
  }

  function concatenate(tensors, axis) {
    const parts = tensors.map((each) => around(each, axis));
    const [before, , after] = parts[0], total = parts.reduce((sum, part) => sum + part[1], 0);
    const found = new Float64Array(before * total * after);
    let start = 0;
    tensors.forEach((each, number) => {
      const run = parts[number][1] * after;
      for (let i = 0; i < before; i++) found.set(each.data.subarray(i * run, (i + 1) * run), i * total * after + start);
      start += run;
    });
    return tensor(tensors[0].shape.map((each, other) => (other === place(axis, tensors[0].shape) ? total : each)), found);
  }

  function cumsum(x, axis) {
    const [before, length, after] = around(x, axis), found = Float64Array.from(x.data);
    for (let i = 0; i < before; i++)
      for (let j = 1; j < length; j++)
        for (let k = 0; k < after; k++) found[(i * length + j) * after + k] += found[(i * length + j - 1) * after + k];
    return tensor(x.shape, found);
  }

  function gather(table, ids) {
    const width = size(table.shape.slice(1)), found = new Float64Array(ids.data.length * width);
    ids.data.forEach((id, at) => found.set(table.data.subarray(id * width, (id + 1) * width), at * width));
    return tensor([...ids.shape, width], found);
  }

  // The series 2 / sqrt(pi) * exp(-x^2) * sum of 2^n x^(2n+1) / (1 * 3 * ... * (2n+1)), whose terms have one sign.
  function erf(x) {
    if (Math.abs(x) > 6) return Math.sign(x);
    let term = x, sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1);
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }

  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  const elu = (x) => (x > 0 ? x : Math.expm1(x));
  const hardSigmoid = (x) => Math.min(Math.max(x / 6 + 0.5, 0), 1);
  const NUMBERS = {
    absolute: Math.abs, add: (a, b) => a + b, cos: Math.cos, divide: (a, b) => a / b, equal: (a, b) => +(a === b),
    exp: Math.exp, floor: Math.floor, greater: (a, b) => +(a > b), greater_equal: (a, b) => +(a >= b),
    isnan: (x) => +Number.isNaN(x), less: (a, b) => +(a < b), less_equal: (a, b) => +(a <= b), log: Math.log,
    logical_and: (a, b) => +(a && b ? 1 : 0), logical_not: (x) => +!x, logical_or: (a, b) => +(a || b ? 1 : 0),
    maximum: (a, b) => Math.max(a, b), minimum: (a, b) => Math.min(a, b), mod: (a, b) => a - b * Math.floor(a / b),
    multiply: (a, b) => a * b, negative: (x) => -x, not_equal: (a, b) => +(a !== b), power: (a, b) => a ** b,
    rsqrt: (x) => 1 / Math.sqrt(x), sign: Math.sign, sin: Math.sin, sqrt: Math.sqrt, square: (x) => x * x,
    subtract: (a, b) => a - b, where: (condition, a, b) => (condition ? a : b),
    celu: elu, elu, exponential: Math.exp, gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
    hard_sigmoid: hardSigmoid, hard_silu: (x) => x * hardSigmoid(x), leaky_relu: (x) => (x > 0 ? x : 0.2 * x),
    log_sigmoid: (x) => -softplus(-x), mish: (x) => x * Math.tanh(softplus(x)), relu: (x) => Math.max(x, 0),
    relu6: (x) => Math.min(Math.max(x, 0), 6), selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
    sigmoid, silu: (x) => x * sigmoid(x), softplus, softsign: (x) => x / (1 + Math.abs(x)), tanh: Math.tanh,
  };
  const CASTS = { float32: Math.fround, float64: (x) => x, bool: (x) => +(x !== 0) };

  // Each takes the tensors of a step and the step itself.
  const STEPS = {
    cast: ([x], { type }) => tensor(x.shape, x.data.map(CASTS[type] ?? Math.trunc)),
    characters: ([x], { characters, length }) => tensor([x.data.length, length], Float64Array.from(x.data.flatMap((word) => {
      const ids = [...word.replace(/[A-Z]/g, (letter) => letter.toLowerCase())].map((each) => characters.indexOf(each) + 2);
      return Array.from({ length }, (_, at) => (at < ids.length ? Math.max(ids[at], 1) : 0));
    }))),
    concatenate: (tensors, { axis }) => concatenate(tensors, axis),
    cumsum: ([x], { axis }) => cumsum(x, axis),
    einsum: ([a, b], { equation }) => einsum(a, b, equation),
    expand_dims: ([x], { axis }) => {
      const at = axis < 0 ? axis + x.shape.length + 1 : axis;
      return tensor([...x.shape.slice(0, at), 1, ...x.shape.slice(at)], x.data);
    },
    gather: ([table, ids]) => gather(table, ids),
    get_item: ([x], { key }) => getItem(x, key),
    lookup: ([x], step) => {
      step.ids ??= new Map(step.words.map((word, id) => [word, id]));
      return tensor(x.shape, Float64Array.from(x.data, (word) => step.ids.get(word) ?? 1));
    },
    matmul: ([x, kernel]) => matmul(x, kernel),
    max: ([x], { axis, keepdims }) => reduce(x, axis, keepdims, -Infinity, Math.max),
    mean: ([x], { axis, keepdims }) => reduce(x, axis, keepdims, 0, (a, b) => a + b, (sum, length) => sum / length),
    min: ([x], { axis, keepdims }) => reduce(x, axis, keepdims, Infinity, Math.min),
    one_hot: ([x], { count }) => {
      const found = new Float64Array(x.data.length * count);
      x.data.forEach((id, row) => { found[row * count + id] = 1; });
      return tensor([x.data.length, count], found);
    },
    pad: ([x], { width }) => pad(x, width),
    repeat: ([x], { count, axis }) => along(x, axis, Array.from({ length: around(x, axis)[1] * count }, (_, each) => Math.floor(each / count))),
    reshape: ([x], { shape }) => reshaped(x, shape),
    softmax: ([x]) => {
      const powers = elementwise((a, most) => Math.exp(a - most), x, reduce(x, [-1], true, -Infinity, Math.max));
      return elementwise((a, sum) => a / sum, powers, reduce(powers, [-1], true, 0, (a, b) => a + b));
    },
    sum: ([x], { axis, keepdims }) => reduce(x, axis, keepdims, 0, (a, b) => a + b),
    take: ([x], { places, axis }) => along(x, axis, places),
  };
  for (const [name, compute] of Object.entries(NUMBERS)) STEPS[name] = (tensors) => elementwise(compute, ...tensors);

  const TYPES = { float32: Float32Array, float64: Float64Array, int32: Int32Array };
  function constant({ shape, type, data }) {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    return tensor(shape, Float64Array.from(new TYPES[type](bytes.buffer)));
  }

  // The function takes, for each column by its name, an array of numbers (NaN for a missing one) or of words ("" for a
  // missing one), and returns an array of the outputs of each row.
  function compile(program) {
    const constants = new Map();
    program.forEach((step, at) => { if (step.do === "constant") constants.set(at, constant(step)); });
    return (columns) => {
      const found = [];
      program.forEach((step, at) => {
        if (step.do === "input") {
          const cells = columns[step.name];
          found.push(tensor([cells.length, 1], typeof cells[0] === "string" ? cells : Float64Array.from(cells)));
        } else found.push(constants.get(at) ?? STEPS[step.do](step.of.map((each) => found[each]), step));
      });
      const { shape, data } = found.at(-1);
      return Array.from({ length: shape[0] }, (_, row) => Array.from(data.subarray(row * shape[1], (row + 1) * shape[1])));
    };
  }
  return { compile, STEPS };
})();
