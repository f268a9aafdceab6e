/* A bias for each channel and a leaky relu, in one pass, and their gradients; softplus; sigmoid and its slope.   Called by
   activation.py.

       z = x + bias_c,   y = z where z > 0, else slope z        (slope 0: y = 0 there, also at -inf; NaN stays NaN)

   slope 1: the bias alone; slope 0: relu; no bias (null): the activation alone.
   Arrays are (outer, channels, inner) in memory, as in norm.cu. */

typedef REAL T;   /* float or double */

#define FOR_EACH(i, n) \
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < (n); i += (long long)gridDim.x * blockDim.x)

/* One thread for each element; y may be x itself. */
extern "C" __global__ void bias_leaky_relu(
    const T* x /* outer*channels*inner */, const T* bias /* channels or null */, T* y /* outer*channels*inner */, T slope,
    int outer, int channels, int inner) {
    FOR_EACH(i, (long long)outer * channels * inner) {
        T z = bias ? x[i] + bias[i / inner % channels] : x[i];
        y[i] = z > 0 ? z : z <= 0 && slope == 0 ? T(0) : slope * z;
    }
}

/* dz = g where z > 0, else slope g (slope 0: 0, whatever g is).  z may be the output y instead: for slope >= 0 it is positive
   at the same places. */
extern "C" __global__ void leaky_relu_gradient(const T* g /* n */, const T* z /* n */, T* dz /* n */, T slope, long long n) {
    FOR_EACH(i, n) dz[i] = z[i] > 0 ? g[i] : slope == 0 ? T(0) : slope * g[i];
}

/* y = log(1 + e^x) = max(x, 0) + log(1 + e^-|x|). */
extern "C" __global__ void softplus(const T* x /* n */, T* y /* n */, long long n) {
    FOR_EACH(i, n) y[i] = (x[i] > 0 ? x[i] : T(0)) + log1p(exp(-fabs(x[i])));
}

/* y = 1 / (1 + e^-x), for x < 0 as e^x / (1 + e^x): no power above 1. */
extern "C" __global__ void sigmoid(const T* x /* n */, T* y /* n */, long long n) {
    FOR_EACH(i, n) {
        T e = exp(-fabs(x[i]));
        y[i] = (x[i] < 0 ? e : T(1)) / (1 + e);
    }
}

/* dx = g k^2 e / (1 + e)^2 with e = e^-k|x|: g times the slope of sigmoid (k = 1) and of tanh (k = 2). */
extern "C" __global__ void bell(const T* g /* n */, const T* x /* n */, T* dx /* n */, T k, long long n) {
    FOR_EACH(i, n) {
        T e = exp(-k * fabs(x[i]));
        dx[i] = g[i] * (k * k * (e / ((1 + e) * (1 + e))));
    }
}

/* d_bias_c = the sum of g over channel c: one block of at most 256 threads, a multiple of 16, for each channel. */
extern "C" __global__ void bias_gradient(
    const T* g /* outer*channels*inner */, T* d_bias /* channels */, int outer, int channels, int inner) {
    __shared__ T part[256];
    int c = blockIdx.x;
    T sum = 0;
    for (long long p = threadIdx.x; p < (long long)outer * inner; p += blockDim.x) {
        long long o = p / inner;
        sum += g[(o * channels + c) * inner + (p - o * inner)];
    }
    part[threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.x < 16)
        for (int k = threadIdx.x + 16; k < blockDim.x; k += 16) part[threadIdx.x] += part[k];
    __syncthreads();
    if (threadIdx.x == 0) {
        sum = 0;
        for (int k = 0; k < 16; k++) sum += part[k];
        d_bias[c] = sum;
    }
}
