/* Convolutions over time, then batch normalisation, ReLU and max pooling. `vector.h`
   includes this file for each instruction set.

   Windows aren't copied. The time steps of a sequence are copied once, with zeros around
   them, and the windows are overlapping rows of the product's left operand. With a
   dilation, steps that are `dilation` apart are copied next to each other. */

/* Copy the `n` steps that the windows of steps `phase`, `phase` + dilation, ... read. */
static void ISA(read_steps)(const Convolution *v, Py_ssize_t sequence, Py_ssize_t phase, Py_ssize_t n,
                            float *to)
{
    Py_ssize_t width = v->features, t = phase - v->before;
    for (Py_ssize_t i = 0; i < n; i++, t += v->dilation, to += width)
        if (t < 0 || t >= v->lengths[sequence])
            memset(to, 0, width * sizeof(float));
        else
            memcpy(to, v->x + (t * v->sequences + sequence) * width, width * sizeof(float));
}

/* The number of a sequence's steps phase, phase + dilation, ... */
INLINE Py_ssize_t ISA(steps_of)(const Convolution *v, Py_ssize_t sequence, Py_ssize_t phase)
{
    return (v->lengths[sequence] - phase + v->dilation - 1) / v->dilation;
}

/* Allocate memory for `read_steps`. */
static float *ISA(room_for_steps)(const Convolution *v)
{
    return allocate((v->steps / v->dilation + v->size) * v->features);
}

/* out = bias + windows of x times the kernel, for sequences `first` to `last`. Padding
   becomes zeros. */
static int ISA(convolve)(const Convolution *v, const float *kernel, const float *bias, float *out,
                         Py_ssize_t first, Py_ssize_t last)
{
    Py_ssize_t k = v->size * v->features, n = v->filters;
    float *packed = allocate(PACKED(k, n, VL)), *read = ISA(room_for_steps)(v);
    if (!packed || !read) {
        free(packed), free(read);
        return 0;
    }
    ISA(pack)(kernel, k, n, n, 1, packed);
    for (Py_ssize_t s = first; s < last; s++) {
        for (Py_ssize_t p = 0; p < MIN(v->dilation, v->lengths[s]); p++) {
            Py_ssize_t rows = ISA(steps_of)(v, s, p);
            ISA(read_steps)(v, s, p, rows + v->size - 1, read);
            ISA(product)(rows, n, k, read, v->features, 1, packed,
                         out + (p * v->sequences + s) * n, v->dilation * v->sequences * n, 0,
                         bias);
        }
        for (Py_ssize_t t = v->lengths[s]; t < v->steps; t++)
            memset(out + (t * v->sequences + s) * n, 0, n * sizeof(float));
    }
    free(packed), free(read);
    return 1;
}

/* The gradients of `n` columns of the kernel and of the bias. g is the gradient of the
   output. Rows of g and of d_kernel are v->filters apart. */
static int ISA(convolve_back)(const Convolution *v, const float *g, Py_ssize_t n, float *d_kernel,
                              float *d_bias)
{
    Py_ssize_t k = v->size * v->features, width = v->filters;
    float *packed = allocate(PACKED(BLOCK, n, VL)), *read = ISA(room_for_steps)(v);
    if (!packed || !read) {
        free(packed), free(read);
        return 0;
    }
    memset(d_bias, 0, n * sizeof(float));
    for (Py_ssize_t i = 0; i < k; i++)
        memset(d_kernel + i * width, 0, n * sizeof(float));
    for (Py_ssize_t s = 0; s < v->sequences; s++)
        for (Py_ssize_t p = 0; p < MIN(v->dilation, v->lengths[s]); p++) {
            Py_ssize_t rows = ISA(steps_of)(v, s, p), row = v->dilation * v->sequences * width;
            ISA(read_steps)(v, s, p, rows + v->size - 1, read);
            for (Py_ssize_t i = 0; i < rows; i += BLOCK) {
                Py_ssize_t m = MIN(BLOCK, rows - i);
                const float *from = g + (p * v->sequences + s) * width + i * row;
                ISA(pack)(from, m, n, row, 1, packed);
                for (Py_ssize_t j = 0; j < m; j++)
                    ISA(add_rows)(d_bias, from + j * row, n);
                ISA(product)(k, n, m, read + i * v->features, 1, v->features, packed, d_kernel,
                             width, 1, NULL);
            }
        }
    free(packed), free(read);
    return 1;
}

/* ---- batch normalisation, ReLU, max pooling ------------------------------------------ */

#define IS_REAL(r, t, s) (!(r)->real || (r)->real[(t) * (r)->sequences + (s)])
#define STEP(r, x, t, s) ((x) + ((t) * (r)->sequences + (s)) * (r)->channels)

/* Means and variances of channels `first` to `last` over the real steps. Each step has its
   own sum first, because one sum of very many numbers would lose digits. */
static void ISA(statistics)(const Rectified *r, Py_ssize_t n_real, Py_ssize_t first, Py_ssize_t last,
                            float *mean, float *variance)
{
    for (int centred = 0; centred < 2; centred++)
        for (Py_ssize_t j = first; j < last; j += VL) {
            Py_ssize_t n = MIN(VL, last - j);
            vec all = {0}, middle = centred ? ISA(load)(mean + j, n) : (vec){0};
            for (Py_ssize_t t = 0; t < r->steps; t++) {
                vec sum = {0};
                for (Py_ssize_t s = 0; s < r->sequences; s++)
                    if (IS_REAL(r, t, s)) {
                        vec x = ISA(load)(STEP(r, r->x, t, s) + j, n) - middle;
                        if (centred)
                            x *= x;
                        sum += x;
                    }
                all += sum;
            }
            ISA(store)((centred ? variance : mean) + j, all / (float)MAX(n_real, 1), n);
        }
}

/* Return the maximum over one pool's real steps, at least 0. `winner` is its step in the
   pool, or -1 if none is above 0. `centred` is its x minus the mean. NaN counts as the maximum. */
INLINE vec ISA(greatest_of_pool)(const Rectified *r, Py_ssize_t step, Py_ssize_t s, Py_ssize_t j, Py_ssize_t n,
                         vec mean, vec factor, vec beta, bits *winner, vec *centred)
{
    vec best = {0}, own = {0};
    bits which = (bits){0} - 1;
    Py_ssize_t first = step * r->pool, last = MIN(first + r->pool, r->steps);
    for (Py_ssize_t t = first; t < last; t++)
        if (IS_REAL(r, t, s)) {
            vec x = ISA(load)(STEP(r, r->x, t, s) + j, n) - mean;
            vec y = x * factor + beta;
            bits above = ~(bits)(y <= best);
            best = ISA(choose)(above, y, best), own = ISA(choose)(above, x, own);
            which = (above & ((bits){0} + (int)(t - first))) | (~above & which);
        }
    *winner = which, *centred = own;
    return best;
}

#define POOLED(r) (((r)->steps - 1) / (r)->pool + 1)

/* Set channels `first` to `last` of y (pooled steps, sequences, channels). */
static void ISA(rectify)(const Rectified *r, const float *beta, float *y, Py_ssize_t first,
                         Py_ssize_t last)
{
    for (Py_ssize_t p = 0; p < POOLED(r); p++)
        for (Py_ssize_t j = first; j < last; j += VL) {
            Py_ssize_t n = MIN(VL, last - j);
            vec mean = ISA(load)(r->mean + j, n), factor = ISA(load)(r->factor + j, n), own;
            vec shift = ISA(load)(beta + j, n);
            bits winner;
            for (Py_ssize_t s = 0; s < r->sequences; s++)
                ISA(store)(STEP(r, y, p, s) + j,
                           ISA(greatest_of_pool)(r, p, s, j, n, mean, factor, shift, &winner, &own), n);
        }
}

/* The gradients of x, gamma and beta; g is that of y. The mean and the variance come from
   x's n_real steps, so they have gradients too. `inverse` is 1 / standard deviation. */
static void ISA(rectify_back)(const Rectified *r, const float *beta, const float *inverse,
                              Py_ssize_t n_real, const float *g, float *dx, float *d_gamma,
                              float *d_beta, Py_ssize_t first, Py_ssize_t last)
{
    for (Py_ssize_t j = first; j < last; j += VL) {
        Py_ssize_t n = MIN(VL, last - j);
        vec mean = ISA(load)(r->mean + j, n), factor = ISA(load)(r->factor + j, n), own;
        vec shift = ISA(load)(beta + j, n), unit = ISA(load)(inverse + j, n), zero = {0};
        vec sums = {0}, products = {0};
        bits winner;
        for (Py_ssize_t p = 0; p < POOLED(r); p++) {
            vec sum = {0}, product = {0};
            for (Py_ssize_t s = 0; s < r->sequences; s++) {
                ISA(greatest_of_pool)(r, p, s, j, n, mean, factor, shift, &winner, &own);
                vec given = ISA(choose)(winner >= 0, ISA(load)(STEP(r, g, p, s) + j, n), zero);
                sum += given, product += given * own;
            }
            sums += sum, products += product;
        }
        products *= unit;
        ISA(store)(d_beta + j, sums, n), ISA(store)(d_gamma + j, products, n);
        vec each = sums / (float)MAX(n_real, 1), slope = products * unit / (float)MAX(n_real, 1);
        for (Py_ssize_t p = 0; p < POOLED(r); p++)
            for (Py_ssize_t s = 0; s < r->sequences; s++) {
                ISA(greatest_of_pool)(r, p, s, j, n, mean, factor, shift, &winner, &own);
                vec given = ISA(load)(STEP(r, g, p, s) + j, n);
                for (Py_ssize_t t = p * r->pool; t < MIN((p + 1) * r->pool, r->steps); t++) {
                    bits is_it = winner == (bits){0} + (int)(t - p * r->pool);
                    vec x = ISA(load)(STEP(r, r->x, t, s) + j, n) - mean;
                    vec d = (ISA(choose)(is_it, given, zero) - each - x * slope) * factor;
                    ISA(store)(STEP(r, dx, t, s) + j, IS_REAL(r, t, s) ? d : zero, n);
                }
            }
    }
}

#undef IS_REAL
#undef STEP
#undef POOLED
