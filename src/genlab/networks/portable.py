"""A trained decoder as a plain list of layers, which anything can run: a browser does, in a few lines.

The layers are JSON. `kind` is one of

    linear         outputs × inputs, with bias
    conv3x3        outputs × inputs × 3 × 3, zero padding of one pixel, with bias
    affine         channel by channel: scale · x + shift
    groupnorm      as `affine`, after each group of channels was brought to mean 0 and variance 1
    relu           max(x, 0)
    leaky-relu     x where x > 0, else `slope` · x
    tanh           tanh(x)
    residual       x + layers(x)
    pixel-shuffle  (4C, H, W) -> (C, 2H, 2W)
    reshape        to `shape` (C, H, W)
    crop           rows `top` .. `top + height`, columns `left` .. `left + width`
    map            from raw values to the image in [−1, 1], one of `MAPS`

Weights are base64 of little-endian floats in PyTorch's order. Batch normalisation in evaluation mode is an
affine map; where a linear layer or a convolution stands before it, it is folded into that layer, exactly.
"""

from __future__ import annotations

import base64
from typing import Any

import torch
from torch import Tensor, nn

from genlab.errors import UserError
from genlab.networks.decoder import Decoder
from genlab.networks.observation import (
    Bernoulli,
    ContinuousBernoulli,
    DiscretisedLogistic,
    Gaussian,
    Observation,
)
from genlab.nn.blocks import Residual
from genlab.nn.norms import BatchNorm

Layer = dict[str, Any]
MAPS = ("tanh-half", "continuous-bernoulli", "tanh", "identity")
TRANSPARENT = ("reshape", "pixel-shuffle")  # they move numbers about, so an affine map passes through them


def portable(decoder: Decoder, observation: Observation, *, half: bool = False) -> dict[str, Any]:
    """`decoder` in evaluation mode, then `observation.image`, as JSON; weights in float16 where `half`.

    Float32 agrees with PyTorch to rounding; float16 is half the size and moves a pixel by about 0.001.
    Raises UserError where a layer or an observation has no portable form, or a weight does not fit.
    """
    layers = _walk(decoder.layers)
    *_, height, width = decoder.shape
    top, left = (side.start or 0 for side in decoder.crop)  # the whole side is slice(None)
    layers.append({"kind": "crop", "top": top, "left": left, "height": height, "width": width})
    layers.append({"kind": "map", "name": _map_name(observation)})
    precision = "float16" if half else "float32"
    return {
        "format": "genlab-decoder",
        "version": 1,
        "precision": precision,
        "latent_dim": decoder.latent_dim,
        "shape": list(decoder.shape),
        "layers": [_encoded(layer, precision) for layer in layers],
    }


def _map_name(observation: Observation) -> str:
    match observation:
        case Bernoulli():
            return "tanh-half"
        case ContinuousBernoulli():
            return "continuous-bernoulli"
        case DiscretisedLogistic():
            return "tanh"
        case Gaussian():
            return "identity" if observation.linear else "tanh"
    name = type(observation).__name__
    raise UserError(f"the observation {name} has no portable form; those of `genlab recipes` have one")


def _walk(modules: nn.Sequential) -> list[Layer]:
    """The layers of `modules` in order, weights still tensors, batch normalisation folded."""
    layers: list[Layer] = []
    for child in modules:  # not .children(), which names a shared activation once only
        for layer in _carry(child):
            if not (layer["kind"] == "affine" and _fold(layers, layer)):
                layers.append(layer)
    return layers


def _carry(module: nn.Module) -> list[Layer]:
    match module:
        case nn.Sequential():
            return _walk(module)
        case nn.Identity():
            return []
        case nn.ReLU():
            return [{"kind": "relu"}]
        case nn.LeakyReLU():
            return [{"kind": "leaky-relu", "slope": module.negative_slope}]
        case nn.Tanh():
            return [{"kind": "tanh"}]
        case nn.Linear():
            return [{"kind": "linear", **_weights(module)}]
        case nn.Conv2d(kernel_size=(3, 3), padding=(1, 1), stride=(1, 1), dilation=(1, 1), groups=1):
            if module.padding_mode == "zeros":
                return [{"kind": "conv3x3", **_weights(module)}]
        case nn.PixelShuffle(upscale_factor=2):
            return [{"kind": "pixel-shuffle"}]
        case nn.Unflatten():
            return [{"kind": "reshape", "shape": [int(size) for size in module.unflattened_size]}]
        case Residual():
            return [{"kind": "residual", "layers": _walk(module.body)}]
        case BatchNorm():
            scale = module.weight.double() * torch.rsqrt(module.running_var.double() + module.eps)
            return [{"kind": "affine", "scale": scale, "shift": module.bias - module.running_mean * scale}]
        case nn.GroupNorm():
            return [{"kind": "groupnorm", "groups": module.num_groups, "eps": module.eps,
                     "scale": module.weight, "shift": module.bias}]  # fmt: skip
    raise UserError(f"the layer {module} has no portable form; the decoders of `genlab recipes` have one")


def _weights(layer: nn.Linear | nn.Conv2d) -> Layer:
    bias = torch.zeros(len(layer.weight)) if layer.bias is None else layer.bias
    outputs, inputs = layer.weight.shape[:2]
    return {"inputs": inputs, "outputs": outputs, "weight": layer.weight, "bias": bias}


def _fold(layers: list[Layer], affine: Layer) -> bool:
    """Multiply `affine` into the linear layer or convolution that feeds it; whether there was one."""
    target = next((layer for layer in reversed(layers) if layer["kind"] not in TRANSPARENT), None)
    if target is None or target["kind"] not in ("linear", "conv3x3"):
        return False
    each = target["outputs"] // len(affine["scale"])  # outputs that end up in one channel, side by side
    scale, shift = (affine[name].double().repeat_interleave(each) for name in ("scale", "shift"))
    weight: Tensor = target["weight"].double()
    target["weight"] = weight * scale.view(-1, *[1] * (weight.dim() - 1))
    target["bias"] = target["bias"].double() * scale + shift
    return True


def _encoded(layer: Layer, precision: str) -> Layer:
    def code(value: Any) -> Any:
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return [_encoded(inner, precision) for inner in value]
        return _base64(value, precision) if isinstance(value, Tensor) else value

    return {key: code(value) for key, value in layer.items()}


def _base64(weights: Tensor, precision: str) -> str:
    numbers = weights.detach().cpu().contiguous().to(getattr(torch, precision)).numpy()
    if not bool(torch.isfinite(torch.from_numpy(numbers)).all()):
        raise UserError(f"a weight of the decoder does not fit into {precision}; export it in float32")
    return base64.b64encode(numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()).decode("ascii")
