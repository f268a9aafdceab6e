"""The graph as a text and as a drawing: what it shows is what the engine recorded."""

import re
import xml.dom.minidom

import pytest

import minigan as mg
from minigan import nn
from minigan.errors import GraphError
from minigan.viz.graph import HIGH, WIDE, calls, graph


@pytest.fixture
def nets():
    mg.seed(0)
    G = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2))
    D = nn.Sequential(nn.Linear(2, 4), nn.LeakyReLU(0.2), nn.BatchNorm1d(4), nn.Linear(4, 1))
    return {"G": G, "D": D}


@pytest.fixture
def of_D(nets):
    """The graph of D's loss on two batches, with its layers."""
    x, z = mg.ones((3, 2)), mg.ones((3, 2))
    with calls() as noted:
        fake = nets["G"](z).detach()
        loss = (nets["D"](x) - nets["D"](fake)).mean()
    return graph(loss, nets | {"x": x}, noted)


def test_the_text_names_leaves_ops_and_what_they_were_made_from():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    w = nn.Parameter([3.0, 4.0])
    text = str(graph((x * w + x).sum(), {"x": x}))
    assert [line.split() for line in text.splitlines()] == [
        ["1", "x", "(2,)"],
        ["2", "parameter", "(2,)"],
        ["3", "multiply", "1,", "2", "(2,)"],
        ["4", "add", "3,", "1", "(2,)"],
        ["5", "sum", "4", "()"],
    ]


def test_layers_and_nets_close(of_D):
    ops, layers, nets = (of_D.boxes(depth) for depth in ("ops", "layers", "nets"))
    assert [box.name for box in nets] == ["D weights", "D", "D", "subtract", "mean"]
    assert "D.0 (Linear)" in [box.name for box in layers] and "D.2 weights" in [box.name for box in layers]
    assert len(nets) < len(layers) < len(ops) == len(of_D.nodes)
    for boxes in (ops, layers, nets):
        assert sorted(member for box in boxes for member in box.members) == list(range(len(of_D.nodes)))


def test_no_box_lies_on_another_and_arrows_go_down(of_D):
    for depth in ("ops", "layers", "nets"):
        boxes = of_D.boxes(depth)
        for k, box in enumerate(boxes):
            assert all(boxes[p].y < box.y for p in box.parents)
            for other in boxes[:k]:
                assert abs(box.x - other.x) >= WIDE or abs(box.y - other.y) >= HIGH, (box, other)


def test_the_drawing_is_svg_with_a_box_for_each_node_and_an_arrow_for_each_use(of_D, tmp_path):
    of_D.save(tmp_path / "g.svg")
    text = (tmp_path / "g.svg").read_text()
    xml.dom.minidom.parseString(text)
    boxes = of_D.boxes()
    assert len(re.findall(r"<g id='b\d+'", text)) == len(boxes)
    assert len(re.findall(r"<path id='e", text)) == sum(len(box.parents) for box in boxes)
    assert of_D._repr_svg_().startswith("<svg") and "D.0 (Linear)" in of_D._repr_svg_()


def test_names_are_escaped():
    x = mg.ones(2, requires_grad=True)
    assert "<b>" not in graph(x.sum(), {"<b>": x}).svg()


def test_what_has_no_graph_is_refused():
    x = mg.ones(2, requires_grad=True)
    used = (x * x).sum()
    used.backward()
    for thing in (mg.ones(2), used, 3.0):
        with pytest.raises(GraphError):
            graph(thing)


def test_modules_are_as_before(nets):
    before = nn.Module.__call__
    with pytest.raises(ZeroDivisionError), calls():
        assert nn.Module.__call__ is not before
        raise ZeroDivisionError
    assert nn.Module.__call__ is before
