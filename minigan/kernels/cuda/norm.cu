/* Batch normalisation, forward and backward.   Called by norm.py.   Ioffe and Szegedy 2015, section 3.

       mean_c = the mean of channel c,   var_c = the mean of (x - mean_c)^2
       y      = (x - mean_c) inv_std_c weight_c + bias_c,        inv_std = 1 / sqrt(var + eps)

   backward, with x^ = (x - mean) inv_std and P elements in each channel:

       d_bias = sum g,   d_weight = sum g x^,   dx = weight inv_std (g - d_bias / P - x^ d_weight / P)

   An array with a channel axis is (outer, channels, inner) in memory: (N, C) has inner 1, (N, C, H, W) has outer N and inner
   H W, and (C, N, H, W) has outer 1 and inner N H W.  So one kernel works for every order that has no gaps. */

typedef REAL T;   /* float or double */

#define FOR_EACH(i, n) \
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < (n); i += (long long)gridDim.x * blockDim.x)

/* The sum of `value` over the threads of a block (at most 256, and a multiple of 16), in the same order every time; each
   thread gets it.  Sixteen threads each add the values that are sixteen apart, then all threads add these sixteen sums.  This
   needs three barriers; to halve 256 values again and again needs nine. */
__device__ T block_sum(T value) {
    __shared__ T part[256];
    part[threadIdx.x] = value;
    __syncthreads();
    if (threadIdx.x < 16)
        for (int k = threadIdx.x + 16; k < blockDim.x; k += 16) part[threadIdx.x] += part[k];
    __syncthreads();
    T sum = 0;
    for (int k = 0; k < 16; k++) sum += part[k];
    __syncthreads();   /* the next call writes into part */
    return sum;
}

/* Where element p of channel c is. */
__device__ long long place(long long p, int c, int channels, int inner) {
    long long o = p / inner;
    return (o * channels + c) * inner + (p - o * inner);
}

/* One block for each channel.  There are two passes, so that the variance is not a difference of large numbers. */
extern "C" __global__ void moments(
    const T* x /* outer*channels*inner */, T* mean /* channels */, T* var /* channels */, int outer, int channels, int inner) {
    int c = blockIdx.x;
    long long count = (long long)outer * inner;
    T sum = 0;
    for (long long p = threadIdx.x; p < count; p += blockDim.x) sum += x[place(p, c, channels, inner)];
    T center = block_sum(sum) / count;
    sum = 0;
    for (long long p = threadIdx.x; p < count; p += blockDim.x) {
        T d = x[place(p, c, channels, inner)] - center;
        sum += d * d;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) {
        mean[c] = center;
        var[c] = sum / count;
    }
}

/* inv_std, and one step of the running statistics: running <- (1 - momentum) running + momentum (mean, unbiased var).
   One thread for each channel.   bessel: P / (P - 1), which makes the variance unbiased. */
extern "C" __global__ void follow(
    const T* mean /* channels */, const T* var /* channels */, T* running_mean /* channels or null */,
    T* running_var /* channels or null */, T* inv_std /* channels */, T momentum, T bessel, T eps, int channels) {
    FOR_EACH(c, channels) {
        inv_std[c] = 1 / sqrt(var[c] + eps);
        if (running_mean) running_mean[c] = (1 - momentum) * running_mean[c] + momentum * mean[c];
        if (running_var) running_var[c] = (1 - momentum) * running_var[c] + momentum * bessel * var[c];
    }
}

/* One thread for each element. */
extern "C" __global__ void normalise(
    const T* x /* outer*channels*inner */, const T* mean /* channels */, const T* inv_std /* channels */,
    const T* weight /* channels or null */, const T* bias /* channels or null */, T* y /* outer*channels*inner */,
    int outer, int channels, int inner) {
    FOR_EACH(i, (long long)outer * channels * inner) {
        int c = i / inner % channels;
        T scale = weight ? inv_std[c] * weight[c] : inv_std[c];
        y[i] = (x[i] - mean[c]) * scale + (bias ? bias[c] : T(0));
    }
}

/* d_bias and d_weight: one block for each channel. */
extern "C" __global__ void channel_gradients(
    const T* g /* outer*channels*inner */, const T* x /* outer*channels*inner */, const T* mean /* channels */,
    const T* inv_std /* channels */, T* d_weight /* channels */, T* d_bias /* channels */, int outer, int channels, int inner) {
    int c = blockIdx.x;
    long long count = (long long)outer * inner;
    T sum = 0, product = 0, center = mean[c];
    for (long long p = threadIdx.x; p < count; p += blockDim.x) {
        long long i = place(p, c, channels, inner);
        sum += g[i];
        product += g[i] * (x[i] - center);
    }
    sum = block_sum(sum);
    product = block_sum(product);
    if (threadIdx.x == 0) {
        d_bias[c] = sum;
        d_weight[c] = product * inv_std[c];
    }
}

/* dx: one thread for each element. */
extern "C" __global__ void input_gradient(
    const T* g /* outer*channels*inner */, const T* x /* outer*channels*inner */, const T* mean /* channels */,
    const T* inv_std /* channels */, const T* weight /* channels or null */, const T* d_weight /* channels */,
    const T* d_bias /* channels */, T* dx /* outer*channels*inner */, int outer, int channels, int inner) {
    T share = T(1) / ((long long)outer * inner);
    FOR_EACH(i, (long long)outer * channels * inner) {
        int c = i / inner % channels;
        T scale = weight ? inv_std[c] * weight[c] : inv_std[c];
        T standard = (x[i] - mean[c]) * inv_std[c];
        dx[i] = scale * (g[i] - share * d_bias[c] - share * d_weight[c] * standard);
    }
}
