// Renews the parts of the page that the server says have changed, and sends forms without leaving
// the page. Without this script a form loads the page again, which then shows the same.
const live = document.querySelector("[data-live]");
const told = document.querySelector("[data-told]");
let events;

const renew = (part, html) => {
  const focused = part.contains(document.activeElement) && document.activeElement.id;
  part.innerHTML = html; // made by our own templates, which escape every value
  if (focused) document.getElementById(focused)?.focus();
  part.querySelectorAll("[data-inspector]").forEach(inspect); // inspect.js
};

const listen = () => {
  events = new EventSource(live.dataset.live);
  for (const part of document.querySelectorAll("[data-renew]")) {
    events.addEventListener(part.id, ({ data }) => renew(part, data));
  }
  events.onopen = () => { live.dataset.state = "open"; };
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) told.textContent = "Too many pages are open: this one does not change by itself.";
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
