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
    return toast("The panel cannot be reached. Nothing was done.");
  }
  if (!answer.headers.has("X-Asks")) return plainly(form, submitter);
  const back = document.activeElement;
  ask.innerHTML = await answer.text();
  if (!ask.open) {
    ask.onclose = () => back?.focus();
    ask.showModal();
  }
  (ask.querySelector("[autofocus]") || ask.querySelector("input:not([type=hidden])") || ask.querySelector("button"))?.focus();
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
    navigator.clipboard.writeText(text).then(() => toast("Copied"), () => toast("Select it and copy it by hand"));
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  if (event.target.nodeName === "DIALOG") event.target.close();
});

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
}

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
function toast(text) {
  const line = document.createElement("div");
  line.className = "toast";
  line.append(Object.assign(document.createElement("span"), { textContent: text }));
  document.getElementById("toasts").append(line);
  leave(line);
}
function leave(line) {
  setTimeout(() => (line.matches(":hover, :focus-within") ? leave(line) : line.remove()), 10_000);
}
document.querySelectorAll(".toast").forEach(leave);
document.addEventListener("toast", (event) => toast(event.detail.text));
document.addEventListener("htmx:error", () => toast("The panel cannot be reached."));
document.addEventListener("htmx:response:error", () => toast("The panel could not answer. Try again."));

// Keys. Single letters, never with a modifier, never while somebody types.
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

// Shift takes all boxes between two clicks.
let last = null;
document.addEventListener("click", (event) => {
  const box = event.target;
  if (!box.matches?.("table[data-rows] tbody input[type=checkbox]")) return;
  const all = [...document.querySelectorAll("table[data-rows] tbody input[type=checkbox]")];
  if (event.shiftKey && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const each of all.slice(from, to + 1)) each.checked = box.checked;
  }
  last = box;
});

// One box ticks all that are on the page.
for (const all of document.querySelectorAll("[data-all]")) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of all.form.querySelectorAll("tbody input[type=checkbox]")) box.checked = all.checked;
  });
}
