// Lights a piece of the bytes in both pictures, and says what it is. Without this script each
// piece still shows its name when it is pointed at or focused (style.css).
const inspect = (inspector) => {
  const said = inspector.querySelector(".said");
  const box = inspector.querySelector(".bytes");
  const pieces = [...inspector.querySelectorAll(".part")];
  let lit = [];

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
    said.replaceChildren(bold, ` · ${place}${about ? ` · ${about}` : ""}`);
    // Chosen in the text: show the same bytes below, scrolling their box and not the page.
    if (!box.contains(chosen) && lit.length > 1) {
      box.scrollTop = lit[1].closest("tr").offsetTop - 60;
    }
  };

  inspector.addEventListener("mouseover", (event) => choose(event.target));
  inspector.addEventListener("click", (event) => choose(event.target));
  inspector.addEventListener("focusin", (event) => choose(event.target));

  // One stop for the Tab key, and the arrows go from piece to piece: a page has hundreds.
  for (const piece of pieces.slice(1)) piece.tabIndex = -1;
  inspector.addEventListener("keydown", (event) => {
    const at = pieces.indexOf(event.target);
    if (at < 0) return;
    const last = pieces.length - 1;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: last }[event.key];
    if (!pieces[to]) return;
    event.preventDefault();
    pieces[at].tabIndex = -1;
    pieces[to].tabIndex = 0;
    pieces[to].focus();
  });
};

document.querySelectorAll("[data-inspector]").forEach(inspect);
