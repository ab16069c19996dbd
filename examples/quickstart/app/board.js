// The board: three columns of tasks, kept in this browser's localStorage.
"use strict";

const KEY = "tasks-board.v1";
const COLUMNS = ["To do", "Doing", "Done"];
const $ = (selector, root = document) => root.querySelector(selector);

let tasks = load();

// `crypto.randomUUID` is there on https and localhost only.
function newId() {
  return Date.now().toString(36) + Math.random().toString(36).slice(2);
}

function load() {
  try {
    return check(JSON.parse(localStorage.getItem(KEY) ?? "[]"));
  } catch {
    return [];
  }
}

// Only what the board understands comes in, from storage as from an imported file.
function check(list) {
  if (!Array.isArray(list)) throw new Error("a board is a list of tasks");
  return list.map(({ id, text, column, made }) => {
    if (typeof text !== "string" || !(column in COLUMNS)) throw new Error("not a task: " + text);
    return { id: String(id ?? newId()), text, column: Number(column), made: made ?? new Date().toISOString() };
  });
}

function save() {
  localStorage.setItem(KEY, JSON.stringify(tasks));
  draw();
}

function say(text) {
  $("#note").textContent = text;
}

function draw() {
  const wanted = $("#filter").value.trim().toLowerCase();
  const focused = document.activeElement?.dataset?.id;
  $("#board").replaceChildren(...COLUMNS.map((name, column) => {
    const section = $("#column").content.cloneNode(true).firstElementChild;
    const here = tasks.filter((task) => task.column === column);
    const shown = here.filter((task) => task.text.toLowerCase().includes(wanted));
    section.dataset.column = column;
    $(".name", section).textContent = name;
    $(".count", section).textContent = wanted ? `${shown.length} of ${here.length}` : here.length;
    $("ul", section).append(...shown.map(card));
    return section;
  }));
  if (focused) $(`li[data-id="${CSS.escape(focused)}"]`)?.focus();
}

function card(task) {
  const item = $("#card").content.cloneNode(true).firstElementChild;
  item.dataset.id = task.id;
  for (const part of task.text.split(/(#[\p{L}\p{N}_-]+)/u)) {
    const tag = part.startsWith("#") ? document.createElement("span") : null;
    if (tag) {
      tag.className = "tag";
      tag.textContent = part;
    }
    $(".text", item).append(tag ?? part);
  }
  return item;
}

// `before` is the task that it is put in front of; without one it goes to the column's end.
function move(id, column, before) {
  const task = tasks.find((each) => each.id === id);
  if (!task || !(column in COLUMNS) || id === before) return;
  tasks = tasks.filter((each) => each !== task);
  task.column = column;
  const at = tasks.findIndex((each) => each.id === before);
  tasks.splice(at < 0 ? tasks.length : at, 0, task);
  save();
}

const actions = {
  back: (task) => move(task.id, task.column - 1),
  forth: (task) => move(task.id, task.column + 1),
  edit(task) {
    const text = prompt("Task", task.text)?.trim();
    if (text) {
      task.text = text;
      save();
    }
  },
  remove(task) {
    tasks = tasks.filter((each) => each !== task);
    save();
    say(`Removed "${task.text}".`);
  },
};

$("#add").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("#title").value.trim();
  if (!text) return;
  tasks.push({ id: newId(), text, column: 0, made: new Date().toISOString() });
  event.target.reset();
  save();
});

$("#filter").addEventListener("input", draw);

$("#board").addEventListener("click", (event) => {
  if (event.target.className === "tag") {
    $("#filter").value = event.target.textContent;
    return draw();
  }
  const task = tasks.find((each) => each.id === event.target.closest("li")?.dataset.id);
  if (task) actions[event.target.dataset.do]?.(task);
});

$("#board").addEventListener("keydown", (event) => {
  const name = { ArrowLeft: "back", ArrowRight: "forth", Enter: "edit", Delete: "remove" }[event.key];
  const task = tasks.find((each) => each.id === event.target.dataset.id);
  if (name && task) {
    event.preventDefault();
    actions[name](task);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && event.target.tagName !== "INPUT") {
    event.preventDefault();
    $("#filter").focus();
  }
});

$("#board").addEventListener("dragstart", (event) => {
  event.dataTransfer.setData("text/plain", event.target.dataset.id);
  event.dataTransfer.effectAllowed = "move";
});

$("#board").addEventListener("dragover", (event) => {
  if (event.target.closest("section")) event.preventDefault();
});

$("#board").addEventListener("drop", (event) => {
  const section = event.target.closest("section");
  if (!section) return;
  event.preventDefault();
  move(event.dataTransfer.getData("text/plain"), Number(section.dataset.column), event.target.closest("li")?.dataset.id);
});

$("#export").addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(tasks, null, 2)], { type: "application/json" }));
  link.download = "board.json";
  link.click();
  URL.revokeObjectURL(link.href);
});

$("#import").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  try {
    const known = new Set(tasks.map((task) => task.id));
    const come = check(JSON.parse(await file.text())).filter((task) => !known.has(task.id));
    tasks.push(...come);
    save();
    say(`Imported ${come.length} ${come.length === 1 ? "task" : "tasks"}.`);
  } catch (error) {
    say(`${file.name} is no board: ${error.message}`);
  }
});

// Another tab changed the board.
addEventListener("storage", (event) => {
  if (event.key === KEY) {
    tasks = load();
    draw();
  }
});

draw();
