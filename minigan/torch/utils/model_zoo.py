"""torch.utils.model_zoo: torch.hub, by its old name."""

from minigan.torch.hub import _download_url_to_file as _download_url_to_file
from minigan.torch.hub import load_state_dict_from_url as load_url
from minigan.torch.missing import missing_from

__all__ = ["load_url"]
__getattr__ = missing_from(__name__)
