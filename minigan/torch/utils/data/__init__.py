"""torch.utils.data: data sets, samplers and the DataLoader, which makes batches in this process.

dataset.py   Dataset, TensorDataset, Subset, ...      sampler.py   in which order      loader.py   DataLoader, default_collate
"""

from minigan.torch.missing import missing_from
from minigan.torch.utils.data import dataloader, dataset, sampler
from minigan.torch.utils.data.dataloader import DataLoader, default_collate, get_worker_info
from minigan.torch.utils.data.dataset import ConcatDataset, Dataset, IterableDataset, Subset, TensorDataset, random_split
from minigan.torch.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__getattr__ = missing_from(__name__)
