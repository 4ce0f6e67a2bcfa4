// The page: reads as one types, marks what decided it, labels files. Talks to this server alone.
const get = (id) => document.getElementById(id);
const WAIT = 250, KEPT = 20, RECENT = "stallcheck.recent";
const WORDS = {
  stall: "Holding back, and no reason is given. A polite no and honest reflection use the same words: ask.",
  objection: "A reason is given: it can be answered.",
  neither: "No holding back found, or nothing here for a seller to handle.",
  unsure: "The words don't settle it.",
};
const spoken = (name) => (name || "").replaceAll("_", " ");
let last = null, asked = 0, labels = null, upload = null;

function make(tag, words, properties = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  if (words !== undefined) made.textContent = words;
  return made;
}

async function call(path, options = {}) {
  const token = sessionStorage.getItem("stallcheck.token");
  const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, { ...options, headers });
  } catch {
    throw new Error("The server does not answer: is stallcheck still running?");
  }
  if (answer.status === 401) get("token-form").hidden = false;
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || `The server said ${answer.status}.`);
  return answer;
}

const post = (path, body) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

async function attempt(work) {
  get("problem").textContent = "";
  try {
    return await work();
  } catch (problem) {
    get("problem").textContent = problem.message;
    return null;
  }
}

// ---- words

function later(work) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(work, WAIT); };
}

async function read() {
  const text = get("text").value;
  const number = ++asked;
  if (!/[\p{L}\p{N}]/u.test(text)) return clear();
  const found = await attempt(async () => (await post("predict", { texts: [text], history: Number(get("history").value) })).json());
  if (found && number === asked) show(found.verdicts[0]);
}

function clear() {
  last = null;
  get("verdict").hidden = true;
  get("said").textContent = "";
}

function show(verdict) {
  last = verdict;
  const title = [verdict.verdict, spoken(verdict.kind)].filter(Boolean).join(" · ");
  const second = verdict.secondary ? ` Also: ${verdict.secondary.verdict}, ${spoken(verdict.secondary.kind)}.` : "";
  const date = verdict.condition_date ? `, until ${verdict.condition_date}` : "";
  const flags = verdict.flags.length ? ` Flags: ${verdict.flags.map(spoken).join(", ")}${date}.` : "";
  get("headline").textContent = title;
  get("headline").className = verdict.verdict;
  get("note").textContent = WORDS[verdict.verdict] + second + flags;
  get("said").textContent = `${title}, ${verdict.confidence.toFixed(2)}. ${WORDS[verdict.verdict]} Ask: ${verdict.response.ask}`;
  get("marked").replaceChildren(...marked(verdict));
  get("bars").replaceChildren(...Object.entries(verdict.probabilities).flatMap(bar));
  get("pieces").hidden = verdict.segments.length < 2;
  get("segments").replaceChildren(...verdict.segments.map((part) => piece(part, verdict.text)));
  respond(verdict.response);
  get("correct").open = false;
  get("recorded").textContent = "";
  get("verdict").hidden = false;
}

function marked(verdict) {
  const letters = [...verdict.text]; // offsets count characters, not UTF-16 units
  const parts = [];
  let at = 0;
  for (const span of [...verdict.evidence].sort((a, b) => a.start - b.start)) {
    if (span.start < at) continue;
    parts.push(letters.slice(at, span.start).join(""));
    parts.push(make("mark", letters.slice(span.start, span.end).join(""), { className: span.for, title: `speaks for ${span.for} (${span.weight.toFixed(2)})` }));
    at = span.end;
  }
  return [...parts, letters.slice(at).join("")];
}

function bar([name, share]) {
  const cell = make("dd", undefined, { className: "bar" });
  cell.append(make("meter", `${Math.round(share * 100)}%`, { min: 0, max: 1, value: share, ariaLabel: name }), make("span", share.toFixed(2)));
  return [make("dt", name), cell];
}

function piece(part, text) {
  const words = [...text].slice(part.start, part.end).join("").trim();
  return make("li", `${part.verdict} · ${spoken(part.kind)} (${part.probabilities[part.verdict].toFixed(2)}): ${words}`);
}

function respond(response) {
  const rows = [["Again", response.again], ["Aim", response.aim], ["Steps", response.steps.join(" ")], ["Ask", response.ask], ["Then", response.then], ["Avoid", response.avoid], ["Why", response.why]];
  get("response").replaceChildren(...rows.filter(([, words]) => words).flatMap(([name, words]) => [make("dt", name), make("dd", words)]));
  const replies = [["the question", response.ask], ["for a call", response.call], ["for an e-mail", response.email], ["for a chat", response.chat]];
  get("replies").replaceChildren(...replies.map(([name, words], place) => reply(name, words, place > 0)));
}

function reply(name, words, shown) {
  const box = make("div", undefined, { className: shown ? "reply" : "" });
  if (shown) box.append(make("p", words));
  const button = make("button", `Copy ${name}`, { type: "button" });
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(words);
    button.textContent = `Copied ${name}`;
  });
  box.append(button);
  return box;
}

async function offerLabels() {
  labels ??= await attempt(async () => (await call("labels")).json());
  if (!labels) return;
  get("right").replaceChildren(...labels.classes.map((name) => new Option(name, name)));
  offerKinds();
}

function offerKinds() {
  const kinds = labels.kinds[get("right").value];
  get("right-kind").replaceChildren(new Option("(not sure)", ""), ...kinds.map((kind) => new Option(spoken(kind), kind)));
}

async function correct(event) {
  event.preventDefault();
  const row = { text: last.text, label: get("right").value, kind: get("right-kind").value, said: last.verdict };
  const done = await attempt(async () => (await post("corrections", row)).json());
  if (!done) return;
  get("recorded").textContent = `Recorded in ${done.path}; 'stallcheck train' learns from it.`;
  get("correct").open = false;
}

// ---- recent texts, in this browser

const recent = () => JSON.parse(localStorage.getItem(RECENT) || "[]");

function keep() {
  const text = get("text").value.trim();
  if (!text || !last) return;
  localStorage.setItem(RECENT, JSON.stringify([text, ...recent().filter((other) => other !== text)].slice(0, KEPT)));
  listRecent();
}

function listRecent() {
  get("recent-list").replaceChildren(...recent().map((text) => {
    const item = make("li"), button = make("button", text.slice(0, 120), { type: "button" });
    button.addEventListener("click", () => { get("text").value = text; read(); get("text").focus(); });
    item.append(button);
    return item;
  }));
}

// ---- a file

async function take(file) {
  if (!file) return;
  get("preview").hidden = get("summary").hidden = get("working").hidden = true;
  get("file-said").textContent = `Reading ${file.name} ...`;
  const form = new FormData();
  form.append("file", file);
  upload = await attempt(async () => (await call("files", { method: "POST", body: form })).json());
  get("file-said").textContent = "";
  if (!upload) return;
  get("column").replaceChildren(...upload.columns.map((name) => new Option(name, name, name === upload.guess, name === upload.guess)));
  const head = make("tr");
  head.append(...upload.columns.map((name) => make("th", name, { scope: "col" })));
  get("rows").replaceChildren(head, ...upload.rows.map((cells) => {
    const row = make("tr");
    row.append(...cells.map((cell) => make("td", cell)));
    return row;
  }));
  get("preview").hidden = false;
  get("column").focus();
}

async function start() {
  const begun = await attempt(() => post(`files/${upload.id}/label`, { columns: [get("column").value] }));
  if (!begun) return;
  get("preview").hidden = true;
  get("working").hidden = false;
  watch();
}

async function watch() {
  const found = await attempt(async () => (await call(`files/${upload.id}`)).json());
  if (!found) return;
  get("progress").value = found.share ?? 0;
  if (found.state === "working") {
    setTimeout(watch, 300);
    return;
  }
  get("working").hidden = true;
  if (found.state === "failed") {
    get("problem").textContent = found.error;
    get("preview").hidden = false;
    return;
  }
  const aside = found.set_aside ? ` ${found.set_aside} rows could not be read and were set aside.` : "";
  get("file-said").textContent = `${found.rows.toLocaleString()} rows labelled.${aside}`;
  sumUp(found);
}

function sumUp(found) {
  const head = make("tr");
  head.append(...["verdict", "rows", "share", "mostly"].map((name) => make("th", name, { scope: "col" })));
  const body = Object.entries(found.summary.verdicts).map(([name, count]) => {
    const kinds = found.summary.kinds.filter((each) => each.verdict === name).slice(0, 3).map((each) => `${spoken(each.kind)} ${each.rows}`);
    const row = make("tr");
    row.append(make("th", name || "(empty)", { scope: "row" }), make("td", count.toLocaleString(), { className: "n" }), make("td", `${Math.round((100 * count) / found.rows)}%`, { className: "n" }), make("td", kinds.join(", ")));
    return row;
  });
  get("shares").replaceChildren(head, ...body);
  get("rejects").hidden = !found.set_aside;
  get("summary").hidden = false;
  get("download").focus();
}

async function download(what, name) {
  const answer = await attempt(() => call(`files/${upload.id}/${what}`));
  if (!answer) return;
  const link = make("a", undefined, { href: URL.createObjectURL(await answer.blob()), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

const named = (end) => upload.name.replace(/(\.[^.]*)?$/, end);

// ---- tabs

function choose(tab) {
  for (const other of document.querySelectorAll('[role="tab"]')) {
    const own = other === tab;
    other.setAttribute("aria-selected", String(own));
    other.tabIndex = own ? 0 : -1;
    get(other.getAttribute("aria-controls")).hidden = !own;
  }
  tab.focus();
}

const tabs = [...document.querySelectorAll('[role="tab"]')];
for (const [place, tab] of tabs.entries()) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) choose(tabs[(place + step + tabs.length) % tabs.length]);
  });
}

get("text").addEventListener("input", later(read));
get("text").addEventListener("change", keep);
get("history").addEventListener("change", read);
get("clear").addEventListener("click", () => { keep(); get("text").value = ""; clear(); get("text").focus(); });
get("correct").addEventListener("toggle", () => get("correct").open && offerLabels());
get("right").addEventListener("change", offerKinds);
get("correction").addEventListener("submit", correct);
get("forget").addEventListener("click", () => { localStorage.removeItem(RECENT); listRecent(); });
get("upload").addEventListener("change", () => take(get("upload").files[0]));
get("start").addEventListener("click", start);
get("download").addEventListener("click", () => download("result", named(`.labelled${/\.(xls|ods)$/i.test(upload.name) ? ".xlsx" : (upload.name.match(/\.[^.]*$/) || [".csv"])[0]}`)));
get("rejects").addEventListener("click", () => download("rejects", named(".rejects.csv")));
for (const name of ["dragenter", "dragover"]) get("drop").addEventListener(name, (event) => { event.preventDefault(); get("drop").classList.add("over"); });
get("drop").addEventListener("dragleave", () => get("drop").classList.remove("over"));
get("drop").addEventListener("drop", (event) => { event.preventDefault(); get("drop").classList.remove("over"); take(event.dataTransfer.files[0]); });
get("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("stallcheck.token", get("token").value);
  get("token-form").hidden = true;
  read();
});
listRecent();
get("text").focus();
