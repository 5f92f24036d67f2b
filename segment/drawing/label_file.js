"use strict";
/* Label maps as files: PNG of 8 or 16 bits, which no canvas can write, and NPY beyond 65,535. */

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/* A chunk of a PNG: length, kind, content, checksum of the two. */
function chunk(kind, content) {
  const whole = new Uint8Array(content.length + 12);
  const numbers = new DataView(whole.buffer);
  numbers.setUint32(0, content.length);
  for (let i = 0; i < 4; i++) whole[4 + i] = kind.charCodeAt(i);
  whole.set(content, 8);
  numbers.setUint32(content.length + 8, crc32(whole.subarray(4, content.length + 8)));
  return whole;
}

/* The rows of a PNG, each after a 0 for "no filter"; 16 bits have the high byte first. */
function rowsOf(width, height, labelAt, deep) {
  const stride = 1 + width * (deep ? 2 : 1);
  const rows = new Uint8Array(stride * height);
  for (let y = 0, i = 0, k = 0; y < height; y++) {
    k++;
    for (let x = 0; x < width; x++, i++) {
      const label = labelAt(i);
      if (deep) rows[k++] = label >> 8;
      rows[k++] = label & 255;
    }
  }
  return rows;
}

async function pngOf(width, height, labelAt, deep) {
  const header = new Uint8Array(13);  // grey, deflated, not interlaced: zeros
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header[8] = deep ? 16 : 8;
  const rows = await deflate(rowsOf(width, height, labelAt, deep));
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const software = new TextEncoder().encode("Software\0meanshift-segment");
  const chunks = [["IHDR", header], ["tEXt", software], ["IDAT", rows], ["IEND", []]];
  return new Blob([signature, ...chunks.map(([kind, content]) => chunk(kind, content))]);
}

/* As NumPy's format 1.0 has it: the header ends on a multiple of 64 bytes. */
function npyOf(width, height, labelAt) {
  const said = `{'descr': '<i4', 'fortran_order': False, 'shape': (${height}, ${width}), }`;
  const length = Math.ceil((said.length + 11) / 64) * 64 - 10;
  const start = new Uint8Array(10);
  start.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 255, length >> 8]);
  const labels = new Int32Array(width * height);
  for (let i = 0; i < labels.length; i++) labels[i] = labelAt(i);
  return new Blob([start, `${said.padEnd(length - 1)}\n`, labels]);
}

/* A label map as the command writes it: how its name ends, and a promise of its content. */
function labelFile(width, height, labelAt, count) {
  if (count > 65535) return { ending: ".npy", content: npyOf(width, height, labelAt) };
  return { ending: ".png", content: pngOf(width, height, labelAt, count > 255) };
}
