"use strict";
/* How the explorer shows what is chosen, in the picture and in words, and how it is taken along. */

/* Painting: at most once for each frame of the screen. */

const stroke = (lines, sides) => ({ lines: Uint32Array.from(lines), sides: Uint32Array.from(sides) });
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
    const [red, green, blue] = tree.colorOf(cut.regions[label]);
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

const short = (level) => String(+level.toPrecision(4));

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
  $("color").style.background = region < 0 ? "none" : `#${tree.hexOf(region)}`;
  $("lineage").textContent = region < 0 ? "" : lineageOf(region);
  $("readout").textContent = region < 0 ? "no region" : `label ${cut.labels[here.base]}: `
    + `${plural(tree.sizes[region], "pixel")}, `
    + `${share(tree.sizes[region], facts.width * facts.height)}, #${tree.hexOf(region)}`;
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
