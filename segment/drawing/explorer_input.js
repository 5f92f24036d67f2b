"use strict";
/* How the explorer is used: pointers and keys in the image. */

/* Pointers: one drags or clicks, two pinch. */

const pointers = new Map();
let dragged = false;

function placeOf(event) {
  const box = stage.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function look({ x, y }, crossed = false) {
  const base = view.baseAt(x, y);
  const same = cut.labels[base] === cut.labels[here.base];
  const crossing = crossed || here.crossed;
  here = { x, y, base, crossed };
  if (same && !crossing) return;
  tell();
  repaint(crossing);
}

function pinched(before, after, other) {
  const far = (a, b) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
  view.zoom(far(after, other) / far(before, other), (after.x + other.x) / 2, (after.y + other.y) / 2);
  view.move((after.x - before.x) / 2, (after.y - before.y) / 2);
}

function onMove(event) {
  const after = placeOf(event);
  const before = pointers.get(event.pointerId);
  if (!before) {
    if (event.pointerType === "mouse" || !pointers.size) look(after);
    return;
  }
  if (!dragged && pointers.size === 1 && Math.hypot(after.x - before.x, after.y - before.y) < 5) return;
  dragged = true;
  stage.classList.add("dragged");
  const other = [...pointers].find(([id]) => id !== event.pointerId);
  if (other) pinched(before, after, other[1]);
  else view.move(after.x - before.x, after.y - before.y);
  pointers.set(event.pointerId, after);
  repaint(true);
}

function onDown(event) {
  if (event.target.closest("button")) return;
  stage.setPointerCapture(event.pointerId);
  if (!pointers.size) dragged = false;
  else dragged = true;
  pointers.set(event.pointerId, placeOf(event));
}

function onUp(event) {
  const was = pointers.delete(event.pointerId);
  if (pointers.size || !was) return;
  stage.classList.remove("dragged");
  if (dragged || event.type === "pointercancel") return;
  look(placeOf(event));
  act(event.button === 2 || event.shiftKey ? "merge" : checked("tool"));
}

function zoomMiddle(factor) {
  view.zoom(factor, view.across / 2, view.down / 2);
  repaint(true);
}

function fit() {
  view.fit();
  repaint(true);
}

/* Keys. */

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function moveCross([right, down], far) {
  if (far) {
    view.move(-60 * right, -60 * down);
    repaint(true);
  }
  const step = far ? 0 : 12;
  const seen = here.crossed || here.base ? here : { x: view.across / 2, y: view.down / 2 };
  const wanted = { x: seen.x + step * right, y: seen.y + step * down };
  const x = Math.min(Math.max(wanted.x, 6), view.across - 6);
  const y = Math.min(Math.max(wanted.y, 6), view.down - 6);
  view.move(x - wanted.x, y - wanted.y);  // at the border the image comes to meet it
  look({ x, y }, true);
}

function pick(name, value) {
  document.querySelector(`input[name=${name}][value=${value}]`).checked = true;
  repaint();
}

const stageKeys = {
  "Enter": () => act(checked("tool")),
  "s": () => act("split"),
  "m": () => act("merge"),
  "k": () => act("keep"),
  "+": () => zoomMiddle(1.5),
  "=": () => zoomMiddle(1.5),
  "-": () => zoomMiddle(1 / 1.5),
  "0": fit,
  "[": () => stepBy(-1),
  "]": () => stepBy(1),
  "1": () => pick("view", "segments"),
  "2": () => pick("view", "outlines"),
  "3": () => pick("view", "photo"),
};

function stepBy(by) {
  const at = stepNear(steps, tree.leaves - choice.merged) + by;
  choose(regionsChosen(steps[Math.min(Math.max(at, 0), steps.length - 1)]));
}

function onStageKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target !== stage) return;
  if (ARROWS[event.key]) moveCross(ARROWS[event.key], event.shiftKey);
  else if (stageKeys[event.key]) stageKeys[event.key]();
  else return;
  event.preventDefault();
}

function onKey(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target === $("count")) return;
  const key = event.key.toLowerCase();
  if (key === "y" || (key === "z" && event.shiftKey)) goBack(trail.future, trail.past);
  else if (key === "z") goBack(trail.past, trail.future);
  else return;
  tell();
  event.preventDefault();
}
