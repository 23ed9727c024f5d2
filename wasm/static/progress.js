// Shows how far the build of the demos is, while it runs: the server sends its state as an event
// whenever it changes. When it has ended the page is loaded again, with sizes and links.
const list = document.querySelector("[data-progress]");

const line = (text, className) => {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
};

const item = ({ name, stage, seconds, detail, by_hand }) => {
  const element = document.createElement("li");
  element.className = stage;
  element.append(`${name}: ${stage}${seconds ? `, ${seconds}` : ""}`);
  if (detail) element.append(line(detail, "detail"));
  if (by_hand) element.append(line(`By hand: ${by_hand}`, "detail"));
  return element;
};

document.querySelector(".noscript")?.remove();
const events = new EventSource("/wasm/progress");
events.onmessage = ({ data }) => {
  const { steps, finished } = JSON.parse(data);
  list.replaceChildren(...steps.map(item));
  if (!finished) return;
  events.close(); // otherwise the browser would ask again
  location.reload();
};
