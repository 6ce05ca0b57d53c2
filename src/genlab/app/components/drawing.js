// A board to draw on with mouse, finger, pen or keys. What was drawn goes to Python at the end of each stroke,
// made as small as the model's images, and the strokes with it, so that the board can be filled again.
// data: {size: side of the model's images, channels: 1 | 3, centring: offer it, drawing: what was drawn before
// or null, resend: whether it was drawn for another size}
// state "drawing": {pixels: bytes (C, H, W) in base64, "" for an empty board; strokes; centre}
const COLOURS = {
  white: "#ffffff", red: "#d92b2b", orange: "#f08c1a", yellow: "#f2d41f", green: "#22a047", blue: "#2468d6",
  violet: "#8a3fc7", black: "#000000",
};
const WIDE = 280; // pixels of the board, about
const FINE = 28; // the brush is measured in pixels of an image of 28 × 28, and the keys step by one of them
const boards = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  let board = boards.get(parentElement);
  if (!board) boards.set(parentElement, (board = build(parentElement, data)));
  board.given(data, (drawing) => setStateValue("drawing", drawing));
}

function build(root, first) {
  const at = (name) => root.querySelector(`[data-at="${name}"]`);
  const canvas = at("canvas"), brush = at("brush"), centre = at("centre");
  const side = Math.max(1, Math.round(WIDE / first.size)) * first.size; // whole pixels for each of the image
  const strokes = structuredClone(first.drawing?.strokes ?? []);
  let data = first, send = () => {}, stroke = null, colour = COLOURS.white, pen = null;
  canvas.width = canvas.height = side;
  centre.checked = first.drawing?.centre ?? true;
  at("centring").hidden = !first.centring;
  if (first.channels === 3) palette();

  function palette() {
    const buttons = Object.entries(COLOURS).map(([name, value]) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "colour", title: name });
      button.setAttribute("aria-label", name);
      button.setAttribute("aria-pressed", value === colour);
      button.style.background = value;
      button.onclick = () => {
        colour = value;
        buttons.forEach((each) => each.setAttribute("aria-pressed", each === button));
      };
      return button;
    });
    const fill = document.createElement("button");
    Object.assign(fill, { type: "button", textContent: "Fill", title: "Fill the ground with the colour" });
    fill.onclick = () => { strokes.push({ fill: colour }); done(); };
    at("colours").append(...buttons, fill);
  }

  function draw() {
    paint(canvas.getContext("2d", { willReadFrequently: true }), strokes, side);
    if (pen) cross(canvas.getContext("2d"), pen, side);
    at("undo").disabled = at("clear").disabled = strokes.length === 0;
    root.host?.setAttribute("data-strokes", strokes.length);
  }

  function done() {
    stroke = null;
    if (pen) pen.down = false;
    draw();
    send({ pixels: small(), strokes, centre: centre.checked });
  }

  function small() {
    if (!strokes.length) return "";
    const clean = sheet(side);
    paint(clean, strokes, side);
    const source = data.centring && centre.checked ? centred(clean.canvas) : clean.canvas;
    return base64(shrunk(source, data.size, data.channels));
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  const begin = (point) => {
    stroke = { colour, width: Number(brush.value) / FINE, points: [point] };
    strokes.push(stroke);
  };
  canvas.onpointerdown = (event) => {
    if (event.button !== 0 || stroke) return;
    canvas.setPointerCapture(event.pointerId);
    pen = null;
    begin(place(event));
    draw();
  };
  canvas.onpointermove = (event) => {
    if (!stroke || pen) return;
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const each of passed.length ? passed : [event]) stroke.points.push(place(each));
    draw();
  };
  canvas.onpointerup = canvas.onpointercancel = () => { if (stroke && !pen) done(); };

  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.onkeydown = (event) => {
    const undoing = event.key === "z" && (event.ctrlKey || event.metaKey);
    if (STEPS[event.key]) move(STEPS[event.key]);
    else if (event.key === " ") down();
    else if (undoing) at("undo").click();
    else if (event.key === "Delete") at("clear").click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  canvas.onblur = () => { if (pen?.down) done(); pen = null; draw(); };

  function move([x, y]) {
    pen ??= { point: [0.5, 0.5], down: false };
    pen.point = [pen.point[0] + x / FINE, pen.point[1] + y / FINE].map((v) => Math.min(1, Math.max(0, v)));
    if (pen.down) stroke.points.push(pen.point);
    draw();
  }

  function down() {
    pen ??= { point: [0.5, 0.5], down: false };
    if (pen.down) return done();
    pen.down = true;
    begin(pen.point);
    draw();
  }

  at("undo").onclick = () => { strokes.pop(); done(); };
  at("clear").onclick = () => { strokes.length = 0; done(); };
  centre.onchange = done;

  draw();
  return {
    given(now, sender) {
      data = now;
      send = sender;
      if (now.resend && strokes.length) done();
    },
  };
}

function sheet(side) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  return canvas.getContext("2d", { willReadFrequently: true });
}

// Strokes with points in [0, 1] on the newest filling, or black; a smooth curve runs through the middles between
// the points.
function paint(context, strokes, side) {
  context.fillStyle = strokes.findLast((each) => each.fill)?.fill ?? COLOURS.black;
  context.fillRect(0, 0, side, side);
  context.lineCap = context.lineJoin = "round";
  for (const { colour, width, points } of strokes.filter((each) => !each.fill)) {
    const places = points.map(([x, y]) => [x * side, y * side]);
    context.strokeStyle = colour;
    context.lineWidth = width * side;
    context.beginPath();
    context.moveTo(...places[0]);
    for (let i = 1; i < places.length - 1; i++) {
      const [x, y] = places[i], [nextX, nextY] = places[i + 1];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    context.lineTo(...places.at(-1));
    context.stroke();
  }
}

function cross(context, { point: [x, y], down }, side) {
  context.lineWidth = 2;
  context.strokeStyle = down ? "#E69F00" : "#56B4E9";
  context.beginPath();
  context.arc(x * side, y * side, 8, 0, 2 * Math.PI);
  context.stroke();
}

// A board (white on black) as MNIST's digits stand in theirs: its ink made to fit 20 of the 28 pixels, its
// shape kept, its centre of mass in the middle. LeCun et al. (1998), section III.A.
export function centred(canvas) {
  const side = canvas.width, levels = canvas.getContext("2d").getImageData(0, 0, side, side).data;
  let left = side, right = -1, top = side, bottom = -1, mass = 0, across = 0, along = 0;
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const ink = levels[4 * (y * side + x)];
      if (ink < 16) continue;
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
      mass += ink;
      across += ink * (x + 0.5);
      along += ink * (y + 0.5);
    }
  if (!mass) return canvas;
  const scale = ((20 / 28) * side) / Math.max(right - left + 1, bottom - top + 1);
  const result = sheet(side);
  result.fillStyle = COLOURS.black;
  result.fillRect(0, 0, side, side);
  result.imageSmoothingQuality = "high";
  const shift = (sum) => side / 2 - (scale * sum) / mass;
  result.setTransform(scale, 0, 0, scale, shift(across), shift(along));
  result.drawImage(canvas, 0, 0);
  return result.canvas;
}

// A canvas as bytes (C, H, W) of `size` pixels a side: each the mean of what lies around it, weighted by a tent
// two pixels wide, which leaves edges as soft as a scanned pen's.
export function shrunk(canvas, size, channels) {
  const side = canvas.width, ratio = side / size;
  const levels = canvas.getContext("2d").getImageData(0, 0, side, side).data;
  const bytes = new Uint8Array(channels * size * size), rows = new Float32Array(size * side);
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < side; y++)
      for (let x = 0; x < size; x++) rows[y * size + x] = tent(x, ratio, side, (i) => levels[4 * (y * side + i) + channel]);
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++)
        bytes[(channel * size + y) * size + x] = Math.round(tent(y, ratio, side, (i) => rows[i * size + x]));
  }
  return bytes;
}

function tent(index, ratio, side, level) {
  const middle = (index + 0.5) * ratio, first = Math.max(0, Math.ceil(middle - ratio - 0.5));
  let sum = 0, weights = 0;
  for (let i = first; i < side && i + 0.5 < middle + ratio; i++) {
    const weight = 1 - Math.abs(i + 0.5 - middle) / ratio;
    sum += weight * level(i);
    weights += weight;
  }
  return sum / weights;
}

function base64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
