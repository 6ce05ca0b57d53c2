// A walk through z: a field over two directions of the VAE's codes, sliders for more, every network at once.
globalThis.GenlabExplorer = (() => {
  "use strict";

  const REACH = 3, CELLS = 9;  // standard deviations to each side; images along a side of the map
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

  // Standard normal numbers, the same in every reading of the page: mulberry32 and Box & Muller (1958)
  function normals(seed) {
    function uniform() {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    }
    return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  }

  // z = mean + rest + Σ place[k] · stds[k] · axes[k], `rest` being what the axes do not reach
  function position({ mean, axes, stds }) {
    const place = new Float64Array(axes.length), rest = new Float64Array(mean.length);
    function z(first = place[0], second = place[1]) {
      const out = Float32Array.from(mean, (value, i) => value + rest[i]);
      axes.forEach((axis, k) => {
        const along = (k === 0 ? first : k === 1 ? second : place[k]) * stds[k];
        for (let i = 0; i < out.length; i++) out[i] += along * axis[i];
      });
      return out;
    }
    function moveTo(target) {
      target.forEach((value, i) => (rest[i] = value - mean[i]));
      axes.forEach((axis, k) => {
        const along = dot(axis, rest);
        place[k] = along / stds[k];
        for (let i = 0; i < rest.length; i++) rest[i] -= along * axis[i];
      });
    }
    return { place, z, moveTo };
  }

  function start(holder, { models, decoders, directions }, charts) {
    const { element } = charts, at = position(directions), random = normals(1);
    const nets = decoders.map(({ model, net }) => {
      const index = models.findIndex((each) => each.key === model);
      return { index, label: models[index]?.label ?? model, decoder: GenlabDecoder.load(net) };
    });

    const left = element("div", holder, { className: "pads" });
    const field = pad(left, charts);
    const caption = element("small", left);
    const right = element("div", holder);
    const outputs = element("div", right, { className: "outputs" });
    for (const net of nets) net.canvas = output(net, outputs, element);
    const sliders = element("div", right, { className: "sliders" });
    const inputs = directions.stds.slice(2).map((_, k) => slider(sliders, k + 2, element));
    const buttons = element("div", right, { className: "buttons" });

    // Drawing: at most once a frame; the map behind the field in idle slices, and only when it changed
    let waiting = false, map = { net: nets[0], cell: 0, stamp: 0 };
    function moved(anew) {
      if (anew) { map.cell = 0; map.stamp += 1; chart(map.stamp); }
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; render(); });
    }
    function render() {
      const z = at.z(), began = performance.now();
      for (const net of nets) GenlabDecoder.paint(net.canvas, net.decoder.decode(z), net.decoder.shape);
      const spent = performance.now() - began;
      field.place(at.place[0], at.place[1]);
      inputs.forEach((input, k) => input.set(at.place[k + 2]));
      const text = `${at.place[0].toFixed(1)}, ${at.place[1].toFixed(1)} standard deviations`.replaceAll("-", "−");
      caption.textContent = `At ${text}. ${nets.length} networks in ${spent.toFixed(0)} ms.`;
      field.node.setAttribute("aria-valuetext", text);
    }
    function chart(stamp) {
      if (stamp !== map.stamp) return;
      const began = performance.now(), { decoder } = map.net;
      while (map.cell < CELLS * CELLS && performance.now() - began < 8) {
        const column = map.cell % CELLS, row = Math.floor(map.cell / CELLS), middle = (CELLS - 1) / 2;
        const step = (2 * REACH) / CELLS;
        const image = decoder.decode(at.z((column - middle) * step, (middle - row) * step));
        field.tile(GenlabDecoder.pixels(image, decoder.shape), column, row);
        map.cell += 1;
      }
      if (map.cell < CELLS * CELLS) setTimeout(() => chart(stamp), 16);
    }

    field.onmove = (first, second) => { at.place[0] = first; at.place[1] = second; moved(false); };
    inputs.forEach((input, k) => (input.onmove = (value) => { at.place[k + 2] = value; moved(true); }));
    const jump = (target) => { at.moveTo(target); moved(true); };
    const button = (text, action) => element("button", buttons, { type: "button", textContent: text, onclick: action });
    button("Random z", () => jump(directions.mean.map(() => random())));
    button("To the middle", () => jump(directions.mean));
    const label = element("label", buttons, { textContent: "Map by " }), choice = element("select", label);
    nets.forEach((net, k) => element("option", choice, { value: k, textContent: net.label }));
    choice.onchange = () => { map.net = nets[choice.value]; moved(true); };
    if (directions.starts?.length && directions.start_images) startsRow(right, directions, jump, element);
    jump(directions.starts?.[0] ?? directions.mean);
  }

  function output(net, parent, element) {
    const [, height, width] = net.decoder.shape, scale = Math.max(1, Math.round(224 / width));
    const figure = element("figure", parent), title = element("figcaption", figure);
    element("span", title, { className: `mark c${net.index}` });
    title.append(net.label);
    const canvas = element("canvas", figure, { width, height });
    canvas.style.width = `${width * scale}px`;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `What ${net.label} decodes from the z at hand`);
    return canvas;
  }

  function slider(parent, k, element) {
    const label = element("label", parent), name = element("span", label, { textContent: `direction ${k + 1}` });
    const value = element("output", label);
    const input = element("input", label, { type: "range", min: -REACH, max: REACH, step: 0.05 });
    const control = { onmove: null, set };
    function set(to) { input.value = to; value.textContent = `${to.toFixed(1)} σ`.replace("-", "−"); }
    input.oninput = () => control.onmove(Number(input.value));
    input.setAttribute("aria-label", name.textContent);
    return control;
  }

  function startsRow(parent, { starts, start_images }, jump, element) {
    const row = element("div", parent, { className: "starts", textContent: "From a test image:" });
    starts.forEach((code, k) => {
      const button = element("button", row, { type: "button", onclick: () => jump(code) });
      button.setAttribute("aria-label", `Start from the code of test image ${k + 1}`);
      element("img", button, { src: start_images[k], alt: "", className: "pixels" });
    });
  }

  function pad(parent, { element, draw }) {
    const node = element("div", parent, { className: "pad", tabIndex: 0 });
    for (const [key, value] of Object.entries({
      role: "slider", "aria-label": "z along the two main directions; all four arrow keys move, Shift further",
      "aria-valuemin": -REACH, "aria-valuemax": REACH, "aria-valuenow": 0,
    })) node.setAttribute(key, value);
    const canvas = element("canvas", node), svg = draw("svg", { viewBox: "-100 -100 200 200", "aria-hidden": "true" }, node);
    draw("path", { class: "axis", d: "M-100 0H100M0 -100V100" }, svg);
    for (let ring = 1; ring < REACH; ring++) {
      draw("circle", { class: "ring", r: (100 * ring) / REACH }, svg);
      draw("text", { x: (100 * ring) / REACH + 2, y: -3 }, svg, `${ring} σ`);
    }
    const knob = draw("circle", { class: "knob", r: 4.5 }, svg);
    const self = { node, onmove: null, place, tile };
    let [first, second] = [0, 0];
    function place(x, y) {
      [first, second] = [x, y];
      knob.setAttribute("cx", (Math.max(-REACH, Math.min(REACH, x)) * 100) / REACH);
      knob.setAttribute("cy", (-Math.max(-REACH, Math.min(REACH, y)) * 100) / REACH);
      node.setAttribute("aria-valuenow", x.toFixed(1));
    }
    function tile(image, column, row) {
      if (canvas.width !== CELLS * image.width) [canvas.width, canvas.height] = [CELLS * image.width, CELLS * image.height];
      canvas.getContext("2d").putImageData(image, column * image.width, row * image.height);
    }
    function go(x, y) { self.onmove(Math.max(-REACH, Math.min(REACH, x)), Math.max(-REACH, Math.min(REACH, y))); }
    function follow(event) {
      const box = node.getBoundingClientRect();
      go(((event.clientX - box.left) / box.width - 0.5) * 2 * REACH, (0.5 - (event.clientY - box.top) / box.height) * 2 * REACH);
    }
    node.addEventListener("pointerdown", (event) => { node.setPointerCapture(event.pointerId); follow(event); });
    node.addEventListener("pointermove", (event) => { if (node.hasPointerCapture(event.pointerId)) follow(event); });
    node.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!way) return;
      event.preventDefault();
      const step = event.shiftKey ? 0.5 : 0.1;
      go(first + step * way[0], second + step * way[1]);
    });
    return self;
  }

  return { start };
})();
