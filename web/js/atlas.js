/**
 * The pictures that are drawn at aircraft, airports and labels: made once on a canvas, one cell each.
 */

/** Pixels of a cell, and cells in a row. */
export const CELL = 64;
export const COLUMNS = 8;
/** Pixels of a character's cell, and characters in a row, from 33 on. */
export const GLYPH = 32;
export const GLYPH_COLUMNS = 16;

/** Outlines on a square from -1 to 1 that point up: half of them, from the nose back; the other half is their mirror. */
const OUTLINES = {
  jet: [[0, -0.95], [0.11, -0.78], [0.13, -0.3], [0.88, 0.2], [0.88, 0.36], [0.13, 0.16], [0.1, 0.62], [0.38, 0.82], [0.38, 0.95], [0, 0.86]],
  heavy: [[0, -1], [0.15, -0.8], [0.17, -0.36], [0.42, -0.2], [0.43, -0.32], [0.54, -0.32], [0.55, -0.1], [1, 0.24], [1, 0.4], [0.17, 0.14], [0.13, 0.6], [0.44, 0.82], [0.44, 0.97], [0, 0.86]],
  light: [[0, -0.8], [0.12, -0.72], [0.13, -0.36], [0.95, -0.3], [0.95, -0.06], [0.13, 0.0], [0.08, 0.58], [0.36, 0.64], [0.36, 0.8], [0, 0.82]],
};

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number[][]} half
 */
function outline(context, half) {
  context.beginPath();
  half.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  for (const [x, y] of [...half].reverse()) context.lineTo(-x, y);
  context.closePath();
}

/** @type {((context: CanvasRenderingContext2D) => void)[]} in the order of `SHAPES` */
const SHAPES = [
  (c) => outline(c, OUTLINES.jet),
  (c) => outline(c, OUTLINES.heavy),
  (c) => outline(c, OUTLINES.light),
  (c) => {
    c.beginPath();
    c.ellipse(0, -0.1, 0.2, 0.42, 0, 0, 7);
    c.rect(-0.05, 0.2, 0.1, 0.7);
    c.rect(-0.22, 0.78, 0.44, 0.1);
    for (const angle of [0.8, 2.37]) {
      const [x, y] = [Math.cos(angle) * 0.85, Math.sin(angle) * 0.85];
      c.moveTo(x - 0.05, y - 0.1);
      c.lineTo(-x - 0.05, -y - 0.1);
      c.lineTo(-x + 0.05, -y - 0.1);
      c.lineTo(x + 0.05, y - 0.1);
      c.closePath();
    }
  },
  (c) => {
    c.beginPath();
    c.arc(0, 0, 0.42, 0, 7);
  },
];

/** @param {number} columns @param {number} rows @param {number} size */
function canvasOf(columns, rows, size) {
  const canvas = document.createElement("canvas");
  canvas.width = columns * size;
  canvas.height = rows * size;
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
}

/** @returns {HTMLCanvasElement} red is where a shape is, green where its outline is */
export function shapes() {
  const context = canvasOf(COLUMNS, 1, CELL);
  context.globalCompositeOperation = "lighter";
  context.lineJoin = "round";
  const at = (/** @type {number} */ cell, /** @type {() => void} */ draw) => {
    context.save();
    context.translate((cell + 0.5) * CELL, CELL / 2);
    context.scale(CELL * 0.4, CELL * 0.4);
    draw();
    context.restore();
  };
  SHAPES.forEach((path, cell) =>
    at(cell, () => {
      path(context);
      context.strokeStyle = "#0f0";
      context.lineWidth = 0.24;
      context.stroke();
      context.fillStyle = "#f00";
      context.fill();
    }));
  at(5, () => {
    context.strokeStyle = "#f00";
    context.lineWidth = 0.13;
    for (let i = 0; i < 4; i++) {
      context.beginPath();
      context.arc(0, 0, 1, i * 1.571 + 0.25, i * 1.571 + 1.32);
      context.stroke();
    }
  });
  // An airport as charts have it: a ring with the ends of a runway.
  at(6, () => {
    context.strokeStyle = "#f00";
    context.lineWidth = 0.2;
    context.beginPath();
    context.arc(0, 0, 0.7, 0, 7);
    for (const angle of [0.5, 2.07, 3.64, 5.21]) {
      context.moveTo(Math.cos(angle) * 0.7, Math.sin(angle) * 0.7);
      context.lineTo(Math.cos(angle) * 1.1, Math.sin(angle) * 1.1);
    }
    context.stroke();
  });
  return context.canvas;
}

/** @type {Record<number, string>} characters in whose places there are others */
const ARROWS = { 94: "↑", 95: "↓" };

/** @returns {HTMLCanvasElement} characters: red is where they are, green is around them */
export function glyphs() {
  const context = canvasOf(GLYPH_COLUMNS, 6, GLYPH);
  context.globalCompositeOperation = "lighter";
  context.font = "600 22px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  for (let code = 33; code < 127; code++) {
    const text = ARROWS[code] ?? String.fromCharCode(code);
    const x = (((code - 33) % GLYPH_COLUMNS) + 0.5) * GLYPH;
    const y = (Math.floor((code - 33) / GLYPH_COLUMNS) + 0.5) * GLYPH;
    context.lineWidth = 6;
    context.strokeStyle = "#0f0";
    context.strokeText(text, x, y);
    context.fillStyle = "#f00";
    context.fillText(text, x, y);
  }
  return context.canvas;
}
