// Message payloads whose every part can be told from every other, so that an echo with a piece lost, doubled or moved
// is not equal to what was sent.

// The sizes around which the frame's length field changes its form (RFC 6455 section 5.2), and one that no buffer
// holds.
export const sizes = [0, 1, 125, 126, 65535, 65536, 10 * 1024 * 1024];

export function bytes(size) {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = 0x9e3779b9 ^ size;
  for (let index = 0; index < words.length; ++index) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, size);
}

// The same numbers for the same seed.
export function randomNumbers(seed) {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

// Text that is `size` bytes long in UTF-8, with characters of one to four bytes.
export function text(size) {
  const pieces = [];
  let left = size;
  for (let index = 0; left > 0; ++index) {
    const piece = `${index} kestrel T\u00fcrkenfalke \ud669\uc870\ub871\uc774 \u{1f985} `;
    const length = Buffer.byteLength(piece);
    pieces.push(length <= left ? piece : '.'.repeat(left));
    left -= Math.min(length, left);
  }
  return pieces.join('');
}
