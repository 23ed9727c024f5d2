// The worker behind "a database in this page": it holds the module, and answers each message with
// what the module printed. Beside the page's thread, so that SQL which never ends freezes nothing.
import init, { Database } from "/wasm/pkg/database.js";

let database;

onmessage = async ({ data: { sql, open, save } }) => {
  const since = performance.now();
  try {
    if (!database || open) {
      await init();
      const made = new Database(new Uint8Array(open ?? 0));
      database?.free();
      database = made;
    }
    const text = sql === undefined ? "" : database.run(sql);
    const bytes = save ? database.bytes() : undefined;
    postMessage({ text, bytes, took: performance.now() - since });
  } catch (error) {
    postMessage({ error: error.message });
  }
};
