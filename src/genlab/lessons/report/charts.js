// Small charts from JSON: lines and points with axes, values under the pointer or the arrow keys.
globalThis.GenlabCharts = (() => {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const DASHES = ["", "9 3", "", "2 3", "", ""];  // beside its colour, a model's line has a dash of its own

  function draw(name, attributes, parent, text) {
    const node = document.createElementNS(SVG, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    parent?.append(node);
    return node;
  }

  function element(name, parent, properties = {}) {
    const node = Object.assign(document.createElement(name), properties);
    parent?.append(node);
    return node;
  }

  const colour = (series) => series.colour ?? "none";

  // Numbers and scales ----------------------------------------------------------------------------------------

  function format(value) {
    const size = Math.abs(value);
    if (value === 0) return "0";
    const text = size >= 1e6 || size < 1e-3 ? value.toExponential(1)
      : size >= 100 ? Math.round(value).toLocaleString("en").replaceAll(",", " ")
      : String(Number(value.toPrecision(3)));
    return text.replace("-", "−");
  }

  // A tick's label: as many digits as keep it apart from its neighbours
  function label(tick, all) {
    const gap = all.length > 1 ? Math.abs(all[1] - all[0]) : Infinity, size = Math.abs(tick);
    if (tick === 0 || size < 1e-3 || gap >= size / 50) return format(tick);
    return String(Number(tick.toPrecision(Math.ceil(Math.log10(size / gap)) + 2))).replace("-", "−");
  }

  function ticks(low, high, log, count) {
    if (log) {
      const found = [], wide = Math.log10(high / low) > 2.2;
      for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
        for (const lead of wide ? [1] : [1, 2, 5]) found.push(lead * 10 ** power);
      return found.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
    }
    const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].find((lead) => lead * power >= rough) * power;
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(k * step);
    return found;
  }

  function scale(values, log, from, to) {
    let low = Math.min(...values), high = Math.max(...values);
    if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
    const place = log ? Math.log : (value) => value;
    const at = (value) => from + ((to - from) * (place(value) - place(low))) / (place(high) - place(low));
    return Object.assign(at, { low, high });
  }

  function padded(values, log) {  // a little air above and below
    const low = Math.min(...values), high = Math.max(...values);
    if (log) return [low / 1.25, high * 1.25];
    const air = (high - low) * 0.06;
    return [low >= 0 && low < 0.2 * (high - low) ? 0 : low - air, high + air];
  }

  // Marks ------------------------------------------------------------------------------------------------------

  function mark(index, x, y, parent, r = 5) {
    const fill = { class: `fill-${index ?? "none"}` };
    if (index == null) return draw("path", { class: "stroke-none", "stroke-width": 2.5, d: `M${x - r + 1} ${y - r + 1}l${2 * r - 2} ${2 * r - 2}m0 ${2 - 2 * r}l${2 - 2 * r} ${2 * r - 2}` }, parent);
    if (index === 1) return draw("rect", { ...fill, x: x - r + 0.5, y: y - r + 0.5, width: 2 * r - 1, height: 2 * r - 1 }, parent);
    if (index === 2) return draw("path", { ...fill, d: `M${x} ${y - r}l${r} ${1.8 * r}h${-2 * r}z` }, parent);
    if (index === 3) return draw("path", { ...fill, d: `M${x} ${y - r - 1}l${r + 1} ${r + 1}l${-r - 1} ${r + 1}l${-r - 1} ${-r - 1}z` }, parent);
    if (index === 4) return draw("circle", { class: "stroke-4", fill: "none", "stroke-width": 2.5, cx: x, cy: y, r: r - 1 }, parent);
    return draw("circle", { ...fill, cx: x, cy: y, r }, parent);
  }

  function legend(chart, parent) {
    const named = chart.series.filter((series) => series.style !== "faint");
    if (named.length < 2) return;
    const list = element("ul", parent, { className: "legend" });
    for (const series of named) {
      const item = element("li", list), key = draw("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" }, item);
      if (series.style === "points") mark(series.colour, 13, 6, key, 4.5);
      else stroke(series, draw("path", { d: "M1 6H25" }, key));
      item.append(series.label);
    }
  }

  function stroke(series, path) {
    path.setAttribute("class", `${series.style} stroke-${colour(series)}`);
    path.setAttribute("fill", "none");
    const dash = series.colour == null ? "5 3" : DASHES[series.colour];
    if (series.style === "line" && dash) path.setAttribute("stroke-dasharray", dash);
    return path;
  }

  // One chart --------------------------------------------------------------------------------------------------

  function chart(holder, spec, width) {
    const height = Math.round(Math.min(300, width * 0.62)), frame = { left: 52, right: 12, top: 24, bottom: 44 };
    holder.querySelectorAll(".legend, .plot").forEach((old) => old.remove());
    legend(spec, holder);
    const plot = element("div", holder, { className: "plot", tabIndex: 0 });
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-label", `${spec.title}. ${spec.sentence} Arrow keys read values.`);
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, plot);
    const x = scale(spec.series.flatMap((s) => s.x), spec.log_x, frame.left, width - frame.right);
    const y = scale(padded(spec.series.flatMap(extent), spec.log_y), spec.log_y, height - frame.bottom, frame.top);
    axes(svg, spec, x, y, frame, width, height);
    for (const series of spec.series) trace(svg, series, x, y);
    readable(plot, svg, spec, x, y, width, height, frame);
  }

  const extent = (s) => s.y.flatMap((value, i) => (s.errors ? [value - 2 * s.errors[i], value + 2 * s.errors[i]] : [value]));

  function axes(svg, spec, x, y, frame, width, height) {
    const bottom = height - frame.bottom;
    const rows = ticks(y.low, y.high, spec.log_y, 4);
    for (const tick of rows) {
      draw("line", { class: "grid", x1: frame.left, x2: width - frame.right, y1: y(tick), y2: y(tick) }, svg);
      draw("text", { x: frame.left - 7, y: y(tick) + 4, "text-anchor": "end" }, svg, label(tick, rows));
    }
    const columns = ticks(x.low, x.high, spec.log_x, Math.max(3, width / 110));
    for (const tick of columns) {
      draw("line", { class: "grid", x1: x(tick), x2: x(tick), y1: bottom, y2: bottom + 5 }, svg);
      draw("text", { x: x(tick), y: bottom + 19, "text-anchor": "middle" }, svg, label(tick, columns));
    }
    draw("text", { class: "axis-label", x: 0, y: 11 }, svg, spec.y_label);
    draw("text", { class: "axis-label", x: width - frame.right, y: height - 7, "text-anchor": "end" }, svg, spec.x_label);
  }

  function trace(svg, series, x, y) {
    if (series.style !== "points") {
      const path = series.x.map((at, i) => `${i ? "L" : "M"}${x(at).toFixed(1)} ${y(series.y[i]).toFixed(1)}`).join("");
      stroke(series, draw("path", { d: path }, svg));
      return;
    }
    series.x.forEach((at, i) => {
      if (series.errors) whisker(svg, series, x(at), y(series.y[i] - 2 * series.errors[i]), y(series.y[i] + 2 * series.errors[i]));
      mark(series.colour, x(at), y(series.y[i]), svg, 4.5);
    });
  }

  function whisker(svg, series, at, low, high) {
    draw("path", { class: `stroke-${colour(series)}`, "stroke-width": 1.5, d: `M${at} ${low}V${high}M${at - 4} ${low}h8M${at - 4} ${high}h8` }, svg);
  }

  // Values at the pointer, or at the place that the arrow keys have reached
  function readable(plot, svg, spec, x, y, width, height, frame) {
    const series = spec.series.filter((each) => each.style !== "faint");
    const places = [...new Set(series.flatMap((each) => each.x))].sort((a, b) => a - b);
    const cross = draw("line", { class: "cross", y1: frame.top, y2: height - frame.bottom, visibility: "hidden" }, svg);
    const tip = element("div", plot, { className: "tip", hidden: true });
    tip.setAttribute("role", "status");
    let index = -1;
    function show(to) {
      index = Math.max(0, Math.min(places.length - 1, to));
      const at = places[index], left = x(at);
      cross.setAttribute("x1", left); cross.setAttribute("x2", left); cross.setAttribute("visibility", "visible");
      tip.replaceChildren();
      element("div", tip, { textContent: `${spec.x_label.split(",")[0].replace(/ \(.*/, "")} ${format(at)}` });
      for (const each of series) {
        const near = nearest(each.x, at), close = Math.abs(x(each.x[near]) - left) < 6;
        if (!close) continue;
        const error = each.errors ? ` ± ${format(each.errors[near])}` : "";
        element("div", tip, { textContent: `${each.label}: ${format(each.y[near])}${error}` });
      }
      tip.hidden = false;
      const share = plot.clientWidth / width;
      tip.style.left = `${Math.max(0, Math.min(plot.clientWidth - tip.offsetWidth, left * share + (left > width / 2 ? -tip.offsetWidth - 12 : 12)))}px`;
      tip.style.top = `${frame.top * share}px`;
    }
    function hide() {
      tip.hidden = true;
      cross.setAttribute("visibility", "hidden");
    }
    plot.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect(), at = ((event.clientX - box.left) / box.width) * width;
      show(nearest(places.map(x), at));
    });
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, PageUp: 10, PageDown: -10, Home: -1e9, End: 1e9 }[event.key];
      if (event.key === "Escape") hide();
      if (!step) return;
      event.preventDefault();
      show(index + step);
    });
  }

  function nearest(values, to) {
    let best = 0;
    values.forEach((value, i) => { if (Math.abs(value - to) < Math.abs(values[best] - to)) best = i; });
    return best;
  }

  // The ruler: one metric, one lane a model, on a log scale --------------------------------------------------------

  function ruler(holder, spec, width) {
    const lane = 30, left = Math.min(230, width * 0.34), right = 74, height = spec.points.length * lane + 52;
    holder.replaceChildren();
    const plot = element("div", holder, { className: "plot" });
    const words = spec.points.map((p) => `${p.label} ${p.value.toFixed(spec.digits)}`).join("; ");
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${spec.label} on a log scale: ${words}` }, plot);
    const all = spec.points.flatMap((p) => [p.value, ...(p.interval ?? []).filter((bound) => bound > 0)]);
    const x = scale(padded(all, true), true, left, width - right), bottom = height - 40;
    for (const tick of ticks(x.low, x.high, true, 6)) {
      draw("line", { class: "grid", x1: x(tick), x2: x(tick), y1: 0, y2: bottom }, svg);
      draw("text", { x: x(tick), y: bottom + 16, "text-anchor": "middle" }, svg, format(tick));
    }
    draw("text", { class: "axis-label", x: width - right, y: height - 6, "text-anchor": "end" }, svg, `${spec.label}, ${spec.unit} (log scale), with 95 % intervals`);
    spec.points.forEach((point, row) => {
      const y = lane * (row + 0.5), group = draw("g", {}, svg);
      const range = point.interval ? `, ${point.interval.map((bound) => bound.toFixed(spec.digits)).join(" to ")}` : "";
      draw("title", {}, group, `${point.label}: ${point.value.toFixed(spec.digits)}${range}`);
      draw("rect", { x: 0, y: y - lane / 2, width, height: lane, fill: "transparent" }, group);
      draw("text", { class: "name", x: 0, y: y + 4 }, group, point.label);
      if (point.interval && point.interval[0] > 0)
        draw("path", { class: `stroke-${colour(point)}`, "stroke-width": 2, d: `M${x(point.interval[0])} ${y}H${x(point.interval[1])}` }, group);
      mark(point.colour, x(point.value), y, group, 5.5);
      draw("text", { class: "name", x: width, y: y + 4, "text-anchor": "end" }, group, point.value.toFixed(spec.digits));
    });
  }

  return { chart, ruler, element, draw, scale, padded, ticks, axes, format };
})();
