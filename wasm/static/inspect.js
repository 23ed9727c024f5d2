// Lights a part of the request in both pictures, and says what it is. Without this script each
// part still shows its name when it is pointed at or focused (style.css).
for (const inspector of document.querySelectorAll("[data-inspector]")) {
  const said = inspector.querySelector(".said");
  let lit = [];

  const choose = (element) => {
    const id = element?.closest("[data-part]")?.dataset.part;
    if (id === undefined) return;
    for (const old of lit) old.classList.remove("on");
    lit = [...inspector.querySelectorAll(`[data-part="${id}"]`)];
    for (const part of lit) part.classList.add("on");
    const { name, place, about } = lit[0].dataset;
    const bold = document.createElement("b");
    bold.textContent = name;
    said.replaceChildren(bold, ` · ${place} · ${about}`);
  };

  inspector.addEventListener("mouseover", (event) => choose(event.target));
  inspector.addEventListener("focusin", (event) => choose(event.target));
}
