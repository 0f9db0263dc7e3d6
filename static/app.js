// What makes the pages quick for who has a script: dialogs instead of pages that ask, keys,
// copying. Everything here has a way without it.
"use strict";

const ask = document.getElementById("ask");
const help = document.getElementById("help");

// Questions. A form marked data-ask may be answered with a page that asks. A dry run, in which the
// panel does nothing, fetches the question; the answer is then sent as if there were no script.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-ask]") || !ask || event.defaultPrevented) return;
  event.preventDefault();
  const { submitter } = event;
  const body = new URLSearchParams(new FormData(form, submitter));
  const action = submitter?.getAttribute("formaction") || form.action;
  const headers = { "HX-Request": "true", "X-Dry-Run": "1" };
  let answer;
  try {
    answer = await fetch(action, { method: "POST", body, headers });
  } catch {
    return toast({ text: "The panel cannot be reached. Nothing was changed." });
  }
  if (!answer.headers.has("X-Asks")) return plainly(form, submitter);
  const back = document.activeElement;
  ask.innerHTML = await answer.text();
  if (!ask.open) {
    ask.onclose = () => back?.focus();
    ask.showModal();
  }
  ask.querySelector("[autofocus], input:not([type=hidden]), button")?.focus();
});

// A form is sent once, however often the button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 2000);
});

function plainly(form, submitter) {
  form.removeAttribute("data-ask");
  form.requestSubmit(submitter);
}

document.addEventListener("click", (event) => {
  const close = event.target.closest("dialog [data-close]");
  if (close) {
    event.preventDefault();
    close.closest("dialog").close();
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const text = document.getElementById(copy.dataset.copy).textContent.trim();
    const told = (text) => () => toast({ text });
    navigator.clipboard.writeText(text).then(told("Copied"), told("Select the text and copy it"));
  }
  if (event.target.closest("[data-help]")) help?.showModal();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (event.target.nodeName === "DIALOG") event.target.close();
});

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
}
for (const button of document.querySelectorAll("[data-help]")) button.hidden = false;

// A file is read into the field that would take it typed.
for (const picker of document.querySelectorAll("[data-into]")) {
  picker.closest("[hidden]").hidden = false;
  picker.addEventListener("change", async () => {
    const [file] = picker.files;
    if (file) document.getElementById(picker.dataset.into).value = await file.text();
  });
}
document.querySelector("[data-focus]")?.focus();
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// Toasts leave by themselves, but not while somebody reads or reaches for them.
function toast({ text, undo }) {
  const line = document.createElement("div");
  line.className = "toast";
  line.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (undo) line.append(undoing(undo));
  document.getElementById("toasts").append(line);
  leave(line);
}
function undoing({ path, fields }) {
  const form = Object.assign(document.createElement("form"), { method: "post", action: path });
  const csrf = document.querySelector("input[name=csrf]").value;
  for (const [name, value] of [["csrf", csrf], ...fields]) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  form.append(Object.assign(document.createElement("button"), { textContent: "Undo" }));
  return form;
}
function leave(line) {
  setTimeout(() => (line.matches(":hover, :focus-within") ? leave(line) : line.remove()), 10_000);
}
document.querySelectorAll(".toast").forEach(leave);
document.addEventListener("toast", (event) => toast(event.detail));
document.addEventListener("htmx:error", () => toast({ text: "The panel cannot be reached." }));
// A form that was refused comes back with its errors; only a fault is worth a toast.
document.addEventListener("htmx:response:error", (event) => {
  const { status } = event.detail.ctx.response;
  if (status >= 500) toast({ text: "The panel could not answer. Try again." });
});
// A session that has ended: what was typed is sent as if there were no script, so that the log-in
// takes it along.
document.addEventListener("htmx:before:response", (event) => {
  const { response, sourceElement: button } = event.detail.ctx;
  if (response.status !== 401 || ![...(button.form?.elements ?? [])].some((it) => it.type === "text")) return;
  event.preventDefault();
  button.form.requestSubmit(button);
});
document.addEventListener("htmx:after:swap", (event) => {
  event.detail.ctx.target?.querySelector?.("[aria-invalid=true]")?.focus();
  count();
});

// Shortcuts. Single letters, never with a modifier, never while somebody types.
const keys = document.documentElement.dataset.keys !== "off";
let gone = -Infinity;

function rows() {
  return [...document.querySelectorAll("table[data-rows] tbody tr:not(.heading)")];
}
function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.classList.contains("cursor"));
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step))];
  all[at]?.classList.remove("cursor");
  next.classList.add("cursor");
  next.scrollIntoView({ block: "nearest" });
}
const cursor = (selector) => document.querySelector(`tr.cursor ${selector}`);
const click = (selector) => document.querySelector(selector)?.click();

const enter = (part) => (part?.matches("a, button") ? part.click() : part?.focus());

const actions = {
  "?": () => help?.showModal(),
  "/": () => document.querySelector("[data-filter]")?.focus(),
  n: () => enter(document.querySelector("[data-new]")),
  e: () => enter(cursor("[data-edit]") || document.querySelector("main [data-edit]")),
  j: () => move(1),
  k: () => move(-1),
  x: () => cursor("input[type=checkbox]")?.click(),
  Enter: () => cursor("[data-open]")?.click(),
  "[": () => click(".pager [rel=prev]"),
  "]": () => click(".pager [rel=next]"),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") event.target.closest("tr")?.querySelector("[data-leave]")?.click();
  const busy = event.target.closest("input, select, textarea, [contenteditable], dialog[open]");
  if (!keys || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (busy) return void (event.key === "Escape" && event.target.matches("[data-filter]") && event.target.blur());
  if (event.key === "Enter" && event.target !== document.body && event.target.id !== "main") return;
  if (event.timeStamp - gone < 1500) {
    gone = -Infinity;
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      return link.click();
    }
  }
  if (event.key === "g") return void (gone = event.timeStamp);
  const action = actions[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});

// The boxes of rows. Shift takes all between two clicks.
const boxes = (within) => [...within.querySelectorAll(".pick input[name]")];
let last = null;
document.addEventListener("click", (event) => {
  const box = event.target;
  const all = boxes(document);
  if (!all.includes(box)) return;
  if (event.shiftKey && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const each of all.slice(from, to + 1)) each.checked = box.checked;
  }
  last = box;
});

// One box selects all of the page, or all below a heading. The bar says how many, and their sum.
function count() {
  for (const all of document.querySelectorAll("[data-all], [data-all-of]")) {
    const below = boxes(part(all));
    (all.closest("label") ?? all).hidden = false;
    all.checked = below.length > 0 && below.every((box) => box.checked);
  }
  for (const chosen of document.querySelectorAll("[data-chosen]")) {
    const picked = boxes(document).filter((box) => box.checked);
    const unit = chosen.dataset.chosen;
    const sum = picked.reduce((sum, box) => sum + BigInt(box.dataset.sum || 0), 0n);
    chosen.textContent = `${grouped(picked.length)} selected${unit && ` · ${money(sum)} ${unit}`}`;
  }
}
const part = (all) => (all.matches("[data-all]") ? all.closest("table") : all.matches("[data-all-of]") && all.closest("tbody"));
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
function money(micros) {
  const size = micros < 0n ? -micros : micros;
  const decimals = String(size % 1_000_000n).padStart(6, "0").replace(/0{1,4}$/, "");
  return `${micros < 0n ? "-" : ""}${grouped(size / 1_000_000n)}.${decimals}`;
}
document.addEventListener("change", ({ target }) => {
  if (target.type !== "checkbox") return;
  if (part(target)) for (const box of boxes(part(target))) box.checked = target.checked;
  count();
});
document.addEventListener("reset", ({ target }) => {
  setTimeout(() => {
    for (const box of boxes(target)) box.checked = false;
    count();
  });
});
count();
