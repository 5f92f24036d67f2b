"use strict";
/* A tree of regions: cut into segments as segment/regions/tree_cut.py does it, number for number.

   A region is a number: base region i is i, and merge j makes region leaves + j. Merges are in the
   order of their heights, so a level is the number of merges that are done. */

/* The nearest whole number, the even one of two: as NumPy rounds. */
function toEven(value) {
  const nearest = Math.round(value);
  return nearest - value === 0.5 && nearest % 2 ? nearest - 1 : nearest;
}

class RegionTree {
  constructor(leaves, children, heights, colors, sizes) {
    this.leaves = leaves;
    this.children = children;
    this.heights = heights;
    this.merges = heights.length;
    this.regions = leaves + this.merges;
    this.parents = new Int32Array(this.regions).fill(-1);
    children.forEach((child, k) => { this.parents[child] = leaves + (k >> 1); });
    this.sizes = new Float64Array(this.regions);
    this.sizes.set(sizes);
    this.colors = this.meanColors(colors);
  }

  /* Sizes and mean colours of all regions, from those of the base regions: sums of whole numbers,
     exact in any order. */
  meanColors(colors) {
    const sums = new Float64Array(3 * this.regions);
    colors.forEach((value, k) => { sums[k] = value * this.sizes[(k / 3) | 0]; });
    for (let j = 0; j < this.merges; j++) {
      const made = this.leaves + j;
      for (const child of this.childrenOf(made)) {
        this.sizes[made] += this.sizes[child];
        for (let c = 0; c < 3; c++) sums[3 * made + c] += sums[3 * child + c];
      }
    }
    return Uint8Array.from(sums, (sum, k) => toEven(sum / this.sizes[(k / 3) | 0]));
  }

  /* The two that a region was made of; none for a base region. */
  childrenOf(region) {
    const j = region - this.leaves;
    return j < 0 ? [] : [this.children[2 * j], this.children[2 * j + 1]];
  }

  colorOf(region) {
    return this.colors.subarray(3 * region, 3 * region + 3);
  }

  hexOf(region) {
    return [...this.colorOf(region)].map((value) => value.toString(16).padStart(2, "0")).join("");
  }

  /* The height at which a region came to be: 0 for a base region. */
  heightOf(region) {
    return region < this.leaves ? 0 : this.heights[region - this.leaves];
  }

  isWithin(region, other) {
    while (region >= 0 && region < other) region = this.parents[region];
    return region === other;
  }

  /* The level that does so many merges: the height of the last. */
  levelOf(merged) {
    return merged ? this.heights[merged - 1] : 0;
  }

  /* How many merges a level does: all up to its height. */
  mergedAt(level) {
    let [low, high] = [0, this.merges];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.heights[middle] <= level) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /* Which merges are done: the first ones, but for what the kept regions ask for. */
  done(merged, kept) {
    const done = new Uint8Array(this.merges).fill(1, 0, merged);
    for (const region of kept) {
      for (let above = this.parents[region]; above >= 0; above = this.parents[above]) {
        done[above - this.leaves] = 0;
      }
      const within = [region];
      while (within.length) {
        const one = within.pop();
        if (one < this.leaves) continue;
        done[one - this.leaves] = 1;
        within.push(...this.childrenOf(one));
      }
    }
    return done;
  }

  /* The segments: `labels` of the base regions by label, 0 for none, and the `regions` that the
     segments are, by label. */
  cut(merged, kept = []) {
    const done = this.done(merged, kept);
    const tops = new Int32Array(this.regions);
    for (let region = this.regions - 1; region >= 0; region--) {  // parents have higher numbers
      const parent = this.parents[region];
      tops[region] = parent >= 0 && done[parent - this.leaves] ? tops[parent] : region;
    }
    const labels = new Uint32Array(this.leaves + 1);
    const numbers = new Uint32Array(this.regions);
    const regions = [-1];
    for (let leaf = 0; leaf < this.leaves; leaf++) {
      const top = tops[leaf];
      if (!numbers[top]) numbers[top] = regions.push(top) - 1;
      labels[leaf + 1] = numbers[top];
    }
    return { labels, regions, count: regions.length - 1 };
  }
}

/* The tree and the map of its base regions that `packed_tree` made. */
async function unpackTree(packed) {
  const Labels = packed.wide ? Uint32Array : Uint16Array;
  const [labels, children, heights, colors, sizes] = await Promise.all([
    unpack(packed.labels, Labels),
    unpack(packed.children, Uint32Array),
    unpack(packed.heights, Float64Array),
    unpack(packed.colors, Uint8Array),
    unpack(packed.sizes, Float64Array),
  ]);
  return { map: labels, tree: new RegionTree(packed.leaves, children, heights, colors, sizes) };
}

/* Numbers of regions for the steps of a slider, from few to many: each one at first, then about
   `growth` times the one before. */
function stepsOf(tree, growth = 1.03) {
  const steps = [];
  for (let count = tree.leaves - tree.merges; count < tree.leaves;
    count = Math.max(count + 1, Math.floor(count * growth))) steps.push(count);
  steps.push(tree.leaves);
  return steps;
}

/* The step whose number of regions is nearest. */
function stepNear(steps, count) {
  let best = 0;
  steps.forEach((step, k) => {
    if (Math.abs(step - count) < Math.abs(steps[best] - count)) best = k;
  });
  return best;
}
