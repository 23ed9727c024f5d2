// Renews the parts of the page that the server says have changed, and sends forms without leaving
// the page. Without this script a form loads the page again, which then shows the same.
const live = document.querySelector("[data-live]");
const told = document.querySelector("[data-told]");
let events;

// Makes `old` like `now`, leaving what is the same in its place: so that a button can be clicked,
// and keeps the focus, while the text beside it changes.
const become = (old, now) => {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== now.nodeValue) old.nodeValue = now.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!now.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of now.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const [olds, nows] = [[...old.childNodes], [...now.childNodes]];
  nows.forEach((child, at) => {
    const place = olds[at];
    if (!place) old.append(child);
    else if (place.nodeName === child.nodeName && place.id === child.id) become(place, child);
    else place.replaceWith(child);
  });
  for (const left of olds.slice(nows.length)) left.remove();
};

const renew = (part, html) => {
  const focused = part.contains(document.activeElement) && document.activeElement.id;
  const now = part.cloneNode();
  now.innerHTML = html; // made by our own templates, which escape every value
  if (now.querySelector("[data-inspector]")) {
    part.replaceChildren(...now.childNodes);
    part.querySelectorAll("[data-inspector]").forEach(inspect); // inspect.js
  } else {
    become(part, now);
  }
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
};

const listen = () => {
  events = new EventSource(live.dataset.live);
  for (const part of document.querySelectorAll("[data-renew]")) {
    events.addEventListener(part.id, ({ data }) => renew(part, data));
  }
  events.onopen = () => { live.dataset.state = "open"; };
  events.onerror = () => {
    // While it is not closed, the browser tries again by itself.
    if (events.readyState !== EventSource.CLOSED) return;
    told.textContent = "Too many pages are open: this one does not change by itself.";
  };
};

// A browser allows six connections to a server; a page that nobody sees needs none.
document.addEventListener("visibilitychange", () => {
  events.close();
  if (!document.hidden) listen();
});
listen();

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-stay]");
  if (!form) return;
  event.preventDefault();
  const button = event.submitter;
  if (button?.ariaDisabled === "true") return;
  const body = new URLSearchParams(new FormData(form, button));
  if (button) button.ariaDisabled = "true"; // `disabled` would lose the focus
  told.textContent = "";
  try {
    const url = button?.hasAttribute("formaction") ? button.formAction : form.action;
    const answer = await fetch(url, { method: "POST", body, redirect: "manual" });
    if (answer.status >= 400) told.textContent = (await answer.text()).trim();
  } catch {
    told.textContent = "The playground does not answer.";
  }
  if (button) button.ariaDisabled = null;
});
