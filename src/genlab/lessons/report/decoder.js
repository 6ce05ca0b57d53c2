// Runs a decoder that genlab.networks.portable wrote: z in, image out. No dependencies, no module system:
// the script leaves one name, GenlabDecoder, wherever it is run.
//
//     const decoder = GenlabDecoder.load(json);      // the weights are unpacked once
//     const image = decoder.decode(z);               // Float32Array (C·H·W) in [−1, 1]; the next call reuses it
//     GenlabDecoder.paint(canvas, image, decoder.shape);
//
// Inside, values lie as PyTorch lays them: channel, row, column.
globalThis.GenlabDecoder = (() => {
  "use strict";

  // Weights -----------------------------------------------------------------------------------------------

  function unpack(text, precision) {
    const letters = atob(text), bytes = new Uint8Array(letters.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
    if (precision === "float32") return new Float32Array(bytes.buffer);
    if (precision === "float16") {
      values ??= Float32Array.from({ length: 65536 }, (_, bits) => fromHalf(bits));
      const halves = new Uint16Array(bytes.buffer), out = new Float32Array(halves.length);
      for (let i = 0; i < out.length; i++) out[i] = values[halves[i]];
      return out;
    }
    throw new Error(`unknown precision ${precision}`);
  }

  let values = null;  // of every 16-bit pattern, made when first needed
  function fromHalf(bits) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }

  // Layers: each takes the shape of its input and returns {shape, run}, run(input) -> output ----------------

  // The weights (outputs, size) by groups of four outputs, (outputs / 4, size, 4), the last filled up with 0
  function inFours(weight, outputs, size) {
    const packed = new Float32Array(4 * Math.ceil(outputs / 4) * size);
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < size; i++) packed[((o >> 2) * size + i) * 4 + (o & 3)] = weight[o * size + i];
    return packed;
  }

  // out[o·stride + at] = bias[o] + weight[o, :] · x, where of x the `count` values are given that are not 0, after
  // a ReLU a half of them, and four times the places where they stand
  function product(packed, bias, value, index, count, size, out, at, stride) {
    for (let o = 0, base = 0; o < bias.length; o += 4, base += 4 * size) {
      let p = 0, q = 0, r = 0, s = 0;
      for (let i = 0; i < count; i++) {
        const v = value[i], a = base + index[i];
        p += packed[a] * v; q += packed[a + 1] * v; r += packed[a + 2] * v; s += packed[a + 3] * v;
      }
      out[o * stride + at] = bias[o] + p;
      if (o + 1 < bias.length) out[(o + 1) * stride + at] = bias[o + 1] + q;
      if (o + 2 < bias.length) out[(o + 2) * stride + at] = bias[o + 2] + r;
      if (o + 3 < bias.length) out[(o + 3) * stride + at] = bias[o + 3] + s;
    }
  }

  function linear(layer) {
    const { inputs, outputs, weight, bias } = layer, out = new Float32Array(outputs);
    const packed = inFours(weight, outputs, inputs);
    const value = new Float64Array(inputs), index = new Int32Array(inputs);
    function run(x) {
      let count = 0;
      for (let i = 0; i < inputs; i++) {
        value[count] = x[i];
        index[count] = 4 * i;
        count += x[i] !== 0;
      }
      product(packed, bias, value, index, count, inputs, out, 0, 1);
      return out;
    }
    return { shape: [outputs], run };
  }

  function conv3x3(layer, [channels, height, width]) {
    const { outputs, weight, bias } = layer, area = height * width;
    const out = new Float32Array(outputs * area), packed = inFours(weight, outputs, 9 * channels);
    const value = new Float64Array(9 * channels), index = new Int32Array(9 * channels);
    function gather(x, row, column) {  // what is not 0 in the 3×3 neighbourhood of every channel; how many
      const top = Math.max(0, row - 1), bottom = Math.min(height, row + 2);
      const left = Math.max(0, column - 1), right = Math.min(width, column + 2);
      let count = 0;
      for (let c = 0; c < channels; c++)
        for (let y = top; y < bottom; y++)
          for (let i = left, from = c * area + y * width, at = 9 * c + 3 * (y - row + 1) - column + 1; i < right; i++) {
            value[count] = x[from + i];
            index[count] = 4 * (at + i);
            count += x[from + i] !== 0;
          }
      return count;
    }
    function run(x) {
      for (let row = 0; row < height; row++)
        for (let column = 0; column < width; column++) {
          const count = gather(x, row, column);
          product(packed, bias, value, index, count, 9 * channels, out, row * width + column, area);
        }
      return out;
    }
    return { shape: [outputs, height, width], run };
  }

  const elementwise = (f) => (layer, shape) => {
    const out = new Float32Array(size(shape)), map = f(layer);
    function run(x) {
      for (let i = 0; i < out.length; i++) out[i] = map(x[i]);
      return out;
    }
    return { shape, run };
  };
  const relu = elementwise(() => (x) => (x > 0 ? x : 0));
  const leakyRelu = elementwise(({ slope }) => (x) => (x > 0 ? x : slope * x));
  const tanh = elementwise(() => Math.tanh);

  function affine({ scale, shift }, shape) {
    const out = new Float32Array(size(shape)), area = out.length / scale.length;
    function run(x) {
      for (let c = 0, i = 0; c < scale.length; c++)
        for (const end = i + area; i < end; i++) out[i] = scale[c] * x[i] + shift[c];
      return out;
    }
    return { shape, run };
  }

  function groupnorm(layer, shape) {
    const scaled = affine(layer, shape), total = size(shape), each = total / layer.groups;
    const out = new Float32Array(total);
    function run(x) {
      for (let start = 0; start < total; start += each) {
        let mean = 0, variance = 0;
        for (let i = start; i < start + each; i++) mean += x[i] / each;
        for (let i = start; i < start + each; i++) variance += (x[i] - mean) ** 2 / each;
        const inverse = 1 / Math.sqrt(variance + layer.eps);
        for (let i = start; i < start + each; i++) out[i] = (x[i] - mean) * inverse;
      }
      return scaled.run(out);
    }
    return { shape, run };
  }

  function residual(layer, shape) {
    const body = chain(layer.layers, shape), out = new Float32Array(size(shape));
    function run(x) {
      const change = body.run(x);
      for (let i = 0; i < out.length; i++) out[i] = x[i] + change[i];
      return out;
    }
    return { shape, run };
  }

  function pixelShuffle(layer, [four, height, width]) {
    const channels = four / 4, out = new Float32Array(four * height * width);
    function run(x) {
      for (let c = 0, i = 0; c < channels; c++)
        for (let dy = 0; dy < 2; dy++)
          for (let dx = 0; dx < 2; dx++)
            for (let row = 0; row < height; row++) {
              let to = (c * 2 * height + 2 * row + dy) * 2 * width + dx;
              for (let column = 0; column < width; column++, to += 2) out[to] = x[i++];
            }
      return out;
    }
    return { shape: [channels, 2 * height, 2 * width], run };
  }

  function crop({ top, left, height, width }, [channels, rows, columns]) {
    const out = new Float32Array(channels * height * width);
    function run(x) {
      for (let c = 0, i = 0; c < channels; c++)
        for (let row = 0; row < height; row++)
          for (let column = 0; column < width; column++)
            out[i++] = x[(c * rows + top + row) * columns + left + column];
      return out;
    }
    return { shape: [channels, height, width], run };
  }

  const MAPS = {
    identity: (raw) => raw,
    tanh: Math.tanh,
    "tanh-half": (raw) => Math.tanh(raw / 2),
    // 2 E[x] − 1 of the continuous Bernoulli, by its series near 0, where the exact form loses digits
    "continuous-bernoulli": (raw) =>
      Math.abs(raw) < 0.1 ? raw / 6 - raw ** 3 / 360 : 1 / Math.tanh(raw / 2) - 2 / raw,
  };

  function map(layer, shape) {
    const out = new Float32Array(size(shape)), image = MAPS[layer.name];
    if (!image) throw new Error(`unknown map ${layer.name}`);
    function run(x) {
      for (let i = 0; i < out.length; i++) out[i] = image(x[i]);
      return out;
    }
    return { shape, run };
  }

  const LAYERS = {
    linear, conv3x3, relu, tanh, affine, groupnorm, residual, crop, map,
    "leaky-relu": leakyRelu,
    "pixel-shuffle": pixelShuffle,
    reshape: (layer) => ({ shape: layer.shape, run: (x) => x }),
  };

  function chain(layers, shape) {
    const steps = [];
    for (const layer of layers) {
      if (!LAYERS[layer.kind]) throw new Error(`unknown layer ${layer.kind}`);
      const step = LAYERS[layer.kind](layer, shape);
      steps.push(step.run);
      shape = step.shape;
    }
    return { shape, run: (x) => steps.reduce((value, step) => step(value), x) };
  }

  const size = (shape) => shape.reduce((product, side) => product * side, 1);

  function unpacked(layer, precision) {
    const copy = { ...layer };
    for (const key of ["weight", "bias", "scale", "shift"])
      if (key in copy) copy[key] = unpack(copy[key], precision);
    if (copy.layers) copy.layers = copy.layers.map((inner) => unpacked(inner, precision));
    return copy;
  }

  // What others use -----------------------------------------------------------------------------------------

  function load(json) {
    if (json.format !== "genlab-decoder" || json.version !== 1) throw new Error("not a decoder of this version");
    const layers = json.layers.map((layer) => unpacked(layer, json.precision));
    const net = chain(layers, [json.latent_dim]);
    if (String(net.shape) !== String(json.shape)) throw new Error(`decodes to ${net.shape}, not ${json.shape}`);
    function decode(z) {
      if (z.length !== json.latent_dim) throw new Error(`z has ${z.length} numbers, not ${json.latent_dim}`);
      return net.run(z);
    }
    return { latentDim: json.latent_dim, shape: json.shape, decode };
  }

  // An image (C·H·W) in [−1, 1] of 1 or 3 channels as an ImageData
  function pixels(image, [channels, height, width]) {
    const area = height * width, data = new ImageData(width, height), rgba = data.data;
    for (let i = 0; i < area; i++) {
      for (let c = 0; c < 3; c++) rgba[4 * i + c] = 127.5 * (image[channels === 3 ? c * area + i : i] + 1);
      rgba[4 * i + 3] = 255;
    }
    return data;
  }

  function paint(canvas, image, shape) {
    const [, height, width] = shape;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    canvas.getContext("2d").putImageData(pixels(image, shape), 0, 0);
  }

  return { load, pixels, paint };
})();
