"use strict";
/* What all pages say alike. */

const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en").format;
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

function share(part, whole) {
  const percent = 100 * part / whole;
  return percent < 0.005 ? "< 0.01 %" : `${percent.toFixed(percent < 10 ? 2 : 1)} %`;
}
