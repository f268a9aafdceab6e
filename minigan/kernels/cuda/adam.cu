/* Adam over the flat vector of all parameters: one launch, one pass over memory.   Called by adam.py.

       m <- b1 m + (1 - b1) g          v <- b2 v + (1 - b2) g^2          (g <- g + weight_decay w first)
       w <- w - rate m / (sqrt(v) + margin)

   with rate = lr sqrt(1 - b2^t) / (1 - b1^t) and margin = eps sqrt(1 - b2^t), which is the same as
   lr m^ / (sqrt(v^) + eps).   Kingma and Ba 2015, algorithm 1 and the end of section 2.   AMSGrad: the largest v so far
   takes v's place (Reddi et al. 2018). */

typedef REAL T;   /* float or double */

#define FOR_EACH(i, n) \
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < (n); i += (long long)gridDim.x * blockDim.x)

/* One thread for each parameter.  If there is a clock, it gives rate and margin, else the arguments do. */
extern "C" __global__ void adam(
    T* w /* n */, const T* g /* n */, T* m /* n */, T* v /* n */, T* largest /* n or null */,
    const double* clock /* 4 or null */, double rate, double margin, double b1, double b2, double weight_decay, long long n) {
    T step = clock ? clock[2] : rate;
    T floor = clock ? clock[3] : margin;
    T keep_m = b1, new_m = 1 - b1, keep_v = b2, new_v = 1 - b2, decay = weight_decay;
    FOR_EACH(i, n) {
        T gi = g[i] + decay * w[i];
        T mi = m[i] = keep_m * m[i] + new_m * gi;
        T vi = v[i] = keep_v * v[i] + new_v * gi * gi;
        if (largest) vi = largest[i] = vi > largest[i] || vi != vi ? vi : largest[i];   /* a NaN stays, as in NumPy's maximum */
        w[i] -= step * mi / (sqrt(vi) + floor);
    }
}

/* The clock of a step that is recorded once and replayed: clock = (t, lr, rate, margin), on the GPU.  A recorded launch
   repeats its arguments, so t cannot be an argument.  One thread. */
extern "C" __global__ void tick(double* clock /* 4 */, double b1, double b2, double eps) {
    if (blockIdx.x || threadIdx.x) return;
    double t = clock[0] + 1;
    double correction = sqrt(1 - pow(b2, t));
    clock[0] = t;
    clock[2] = clock[1] * correction / (1 - pow(b1, t));
    clock[3] = eps * correction;
}
