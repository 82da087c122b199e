"""One training in one process or in several: who takes which examples, and sums over all.

``torchrun`` starts the processes; `joined` makes them one group. Outside of a group a process is
the first and the only one, and every function here leaves its values as they are.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch import distributed as dist
from tqdm import tqdm


class Share(NamedTuple):
    """The examples that this process takes: those of ``part`` among ``count``."""

    part: slice
    count: int

    @property
    def size(self) -> int:
        """Number of the examples of this part."""
        return len(range(self.count)[self.part])

    @property
    def weight(self) -> float:
        """What the mean over this part counts in the mean of all processes' means."""
        return self.size * processes() / self.count


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Make one group of the processes that torchrun started (gloo on CPU, NCCL on CUDA).

    A process that fails leaves without a farewell, which could wait for the others; torchrun then
    ends them.
    """
    if not dist.is_torchelastic_launched():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(dist.get_node_local_rank())
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    yield
    dist.destroy_process_group()


def processes() -> int:
    """Number of processes in the group."""
    return dist.get_world_size() if dist.is_initialized() else 1


def first() -> bool:
    """Whether this process is the one that writes files and shows progress."""
    return not dist.is_initialized() or dist.get_rank() == 0


def progress(*iterable: Any, **options: Any) -> tqdm:
    """The progress bar of the first process; the others show none."""
    return tqdm(*iterable, disable=not first(), **options)


def once(make: Callable[[], Any]) -> Any:
    """What ``make`` gives, called by the first process alone and sent to the others."""
    made = [make() if first() else None]
    if dist.is_initialized():
        dist.broadcast_object_list(made)
    return made[0]


def once_a_machine(make: Callable[[], Any]) -> None:
    """Call ``make`` in the first process of each machine, before any process goes on."""
    if not dist.is_initialized() or dist.get_node_local_rank() == 0:
        make()
    if dist.is_initialized():
        dist.barrier()


def share(count: int) -> Share:
    """This process's share of ``count`` examples: even to one example, and none where too few."""
    rank = dist.get_rank() if dist.is_initialized() else 0
    begin, end = (count * place // processes() for place in (rank, rank + 1))
    return Share(slice(begin, end), count)


def gathered(part: Tensor, share: Share) -> Tensor:
    """Every process's part [n, …] put together [share.count, …], the same in all of them."""
    if not dist.is_initialized():
        return part
    whole = part.new_zeros(share.count, *part.shape[1:])
    whole[share.part] = part
    dist.all_reduce(whole)  # a sum in which each element has one term that isn't zero
    return whole


def total(tensor: Tensor) -> Tensor:
    """Sum over the processes, the same in all of them; differentiable."""
    return _Total.apply(tensor) if dist.is_initialized() else tensor


def split_among(network: nn.Module) -> nn.Module:
    """A network whose gradients are those of all processes' examples together.

    ``network`` itself changes only in its batch norms, which keep their names and parameters and
    take mean and variance over all processes' examples.
    """
    if not dist.is_initialized():
        return network
    on_cuda = next(network.parameters()).is_cuda
    synchronise = nn.SyncBatchNorm.convert_sync_batchnorm if on_cuda else _synchronise
    return nn.parallel.DistributedDataParallel(synchronise(network))


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        tensor = tensor.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(tensor)
        return tensor

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _Total.apply(gradient)


class _SynchronisedBatchNorm(nn.BatchNorm2d):
    """Batch norm over all processes' examples, on CPU: torch's own SyncBatchNorm needs a GPU."""

    def forward(self, features: Tensor) -> Tensor:
        """Features [b, C, h, w], b of this process (it may be 0) → the same shape and dtype."""
        if not self.training:
            return super().forward(features)
        x, dims = features.float(), (0, 2, 3)
        sums = [x.sum(dims, dtype=torch.float64), x.square().sum(dims, dtype=torch.float64)]
        count = x.new_full([1], x.numel() // x.shape[1], dtype=torch.float64)
        sums = total(torch.cat([*sums, count]))  # doubles, for the difference of squares
        count, C = sums[-1], x.shape[1]
        mean = sums[:C] / count
        variance = sums[C : 2 * C] / count - mean.square()
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean.float(), self.momentum)
            self.running_var.lerp_((variance * count / (count - 1)).float(), self.momentum)
        slope = self.weight * (variance.clamp_min(0) + self.eps).rsqrt()
        shift = self.bias - mean * slope
        x = x * slope.float()[:, None, None] + shift.float()[:, None, None]
        return x.to(features.dtype)


def _synchronise(module: nn.Module) -> nn.Module:
    """Put a synchronised batch norm in the place of every other one."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            norm = _SynchronisedBatchNorm(child.num_features, child.eps, child.momentum)
            norm.load_state_dict(child.state_dict())
            setattr(module, name, norm)
        else:
            _synchronise(child)
    return module
