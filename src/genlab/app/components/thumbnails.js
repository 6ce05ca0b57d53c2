// A few images to choose one from. data: {images: [{number, label, source: PNG in base64}], chosen: number}
// trigger "picked": the number of the image that was pressed
export default function ({ data, parentElement, setTriggerValue }) {
  const grid = parentElement.querySelector('[data-at="grid"]');
  const buttons = data.images.map(({ number, label, source }, index) => {
    const button = grid.children[index] ?? grid.appendChild(made());
    button.firstChild.src = `data:image/png;base64,${source}`;
    button.firstChild.alt = button.title = label;
    button.setAttribute("aria-pressed", number === data.chosen);
    button.onclick = () => setTriggerValue("picked", number);
    return button;
  });
  grid.replaceChildren(...buttons);
}

function made() {
  const button = document.createElement("button");
  button.type = "button";
  button.appendChild(document.createElement("img"));
  return button;
}
