"use strict";
/* What is chosen in the explorer, and how a click changes it.

   A choice is a number of merges that are done, and regions that are kept: segments at a level of
   their own. Splitting a region keeps its two halves, merging it keeps what it becomes part of. */

const facts = JSON.parse($("facts").textContent);
const stage = $("stage");

let tree;
let view;  // of the picture
let steps;  // numbers of regions that the slider stops at
let cut;  // the segments of the choice
let choice = { merged: 0, kept: [] };
let start;  // the first choice
const trail = { past: [], future: [] };
let here = { x: 0, y: 0, base: 0 };  // where the pointer or the cross is, and the base region there
const checked = (name) => document.querySelector(`input[name=${name}]:checked`).value;

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
