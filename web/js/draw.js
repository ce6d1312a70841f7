/**
 * Draws the map by WebGL2: land, borders, graticule, tracks, airports, aircraft and labels.
 *
 * Aircraft and labels are carried forward by the vertex shader; the page's own thread only says what time it is.
 */
import { glyphs, shapes } from "./atlas.js";
import { toX, toY } from "./geo.js";
import { GLYPH_STRIDE, STRIDE, TRACK_STRIDE } from "./picture.js";
import { SOURCES } from "./shaders.js";

/**
 * @typedef {object} Theme colours from 0 to 1
 * @property {number[]} water
 * @property {number[]} land
 * @property {number[]} coast
 * @property {number[]} border
 * @property {number[]} grid
 * @property {number[]} halo
 * @property {number[][]} ramp for every 5,000 feet
 * @property {number[][]} ways altitude (unused), ground, emergency, selected, airport, text, quiet
 */

/** @typedef {{x: number, y: number, zoom: number, width: number, height: number}} Camera */

export class Painter {
  /**
   * @param {HTMLCanvasElement} canvas
   * @throws {Error} there is no WebGL2
   */
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: true, stencil: true, alpha: true, powerPreference: "low-power" });
    if (!gl) throw new Error("no WebGL2");
    this.canvas = canvas;
    this.gl = gl;
    /** @type {Theme | null} */
    this.theme = null;
    this.hasBasemap = false;
    /** @type {Partial<Record<keyof typeof SOURCES, Program>>} made when they are first needed, one in a drawing */
    this.programs = {};
    this.mayMake = true;
    this.isComplete = true;
    /** @type {WebGLTexture | null} */
    this.shapes = null;
    /** @type {WebGLTexture | null} */
    this.glyphs = null;
    this.nothing = gl.createVertexArray();
    const sprite = [["a_at", 2, 0], ["a_by", 2, 8], ["a_more", 4, 16]];
    this.layers = {
      tracks: this.#layer("track", TRACK_STRIDE, [["a_ends", 4, 0], ["a_look", 2, 16]]),
      airports: this.#layer("sprites", STRIDE, sprite),
      aircraft: this.#layer("sprites", STRIDE, sprite),
      text: this.#layer("text", GLYPH_STRIDE, [["a_at", 2, 0], ["a_by", 2, 8], ["a_time", 2, 16], ["a_down", 2, 24], ["a_look", 1, 32]]),
    };
    /** How far west and east it reaches, too: beyond its square. @type {{coasts: Plain, borders: Plain, fill: Plain, grid: Plain, west: number, east: number} | null} */
    this.world = null;
    this.gridStep = 0;
  }

  /** @param {{corners: Float32Array, triangles: Uint32Array, coasts: Float32Array, borders: Float32Array}} world */
  setWorld(world) {
    const across = world.corners.filter((_, i) => i % 2 === 0);
    this.world = {
      coasts: this.#plain(world.coasts),
      borders: this.#plain(world.borders),
      fill: this.#plain(world.corners, world.triangles),
      grid: this.#plain(new Float32Array(0)),
      west: across.reduce((a, b) => Math.min(a, b)),
      east: across.reduce((a, b) => Math.max(a, b)),
    };
    this.gridStep = 0;
  }

  /** @param {"tracks" | "airports" | "aircraft" | "text"} name @param {Float32Array} data */
  set(name, data) {
    const layer = this.layers[name];
    const { gl } = this;
    layer.count = data.length / layer.stride;
    gl.bindBuffer(gl.ARRAY_BUFFER, layer.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
  }

  /**
   * @param {Camera} camera
   * @param {number} now seconds after the aircraft's origin
   * @param {number} ratio device pixels in a CSS pixel
   * @returns {boolean} whether all of it was drawn: if not, a program is still to be made, with the next drawing
   */
  draw(camera, now, ratio) {
    const { gl, theme } = this;
    if (!theme) return true;
    this.mayMake = this.isComplete = true;
    this.#ready("sprites"); // aircraft wait for nothing else
    const width = Math.round(camera.width * ratio);
    const height = Math.round(camera.height * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    gl.viewport(0, 0, width, height);
    const [red, green, blue] = theme.water;
    if (this.hasBasemap) gl.clearColor(0, 0, 0, 0);
    else gl.clearColor(red, green, blue, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.STENCIL_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const scale = 256 * 2 ** camera.zoom;
    const high = [Math.fround(camera.x), Math.fround(camera.y)];
    const view = {
      u_high: high,
      u_low: [camera.x - high[0], camera.y - high[1]],
      u_pixels: [(scale * 2) / camera.width, (scale * 2) / camera.height],
    };
    if (this.world && !this.hasBasemap) this.#drawWorld(this.world, camera, view);
    const carried = { ...view, u_wrap: 2, u_now: now, u_screen: [width, height], u_ramp: theme.ramp.flat(), u_colours: theme.ways.flat(), u_halo: theme.halo };
    this.#drawLayer("tracks", { ...carried, u_width: 3.2 * ratio });
    const size = Math.max(9, Math.min(17, 4.4 + camera.zoom * 1.5)) * ratio;
    gl.bindTexture(gl.TEXTURE_2D, (this.shapes ??= this.#texture(shapes())));
    this.#drawLayer("airports", { ...carried, u_size: Math.max(9 * ratio, size) });
    this.#drawLayer("aircraft", { ...carried, u_size: size });
    if (this.layers.text.count && this.#ready("text")) {
      gl.bindTexture(gl.TEXTURE_2D, (this.glyphs ??= this.#texture(glyphs())));
      this.#drawLayer("text", { ...carried, u_ratio: ratio });
    }
    return this.isComplete;
  }

  /**
   * @param {NonNullable<Painter["world"]>} world
   * @param {Camera} camera
   * @param {Record<string, number[]>} view
   */
  #drawWorld(world, camera, view) {
    const { gl } = this;
    const theme = /** @type {Theme} */ (this.theme);
    const land = this.#ready("land");
    const screen = this.#ready("screen");
    if (!land || !screen) return;
    const step = camera.zoom < 3.2 ? 30 : camera.zoom < 5 ? 10 : camera.zoom < 7.5 ? 5 : 1;
    if (step !== this.gridStep) {
      world.grid = this.#plain(graticule(step), undefined, world.grid);
      this.gridStep = step;
    }
    const half = camera.width / 2 / (256 * 2 ** camera.zoom);
    const copies = [-1, 0, 1].filter((copy) => camera.x - half < world.east + copy && camera.x + half > world.west + copy);
    const draw = (/** @type {Plain} */ shape, /** @type {number} */ mode, /** @type {number[]} */ colour) => {
      gl.bindVertexArray(shape.vertices);
      for (const copy of copies) {
        this.#use(land, { ...view, u_wrap: copy, u_colour: colour });
        if (shape.isIndexed) gl.drawElements(mode, shape.count, gl.UNSIGNED_INT, 0);
        else gl.drawArrays(mode, 0, shape.count);
      }
    };
    // What is in an odd number of triangles is land.
    gl.enable(gl.STENCIL_TEST);
    gl.colorMask(false, false, false, false);
    gl.stencilFunc(gl.ALWAYS, 0, 1);
    gl.stencilOp(gl.INVERT, gl.INVERT, gl.INVERT);
    draw(world.fill, gl.TRIANGLES, [0, 0, 0, 1]);
    gl.colorMask(true, true, true, true);
    gl.stencilFunc(gl.EQUAL, 1, 1);
    gl.stencilOp(gl.KEEP, gl.KEEP, gl.KEEP);
    gl.bindVertexArray(this.nothing);
    this.#use(screen, { u_colour: [...theme.land, 1] });
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.disable(gl.STENCIL_TEST);
    draw(world.grid, gl.LINES, [...theme.grid, 1]);
    if (camera.zoom > 2.6) draw(world.borders, gl.LINES, [...theme.border, 1]);
    draw(world.coasts, gl.LINES, [...theme.coast, 1]);
  }

  /** @param {keyof Painter["layers"]} name @param {Record<string, number | number[]>} uniforms */
  #drawLayer(name, uniforms) {
    const layer = this.layers[name];
    const program = layer.count ? this.#ready(layer.program) : null;
    if (!program) return;
    this.#use(program, uniforms);
    this.gl.bindVertexArray((layer.vertices ??= this.#vertices(layer, program)));
    this.gl.drawArraysInstanced(this.gl.TRIANGLE_STRIP, 0, 4, layer.count);
  }

  /** @param {Program} program @param {Record<string, number | number[]>} uniforms */
  #use(program, uniforms) {
    const { gl } = this;
    gl.useProgram(program.program);
    for (const [name, value] of Object.entries(uniforms)) {
      const at = program.uniforms[name];
      if (!at) continue;
      if (typeof value === "number") gl.uniform1f(at, value);
      else if (name === "u_ramp" || name === "u_colours" || value.length === 3) gl.uniform3fv(at, value);
      else if (value.length === 2) gl.uniform2fv(at, value);
      else gl.uniform4fv(at, value);
    }
  }

  /** @typedef {{program: WebGLProgram, uniforms: Record<string, WebGLUniformLocation | null>}} Program */

  /** @param {keyof typeof SOURCES} name @returns {Program | null} none if another one was made in this drawing */
  #ready(name) {
    const made = this.programs[name];
    if (made) return made;
    if (!this.mayMake) {
      this.isComplete = false;
      return null;
    }
    this.mayMake = false;
    return (this.programs[name] = this.#program(SOURCES[name]));
  }

  /** @param {string[]} sources vertex and fragment shader @returns {Program} */
  #program(sources) {
    const { gl } = this;
    const program = gl.createProgram();
    [gl.VERTEX_SHADER, gl.FRAGMENT_SHADER].forEach((kind, i) => {
      const shader = /** @type {WebGLShader} */ (gl.createShader(kind));
      gl.shaderSource(shader, sources[i]);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost())
        throw new Error(`shader: ${gl.getShaderInfoLog(shader)}`);
      gl.attachShader(program, shader);
    });
    gl.bindAttribLocation(program, 0, "a_at");
    gl.linkProgram(program);
    /** @type {Program["uniforms"]} */
    const uniforms = {};
    const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS);
    for (let i = 0; i < count; i++) {
      const name = /** @type {WebGLActiveInfo} */ (gl.getActiveUniform(program, i)).name.replace("[0]", "");
      uniforms[name] = gl.getUniformLocation(program, name);
    }
    return { program, uniforms };
  }

  /**
   * @param {keyof typeof SOURCES} program
   * @param {number} stride
   * @param {(string | number)[][]} attributes name, how many numbers, bytes before them
   */
  #layer(program, stride, attributes) {
    return { program, stride, attributes, buffer: this.gl.createBuffer(), vertices: /** @type {WebGLVertexArrayObject | null} */ (null), count: 0 };
  }

  /** @param {Painter["layers"]["text"]} layer @param {Program} program */
  #vertices({ stride, attributes, buffer }, program) {
    const { gl } = this;
    const vertices = gl.createVertexArray();
    gl.bindVertexArray(vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    for (const [name, size, offset] of attributes) {
      const at = gl.getAttribLocation(program.program, String(name));
      if (at < 0) continue;
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, Number(size), gl.FLOAT, false, stride * 4, Number(offset));
      gl.vertexAttribDivisor(at, 1);
    }
    return vertices;
  }

  /** @typedef {{vertices: WebGLVertexArrayObject, buffer: WebGLBuffer, count: number, isIndexed: boolean}} Plain */

  /**
   * @param {Float32Array} points
   * @param {Uint32Array} [indices]
   * @param {Plain} [old] whose buffer is used again
   * @returns {Plain}
   */
  #plain(points, indices, old) {
    const { gl } = this;
    const vertices = old?.vertices ?? gl.createVertexArray();
    const buffer = old?.buffer ?? gl.createBuffer();
    gl.bindVertexArray(vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, points, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    if (indices) {
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
    }
    return { vertices, buffer, count: indices ? indices.length : points.length / 2, isIndexed: !!indices };
  }

  /** @param {HTMLCanvasElement} picture */
  #texture(picture) {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    return texture;
  }
}

/** @param {number} step degrees @returns {Float32Array} meridians and parallels */
export function graticule(step) {
  const points = [];
  for (let longitude = -180; longitude < 180; longitude += step) points.push(toX(longitude), 0, toX(longitude), 1);
  for (let latitude = Math.ceil(-80 / step) * step; latitude <= 80; latitude += step) points.push(0, toY(latitude), 1, toY(latitude));
  return Float32Array.from(points);
}

