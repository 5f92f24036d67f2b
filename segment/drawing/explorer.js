"use strict";
/* The page of the explorer: what is chosen, how it is shown, how it is taken along.

   A choice is a number of merges that are done, and regions that are kept: segments at a level of
   their own. Splitting a region keeps its two halves, merging it keeps what it becomes part of. */

const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en").format;
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
const facts = JSON.parse($("facts").textContent);
const stage = $("stage");

let tree;
let view;
let steps;
let cut;  // the segments of the choice
let choice = { merged: 0, kept: [] };
let start;
const trail = { past: [], future: [] };
let here = { x: 0, y: 0, base: 0 };  // where the pointer or the cross is, and the base region there
const checked = (name) => document.querySelector(`input[name=${name}]:checked`).value;

/* Choosing. */

const regionHere = () => (here.base ? cut.regions[cut.labels[here.base]] : -1);
const spelt = (one) => `${one.merged};${one.kept.join()}`;

/* Choose without a step to undo, as while the slider is dragged. */
function preview(next) {
  choice = next;
  cut = tree.cut(choice.merged, choice.kept);
  showChoice();
  repaint();
}

function choose(next, before = choice) {
  if (spelt(next) !== spelt(before)) {
    trail.past.push(before);
    trail.future = [];
  }
  preview(next);
}

function goBack(from, to) {
  if (!from.length) return;
  to.push(choice);
  preview(from.pop());
}

const levelled = (merged) => ({ ...choice, merged });

function regionsChosen(count) {
  const fewest = tree.leaves - tree.merges;
  return levelled(tree.leaves - Math.min(Math.max(count, fewest), tree.leaves));
}

/* The kept regions without those within one that takes their place. */
function keeping(kept, ...regions) {
  const rest = kept.filter((one) => !regions.some((region) => tree.isWithin(one, region)));
  return { ...choice, kept: [...rest, ...regions].sort((a, b) => a - b) };
}

const without = (region) => choice.kept.filter((one) => one !== region);

const tools = {
  look: () => "",
  split(region) {
    const halves = tree.childrenOf(region);
    if (!halves.length) return "This region is one of the smallest: it cannot be split.";
    choose(keeping(without(region), ...halves));
    return `Split region ${region} in two.`;
  },
  merge(region) {
    const parent = tree.parents[region];
    if (parent < 0) return "This region has nothing to be merged with.";
    choose(keeping(choice.kept, parent));
    return `Merged region ${region} into ${parent}.`;
  },
  keep(region) {
    const kept = choice.kept.includes(region);
    choose(kept ? { ...choice, kept: without(region) } : keeping(choice.kept, region));
    return kept ? `Region ${region} follows the slider again.`
      : `Keeps region ${region}, wherever the slider goes.`;
  },
};

function act(tool) {
  const region = regionHere();
  $("said").textContent = region < 0 ? "There is no region here." : tools[tool](region);
  tell();
}

const stroke = (lines, sides) => ({ lines: Uint32Array.from(lines), sides: Uint32Array.from(sides) });

/* Painting: at most once for each frame of the screen. */

const LINE = { light: 0xff00deff, white: 0xffffffff, hovered: 0xffff9c2e };  // red is lowest
const SHADE = { over: 0xb0000000, solid: 0xff202020 };  // over the photo, and in place of a colour
const strokes = {  // by mark
  segments: stroke([0, LINE.white, LINE.hovered], [0, SHADE.solid, LINE.hovered]),
  outlines: stroke([LINE.light, LINE.white, LINE.hovered], [SHADE.over, SHADE.over, LINE.hovered]),
  photo: stroke([0, 0, LINE.hovered], [0, 0, LINE.hovered]),
};
let asked = false;
let moved = true;

function repaint(byMove = false) {
  moved ||= byMove;
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    paint();
  });
}

function fillsOf(shown) {
  const fills = new Uint32Array(cut.count + 1);
  if (shown !== "segments") return fills;
  for (let label = 1; label <= cut.count; label++) {
    const [red, green, blue] = colorOf(cut.regions[label]);
    fills[label] = (0xff000000 | blue << 16 | green << 8 | red) >>> 0;
  }
  return fills;
}

/* 0 for most segments, 1 for those that are kept, 2 for the one under the pointer. */
function marksOf() {
  const marks = new Uint8Array(cut.count + 1);
  const kept = new Set(choice.kept);
  cut.regions.forEach((region, label) => { marks[label] = kept.has(region) ? 1 : 0; });
  if (here.base) marks[cut.labels[here.base]] = 2;
  return marks;
}

function paint() {
  const shown = checked("view");
  if (moved) {
    view.sample();
    placeSheet();
  }
  moved = false;
  const { lines, sides } = strokes[shown];
  view.paint(cut.labels, fillsOf(shown), marksOf(), lines, sides);
  $("photo").style.visibility = shown === "segments" ? "hidden" : "visible";
}

/* The photo lies below the canvas and is scaled by the browser. */
function placeSheet() {
  const { scale, left, top } = view;
  Object.assign($("sheet").style, {
    left: `${left}px`,
    top: `${top}px`,
    width: `${facts.width * scale}px`,
    height: `${facts.height * scale}px`,
  });
  $("photo").classList.toggle("large", scale > 2);
  $("cross").toggleAttribute("hidden", !here.crossed);
  $("cross").style.left = `${here.x}px`;
  $("cross").style.top = `${here.y}px`;
}

/* Telling. */

const colorOf = (region) => tree.colors.subarray(3 * region, 3 * region + 3);
const short = (level) => String(+level.toPrecision(4));

function hexOf(region) {
  return `#${[...colorOf(region)].map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

function share(part, whole) {
  const percent = 100 * part / whole;
  return percent < 0.005 ? "< 0.01 %" : `${percent.toFixed(percent < 10 ? 2 : 1)} %`;
}

function lineageOf(region) {
  const told = [`region ${region}`];
  if (choice.kept.includes(region)) told.push("kept");
  if (region >= tree.leaves) told.push(`splits below level ${short(tree.heightOf(region))}`);
  const parent = tree.parents[region];
  if (parent >= 0) told.push(`merges at ${short(tree.heightOf(parent))}`);
  return told.join(" · ");
}

function tell() {
  const region = regionHere();
  $("color").style.background = region < 0 ? "none" : hexOf(region);
  $("lineage").textContent = region < 0 ? "" : lineageOf(region);
  $("readout").textContent = region < 0 ? "no region" : `label ${cut.labels[here.base]}: `
    + `${plural(tree.sizes[region], "pixel")}, `
    + `${share(tree.sizes[region], facts.width * facts.height)}, ${hexOf(region)}`;
}

function showChoice() {
  const level = tree.levelOf(choice.merged);
  const wanted = tree.leaves - choice.merged;
  const step = stepNear(steps, wanted);
  if (document.activeElement !== $("slider")) $("slider").value = step;
  $("slider").setAttribute("aria-valuetext", `${plural(cut.count, "region")}, level ${short(level)}`);
  $("count").value = wanted;
  $("count").style.width = `${String(wanted).length + 1}ch`;
  $("noun").textContent = choice.kept.length ? `→ ${plural(cut.count, "region")}`
    : wanted === 1 ? "region" : "regions";
  $("level").textContent = `level ${short(level)}`;
  $("heights").querySelector(".at").setAttribute("transform", `translate(${step} 0)`);
  $("fewer").disabled = choice.merged === tree.merges;
  $("more").disabled = choice.merged === 0;
  $("undo").disabled = !trail.past.length;
  $("redo").disabled = !trail.future.length;
  $("reset").disabled = spelt(choice) === spelt(start);
  showCommand();
  $("taken").textContent = "";
}

/* The heights over the slider: where they fall steeply, regions belong together. */
function drawHeights() {
  const top = tree.levelOf(tree.merges) || 1;
  const points = steps.map((count, k) => `${k} ${1 - Math.sqrt(tree.levelOf(tree.leaves - count) / top)}`);
  const last = Math.max(1, steps.length - 1);
  const chart = $("heights");
  chart.setAttribute("viewBox", `0 0 ${last} 1`);
  chart.querySelector(".edge").setAttribute("d", `M${points.join("L")}`);
  chart.querySelector(".area").setAttribute("d", `M${points.join("L")}L${last} 1L0 1Z`);
  chart.querySelector(".at").setAttribute("y2", 1);
}

/* Taking along. */

/* By level only where that is the same: a level does all merges of its height. */
function optionsOf() {
  const level = tree.levelOf(choice.merged);
  const exact = tree.mergedAt(level) === choice.merged;
  const said = $("by").value === "level" && exact ? `--level ${level}`
    : `--segments ${tree.leaves - choice.merged}`;
  return choice.kept.length ? [said, `--keep ${choice.kept.join(",")}`] : [said];
}

/* Each option in a piece, so that no line ends within one that fits into it. */
function showCommand() {
  $("command").textContent = facts.command;
  for (const option of optionsOf()) {
    const piece = document.createElement("span");
    piece.textContent = option;
    $("command").append(" ", piece);
  }
}

async function copyCommand() {
  try {
    await navigator.clipboard.writeText($("command").textContent);
  } catch {  // where pages from the disk may not use the clipboard
    getSelection().selectAllChildren($("command"));
    document.execCommand("copy");
  }
  $("taken").textContent = "The command is copied.";
}

async function download() {
  const labelAt = (i) => cut.labels[view.map[i]];
  const { ending, content } = labelFile(facts.width, facts.height, labelAt, cut.count);
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(await content);
  anchor.download = `${facts.stem}_labels${ending}`;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 60000);
  $("taken").textContent = `Saved ${anchor.download}, the label map that the command writes`
    + `${ending === ".npy" ? " with --label-format npy" : ""}.`;
}

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

/* Setting up. */

function wireLevel() {
  let before = null;  // of a drag, so that it is undone at once
  $("slider").addEventListener("input", () => {
    before ??= choice;
    preview(regionsChosen(steps[$("slider").value]));
  });
  $("slider").addEventListener("change", () => {
    choose(choice, before ?? choice);
    before = null;
  });
  $("count").addEventListener("change", () => {
    choose(regionsChosen(Math.round($("count").valueAsNumber || 1)));
  });
  $("fewer").addEventListener("click", () => choose(levelled(choice.merged + 1)));
  $("more").addEventListener("click", () => choose(levelled(choice.merged - 1)));
  $("undo").addEventListener("click", () => goBack(trail.past, trail.future));
  $("redo").addEventListener("click", () => goBack(trail.future, trail.past));
  $("reset").addEventListener("click", () => choose(start));
}

function wireStage() {
  stage.addEventListener("pointerdown", onDown);
  stage.addEventListener("pointermove", onMove);
  stage.addEventListener("pointerup", onUp);
  stage.addEventListener("pointercancel", onUp);
  stage.addEventListener("pointerleave", () => {
    if (here.crossed || !here.base) return;
    here = { ...here, base: 0 };
    repaint();
  });
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("keydown", onStageKey);
  stage.addEventListener("wheel", (event) => {
    const { x, y } = placeOf(event);
    view.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), x, y);
    repaint(true);
    event.preventDefault();
  }, { passive: false });
  $("in").addEventListener("click", () => zoomMiddle(1.5));
  $("out").addEventListener("click", () => zoomMiddle(1 / 1.5));
  $("fit").addEventListener("click", fit);
}

function wireRest() {
  $("views").addEventListener("change", () => repaint());
  $("by").addEventListener("change", showChoice);
  $("copy").addEventListener("click", copyCommand);
  $("download").addEventListener("click", download);
  document.addEventListener("keydown", onKey);
  if (matchMedia("(pointer: coarse)").matches) pick("tool", "look");  // no pointer to look with
}

function onResize() {
  const whole = !view.across || view.scale === view.fitting;
  view.resize(stage.clientWidth, stage.clientHeight, devicePixelRatio);
  if (whole) view.fit();
  else view.zoom(1, 0, 0);
  repaint(true);
}

async function begin() {
  $("title").textContent = facts.name;
  document.title = `${facts.name}: regions`;
  $("photo").src = facts.photo;
  const unpacked = await unpackTree(JSON.parse($("tree").textContent));
  tree = unpacked.tree;
  view = new RegionView($("canvas"), unpacked.map, facts.width, facts.height);
  steps = stepsOf(tree);
  $("slider").max = steps.length - 1;
  $("count").min = steps[0];
  $("count").max = tree.leaves;
  $("size").textContent =
    `${number(facts.width)} × ${number(facts.height)} · ${plural(tree.leaves, "base region")}`;
  drawHeights();
  start = { ...regionsChosen(facts.segments), kept: facts.kept };
  preview(start);
  wireLevel();
  wireStage();
  wireRest();
  new ResizeObserver(onResize).observe(stage);
  onResize();
  $("busy").hidden = true;
}

begin().catch((error) => {
  $("busy").textContent = `This page needs a browser of 2023 or later (${error.message}).`;
  throw error;
});
