// A film of a run: its sheets of images one after another, by a slider, by keys, or by themselves.
// data: {steps: [number], sheets: [PNG in base64], alt: what a sheet shows}
const films = new WeakMap();

export default function ({ data, parentElement }) {
  let film = films.get(parentElement);
  if (!film) films.set(parentElement, (film = build(parentElement)));
  film.show(data);
  return () => film.pause();
}

function build(root) {
  const at = (name) => root.querySelector(`[data-at="${name}"]`);
  const image = at("image"), slider = at("slider"), play = at("play"), speed = at("speed"), said = at("said");
  let data = { steps: [], sheets: [], alt: "" }, timer = null, bounced = 0;

  function draw() {
    const index = Number(slider.value);
    if (!data.steps.length) return;
    image.src = `data:image/png;base64,${data.sheets[index]}`;
    image.alt = `${data.alt} after ${data.steps[index]} steps`;
    said.textContent = `step ${data.steps[index].toLocaleString("en").replaceAll(",", "\u202f")}`;
    slider.setAttribute("aria-valuetext", said.textContent);
    root.host?.setAttribute("data-step", data.steps[index]);
  }

  function pause() {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶ Play";
  }

  function forward() {
    const last = data.steps.length - 1;
    if (Number(slider.value) < last) slider.value = Number(slider.value) + 1;
    else if (++bounced > 6) { slider.value = 0; bounced = 0; }  // it rests on the last one for a moment
    draw();
  }

  function start() {
    if (Number(slider.value) >= data.steps.length - 1) slider.value = 0;
    timer = setInterval(forward, 1000 / Number(speed.value));
    play.textContent = "❚❚ Pause";
  }

  slider.oninput = () => { pause(); draw(); };
  play.onclick = () => (timer ? pause() : start());
  speed.onchange = () => { if (timer) { pause(); start(); } };

  function show(given) {
    const followed = Number(slider.value) >= data.steps.length - 1;  // who looks at the newest, sees the next
    data = given;
    slider.max = Math.max(0, data.steps.length - 1);
    if (followed && !timer) slider.value = slider.max;
    draw();
  }
  return { show, pause };
}
