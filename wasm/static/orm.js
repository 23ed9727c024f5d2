// The database page without loading it anew: other pages of the file are fetched, and when somebody
// else has run something the picture is. Without this script every link and form works as well.
const file = document.getElementById("file");
const prompt = document.querySelector("[data-prompt]");
let shown = prompt.elements.page.value;
let asked = 0;

const show = async (page) => {
  const turn = ++asked;
  const answer = await fetch(`/orm/file?page=${encodeURIComponent(page)}`);
  // An answer that was overtaken by a later one is old.
  if (!answer.ok || turn !== asked) return;
  // The server has escaped what is in it, as in every page.
  file.innerHTML = await answer.text();
  file.querySelectorAll("[data-inspector]").forEach(inspect);
  shown = prompt.elements.page.value = file.querySelector("#number")?.value ?? page;
};

const turnTo = async (event, page) => {
  event.preventDefault();
  await show(page);
  const title = document.getElementById("page");
  if (!title) return;
  title.tabIndex = -1;
  title.focus();
};

file.addEventListener("click", (event) => {
  const link = event.target.closest("[data-page]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  turnTo(event, link.dataset.page);
});

file.addEventListener("submit", (event) => turnTo(event, event.target.elements.page.value));

document.querySelector(".try").addEventListener("click", (event) => {
  const { sql } = event.target.dataset;
  if (!sql) return;
  event.preventDefault();
  prompt.elements.sql.value = sql;
  prompt.elements.sql.focus();
});

// Enter with Ctrl runs.
prompt.elements.sql.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) prompt.requestSubmit();
});

// A browser opens six connections to a server, and each stream keeps one: only what is seen
// listens.
let events;
let seen = file.dataset.version;
const listen = () => {
  if (document.hidden) {
    events?.close();
    events = undefined;
  } else if (!events) {
    events = new EventSource(`/orm/changes?seen=${seen}`);
    events.onmessage = ({ data }) => {
      seen = data;
      show(shown);
    };
  }
};
document.addEventListener("visibilitychange", listen);
listen();

// The database in the page. The engine cuts off what looks at too many rows. Should something take
// longer than this all the same, the worker is ended, and its database with it.
const MILLISECONDS_MAX = 10000;
const memory = document.querySelector("[data-memory]");
const printed = document.querySelector(".printed");
let worker;

const ask = (message) =>
  new Promise((resolve) => {
    worker ??= new Worker("/static/memory.js", { type: "module" });
    const timer = setTimeout(() => {
      worker.terminate();
      worker = undefined;
      resolve({ error: `interrupted after ${MILLISECONDS_MAX / 1000} s; the database begins anew` });
    }, MILLISECONDS_MAX);
    const answer = (data) => {
      clearTimeout(timer);
      resolve(data);
    };
    worker.onmessage = ({ data }) => answer(data);
    worker.onerror = (event) => {
      event.preventDefault();
      worker = undefined;
      answer({ error: "the module cannot be loaded or has stopped; see /wasm for its build" });
    };
    worker.postMessage(message);
  });

const tell = async (message) => {
  for (const button of memory.querySelectorAll("button")) button.disabled = true;
  printed.textContent = "...";
  const answer = await ask(message);
  for (const button of memory.querySelectorAll("button")) button.disabled = false;
  const { text, error, took } = answer;
  printed.textContent = error ? `Error: ${error}` : `${text}(${took.toFixed(1)} ms)`;
  return answer;
};

memory.addEventListener("submit", (event) => {
  event.preventDefault();
  tell({ sql: memory.elements["memory-sql"].value });
});

memory.querySelector("[data-save]").addEventListener("click", async () => {
  const { bytes } = await tell({ save: true });
  if (!bytes) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "application/vnd.sqlite3" }));
  link.download = "memory.db";
  link.click();
  URL.revokeObjectURL(link.href);
});

memory.elements["memory-open"].addEventListener("change", async ({ target }) => {
  const [chosen] = target.files;
  if (!chosen) return;
  const sql = "SELECT type, name, rootpage FROM sqlite_schema";
  tell({ open: await chosen.arrayBuffer(), sql });
});
