/* Convolution as a matrix product: the two rearrangements around it.

   im2col   copies the elements under the kernel at each output pixel into a column
   col2im   the adjoint: adds each column's elements to the pixels from which they came

   Called by conv.py.  With K = channels kh kw and P = images oh ow:

       conv2d           y (O, P)  = w (O, K)   im2col(x) (K, P)
       conv2d_adjoint   x         = col2im( w^T (K, O)  u (O, P) )
       conv2d_weight    w (O, K)  = u (O, P)   im2col(x)^T (P, K)

   In memory u, y and the columns have the channels first, then the images: (O, N, oh, ow) and (C, kh, kw, N, oh, ow).  So
   every product above is one plain matrix product, and its result is already the array that we need.

   Both kernels work on `count` images from `first` on, and on `inside` channels from `channel` on (a group), so that the
   columns of a large batch need not all exist at once.   */

typedef REAL T;   /* float or double: -DREAL=float.  Not -DT: the compiler's own headers have templates with a T */

#define FOR_EACH(i, n) \
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < (n); i += (long long)gridDim.x * blockDim.x)

/* columns[c, r, s, n, p, q] = x[channel + c, first + n, p sh + r dh - ph, q sw + s dw - pw],  0 outside of x.

   One thread for each (c, n, p, q), which loops over the kernel's elements (r, s): neighbouring threads then write neighbouring
   elements of columns.  x may lie in memory as (C, N, H, W) or as (N, C, H, W): c_step and n_step are the distances from one
   channel and one image to the next. */
extern "C" __global__ void im2col(
    const T* x /* channels*images*height*width */, T* columns /* inside*kh*kw*count*oh*ow */,
    int channels, int images, int height, int width, long long c_step, long long n_step,
    int channel, int inside, int first, int count, int oh, int ow,
    int kh, int kw, int sh, int sw, int ph, int pw, int dh, int dw) {
    long long pixels = (long long)count * oh * ow;
    FOR_EACH(i, inside * pixels) {
        int c = i / pixels;
        int pixel = i - c * pixels;
        int q = pixel % ow, p = pixel / ow % oh, n = pixel / ow / oh;
        const T* plane = x + (channel + c) * c_step + (first + n) * n_step;
        T* column = columns + (long long)c * kh * kw * pixels + pixel;
        for (int r = 0; r < kh; r++) {
            int row = p * sh + r * dh - ph;
            for (int s = 0; s < kw; s++) {
                int col = q * sw + s * dw - pw;
                bool in = row >= 0 && row < height && col >= 0 && col < width;
                *column = in ? plane[(long long)row * width + col] : T(0);
                column += pixels;
            }
        }
    }
}

/* x[channel + c, first + n, i, j] = the sum of columns[c, r, s, n, p, q] over p sh + r dh - ph = i and q sw + s dw - pw = j.

   This is a gather: one thread for each pixel of x collects its terms in a fixed order.  So no two threads add to the same
   element, and the sum has the same bits every time.  x lies in memory as (C, N, H, W). */
extern "C" __global__ void col2im(
    const T* columns /* inside*kh*kw*count*oh*ow */, T* x /* channels*images*height*width */,
    int channels, int images, int height, int width,
    int channel, int inside, int first, int count, int oh, int ow,
    int kh, int kw, int sh, int sw, int ph, int pw, int dh, int dw) {
    long long pixels = (long long)count * oh * ow;
    long long plane = (long long)count * height * width;
    FOR_EACH(k, inside * plane) {
        int c = k / plane;
        int pixel = k - c * plane;
        int j = pixel % width, i = pixel / width % height, n = pixel / width / height;
        T sum = 0;
        for (int r = 0; r < kh; r++) {
            int p = i + ph - r * dh;
            if (p < 0 || p % sh || p / sh >= oh) continue;
            for (int s = 0; s < kw; s++) {
                int q = j + pw - s * dw;
                if (q < 0 || q % sw || q / sw >= ow) continue;
                sum += columns[((long long)(c * kh + r) * kw + s) * pixels + ((long long)n * oh + p / sh) * ow + q / sw];
            }
        }
        x[((long long)(channel + c) * images + first) * height * width + pixel] = sum;
    }
}
