/* Random numbers from a counter: Philox4x32-10.   Called by random.py.   Salmon et al. 2011 ("as easy as 1, 2, 3").

   Four 32-bit words = philox(counter, key).  No thread needs a state from another: the counter is (number of the block
   of four words, number of the draw), and the key is the seed.  So every thread makes its own words, for any number of
   threads, and the CPU makes the same words (kernels/cpu/philox.py).

   The number of the draw is counter[0] + offset.  counter is on the GPU, because a recorded launch repeats its arguments: so a
   step that is recorded once and replayed can change it (kernel advance). */

typedef REAL T;   /* float or double */

#define FOR_EACH(i, n) \
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < (n); i += (long long)gridDim.x * blockDim.x)

__device__ void philox(unsigned long long block, unsigned long long draw, unsigned long long seed, unsigned int* w) {
    unsigned int key0 = (unsigned int)seed, key1 = (unsigned int)(seed >> 32);
    w[0] = (unsigned int)block;
    w[1] = (unsigned int)(block >> 32);
    w[2] = (unsigned int)draw;
    w[3] = (unsigned int)(draw >> 32);
    for (int round = 0; round < 10; round++) {
        unsigned long long a = (unsigned long long)0xD2511F53u * w[0], b = (unsigned long long)0xCD9E8D57u * w[2];
        w[0] = (unsigned int)(b >> 32) ^ w[1] ^ key0;
        w[1] = (unsigned int)b;
        w[2] = (unsigned int)(a >> 32) ^ w[3] ^ key1;
        w[3] = (unsigned int)a;
        key0 += 0x9E3779B9u;   /* the golden ratio, and the square root of 3 less 1, as fractions of 2^32 */
        key1 += 0xBB67AE85u;
    }
}

/* The words themselves. */
extern "C" __global__ void words(
    unsigned int* out /* n */, const unsigned long long* counter /* 1 */, unsigned long long offset, unsigned long long seed,
    long long n) {
    FOR_EACH(block, (n + 3) / 4) {
        unsigned int w[4];
        philox(block, counter[0] + offset, seed, w);
        for (int k = 0; k < 4 && 4 * block + k < n; k++) out[4 * block + k] = w[k];
    }
}

/* One or two words as a number in [0, 1) that its type holds exactly: 24 bits for float, 53 for double. */
__device__ float unit(const unsigned int* w, float) { return (w[0] >> 8) * (1.0f / 16777216.0f); }
__device__ double unit(const unsigned int* w, double) {
    return ((w[0] >> 5) * 67108864.0 + (w[1] >> 6)) * (1.0 / 9007199254740992.0);
}

/* a + b, where a or b may be a product.  The compiler must not fuse the two, because that gives other bits than a CPU. */
__device__ float plus(float a, float b) { return __fadd_rn(a, b); }
__device__ double plus(double a, double b) { return __dadd_rn(a, b); }

/* Uniform in [low, high): low + (high - low) u.   One thread makes four floats or two doubles. */
extern "C" __global__ void uniform(
    T* out /* n */, const unsigned long long* counter /* 1 */, unsigned long long offset, unsigned long long seed, T low, T high,
    long long n) {
    const int each = 16 / sizeof(T);   /* numbers from four words */
    FOR_EACH(block, (n + each - 1) / each) {
        unsigned int w[4];
        philox(block, counter[0] + offset, seed, w);
        for (int k = 0; k < each && each * block + k < n; k++)
            out[each * block + k] = plus(low, (high - low) * unit(w + k * (4 / each), T(0)));
    }
}

/* Normal with mean 0 and variance 1, by Box and Muller 1958: u in (0, 1] and v in [0, 1) give two independent numbers,

       sqrt(-2 log u) cos(2 pi v)  and  sqrt(-2 log u) sin(2 pi v).

   u = 1 - (a number in [0, 1)), which is never 0. */
extern "C" __global__ void normal(
    T* out /* n */, const unsigned long long* counter /* 1 */, unsigned long long offset, unsigned long long seed, long long n) {
    const int each = 16 / sizeof(T);
    FOR_EACH(block, (n + each - 1) / each) {
        unsigned int w[4];
        philox(block, counter[0] + offset, seed, w);
        for (int k = 0; k < each && each * block + k < n; k += 2) {
            T u = 1 - unit(w + k * (4 / each), T(0)), v = unit(w + (k + 1) * (4 / each), T(0));
            T radius = sqrt(-2 * log(u)), angle = T(6.283185307179586) * v;
            out[each * block + k] = radius * cos(angle);
            if (each * block + k + 1 < n) out[each * block + k + 1] = radius * sin(angle);
        }
    }
}

/* Whole numbers low .. low + span - 1, with span at most 2^32: the upper part of span times 64 random bits.  The probabilities
   of two numbers differ by at most one part in 2^32.   One thread makes two. */
extern "C" __global__ void integers(
    long long* out /* n */, const unsigned long long* counter /* 1 */, unsigned long long offset, unsigned long long seed,
    long long low, unsigned long long span, long long n) {
    FOR_EACH(block, (n + 1) / 2) {
        unsigned int w[4];
        philox(block, counter[0] + offset, seed, w);
        for (int k = 0; k < 2 && 2 * block + k < n; k++)
            out[2 * block + k] = low + (long long)((w[2 * k] * span + (w[2 * k + 1] * span >> 32)) >> 32);
    }
}

/* counter += by.   One thread. */
extern "C" __global__ void advance(unsigned long long* counter /* 1 */, unsigned long long by) {
    if (blockIdx.x == 0 && threadIdx.x == 0) counter[0] += by;
}
