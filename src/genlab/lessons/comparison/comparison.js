// Planes and curves: every entry by its letter, values at the pointer or under the arrow keys.
(() => {
  "use strict";
  const { draw, element, scale, padded, ticks, axes, format } = GenlabCharts;
  const COLOURS = 5, DASHES = ["", "7 3", "2 3", "9 3 2 3"], NEAR = 34;

  const name = (series) => (series.letter ? `${series.letter}  ${series.name}` : series.name);
  const shade = (series) => (series.index == null ? "n" : series.index % COLOURS);
  const spread = (series, axis) => {
    const values = series[axis], half = series.half[axis === "x" ? 0 : 1];
    return half ? values.flatMap((value) => [value - half, value + half]) : values;
  };

  function plane(holder, spec, width) {
    const height = Math.round(Math.min(380, width * 0.66)), frame = { left: 56, right: 26, top: 24, bottom: 44 };
    holder.querySelector(".plot")?.remove();
    const plot = element("div", holder, { className: "plot", tabIndex: 0 });
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-label", `${spec.title}. ${spec.sentence} Arrow keys read values.`);
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, plot);
    const x = scale(padded(spec.series.flatMap((s) => spread(s, "x"))), false, frame.left, width - frame.right);
    const y = scale(padded(spec.series.flatMap((s) => spread(s, "y"))), false, height - frame.bottom, frame.top);
    axes(svg, spec, x, y, frame, width, height);
    if (spec.iso) equalSums(svg, spec, x, y);
    const marks = spec.series.map((series) => (series.style === "line" ? curve : disc)(svg, series, x, y));
    apart(svg, height - frame.bottom);
    readable(plot, svg, spec, marks, x, y, width, frame);
  }

  // Lines on which x + y is the same: −(rate + distortion) is the ELBO
  function equalSums(svg, spec, x, y) {
    for (const sum of ticks(x.low + y.low, x.high + y.high, false, 7)) {
      const left = Math.max(x.low, sum - y.high), right = Math.min(x.high, sum - y.low);
      if (right <= left) continue;
      draw("line", { class: "iso", x1: x(left), y1: y(sum - left), x2: x(right), y2: y(sum - right) }, svg);
      const roomy = x(right) - x(left) > 60;
      if (roomy) draw("text", { class: "iso-label", x: x(right) - 4, y: y(sum - right) - 5, "text-anchor": "end" }, svg, `${spec.iso} ${String(Number((-sum).toPrecision(6))).replace("-", "−")}`);
    }
  }

  function disc(svg, series, x, y) {
    const group = draw("g", {}, svg), at = [x(series.x[0]), y(series.y[0])], [wide, high] = series.half;
    const bar = { class: `bar s${shade(series)}` };
    if (wide) draw("path", { ...bar, d: `M${x(series.x[0] - wide)} ${at[1]}H${x(series.x[0] + wide)}` }, group);
    if (high) draw("path", { ...bar, d: `M${at[0]} ${y(series.y[0] - high)}V${y(series.y[0] + high)}` }, group);
    draw("circle", { class: `disc k${shade(series)}`, cx: at[0], cy: at[1], r: series.letter ? 8 + series.letter.length : 5 }, group);
    if (series.letter) draw("text", { class: "disc-letter", x: at[0], y: at[1] + 4, "text-anchor": "middle" }, group, series.letter);
    else draw("text", { x: at[0] + (at[0] > x(x.high) - 60 ? -9 : 9), y: at[1] + 4, "text-anchor": at[0] > x(x.high) - 60 ? "end" : "start" }, group, series.name);
    return group;
  }

  function curve(svg, series, x, y) {
    const group = draw("g", {}, svg), last = series.x.length - 1;
    const path = series.x.map((at, i) => `${i ? "L" : "M"}${x(at).toFixed(1)} ${y(series.y[i]).toFixed(1)}`).join("");
    const dash = DASHES[Math.floor((series.index ?? 0) / COLOURS) % DASHES.length];
    const line = draw("path", { class: `curve s${shade(series)}`, d: path }, group);
    if (dash) line.setAttribute("stroke-dasharray", dash);
    if (!last) draw("circle", { class: `k${shade(series)}`, cx: x(series.x[0]), cy: y(series.y[0]), r: 3 }, group);
    draw("text", { class: "end", x: x(series.x[last]) + 5, y: y(series.y[last]) + 4 }, group, series.letter);
    return group;
  }

  // Letters at the ends of curves that meet: one below the other, as long as they are few
  function apart(svg, low) {
    const ends = [...svg.querySelectorAll("text.end")].map((node) => ({ node, x: +node.getAttribute("x"), y: +node.getAttribute("y") }));
    if (ends.length * 12 > low) return;
    ends.sort((a, b) => a.y - b.y);
    ends.forEach((end, i) => {
      for (const above of ends.slice(0, i)) if (Math.abs(above.x - end.x) < 12) end.y = Math.max(end.y, above.y + 12);
    });
    for (let i = ends.length - 1, floor = low; i >= 0; i--) {
      if (ends[i].y > floor) ends[i].y = floor, floor -= 12;
      ends[i].node.setAttribute("y", ends[i].y);
    }
  }

  // The nearest value to the pointer, or one after the other; up and down go to another entry
  function readable(plot, svg, spec, marks, x, y, width, frame) {
    const places = spec.series.flatMap((series, s) => series.x.map((at, i) => ({ s, i, x: x(at), y: y(series.y[i]) })));
    const ring = draw("circle", { class: "ring", r: 5, visibility: "hidden" }, svg);
    const tip = element("div", plot, { className: "tip", hidden: true });
    tip.setAttribute("role", "status");
    let at = -1;
    function show(to) {
      at = (to + places.length) % places.length;
      const place = places[at], series = spec.series[place.s];
      ring.setAttribute("cx", place.x); ring.setAttribute("cy", place.y);
      ring.setAttribute("r", series.style === "line" ? 5 : 12); ring.setAttribute("visibility", "visible");
      marks.forEach((mark, s) => mark.querySelector(".curve")?.classList.toggle("hushed", s !== place.s && spec.series[s].index !== series.index));
      marks[place.s].parentNode.insertBefore(marks[place.s], ring);
      tip.replaceChildren();
      element("div", tip, { textContent: name(series) });
      for (const [axis, label, k] of [["y", spec.y_label, 1], ["x", spec.x_label, 0]]) {
        const half = series.half[k] ? ` ± ${format(series.half[k])}` : "";
        element("div", tip, { textContent: `${label.split(",")[0]} ${format(series[axis][place.i])}${half}` });
      }
      tip.hidden = false;
      const share = plot.clientWidth / width, right = place.x > width / 2;
      tip.style.left = `${Math.max(0, Math.min(plot.clientWidth - tip.offsetWidth, place.x * share + (right ? -tip.offsetWidth - 16 : 16)))}px`;
      tip.style.top = `${Math.max(frame.top, place.y - 20) * share}px`;
    }
    function hide() {
      tip.hidden = true;
      ring.setAttribute("visibility", "hidden");
      marks.forEach((mark) => mark.querySelector(".curve")?.classList.remove("hushed"));
    }
    function other(step) {  // the same stretch of the next entry
      const now = places[Math.max(0, at)], to = (now.s + step + spec.series.length) % spec.series.length;
      const there = places.map((place, k) => [place, k]).filter(([place]) => place.s === to);
      there.sort(([one], [two]) => Math.abs(one.x - now.x) - Math.abs(two.x - now.x));
      show(there[0][1]);
    }
    plot.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect(), share = width / box.width;
      const px = (event.clientX - box.left) * share, py = (event.clientY - box.top) * share;
      let best = 0, least = Infinity;
      places.forEach((place, k) => {
        const far = Math.hypot(place.x - px, place.y - py);
        if (far < least) [best, least] = [k, far];
      });
      if (least < NEAR) show(best); else hide();
    });
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, Home: -at, End: places.length - 1 - at }[event.key];
      if (event.key === "Escape") hide();
      else if (event.key === "ArrowUp" || event.key === "ArrowDown") other(event.key === "ArrowUp" ? -1 : 1);
      else if (step !== undefined) show(at + step);
      else return;
      event.preventDefault();
    });
  }

  const specs = JSON.parse(document.getElementById("data").textContent).planes;
  const holders = [...document.querySelectorAll("[data-plane]")];
  const widths = new Map();
  function drawAll() {
    for (const holder of holders) {
      const width = Math.round(holder.clientWidth);
      if (!width || widths.get(holder) === width) continue;
      widths.set(holder, width);
      plane(holder, specs[holder.dataset.plane], width);
    }
  }
  drawAll();
  addEventListener("resize", drawAll);
})();
