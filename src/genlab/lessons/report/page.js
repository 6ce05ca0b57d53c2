// What the page does once it is read: theme, enlarging, charts, and the walk through z.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement, toggle = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");

  // Theme: the system's until the reader chooses
  const stored = (() => { try { return localStorage.getItem("genlab-theme"); } catch { return null; } })();
  if (stored === "dark" || stored === "light") root.dataset.theme = stored;
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const showTheme = () => toggle.setAttribute("aria-pressed", String(dark()));
  toggle.onclick = () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("genlab-theme", root.dataset.theme); } catch { /* a file may have no storage */ }
    showTheme();
  };
  system.addEventListener("change", showTheme);
  showTheme();

  // A sheet, as large as the window lets it be in whole pixels
  const dialog = document.getElementById("large"), place = dialog.querySelector("div");
  document.querySelectorAll(".enlarge").forEach((button) => button.addEventListener("click", () => {
    const image = button.querySelector("img").cloneNode(), wide = image.naturalWidth, high = image.naturalHeight;
    const scale = Math.max(1, Math.floor(Math.min((innerWidth * 0.94 - 36) / wide, (innerHeight * 0.94 - 90) / high)));
    image.width = wide * scale;
    image.height = high * scale;
    const title = document.createElement("p");
    title.textContent = button.closest("figure").querySelector("b").textContent;
    dialog.querySelector("form p")?.remove();
    dialog.querySelector("form").prepend(title);
    place.replaceChildren(image);
    dialog.showModal();
  }));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  // Charts, drawn anew when the width has changed
  const figures = [...document.querySelectorAll("[data-chart]")].map((holder) => [holder, GenlabCharts.chart, data.charts[holder.dataset.chart]]);
  const ruler = document.querySelector("[data-ruler]");
  if (ruler && data.ruler) figures.push([ruler, GenlabCharts.ruler, data.ruler]);
  const widths = new Map();
  function drawAll() {
    for (const [holder, draw, spec] of figures) {
      const width = Math.round(holder.clientWidth);
      if (!width || widths.get(holder) === width) continue;
      widths.set(holder, width);
      draw(holder, spec, width);
    }
  }
  drawAll();
  addEventListener("resize", drawAll);

  const explorer = document.querySelector("[data-explorer]");
  if (explorer && data.directions) GenlabExplorer.start(explorer, data, GenlabCharts);
})();
