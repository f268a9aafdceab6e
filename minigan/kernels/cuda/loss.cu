/* Losses with their gradients, each in one pass over the logits.   Called by loss.py. */

typedef REAL T;   /* float or double */

#define FOR_EACH(i, n) \
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < (n); i += (long long)gridDim.x * blockDim.x)

/* Binary cross-entropy of logits a and targets t, elementwise:

       loss = max(a, 0) - a t + log(1 + e^-|a|)          slope = d loss / d a = sigmoid(a) - t

   e^-|a| is at most 1, so nothing overflows.  For a > 0 the slope is (1 - t) - sigmoid(-a): where t is 1, nothing cancels.   One thread for each element. */
extern "C" __global__ void logits_loss(
    const T* a /* n */, const T* t /* n */, T* loss /* n */, T* slope /* n */, long long n) {
    FOR_EACH(i, n) {
        T x = a[i], e = exp(-fabs(x));
        loss[i] = (x > 0 ? x : T(0)) - x * t[i] + log1p(e);
        slope[i] = x > 0 ? (1 - t[i]) - e / (1 + e) : e / (1 + e) - t[i];
    }
}

/* Cross-entropy of softmax and a class number, for logits (outer, classes, inner) and labels (outer, inner):

       loss = log(sum_c e^(x_c - max)) - (x_label - max)         slope_c = softmax(x)_c - (1 if c is the label else 0)

   A label that is no class gives NaN: the card cannot raise an error.
   One thread for each label. */
extern "C" __global__ void softmax_loss(
    const T* x /* outer*classes*inner */, const long long* labels /* outer*inner */, T* loss /* outer*inner */,
    T* slope /* outer*classes*inner */, int outer, int classes, int inner) {
    FOR_EACH(i, (long long)outer * inner) {
        long long o = i / inner, label = labels[i];
        const T* row = x + o * classes * inner + (i - o * inner);
        T* out = slope + (row - x);
        T most = row[0], sum = 0;
        for (int c = 1; c < classes; c++) most = row[(long long)c * inner] > most ? row[(long long)c * inner] : most;
        for (int c = 0; c < classes; c++) sum += exp(row[(long long)c * inner] - most);
        bool known = label >= 0 && label < classes;
        T scale = known ? 1 / sum : T(nan(""));
        for (int c = 0; c < classes; c++) out[(long long)c * inner] = exp(row[(long long)c * inner] - most) * scale;
        loss[i] = known ? log(sum) - (row[label * inner] - most) : T(nan(""));
        if (known) out[label * inner] -= 1;
    }
}
