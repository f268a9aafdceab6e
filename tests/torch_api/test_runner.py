"""`python -m minigan.torch script.py`: unchanged scripts, as a user runs them."""

import subprocess
import sys
import textwrap

import pytest

SCRIPT = """
    import sys
    from pathlib import Path

    import torch
    import torch.nn as nn
    import torch.nn.functional as F
    import torchvision.transforms as transforms
    from torch.autograd import Variable
    from torch.utils.data import DataLoader, TensorDataset
    from torchvision.utils import save_image

    import beside

    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2, inplace=True), nn.Linear(8, 1), nn.Sigmoid())
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
    x = torch.randn(64, 4)
    y = (x.sum(1, keepdim=True) > 0).float()
    for epoch in range(30):
        for a, b in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
            loss = F.binary_cross_entropy(net(Variable(a)), b)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    save_image(x.view(64, 1, 2, 2), "picture.png")
    print(__name__, Path(__file__).name, sys.argv[1:], beside.word, loss.item() < 0.2, sys.modules["torch"].__name__)
"""


def run(folder, script, *words):
    """The script, in a folder of its own; words: the options before it, its name where it says SCRIPT, its arguments."""
    (folder / "code").mkdir(exist_ok=True)
    (folder / "code" / "script.py").write_text(textwrap.dedent(script))
    (folder / "code" / "beside.py").write_text("word = 'found'\n")
    words = [str(folder / "code" / "script.py") if word == "SCRIPT" else word for word in words or ["SCRIPT"]]
    command = [sys.executable, "-m", "minigan.torch", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, encoding="utf-8")


def test_a_script_runs_as_it_is(tmp_path):
    done = run(tmp_path, SCRIPT, "SCRIPT", "--lr", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0] == "__main__ script.py ['--lr', '1'] found True minigan.torch"
    assert (tmp_path / "picture.png").exists()  # the working folder is the user's


def test_the_profile_is_a_table_of_ops(tmp_path):
    done = run(tmp_path, SCRIPT, "--profile", "SCRIPT")
    assert done.returncode == 0 and "binary_cross_entropy" in done.stdout and "backward" in done.stdout


def test_the_gradients_of_the_first_step_are_checked(tmp_path):
    done = run(tmp_path, SCRIPT, "--check", "SCRIPT")
    assert done.returncode == 0 and "the gradient by 10 coordinates of 4 parameters is right" in done.stderr
    assert "__main__" not in done.stdout  # the script is stopped after its first step


def test_a_wrong_rule_is_found_in_a_scripts_loss(tmp_path):
    wrong = """
        import minigan as mg
        import torch
        from minigan.torch.tensor import lift

        double = mg.primitive(lambda x: 2 * x, lambda g, y, x: 2.1 * g, name="double")
        w = torch.nn.Parameter(torch.ones(3))
        lift(double(w.engine)).sum().backward()
    """
    done = run(tmp_path, wrong, "--check", "SCRIPT")
    assert done.returncode == 1 and "--check: script.py:8" in done.stderr and "GradientMismatch" in done.stderr


def test_the_first_nan_is_named(tmp_path):
    script = """
        import torch

        x = torch.zeros(2)
        y = torch.log(x - 1)
        print("not reached")
    """
    done = run(tmp_path, script, "--nan", "SCRIPT")
    assert done.returncode == 1 and "log: first NaN in its output (2,) (called at script.py:5)" in done.stderr
    assert "not reached" not in done.stdout
    done = run(tmp_path, "import torch\ntorch.ones(2).log()", "--nan", "SCRIPT")
    assert done.returncode == 0 and "no op made a NaN" in done.stderr


@pytest.mark.parametrize(
    "line, told",
    [
        ("torch.nn.Conv3d(1, 1, 1)", "script.py:3: torch.nn.Conv3d is not in minigan.torch: minigan has Conv1d and Conv2d\n"),
        (
            "from torch.nn import Conv3d",
            "script.py:3: torch.nn.Conv3d is not in minigan.torch: minigan has Conv1d and Conv2d\n",
        ),
        ("import torch.fx", "script.py:3: torch.fx is not in minigan.torch"),
        ("import torchvision.ops", "script.py:3: torchvision.ops is not in minigan.torch"),
    ],
)
def test_a_missing_name_is_one_line(line, told, tmp_path):
    done = run(tmp_path, f"import torch\n\n{line}\n")
    assert done.returncode == 2 and told in done.stderr and len(done.stderr.splitlines()) == 1


def test_an_error_shows_the_scripts_own_lines(tmp_path):
    script = """
        import torch

        def widen(x):
            return x @ torch.ones(3, 2)

        widen(torch.ones(2, 2))
    """
    done = run(tmp_path, script)
    assert done.returncode == 1 and "in widen" in done.stderr and "return x @ torch.ones(3, 2)" in done.stderr
    assert "minigan/torch" not in done.stderr.replace("\\", "/") and "ShapeError" in done.stderr


def test_the_scripts_exit_code_is_kept(tmp_path):
    assert run(tmp_path, "import sys\nsys.exit(3)").returncode == 3
    done = run(tmp_path, "import sys\nsys.exit('a reason')")
    assert done.returncode == 1 and done.stderr == "a reason\n"


def test_a_script_that_is_not_there(tmp_path):
    done = run(tmp_path, "", "nowhere.py")
    assert done.returncode == 2 and done.stderr == "python -m minigan.torch: there is no script nowhere.py\n"
