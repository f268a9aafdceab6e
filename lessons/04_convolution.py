# %% [markdown] id="promise"
# # 4. Convolution and its transpose
#
# A discriminator of images makes pictures smaller, with *convolutions*. A generator makes them larger, with *transposed
# convolutions*. At the end of this lesson you know that these two are one matrix and its transpose, so each is the gradient of
# the other. You can say which sizes fit before you run a network, and you know where the checkerboards in generated pictures
# come from.
#
# It takes about 2 seconds. You need lessons 1 and 3 (the adjoint). Answer the question first, then run.
#
# Sources: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning" (relationships 6 and 14: the sizes;
# chapter 4: the transpose). LeCun et al. 1998, "Gradient-based learning applied to document recognition" (shared weights).
# Radford et al. 2016, "DCGAN". Odena, Dumoulin and Olah 2016, "Deconvolution and checkerboard artifacts".

# %% id="setup"
import numpy as np

import minigan as mg
from minigan.lesson import Lesson

lesson = Lesson("04_convolution")
claim, figure = lesson.claim, lesson.figure
rng = np.random.default_rng(4)
variable = lambda array: mg.tensor(array, dtype="float64", requires_grad=True)

# %% [markdown] id="slide"
# ## A kernel slides along
#
# One dimension first; nothing new happens in two. A *kernel* $w$ of $k$ numbers lies on the first $k$ numbers of $x$. Multiply,
# add, write the result. Move the kernel by the *stride* $s$, and repeat. With *padding* $p$, there are $p$ zeros on both sides
# of $x$ before we begin. (minigan's arrays have two more axes: the samples of a batch, and the *channels*, such as the three
# colours of a picture.)
#
# $$y_o = \sum_{r=0}^{k-1} x_{\,o s + r - p}\; w_r.$$
#
# **Predict:** what does the kernel (-1, 0, 1) answer where $x$ is constant? And where $x$ jumps from 0 to 1?


# %% id="slide-code"
def slide(x, w, stride=1, padding=0):
    """Convolution in one dimension, as the formula says."""
    x = np.pad(x, padding)
    return np.array([x[o : o + len(w)] @ w for o in range(0, len(x) - len(w) + 1, stride)])


step = np.array([0.0, 0, 0, 0, 1, 1, 1, 1])
claim(slide(step, np.array([-1.0, 0, 1])), [0, 0, 1, 1, 0, 0], says="(-1, 0, 1) finds the edge")


def engine(x, w, **how):
    """The same by minigan: its arrays are (samples, channels, length), its kernels (outputs, inputs, length)."""
    return mg.conv1d(x[None, None], w[None, None], **how)[0, 0]


x, w = rng.standard_normal(12), rng.standard_normal(4)
claim(engine(x, w), slide(x, w), atol=1e-12, says="minigan, stride 1")
claim(engine(x, w, stride=2, padding=1), slide(x, w, 2, 1), atol=1e-12, says="minigan, stride 2, padding 1")

# %% [markdown] id="flip"
# A remark about the name. In mathematics, a convolution reads the kernel backwards. What deep learning calls convolution does
# not: mathematicians call it *cross-correlation*. For a kernel that is learned it does not matter. For the transpose it does.
#
# **Predict:** $x$ is zero, except for one 1 in the middle. What does the kernel (1, 2, 3) answer?

# %% id="flip-code"
impulse = np.array([0.0, 0, 1, 0, 0])
claim(slide(impulse, np.array([1.0, 2, 3])), [3, 2, 1], says="the answer to an impulse is the kernel, backwards")
claim(np.convolve(impulse, [1, 2, 3], "valid"), [1, 2, 3], says="NumPy's convolve, which reads the kernel backwards")

# %% [markdown] id="sizes"
# ## Which size comes out?
#
# The kernel fits on $n + 2p$ numbers. Its first number can move from place 0 to place $n + 2p - k$, in steps of $s$:
#
# $$m = \left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1 \qquad \text{(Dumoulin and Visin 2016, relationship 6).}$$
#
# **Predict:** with $k = 4$, $s = 2$, $p = 1$: what becomes of 28 pixels? And of 29? And, once more, of 14?


# %% id="sizes-code"
def smaller(n, k, s, p):
    """How many numbers a convolution makes of n."""
    return (n + 2 * p - k) // s + 1


claim([smaller(28, 4, 2, 1), smaller(29, 4, 2, 1), smaller(14, 4, 2, 1)], [14, 14, 7], says="28, 29 and 14 pixels become")
claim(smaller(28, 3, 1, 1), 28, says="k = 3, s = 1, p = 1 keeps the size")
cases = [(n, k, s, p) for n in range(5, 12) for k in range(1, 6) for s in (1, 2, 3) for p in (0, 1, 2)]
length = lambda n, k, s, p: len(engine(np.ones(n), np.ones(k), stride=s, padding=p))
wrong = [case for case in cases if length(*case) != smaller(*case)]
claim(len(wrong), 0, says=f"cases of {len(cases)} in which minigan gives another size")

# %% [markdown] id="matrix"
# ## Convolution is a matrix
#
# For a fixed kernel, $y$ depends on $x$ linearly. So there is a matrix $C$ with $y = Cx$ (lesson 3: its columns are the images
# of the unit vectors). Each of its rows is the same kernel, shifted by the stride.
#
# **Predict:** $x$ has 8 numbers, $k = 3$, $s = 2$, $p = 0$. How large is $C$? How many of its numbers are not 0, and how many
# of them are different?


# %% id="matrix-code"
def matrix_of(linear, size):
    """The matrix of a linear map of vectors with this size."""
    return np.stack([linear(unit) for unit in np.eye(size)], axis=1)


kernel = np.array([1.0, 2, 3])
C = matrix_of(lambda x: slide(x, kernel, stride=2), 8)
claim(C.shape, [3, 8], says="rows and columns of C")
claim([np.count_nonzero(C), len(set(C[C != 0]))], [9, 3], says="numbers that are not 0, and different ones among them")
claim(C[1], [0, 0, 1, 2, 3, 0, 0, 0], says="the second row")

# %% id="matrix-draw"
with figure("matrix", width=9, height=3.4) as fig:
    for axes, (stride, padding) in zip(fig.subplots(1, 3), ((1, 0), (2, 0), (2, 1))):
        picture = matrix_of(lambda x, s=stride, p=padding: slide(x, kernel, s, p), 8)
        axes.imshow(picture, cmap="Blues", vmin=0, vmax=4)
        for (i, j), number in np.ndenumerate(picture):
            axes.text(j, i, f"{number:.0f}", ha="center", va="center", color="white" if number > 1 else "0.5")
        axes.set(title=f"stride {stride}, padding {padding}", xlabel="input $j$", xticks=range(8), yticks=range(len(picture)))
    fig.axes[0].set_ylabel("output $i$")
    fig.suptitle("the matrix of the kernel (1, 2, 3): forward along the rows, backward along the columns", fontsize=11)

# %% [markdown] id="transpose"
# ## Backward: a kernel stamps
#
# Lesson 3: the rule of a linear map is its transpose. So the gradient of $x$ is $C^\top g$. Read a column of $C$ in
# `matrix.png`: it says in which outputs this input was used, and with which weight. Read $C^\top g$ the other way: each number
# of $g$ takes the whole kernel, times itself, and lays it down on the $k$ inputs that it came from. Where two of these stamps
# overlap, they add.
#
# This map, from small to large, has a name: *transposed convolution*. It is what `conv_transpose1d` and `ConvTranspose2d`
# compute. (It is sometimes called "deconvolution". This is misleading: it does not undo a convolution.)
#
# **Predict:** kernel (1, 2, 3), stride 2. Which 7 numbers does $g = (1, 0, 10)$ give? And $g = (1, 1, 1)$?


# %% id="transpose-code"
def transposed(g, w, **how):
    """Transposed convolution in one dimension, by minigan."""
    return mg.conv_transpose1d(g[None, None], w[None, None], **how)[0, 0]


C = matrix_of(lambda x: slide(x, kernel, stride=2), 7)
claim(C.T @ np.array([1.0, 0, 10]), [1, 2, 3, 0, 10, 20, 30], says="C^T (1, 0, 10): two stamps, not overlapping")
claim(C.T @ np.array([1.0, 1, 1]), [1, 2, 4, 2, 4, 2, 3], says="C^T (1, 1, 1): stamps overlap and add")
claim(transposed(np.ones(3), kernel, stride=2), [1, 2, 4, 2, 4, 2, 3], says="conv_transpose1d says the same")

x = variable(rng.standard_normal((1, 1, 7)))
g = np.array([1.0, -2, 5])
(received,) = mg.grad(mg.conv1d(x, kernel[None, None], stride=2), [x], grad_outputs=[g[None, None]])
claim(received.numpy()[0, 0], C.T @ g, atol=1e-12, says="the gradient of a convolution's input is C^T g")

# %% [markdown] id="not-inverse"
# **Predict:** convolve, then convolve transposed with the same kernel. Do the old numbers come back?

# %% id="not-inverse-code"
once = np.array([0.0, 0, 0, 1, 0, 0, 0])
back = transposed(slide(once, kernel, stride=2), kernel, stride=2)
claim(back, [0, 0, 2, 4, 6, 0, 0], says="an impulse, there and back: the size is right, the numbers are not")

# %% [markdown] id="larger"
# ## The sizes of a generator
#
# A transposed convolution goes from $m$ to an $n$ that the convolution would have sent to $m$. With stride 2 there are *two*
# such sizes: 28 and 29 both became 14. So one must say which; this is what `output_padding` is for ($a$ below).
#
# $$n = s\,(m - 1) + k - 2p + a, \qquad 0 \le a < s \qquad \text{(relationship 14).}$$
#
# Digits of 28 x 28 pixels are halved twice without a remainder: 28, 14, 7. So a generator of digits starts with 7 x 7 pixels.
#
# **Predict:** a tutorial's DCGAN (a GAN made of convolutions) for the same digits starts with 4 x 4, and doubles three times
# (with $k = 5$, $s = 2$). How large are its pictures?


# %% id="larger-code"
def larger(m, k, s, p, a=0):
    """How many numbers a transposed convolution makes of m."""
    return s * (m - 1) + k - 2 * p + a


claim([larger(7, 4, 2, 1), larger(14, 4, 2, 1)], [14, 28], says="k = 4, s = 2, p = 1: from 7 to 14, from 14 to 28")
cases = [(m, k, s, p, a) for m in (2, 5) for k in (3, 4, 5) for s in (1, 2, 3) for p in (0, 1) for a in range(s)]
length = lambda m, k, s, p, a: len(transposed(np.ones(m), np.ones(k), stride=s, padding=p, output_padding=a))
wrong = [case for case in cases if length(*case) != larger(*case)]
claim(len(wrong), 0, says=f"cases of {len(cases)} in which minigan gives another size")
claim([larger(14, 4, 2, 1, a) for a in (0, 1)], [28, 29], says="the two sizes that become 14")
claim(larger(larger(larger(4, 5, 2, 2, 1), 5, 2, 2, 1), 5, 2, 2, 1), 32, says="the tutorial: 4, 8, 16, and then not 28 but")
double = {"stride": 2, "padding": 1}
between = mg.conv_transpose2d(np.ones((5, 8, 7, 7)), np.ones((8, 4, 4, 4)), **double)
pictures = mg.conv_transpose2d(between, np.ones((4, 1, 4, 4)), **double)
claim(pictures.shape, [5, 1, 28, 28], says="two layers of a generator, by minigan")

# %% [markdown] id="layout"
# Its discriminator, which expects 28 x 28, can never look at such a picture. The mistake is found with a pencil.
#
# Look at the shapes of the weights above. In minigan, as in PyTorch, a convolution from $C$ to $O$ channels has a weight of
# shape ($O$, $C$, $k$, $k$). The transposed convolution *of the same weight* goes from $O$ to $C$ channels. So its weight
# begins with the number of its *inputs*.
#
# ## Two dimensions, many channels: the same test
#
# With channels, strides, padding, holes in the kernel (`dilation`) and separate groups of channels, nobody wants to write the
# matrix. Lesson 3 has a test without one: $\langle Cx, g\rangle = \langle x, C^\top g\rangle$.
#
# **Predict:** for which of these options does it fail?


# %% id="layout-code"
def gap(stride, padding, dilation, groups):
    """|<C x, g> - <x, C^T g>| in two dimensions, for random x, g and weights."""
    x, w = rng.standard_normal((2, 4, 11, 10)), rng.standard_normal((6, 4 // groups, 3, 2))
    y = mg.conv2d(x, w, None, stride, padding, dilation, groups)
    g = rng.standard_normal(y.shape)
    left_out = [(size + 2 * padding - dilation * (k - 1) - 1) % stride for size, k in ((11, 3), (10, 2))]
    back = mg.conv_transpose2d(g, w, None, stride, padding, left_out, groups, dilation)
    return abs(np.sum(y * g) - np.sum(x * back))


options = [(s, p, d, groups) for s in (1, 2, 3) for p in (0, 1) for d in (1, 2) for groups in (1, 2)]
claim(max(gap(*how) for how in options), 0, atol=1e-10, says=f"largest difference in {len(options)} cases")

# %% [markdown] id="weight"
# ## The third of the three
#
# What does the kernel receive? Fix $x$ instead of $w$: then $y$ depends on $w$ linearly. The weight $w_r$ was used at every
# place $o$, next to $x_{os + r - p}$. So it receives the sum over all places of $g_o\,x_{os+r-p}$: again products of shifted
# numbers. "Used many times" means "added up" once more: here it is one kernel for all places.
#
# We call the convolution conv, its transpose transp, and this third function weight. Now take any numbers $x$, $w$ and $g$.
# There is one number that can be read in three ways:
#
# $$\langle \mathrm{conv}(x, w), g\rangle = \langle x, \mathrm{transp}(g, w)\rangle = \langle w, \mathrm{weight}(x, g)\rangle.$$
#
# It is linear in each of its three arguments. Take one away, and you have the rule for it. So the three functions are each
# other's rules: no derivative of any order leads out of this circle. minigan has exactly these three (`minigan/ops/conv.py`).
#
# **Predict:** $\frac12|\mathrm{conv}(x, w)|^2$ has the gradient $\mathrm{transp}(y, w)$ by $x$. We take the sum of its
# squares, and differentiate this by $w$. Which of the three functions appear in the result?

# %% id="weight-code"
x, w, g = (
    variable(rng.standard_normal((2, 3, 9, 9))),
    variable(rng.standard_normal((4, 3, 3, 3))),
    rng.standard_normal((2, 4, 4, 4)),
)
y = mg.conv2d(x, w, stride=2)
of_x, of_w = mg.grad(y, [x, w], grad_outputs=[g], retain_graph=True)
number = float(mg.sum(y * g))
claim(mg.sum(x * of_x), number, atol=1e-10, says="<x, transp(g, w)> is the same number as <conv(x, w), g>")
claim(mg.sum(w * of_w), number, atol=1e-10, says="and so is <w, weight(x, g)>")

calls = []
with mg.watch(lambda op, phase, *rest: calls.append(op) if "conv" in op else None):
    (slope,) = mg.grad(0.5 * mg.sum(mg.square(mg.conv2d(x, w, stride=2))), [x], create_graph=True)
    mg.grad(mg.sum(mg.square(slope)), [w], create_graph=True)
used = sorted(set(calls)) == ["conv2d", "conv2d_weight", "conv_transpose2d"]
claim(used, True, says="a second derivative needs all three, and no fourth")

# %% [markdown] id="why"
# ## What is gained
#
# A *dense* layer (`nn.Linear`), which connects every pixel with every output, could do all this as well. Why is a convolution
# better for pictures? There are fewer numbers to learn. And what it learned at one place, it knows at every place: if the
# picture moves, the answer moves.
#
# **Predict:** how many weights go from 1 x 28 x 28 to 32 x 14 x 14, if everything is connected? And with a kernel of 4 x 4?
# If the input moves by 2 pixels and the stride is 2, by how much does the output move?

# %% id="why-code"
claim(28 * 28 * 32 * 14 * 14, 4_917_248, says="weights of a dense layer")
claim(32 * 1 * 4 * 4, 512, says="weights of a convolution")
picture = np.zeros((1, 1, 28, 28))
picture[..., 8:16, 8:16] = rng.standard_normal((8, 8))
w = rng.standard_normal((32, 1, 4, 4))
there = mg.conv2d(picture, w, stride=2, padding=1)
moved = mg.conv2d(np.roll(picture, 2, axis=3), w, stride=2, padding=1)
claim(np.abs(moved - np.roll(there, 1, axis=3)).max(), 0, atol=1e-12, says="2 pixels in the input, 1 pixel in the output")

# %% [markdown] id="fast"
# And it is fast. Write the numbers under the kernel, at each place, as one column. Then the convolution is a matrix product,
# for which computers have very good programs (`unfold`, also called im2col).
#
# **Predict:** the picture has 784 numbers. How many numbers do the columns of its 14 x 14 places have together?

# %% id="fast-code"
columns = mg.unfold(picture, 4, padding=1, stride=2)
claim(columns.shape, [1, 16, 196], says="16 numbers under the kernel, 196 places")
claim(columns.size, 3136, says="numbers in the columns: 4 for each pixel")
product = (w.reshape(32, 16) @ columns[0]).reshape(1, 32, 14, 14)
claim(np.abs(product - there).max(), 0, atol=1e-12, says="one matrix product is the convolution")

# %% [markdown] id="checkerboard"
# ## Checkerboards
#
# Generated pictures often show a fine chessboard pattern. Part of it can be foreseen. How many stamps does each output pixel of
# a transposed convolution receive? Let all inputs and weights be 1, and count.
#
# **Predict:** for stride 2, which of the kernels 3, 4 and 5 gives every pixel in the middle the same number of stamps?

# %% id="checkerboard-code"
stamps = {k: mg.conv_transpose2d(np.ones((1, 1, 8, 8)), np.ones((1, 1, k, k)), stride=2)[0, 0] for k in (3, 4, 5)}
middle = {k: sorted(set(count[6:-6, 6:-6].ravel())) for k, count in stamps.items()}
claim(middle[3], [1, 2, 4], says="k = 3: stamps per pixel in the middle")
claim(middle[4], [4], says="k = 4: everywhere the same")
claim(middle[5], [4, 6, 9], says="k = 5, as in the tutorial's DCGAN")

# %% id="checkerboard-draw"
with figure("checkerboard", width=9, height=3.8) as fig:
    for axes, (k, count) in zip(fig.subplots(1, 3), stamps.items()):
        axes.imshow(count[:12, :12], cmap="Blues", vmin=0, vmax=9)
        for (i, j), number in np.ndenumerate(count[:12, :12]):
            axes.text(j, i, f"{number:.0f}", ha="center", va="center", fontsize=7, color="white" if number > 5 else "0.3")
        axes.set(title=f"kernel {k} x {k}, stride 2", xticks=[], yticks=[])
    fig.suptitle("stamps per pixel (the upper left corner of the picture)", fontsize=11)

# %% [markdown] id="checkerboard-why"
# Only if the stride divides the kernel does every pixel of the middle receive equally many stamps. This is the reason for
# the odd-looking kernel 4 with stride 2 in so many GANs, minigan's too. A network *can* learn weights that balance an uneven
# pattern. It must learn this, though, and it starts with the pattern (Odena et al. 2016, who also recommend: enlarge first,
# then convolve). Near the border, fewer stamps arrive, also for $k = 4$.
#
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `slide`: put `w[::-1]` in the place of `w` after the `@`, as a mathematician would.
# 2. In `gap`: put `w[..., ::-1, ::-1]` in the place of the `w` in `conv_transpose2d`. The kernel of the way back is then
#    turned.
# 3. In `gap`: let `left_out` be `0`.

# %% [markdown] id="exercise-1"
# ## Exercise 4.1
#
# Write the gradient of the input for `slide`, in one dimension, with NumPy: each $g_o$ lays down a stamp. First stamp on an
# array of zeros that has room for the padding, then cut the padding off. `size` is the length of $x$.


# %% id="exercise-1-code"
def input_gradient(g, w, size, stride, padding):
    """What x of this size receives for y = slide(x, w, stride, padding), where g arrives at y."""
    return None


lesson.exercise("4.1", input_gradient)

# %% [markdown] id="exercise-2"
# ## Exercise 4.2
#
# Write the gradient of the kernel for `slide`: $w_r$ receives the sum over $o$ of $g_o\,x_{os + r - p}$. `size` is the length
# of $w$.


# %% id="exercise-2-code"
def weight_gradient(g, x, size, stride, padding):
    """What a kernel w of this size receives for y = slide(x, w, stride, padding), where g arrives at y."""
    return None


lesson.exercise("4.2", weight_gradient)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 4.1 --answer` shows a right answer. Compare it with `slide`: the same loop, but it reads where
# `slide` writes, and writes where `slide` reads. In 4.2 a slice with a step replaces the inner loop.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. The edge gets the sign -1, the impulse shows the kernel forwards, and the second row of $C$ reads 3, 2, 1. Most comparisons
#    with minigan fail. But nothing is "wrong": it is another definition. A trained network would have learned the turned
#    kernel.
# 2. The test fails by a large number. A transposed convolution *is* a convolution with the turned kernel (of $g$, with zeros
#    put between its numbers and around them). Whoever turns it once more, turns it once too often.
# 3. With stride 1 nothing changes. With stride 2 and 3 some of the sizes do not come back: NumPy cannot multiply two arrays of
#    such shapes, and the lesson ends with an error.
#
# </details>
#
# Predictions: 0, and 1 at the jump; (3, 2, 1); 14, 14 and 7; 3 x 8, with 9 numbers that are not 0 and 3 different ones;
# (1, 2, 3, 0, 10, 20, 30) and (1, 2, 4, 2, 4, 2, 3); no; 32; for none; all three; 4,917,248 and 512, by 1; 3,136; only 4.
#
# ## What you have now
#
# * Convolution: one row, shifted. Its gradient: the same matrix, transposed. A generator's layer: that transpose, forward.
# * Two formulas for sizes, for use with a pencil.
# * Three functions that are each other's rules, so that every order of derivative is right.
#
# Next: lesson 5 makes layers of these functions, and asks with which numbers they should start.

# %% id="end"
lesson.end()
