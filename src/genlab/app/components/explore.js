// Dragging through a latent space: z from the pad and the sliders, the image from the decoder, at once.
// GenlabDecoder stands before this in the same file.
// data: {packet: what packet.py packs, or null where this page said that it has it; key: of the packet;
//        latent_dim, shape, basis: {rows, centre, names, reach}, z: where to begin, or null, colours, dark,
//        answer: {number, png} to what was asked of the server, or null}
// states: "have" the key of the packet that is here; "z" once it rests; "asked" {number, z}, where Python decodes
const SIDE = 420, NEAR = 10, FIRST = 8;  // px of the pad, px around a code, sliders that are always shown
const FINE = Math.min(3, Math.ceil(globalThis.devicePixelRatio || 1));  // of the screen's pixels in one of the page's
const LONGEST = 128, PATIENCE = 5000;  // numbers of a z in the address; ms until a question is asked again
const packets = (globalThis.genlabPackets ??= new Map());
const explorers = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  if (data.packet && !packets.has(data.key)) {
    packets.clear();  // one model at a time is enough
    packets.set(data.key, unpacked(data.packet));
  }
  if (!packets.has(data.key)) return void setStateValue("have", "");
  if (data.packet) setStateValue("have", data.key);
  let explorer = explorers.get(parentElement);
  if (!explorer) explorers.set(parentElement, (explorer = build(parentElement)));
  explorer.given(data, packets.get(data.key), setStateValue);
}

const floats = (text) => new Float32Array(bytes(text).buffer);

function bytes(text) {
  const letters = atob(text), found = new Uint8Array(letters.length);
  for (let i = 0; i < found.length; i++) found[i] = letters.charCodeAt(i);
  return found;
}

function unpacked(packet) {
  const found = { ...packet, decoder: packet.net && GenlabDecoder.load(packet.net), net: null };
  if (packet.count) Object.assign(found, { codes: floats(packet.codes), pixels: bytes(packet.pixels) });
  return found;
}

function sized(canvas) {  // SIDE of the page's pixels, drawn as fine as the screen is
  canvas.width = canvas.height = SIDE * FINE;
  canvas.getContext("2d").scale(FINE, FINE);
  return canvas;
}

function build(root) {
  const at = (name) => root.querySelector(`[data-at="${name}"]`);
  const pad = at("pad"), image = at("image"), tip = at("tip"), whole = at("explore");
  const sheet = () => sized(document.createElement("canvas"));
  const dots = sheet(), manifold = sheet(), times = [];
  let data, packet, send, dim, count, rows, centre, reach, projected;
  let z, c, waiting = false, frames = 0, tile = 0, tiling = null;
  let number = Date.now(), asked = null, since = 0, told = null;  // of no earlier question; the z asked for, and shown
  sized(pad);

  // z and its coordinates along the rows ---------------------------------------------------------------------
  const dot = (row, vector) => { let sum = 0; for (let i = 0; i < dim; i++) sum += rows[row * dim + i] * vector[i]; return sum; };

  function move(row, value) {  // along one direction, which leaves all others as they are
    const change = value - c[row];
    for (let i = 0; i < dim; i++) z[i] += change * rows[row * dim + i];
    c[row] = value;
  }

  function settle(vector) {  // all of z anew; the packet keeps it for when one comes back to the page
    z = packet.z = Float64Array.from(vector);
    const off = z.map((value, i) => value - centre[i]);
    c = Float64Array.from({ length: count }, (_, row) => dot(row, off));
  }

  // What is drawn --------------------------------------------------------------------------------------------
  function soon() {
    if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; frame(); }); }
  }

  function frame() {
    const began = performance.now();
    if (packet.decoder) GenlabDecoder.paint(image, packet.decoder.decode(Float32Array.from(z)), data.shape);
    else ask();
    map();
    times.push(performance.now() - began);
    if (times.length > 60) times.shift();
    frames += 1;
    const median = [...times].sort((a, b) => a - b)[times.length >> 1];
    whole.dataset.frames = frames;
    whole.dataset.medianMs = median.toFixed(2);
    const norm = Math.sqrt(z.reduce((sum, value) => sum + value * value, 0));
    at("said").textContent = `|z| = ${norm.toFixed(2)}; N(0, I) lies near √${dim} = ${Math.sqrt(dim).toFixed(2)}`;
    const speed = times.length < 10 ? "" : `, ${median.toFixed(1)} ms a frame`;  // the first ones are still compiled
    at("speed").textContent = packet.decoder ? `decoded in this page${speed}` : "decoded by the server";
    pad.setAttribute("aria-description", `${data.basis.names[0]} ${c[0].toFixed(2)}` + (count > 1 ? `, ${data.basis.names[1]} ${c[1].toFixed(2)}` : ""));
  }

  const across = (a) => SIDE * (0.5 + a / (2 * reach[0]));
  const down = (b) => (count > 1 ? SIDE * (0.5 - b / (2 * reach[1])) : SIDE / 2);

  function map() {
    const pen = pad.getContext("2d");
    pen.clearRect(0, 0, SIDE, SIDE);
    pen.imageSmoothingEnabled = false;
    if (at("show-manifold").checked) pen.drawImage(manifold, 0, 0, SIDE, SIDE);
    else axes(pen);
    if (at("show-codes").checked) pen.drawImage(dots, 0, 0, SIDE, SIDE);
    const x = across(c[0]), y = count > 1 ? down(c[1]) : SIDE / 2;
    for (const [colour, width] of [[data.dark ? "#000" : "#fff", 5], [data.dark ? "#fff" : "#000", 2]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      pen.arc(x, y, 9, 0, 2 * Math.PI);
      pen.moveTo(x - 15, y); pen.lineTo(x - 4, y); pen.moveTo(x + 4, y); pen.lineTo(x + 15, y);
      pen.moveTo(x, y - 15); pen.lineTo(x, y - 4); pen.moveTo(x, y + 4); pen.lineTo(x, y + 15);
      pen.stroke();
    }
  }

  function axes(pen) {  // through where z = 0 falls, and circles where N(0, I) has 1, 2, 3 standard deviations
    const x = across(-dot(0, centre)), y = count > 1 ? down(-dot(1, centre)) : SIDE / 2;
    pen.strokeStyle = data.dark ? "#ffffff" : "#000000";
    pen.globalAlpha = 0.18;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x, 0); pen.lineTo(x, SIDE); pen.moveTo(0, y); pen.lineTo(SIDE, y);
    pen.stroke();
    for (const deviations of [1, 2, 3]) {
      pen.beginPath();
      pen.ellipse(x, y, across(deviations) - SIDE / 2, count > 1 ? SIDE / 2 - down(deviations) : 0, 0, 0, 2 * Math.PI);
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  function project() {  // the codes on the pad, once for a basis
    projected = new Float32Array(2 * packet.count);
    const pen = dots.getContext("2d"), off = new Float64Array(dim);
    pen.clearRect(0, 0, SIDE, SIDE);
    for (let n = 0; n < packet.count; n++) {
      for (let i = 0; i < dim; i++) off[i] = packet.codes[n * dim + i] - centre[i];
      projected[2 * n] = across(dot(0, off));
      projected[2 * n + 1] = count > 1 ? down(dot(1, off)) : SIDE / 2 + 60 * Math.sin(n);
      pen.fillStyle = data.colours[packet.labels ? packet.labels[n] % data.colours.length : 0];
      pen.beginPath();
      pen.arc(projected[2 * n], projected[2 * n + 1], 3, 0, 2 * Math.PI);
      pen.fill();
      pen.lineWidth = 0.6;
      pen.strokeStyle = data.dark ? "#000" : "#fff";
      pen.stroke();
    }
  }

  // The manifold, tile by tile, between frames -----------------------------------------------------------------
  function tiles() {
    clearTimeout(tiling);
    if (!packet.decoder || !at("show-manifold").checked) return;
    const n = Math.max(6, Math.min(21, Math.floor(SIDE / data.shape[2])));
    if (count < 2) return;
    const began = performance.now(), pen = manifold.getContext("2d"), cell = SIDE / n;
    const one = document.createElement("canvas"), other = new Float32Array(dim);
    pen.imageSmoothingEnabled = false;
    while (tile < n * n && performance.now() - began < 10) {
      const column = tile % n, row = Math.floor(tile / n);
      const a = ((column + 0.5) / n - 0.5) * 2 * reach[0] - c[0], b = (0.5 - (row + 0.5) / n) * 2 * reach[1] - c[1];
      for (let i = 0; i < dim; i++) other[i] = z[i] + a * rows[i] + b * rows[dim + i];
      GenlabDecoder.paint(one, packet.decoder.decode(other), data.shape);
      pen.drawImage(one, column * cell, row * cell, cell, cell);
      tile += 1;
    }
    whole.dataset.tiles = tile;
    soon();
    if (tile < n * n) tiling = setTimeout(tiles, 0);
  }

  function anew() { tile = 0; tiles(); soon(); }

  // The server, where it decodes: one question at a time, and always the latest --------------------------------
  function ask() {
    const wanted = String(z);
    if (wanted === told || (asked !== null && performance.now() - since < PATIENCE)) return;
    [asked, since] = [wanted, performance.now()];
    send("asked", { number: ++number, z: [...z] });
  }

  function answer({ number: replied, png }) {
    if (asked === null || replied !== number) return;
    [told, asked] = [asked, null];
    const shown = new Image();
    shown.onload = () => {
      [image.width, image.height] = [shown.width, shown.height];
      image.getContext("2d").drawImage(shown, 0, 0);
    };
    shown.src = `data:image/png;base64,${png}`;
    soon();  // which asks again, where z has moved on
  }

  // The pad ----------------------------------------------------------------------------------------------------
  function place(event) {
    const box = pad.getBoundingClientRect();
    return [(event.clientX - box.left) * SIDE / box.width, (event.clientY - box.top) * SIDE / box.height];
  }

  function nearest(x, y) {
    let best = -1, least = NEAR * NEAR;
    if (!packet.count || !at("show-codes").checked) return best;
    for (let n = 0; n < packet.count; n++) {
      const far = (projected[2 * n] - x) ** 2 + (projected[2 * n + 1] - y) ** 2;
      if (far < least) [least, best] = [far, n];
    }
    return best;
  }

  function point(x, y) {
    const limit = (value, most) => Math.max(-most, Math.min(most, value));
    move(0, limit((x / SIDE - 0.5) * 2 * reach[0], reach[0]));
    if (count > 1) move(1, limit((0.5 - y / SIDE) * 2 * reach[1], reach[1]));
    soon();
  }

  let down0 = null;
  pad.onpointerdown = (event) => {
    pad.setPointerCapture(event.pointerId);
    down0 = place(event);
    tip.hidden = true;
    point(...down0);
    pad.focus({ preventScroll: true });
    event.preventDefault();
  };
  pad.onpointermove = (event) => (down0 ? point(...place(event)) : hover(...place(event)));
  pad.onpointerup = (event) => {
    const [x, y] = place(event), still = down0 && Math.hypot(x - down0[0], y - down0[1]) < 4;
    const found = still ? nearest(x, y) : -1;
    if (found >= 0) {
      settle(packet.codes.subarray(found * dim, (found + 1) * dim));
      numbers();
      anew();
    }
    down0 = null;
    leave();
  };
  pad.onpointercancel = () => (down0 = null);
  pad.onpointerleave = () => (tip.hidden = true);
  pad.onkeydown = (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!step) return;
    const far = event.shiftKey ? 10 : 2;
    step.forEach((sign, row) => row < count && move(row, Math.max(-reach[row], Math.min(reach[row], c[row] + sign * far * reach[row] / 100))));
    soon();
    leave();
    event.preventDefault();
    event.stopPropagation();
  };

  function hover(x, y) {
    const n = nearest(x, y), [channels, height, width] = packet.side ?? data.shape;
    tip.hidden = n < 0;
    if (n < 0) return;
    const area = channels * height * width, values = packet.pixels.subarray(n * area, (n + 1) * area);
    GenlabDecoder.paint(at("thumb"), Float32Array.from(values, (value) => value / 127.5 - 1), [channels, height, width]);
    at("who").textContent = packet.labels ? packet.classes[packet.labels[n]] : `image ${n}`;
    tip.style.left = `${x > SIDE / 2 ? x - 110 : x + 14}px`;
    tip.style.top = `${Math.min(y, SIDE - 120)}px`;
  }

  let later = null;
  function leave() {  // the address keeps z, once it rests
    clearTimeout(later);
    if (dim <= LONGEST) later = setTimeout(() => send("z", [...z].map((value) => Number(value.toFixed(2)))), 400);
  }

  // Sliders, legend, buttons -----------------------------------------------------------------------------------
  const sliders = [];
  function knobs() {
    const place = at("sliders"), more = document.createElement("details"), summary = document.createElement("summary");
    place.replaceChildren();
    sliders.length = 0;
    summary.textContent = `${Math.max(0, count - 2 - FIRST)} more`;
    more.append(summary);
    for (let row = 2; row < count; row++) {
      const label = document.createElement("label"), name = document.createElement("span");
      const value = document.createElement("output"), slider = document.createElement("input");
      name.textContent = data.basis.names[row];
      Object.assign(slider, { type: "range", min: -reach[row], max: reach[row], step: 0.05, ariaLabel: data.basis.names[row] });
      slider.oninput = () => { move(row, Number(slider.value)); value.textContent = c[row].toFixed(2); anew(); leave(); };
      label.append(name, value, slider);
      (row < 2 + FIRST ? place : more).append(label);
      sliders[row] = { slider, value };
    }
    if (count > 2 + FIRST) place.append(more);
  }

  function numbers() {
    sliders.forEach(({ slider, value }, row) => { slider.value = c[row]; value.textContent = c[row].toFixed(2); });
  }

  function legend() {
    const entries = (packet.labels ? packet.classes : []).map((name, index) => {
      const entry = document.createElement("span"), mark = document.createElement("i");
      mark.style.background = data.colours[index % data.colours.length];
      entry.append(mark, name);
      return entry;
    });
    at("legend").replaceChildren(...entries);
    at("codes-label").hidden = !packet.count;
    at("manifold-label").hidden = at("save-manifold").hidden = !packet.decoder || count < 2;
    const up = count > 1 ? `; up: ${data.basis.names[1]}` : "";
    at("axes").textContent = `across: ${data.basis.names[0]}${up}; ±${reach[0]}`;
  }

  function normal() {
    return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  }

  function save(canvas, name, scale) {
    const large = Object.assign(document.createElement("canvas"), { width: canvas.width * scale, height: canvas.height * scale });
    const pen = large.getContext("2d");
    pen.imageSmoothingEnabled = false;
    pen.drawImage(canvas, 0, 0, large.width, large.height);
    large.toBlob((blob) => {
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }

  at("random").onclick = () => { settle(Float64Array.from({ length: dim }, normal)); numbers(); anew(); leave(); };
  at("reset").onclick = () => { settle(centre); numbers(); anew(); leave(); };
  at("save").onclick = () => save(image, "image.png", 8);
  at("save-manifold").onclick = () => { at("show-manifold").checked = true; finish(); save(manifold, "manifold.png", 2); };
  at("show-codes").onchange = soon;
  at("show-manifold").onchange = anew;

  function finish() {  // the rest of the manifold, at once
    const n = Math.max(6, Math.min(21, Math.floor(SIDE / data.shape[2])));
    while (tile < n * n) tiles();
  }

  function given(now, found, setStateValue) {
    const fresh = packet !== found, turned = fresh || JSON.stringify(now.basis) !== JSON.stringify(data?.basis);
    [data, packet, send] = [now, found, setStateValue];
    if (data.answer) answer(data.answer);
    if (!turned) return void soon();
    dim = data.latent_dim;
    [rows, centre, reach] = [floats(data.basis.rows), floats(data.basis.centre), floats(data.basis.reach)];
    count = reach.length;
    if (fresh) [told, asked] = [null, null];
    settle(fresh ? [data.z, packet.z].find((known) => known?.length === dim) ?? centre : z);
    project();
    knobs();
    numbers();
    legend();
    anew();
  }
  return { given };
}
