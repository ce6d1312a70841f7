/**
 * What a picture by WebGL2 is made of: programs, layers of instances, shapes and textures.
 * @module
 */
import { SOURCES } from "./shaders.js";

/** @typedef {{program: WebGLProgram, uniforms: Record<string, WebGLUniformLocation | null>}} Program */

/** @param {WebGL2RenderingContext} gl @param {string[]} sources vertex and fragment shader @returns {Program} */
export function makeProgram(gl, sources) {
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

/** @param {WebGL2RenderingContext} gl @param {Program} program @param {Record<string, number | number[]>} uniforms */
export function use(gl, program, uniforms) {
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

/**
 * @param {WebGL2RenderingContext} gl
 * @param {keyof typeof SOURCES} program
 * @param {number} stride numbers from one instance to the next
 * @param {(string | number)[][]} attributes name, how many numbers, bytes before them
 */
export function makeLayer(gl, program, stride, attributes) {
  return { program, stride, attributes, buffer: gl.createBuffer(), vertices: /** @type {WebGLVertexArrayObject | null} */ (null), count: 0 };
}
/** @typedef {ReturnType<typeof makeLayer>} Layer */

/** @param {WebGL2RenderingContext} gl @param {Layer} layer @param {Program} program */
export function makeVertices(gl, { stride, attributes, buffer }, program) {
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

/** @typedef {{vertices: WebGLVertexArrayObject, buffer: WebGLBuffer, count: number, isIndexed: boolean}} Shape */

/**
 * @param {WebGL2RenderingContext} gl
 * @param {Float32Array} points
 * @param {Uint32Array} [indices]
 * @param {Shape} [old] whose buffer is used again
 * @returns {Shape}
 */
export function makeShape(gl, points, indices, old) {
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

/** @param {WebGL2RenderingContext} gl @param {HTMLCanvasElement} picture */
export function makeTexture(gl, picture) {
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
