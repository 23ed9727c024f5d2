// Lights a part of the request in both pictures, and says what it is. Without this script each
// part still shows its name when it is pointed at or focused (style.css).
for (const inspector of document.querySelectorAll("[data-inspector]")) {
  const said = inspector.querySelector(".said");
  let lit = [];

  const bytes = inspector.querySelector(".bytes");

  const choose = (element) => {
    const chosen = element?.closest("[data-part]");
    if (!chosen) return;
    const id = chosen.dataset.part;
    for (const old of lit) old.classList.remove("on");
    lit = [...inspector.querySelectorAll(`[data-part="${id}"]`)];
    for (const part of lit) part.classList.add("on");
    const { name, place, about } = lit[0].dataset;
    const bold = document.createElement("b");
    bold.textContent = name;
    said.replaceChildren(bold, ` · ${place} · ${about}`);
    // Chosen in the text: show the same bytes below, scrolling their box and not the page.
    if (!bytes.contains(chosen) && lit.length > 1) bytes.scrollTop = lit[1].closest("tr").offsetTop - 60;
  };

  inspector.addEventListener("mouseover", (event) => choose(event.target));
  inspector.addEventListener("focusin", (event) => choose(event.target));
}
