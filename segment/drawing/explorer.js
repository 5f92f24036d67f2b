"use strict";
/* The explorer's page is set up: what is in it is unpacked, and what can be used is wired. */

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
