#!/usr/bin/env python3
"""PyTorch on this machine, on the questions that Ridgepoint is asked.

usage: peer.py --output FILE [--device cuda|cpu] [--tiny] [--seconds N]

Measures, each figure by itself and the file written after each: the bandwidth of a copy; products of Llama-2-7B's
shapes for many rows (torch's matmul) and for few (in a CUDA graph, weights in rotation so that no cache holds them);
and Llama-2-7B with random f16 weights, as transformers has it and as plain PyTorch, each with a static cache, step by
step and in CUDA graphs: milliseconds to a first token and for each token after. A figure that fails is named under
"errors" and costs no other. Times are medians; products and copies by the device's events, tokens by the host's clock,
a token being had when it is on the host.
"""

import argparse
import contextlib
import json
import math
import os
import statistics
import sys
import time

BEGUN = time.monotonic()

SEVEN_B = dict(hidden=4096, intermediate=11008, layers=32, heads=32, kv_heads=32, vocab=32000, positions=4096)
TINY = dict(hidden=64, intermediate=128, layers=2, heads=4, kv_heads=4, vocab=256, positions=256)
MIB = 1 << 20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", required=True)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--tiny", action="store_true", help="a small model and few points, to try the program")
    parser.add_argument("--seconds", type=float, default=150, help="begin nothing new after that many")
    return parser.parse_args()


class Report:
    """What is known so far, in the file after each figure."""

    def __init__(self, path, seconds):
        self.path = path
        self.until = BEGUN + seconds
        self.data = dict(version=1, sample=False, complete=False, date=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        self.data.update(copy=None, mm=[], gemv=[], llama=[], seconds={}, errors={})

    def write(self):
        with open(self.path + ".part", "w") as file:
            json.dump(self.data, file, indent=1)
            file.write("\n")
        os.replace(self.path + ".part", self.path)

    def figure(self, name, measure):
        """Runs `measure`, whatever becomes of it. Returns whether it went well."""
        if time.monotonic() > self.until:
            self.data["errors"][name] = "no time left"
            self.write()
            return False
        begun = time.monotonic()
        try:
            measure()
            good = True
        except BaseException as error:  # a missing kernel raises more than Exception
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            self.data["errors"][name] = f"{type(error).__name__}: {error}"[:600]
            good = False
        self.data["seconds"][name] = round(time.monotonic() - begun, 3)
        self.write()
        said = "done" if good else self.data["errors"][name].split("\n")[0]
        print(f"{time.monotonic() - BEGUN:7.1f} s  {name}: {said}", flush=True)
        return good


options = arguments()
report = Report(options.output, options.seconds)
report.write()
cuda = options.device == "cuda"
torch = F = None


def load_torch():
    global torch, F
    import torch as module
    import torch.nn.functional as functional

    torch, F = module, functional
    report.data["torch"] = torch.__version__
    report.data["python"] = sys.version.split()[0]
    if cuda:
        if not torch.cuda.is_available():
            raise RuntimeError("torch.cuda.is_available() is false")
        properties = torch.cuda.get_device_properties(0)
        report.data["device"] = properties.name
        report.data["multiprocessors"] = properties.multi_processor_count
        report.data["memory_bytes"] = properties.total_memory
        torch.zeros(1, device="cuda").item()
    else:
        report.data["device"] = "cpu"
    torch.manual_seed(1)
    torch.set_grad_enabled(False)


def sync():
    if cuda:
        torch.cuda.synchronize()


def host_ms(run, runs, warm=2):
    """Median milliseconds of `run` on the host's clock; it must end with what it made being on the host."""
    times = []
    for at in range(warm + runs):
        sync()
        begun = time.perf_counter()
        run()
        if at >= warm:
            times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times)


def device_ms(run, runs, warm=3):
    """Median milliseconds of what `run` gives the device."""
    if not cuda:
        return host_ms(run, runs, warm)
    times = []
    for at in range(warm + runs):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        end.synchronize()
        if at >= warm:
            times.append(begin.elapsed_time(end))
    return statistics.median(times)


def captured(run, before=lambda: None):
    """`run` as a CUDA graph: a function that replays it. `before` comes before each run, and is not in the graph."""
    if not cuda:
        raise RuntimeError("CUDA graphs need CUDA")
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(2):
            before()
            run()
    torch.cuda.current_stream().wait_stream(side)
    before()
    sync()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def dtype():
    return torch.float16 if cuda else torch.float32


def random(*shape, scale=0.02):
    return torch.empty(*shape, dtype=dtype(), device=options.device).normal_(0, scale)


# --- copy and products -------------------------------------------------------------------------------------------


def copy():
    size = 8 * MIB if options.tiny else 4096 * MIB
    source = torch.zeros(size, dtype=torch.uint8, device=options.device)
    target = torch.empty_like(source)
    ms = device_ms(lambda: target.copy_(source), 10)
    report.data["copy"] = dict(bytes=2 * size, ms=ms, bytes_per_second=2 * size / ms * 1000)


def shapes(model):
    h, i = model["hidden"], model["intermediate"]
    queries, pairs = h, 2 * h * model["kv_heads"] // model["heads"]
    return [
        ("qkv", queries + pairs, h),
        ("o_proj", h, h),
        ("gate_up", 2 * i, h),
        ("down_proj", h, i),
        ("lm_head", model["vocab"], h),
    ]


def copies_of(n, k):
    """Weights enough that no cache serves them."""
    size = n * k * (2 if cuda else 4)
    return [random(n, k) for _ in range(max(1, math.ceil((MIB if options.tiny else 1024 * MIB) / size)))]


def product(rows, operation, n, k):
    weights = copies_of(n, k)
    x = random(rows, k, scale=1)
    turn = [0]

    def run():
        turn[0] += 1
        torch.mm(x, weights[turn[0] % len(weights)].t())

    ms = device_ms(run, 10)
    rate = 2 * rows * n * k / ms / 1e9
    report.data["mm"].append(dict(operation=operation, rows=rows, n=n, k=k, ms=ms, tflop_per_s=rate))


def few_rows(rows, operation, n, k):
    weights = copies_of(n, k)
    x = random(rows, k, scale=1)

    def run():
        for weight in weights:
            F.linear(x, weight)

    ms = device_ms(captured(run) if cuda else run, 10) / len(weights)
    bytes_read = n * k * weights[0].element_size()
    report.data["gemv"].append(dict(operation=operation, rows=rows, n=n, k=k, ms=ms, gb_per_s=bytes_read / ms / 1e6))


# --- Llama as plain PyTorch --------------------------------------------------------------------------------------


def attend(q, k, v, causal):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if causal:
        scores += torch.full(scores.shape[-2:], -math.inf, device=q.device, dtype=q.dtype).triu(1)
    return scores.softmax(-1) @ v


class PlainLlama:
    """Fused projections, a static cache, no classes of modules: what a careful user would write in an afternoon."""

    name = "plain PyTorch"

    def __init__(self, model):
        self.model = model
        h, i, vocab = model["hidden"], model["intermediate"], model["vocab"]
        self.dim = h // model["heads"]
        rows = h + 2 * self.dim * model["kv_heads"]
        self.embedding, self.head, self.norm = random(vocab, h), random(vocab, h), random(h, scale=1)
        self.layers = [
            (random(h, scale=1), random(rows, h), random(h, h), random(h, scale=1), random(2 * i, h), random(h, i))
            for _ in range(model["layers"])
        ]
        angles = torch.outer(
            torch.arange(model["positions"]).float(), 10000 ** (-torch.arange(0, self.dim, 2).float() / self.dim)
        )
        angles = torch.cat([angles, angles], -1).to(options.device)
        self.cos, self.sin = angles.cos().to(dtype()), angles.sin().to(dtype())

    def cache(self, batch, length):
        shape = (batch, self.model["kv_heads"], length, self.dim)
        zeros = lambda: torch.zeros(shape, dtype=dtype(), device=options.device)
        return [(zeros(), zeros()) for _ in self.layers]

    def rewind(self, cache, tokens):
        pass

    def normed(self, x, weight):
        if hasattr(F, "rms_norm"):
            return F.rms_norm(x, (x.shape[-1],), weight, 1e-5)
        wide = x.float()
        return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-5)).to(x.dtype) * weight

    def forward(self, ids, at, cache):
        """ids: [batch, tokens], at: [tokens] positions. Returns the next token of each sequence."""
        batch, tokens = ids.shape
        heads, kv_heads, dim = self.model["heads"], self.model["kv_heads"], self.dim
        cos, sin = self.cos[at], self.sin[at]

        def rotated(x):
            left, right = x.chunk(2, -1)
            return x * cos + torch.cat([-right, left], -1) * sin

        x = F.embedding(ids, self.embedding)
        for (n1, qkv, o, n2, gate_up, down), (keys, values) in zip(self.layers, cache):
            parts = F.linear(self.normed(x, n1), qkv).view(batch, tokens, heads + 2 * kv_heads, dim).transpose(1, 2)
            q, k, v = parts.split([heads, kv_heads, kv_heads], 1)
            q, k = rotated(q), rotated(k)
            keys.index_copy_(2, at, k)
            values.index_copy_(2, at, v)
            # A decode step reads the whole cache, which is as long as the context that is asked about.
            k, v = (k, v) if tokens > 1 else (keys, values)
            k, v = (each.repeat_interleave(heads // kv_heads, 1) if heads > kv_heads else each for each in (k, v))
            mixed = attend(q, k, v, tokens > 1).transpose(1, 2).reshape(batch, tokens, heads * dim)
            x = x + F.linear(mixed, o)
            gate, up = F.linear(self.normed(x, n2), gate_up).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, down)
        return F.linear(self.normed(x[:, -1], self.norm), self.head).argmax(-1, keepdim=True)


# --- Llama of transformers ---------------------------------------------------------------------------------------


class TransformersLlama:
    name = "transformers"

    def __init__(self, model):
        import transformers

        self.library = transformers
        self.config = transformers.ModelConfig(
            hidden_size=model["hidden"],
            intermediate_size=model["intermediate"],
            num_hidden_layers=model["layers"],
            num_attention_heads=model["heads"],
            num_key_value_heads=model["kv_heads"],
            vocab_size=model["vocab"],
            max_position_embeddings=model["positions"],
        )
        report.data["transformers"] = transformers.__version__
        before = torch.get_default_dtype()
        torch.set_default_dtype(dtype())
        try:
            with torch.device(options.device) if hasattr(torch.device, "__enter__") else contextlib.nullcontext():
                self.llama = transformers.LlamaForCausalLM(self.config)
        finally:
            torch.set_default_dtype(before)
        self.llama = self.llama.to(device=options.device, dtype=dtype()).eval()
        for weight in self.llama.parameters():
            weight.data.normal_(0, 0.02)
        self.mask = False

    def cache(self, batch, length):
        made = self.library.StaticCache
        try:
            return made(config=self.config, max_cache_len=length)
        except TypeError:  # before its cache was made at the first use
            return made(self.config, batch, length, device=options.device, dtype=dtype())

    def rewind(self, cache, tokens):
        """Some of its caches count what they hold, and would write past their end when a step is run again."""
        for layer in getattr(cache, "layers", []):
            for name, value in list(vars(layer).items()):
                if name not in ("cumulative_length", "seen_tokens"):
                    continue
                if torch.is_tensor(value):
                    value.fill_(tokens)
                else:
                    setattr(layer, name, tokens)

    def forward(self, ids, at, cache):
        extra = {}
        if self.mask:  # one made by the library may look at values, which no graph can
            length = cache.get_max_cache_shape() if hasattr(cache, "get_max_cache_shape") else self.config.max_position_embeddings
            extra["attention_mask"] = torch.zeros(ids.shape[0], 1, ids.shape[1], length, dtype=dtype(), device=ids.device)
        logits = self.llama(
            input_ids=ids,
            position_ids=at.unsqueeze(0).expand(ids.shape[0], -1),
            cache_position=at,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
            **extra,
        ).logits
        return logits[:, -1].argmax(-1, keepdim=True)


# --- first tokens and next tokens --------------------------------------------------------------------------------


def graph_of(llama, step, before):
    """A CUDA graph of a step, with a mask of our own where the library's cannot be captured."""
    try:
        return captured(step, before)
    except Exception:
        if not isinstance(llama, TransformersLlama) or llama.mask:
            raise
        torch.cuda.synchronize()
        llama.mask = True
        try:
            return captured(step, before)
        finally:
            llama.mask = False


def first_token(llama, prompt, graph):
    ids = torch.randint(3, llama_shape["vocab"], (1, prompt), device=options.device)
    at = torch.arange(prompt, device=options.device)
    cache = llama.cache(1, prompt + 16)
    token = torch.zeros(1, 1, dtype=torch.long, device=options.device)

    def step():
        token.copy_(llama.forward(ids, at, cache))

    rewind = lambda: llama.rewind(cache, 0)
    step()  # some caches are made at the first use
    run = graph_of(llama, step, rewind) if graph else step

    def whole():
        rewind()
        run()
        token.tolist()

    ms = host_ms(whole, 3 if options.tiny else 7)
    report.data["llama"].append(dict(engine=llama.name, graph=graph, kind="ttft", prompt=prompt, batch=1, ms=ms))


def next_tokens(llama, context, batch, graph):
    steps = 4 if options.tiny else 32
    token = torch.ones(batch, 1, dtype=torch.long, device=options.device)
    at = torch.full((1,), context - 1, dtype=torch.long, device=options.device)
    cache = llama.cache(batch, context + steps)
    rewind = lambda: llama.rewind(cache, context)

    def step():
        token.copy_(llama.forward(token, at, cache))

    step()
    run = graph_of(llama, step, rewind) if graph else step

    def whole():
        at.fill_(context)
        rewind()
        for _ in range(steps):
            run()
            token.tolist()
            at.add_(1)

    ms = host_ms(whole, 3, 1) / steps
    report.data["llama"].append(dict(engine=llama.name, graph=graph, kind="tpot", context=context, batch=batch, ms=ms))


def measure_llama(kind):
    made = []
    if not report.figure(f"{kind.name}: weights", lambda: made.append(kind(llama_shape))):
        return
    llama = made.pop()
    prompts = [16, 64] if options.tiny else [512, 2048, 128]
    points = [(32, 1), (32, 2)] if options.tiny else [(512, 1), (2048, 1), (16, 1), (512, 8), (512, 32)]
    # Graphs first: they are the peer at its best.
    for graph in [True, False] if cuda else [False]:
        how = "in a graph" if graph else "step by step"
        for prompt in prompts:
            report.figure(f"{kind.name}: first token after {prompt}, {how}", lambda: first_token(llama, prompt, graph))
        for context, batch in points:
            name = f"{kind.name}: tokens of {batch} after {context}, {how}"
            report.figure(name, lambda: next_tokens(llama, context, batch, graph))
    del llama
    if cuda:
        torch.cuda.empty_cache()


llama_shape = TINY if options.tiny else SEVEN_B
if report.figure("torch", load_torch):
    report.figure("copy", copy)
    for rows in [8] if options.tiny else [2048, 512, 128]:
        for shape in shapes(llama_shape):
            report.figure(f"mm {rows} x {shape[0]}", lambda: product(rows, *shape))
    for rows in [1] if options.tiny else [1, 8, 32]:
        for shape in shapes(llama_shape):
            report.figure(f"gemv {rows} x {shape[0]}", lambda: few_rows(rows, *shape))
    if cuda:
        torch.cuda.empty_cache()
    measure_llama(PlainLlama)
    measure_llama(TransformersLlama)
    report.data["complete"] = True
report.data["total_seconds"] = round(time.monotonic() - BEGUN, 3)
report.write()
sys.stdout.flush()
# What libraries do at their end is not what is measured.
os._exit(0 if report.data["complete"] else 1)
