"use strict";
/* Segments on a canvas, as far as they are in sight: a frame costs the pixels of the screen, whatever
   the size of the image.

   The base regions under the canvas's pixels are looked up when the view moves; when the slider
   moves, they are only recoloured. Lines are drawn where neighbours on the screen differ, so that
   they are as thin at every zoom. */

const MOST = 3e6;  // pixels of a canvas: beyond, screens of high density are drawn coarser

class RegionView {
  constructor(canvas, map, width, height) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { willReadFrequently: true });  // made by hand
    this.map = map;
    this.width = width;
    this.height = height;
    this.scale = 1;  // CSS pixels to a pixel of the image
    this.left = 0;  // where its corner lies, in CSS pixels from the canvas's
    this.top = 0;
  }

  resize(across, down, density) {
    this.across = across;
    this.down = down;
    this.density = Math.min(density, Math.sqrt(MOST / Math.max(1, across * down)));
    const { canvas } = this;
    canvas.width = Math.max(1, Math.round(across * this.density));
    canvas.height = Math.max(1, Math.round(down * this.density));
    this.line = Math.max(1, Math.round(this.density));  // width of lines, and margin all round
    this.stride = canvas.width + 2 * this.line;
    this.bases = new Uint32Array(this.stride * (canvas.height + 2 * this.line));
    this.segments = new Uint32Array(this.bases.length);
    this.picture = this.context.createImageData(canvas.width, canvas.height);
    this.words = new Uint32Array(this.picture.data.buffer);
  }

  /* The scale at which all of the image is in sight. */
  get fitting() {
    return Math.min(this.across / this.width, this.down / this.height);
  }

  fit() {
    this.scale = this.fitting;
    this.left = this.top = 0;
    this.hold();
  }

  move(right, down) {
    this.left += right;
    this.top += down;
    this.hold();
  }

  /* Zoom about a place of the canvas, which stays where it is. */
  zoom(factor, x, y) {
    const most = Math.max(40, this.fitting);
    const scale = Math.min(Math.max(this.scale * factor, this.fitting), most);
    this.left = x - (x - this.left) * scale / this.scale;
    this.top = y - (y - this.top) * scale / this.scale;
    this.scale = scale;
    this.hold();
  }

  /* Keep the image on the canvas: in the middle where it is smaller, without a gap where larger. */
  hold() {
    const held = (at, room, size) => (size <= room ? (room - size) / 2
      : Math.min(0, Math.max(room - size, at)));
    this.left = held(this.left, this.across, this.width * this.scale);
    this.top = held(this.top, this.down, this.height * this.scale);
  }

  /* The pixel of the image at a place of the canvas, or null beside it. */
  pixelAt(x, y) {
    const column = Math.floor((x - this.left) / this.scale);
    const row = Math.floor((y - this.top) / this.scale);
    const inside = column >= 0 && row >= 0 && column < this.width && row < this.height;
    return inside ? { column, row } : null;
  }

  baseAt(x, y) {
    const pixel = this.pixelAt(x, y);
    return pixel ? this.map[pixel.row * this.width + pixel.column] : 0;
  }

  /* Which line of pixels of the image each line of the canvas shows; beside it the nearest, so that
     there is no border where the image ends. */
  lines(count, start, size) {
    return Int32Array.from({ length: count }, (_, i) => {
      const at = Math.floor(((i - this.line + 0.5) / this.density - start) / this.scale);
      return Math.min(Math.max(at, 0), size - 1);
    });
  }

  sample() {
    const { bases, map, width, stride } = this;
    const columns = this.lines(stride, this.left, width);
    const rows = this.lines(bases.length / stride, this.top, this.height);
    for (let y = 0, k = 0; y < rows.length; y++) {
      const start = rows[y] * width;
      for (let x = 0; x < stride; x++, k++) {
        bases[k] = map[start + columns[x]];
      }
    }
  }

  /* The part of the canvas that the image covers, to the whole pixel. */
  inSight() {
    const { canvas, density, left, top, scale } = this;
    return {
      x0: Math.max(0, Math.floor(left * density)),
      y0: Math.max(0, Math.floor(top * density)),
      x1: Math.min(canvas.width, Math.ceil((left + this.width * scale) * density)),
      y1: Math.min(canvas.height, Math.ceil((top + this.height * scale) * density)),
    };
  }

  /* Paint the segments.

     `labels` has the segment of each base region, `fills` the colour of each segment, `marks` the
     mark of each; `lines` and `sides` have the colours of lines and of what lies along them by the
     higher mark of the two segments, 0 where none is drawn. Colours are words, red lowest. */
  paint(labels, fills, marks, lines, sides) {
    const { bases, segments, words, stride, line } = this;
    for (let k = 0; k < bases.length; k++) segments[k] = labels[bases[k]];
    const { width, height } = this.canvas;
    const { x0, y0, x1, y1 } = this.inSight();
    const below = line * stride;
    const tone = (tones, a, b, c) => tones[Math.max(marks[a], marks[b], marks[c])];
    for (let y = y0; y < y1; y++) {
      for (let x = x0, k = (y + line) * stride + x + line; x < x1; x++, k++) {
        const here = segments[k];
        const right = segments[k + line];
        const under = segments[k + below];
        const left = segments[k - line];
        const over = segments[k - below];
        let word = 0;
        if (here !== right || here !== under) word = tone(lines, here, right, under);
        else if (here !== left || here !== over) word = tone(sides, here, left, over);
        words[y * width + x] = word || fills[here];
      }
    }
    this.context.clearRect(0, 0, width, height);
    this.context.putImageData(this.picture, 0, 0, x0, y0, x1 - x0, y1 - y0);
  }
}
