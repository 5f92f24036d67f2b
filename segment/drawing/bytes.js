"use strict";
/* Bytes as text and back, deflated and inflated; what a page holds is packed by drawing/pages.py. */

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/* Send bytes through a stream that transforms them, and return the bytes that come out. */
async function through(stream, bytes) {
  const out = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(out).arrayBuffer());
}

const inflate = (bytes) => through(new DecompressionStream("deflate"), bytes);
const deflate = (bytes) => through(new CompressionStream("deflate"), bytes);

async function unpack(text, Kind) {
  return new Kind((await inflate(bytesOf(text))).buffer);
}
