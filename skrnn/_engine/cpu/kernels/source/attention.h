/* Self-attention of many short sequences, head by head; `vector.h` includes it for each
   instruction set. All that one head of one sequence needs stays in the cache. */

/* Rows `rows` and vectors `vectors` of c = factor a b, in registers: both are constants
   where it is called. */
INLINE void ISA(tile_of_head)(int rows, int vectors, Py_ssize_t k, const float *a,
                              Py_ssize_t row, Py_ssize_t column, const float *b,
                              Py_ssize_t ldb, Py_ssize_t width, float factor, float *c,
                              Py_ssize_t ldc)
{
    vec sums[4][2] = {{{0}}};
    for (Py_ssize_t i = 0; i < k; i++, a += column, b += ldb)
        for (int s = 0; s < vectors; s++) {
            vec right = ISA(load)(b + s * VL, width - s * VL);
            for (int r = 0; r < rows; r++)
                sums[r][s] += a[r * row] * right;
        }
    for (int r = 0; r < rows; r++)
        for (int s = 0; s < vectors; s++)
            ISA(store)(c + r * ldc + s * VL, sums[r][s] * factor, width - s * VL);
}

/* c (m, n) = factor a b, where a[i, j] stands at a + i * row + j * column. Each number
   is summed in the order of the k, whatever m and n are. */
static void ISA(of_head)(Py_ssize_t m, Py_ssize_t k, Py_ssize_t n, const float *a, Py_ssize_t row,
                         Py_ssize_t column, const float *b, Py_ssize_t ldb, float factor,
                         float *c, Py_ssize_t ldc)
{
    for (Py_ssize_t j = 0; j < n; j += 2 * VL) {
        Py_ssize_t width = n - j, i = 0;
        if (width > VL) {
            for (; i + 4 <= m; i += 4)
                ISA(tile_of_head)(4, 2, k, a + i * row, row, column, b + j, ldb, width,
                                  factor, c + i * ldc + j, ldc);
            for (; i < m; i++)
                ISA(tile_of_head)(1, 2, k, a + i * row, row, column, b + j, ldb, width,
                                  factor, c + i * ldc + j, ldc);
        } else {
            for (; i + 4 <= m; i += 4)
                ISA(tile_of_head)(4, 1, k, a + i * row, row, column, b + j, ldb, width,
                                  factor, c + i * ldc + j, ldc);
            for (; i < m; i++)
                ISA(tile_of_head)(1, 1, k, a + i * row, row, column, b + j, ldb, width,
                                  factor, c + i * ldc + j, ldc);
        }
    }
}

/* Shares of a row of scores, those behind the first `n` of `ld` becoming 0. */
static void ISA(shares)(float *row, Py_ssize_t n, Py_ssize_t ld)
{
    float most = row[0], sum = 0;
    for (Py_ssize_t j = 1; j < n; j++)
        most = row[j] > most ? row[j] : most;
    vec sums = {0};
    for (Py_ssize_t j = 0; j < n; j += VL) {
        ISA(store)(row + j, ISA(exp)(ISA(load)(row + j, n - j) - most), n - j);
        /* The lanes past the end hold something: read back without them. */
        sums += ISA(load)(row + j, n - j);
    }
    for (int j = 0; j < VL; j++)
        sum += sums[j];
    vec factor = ISA(constant)(1 / sum);
    for (Py_ssize_t j = 0; j < n; j += VL)
        ISA(store)(row + j, ISA(load)(row + j, n - j) * factor, n - j);
    for (Py_ssize_t j = n; j < ld; j++)
        row[j] = 0;
}

/* The columns of one head (n, d), as rows of `to` (d, ld). */
static void ISA(turn)(const float *from, Py_ssize_t stride, Py_ssize_t n, Py_ssize_t d, float *to,
                      Py_ssize_t ld)
{
    for (Py_ssize_t i = 0; i < n; i++)
        for (Py_ssize_t j = 0; j < d; j++)
            to[j * ld + i] = from[i * stride + j];
}

static void ISA(no_steps)(float *x, Py_ssize_t stride, Py_ssize_t n, Py_ssize_t steps, Py_ssize_t d)
{
    for (Py_ssize_t t = n; t < steps; t++)
        memset(x + t * stride, 0, d * sizeof(float));
}

static int ISA(attend)(const Heads *h, Py_ssize_t first, Py_ssize_t last)
{
    Py_ssize_t T = h->steps, d = h->width, stride = h->sequences * h->heads * d;
    float scale = 1 / sqrtf((float)d), *turned = allocate(d * T);
    float *own = h->shares ? NULL : allocate(T * T);
    if (!turned || (!h->shares && !own)) {
        free(turned), free(own);
        return 0;
    }
    for (Py_ssize_t p = first; p < last; p++) {
        Py_ssize_t n = h->lengths[p / h->heads], at = p * d;
        float *shares = own ? own : h->shares + p * T * T;
        ISA(turn)(h->k + at, stride, n, d, turned, T);
        ISA(of_head)(n, d, n, h->q + at, stride, 1, turned, T, scale, shares, T);
        for (Py_ssize_t i = 0; i < n; i++)
            ISA(shares)(shares + i * T, h->causal ? i + 1 : n, n);
        ISA(of_head)(n, n, d, shares, T, 1, h->v + at, stride, 1, h->out + at, stride);
        ISA(no_steps)(h->out + at, stride, n, T, d);
    }
    free(turned), free(own);
    return 1;
}

static int ISA(attend_back)(const Heads *h, const float *g, float *dq, float *dk, float *dv,
                            Py_ssize_t first, Py_ssize_t last)
{
    Py_ssize_t T = h->steps, d = h->width, stride = h->sequences * h->heads * d;
    float scale = 1 / sqrtf((float)d), *turned = allocate(d * T), *ds = allocate(T * T);
    if (!turned || !ds) {
        free(turned), free(ds);
        return 0;
    }
    for (Py_ssize_t p = first; p < last; p++) {
        Py_ssize_t n = h->lengths[p / h->heads], at = p * d;
        const float *shares = h->shares + p * T * T;
        ISA(of_head)(n, n, d, shares, 1, T, g + at, stride, 1, dv + at, stride);
        ISA(turn)(h->v + at, stride, n, d, turned, T);
        ISA(of_head)(n, d, n, g + at, stride, 1, turned, T, 1, ds, T);
        for (Py_ssize_t i = 0; i < n; i++) {
            const float *share = shares + i * T;
            float *row = ds + i * T, sum = 0;
            vec sums = {0};
            for (Py_ssize_t j = 0; j < n; j += VL)
                sums += ISA(load)(share + j, n - j) * ISA(load)(row + j, n - j);
            for (int j = 0; j < VL; j++)
                sum += sums[j];
            for (Py_ssize_t j = 0; j < n; j += VL)
                ISA(store)(row + j, (ISA(load)(row + j, n - j) - sum) * ISA(load)(share + j, n - j),
                           n - j);
        }
        ISA(of_head)(n, n, d, ds, T, 1, h->k + at, stride, scale, dq + at, stride);
        ISA(of_head)(n, n, d, ds, 1, T, h->q + at, stride, scale, dk + at, stride);
        ISA(no_steps)(dq + at, stride, n, T, d);
        ISA(no_steps)(dk + at, stride, n, T, d);
        ISA(no_steps)(dv + at, stride, n, T, d);
    }
    free(turned), free(ds);
    return 1;
}

/* ---- layer normalisation ----------------------------------------------------------- */

static float ISA(total)(vec sums)
{
    float sum = 0;
    for (int j = 0; j < VL; j++)
        sum += sums[j];
    return sum;
}

/* The lanes past the end of a row are zero in `load` with instructions for it, and
   without: but x - mean isn't. */
static void ISA(normalise)(const float *x, Py_ssize_t rows, Py_ssize_t n, const float *gamma,
                           const float *beta, float epsilon, float *y, float *found)
{
    for (Py_ssize_t i = 0; i < rows; i++, x += n, y += n, found += 2) {
        vec sums = {0};
        for (Py_ssize_t j = 0; j < n; j += VL)
            sums += ISA(load)(x + j, n - j);
        float mean = ISA(total)(sums) / n, square = 0;
        vec squares = {0};
        Py_ssize_t j = 0;
        for (; j + VL <= n; j += VL) {
            vec centred = ISA(load)(x + j, VL) - mean;
            squares += centred * centred;
        }
        for (; j < n; j++)
            square += (x[j] - mean) * (x[j] - mean);
        float inverse = 1 / sqrtf((square + ISA(total)(squares)) / n + epsilon);
        for (j = 0; j < n; j += VL) {
            vec own = (ISA(load)(x + j, n - j) - mean) * inverse;
            own = own * ISA(load)(gamma + j, n - j) + ISA(load)(beta + j, n - j);
            ISA(store)(y + j, own, n - j);
        }
        found[0] = mean, found[1] = inverse;
    }
}

static void ISA(normalise_back)(const float *x, const float *g, Py_ssize_t rows, Py_ssize_t n,
                                const float *gamma, const float *found, float *dx,
                                float *dgamma, float *dbeta)
{
    memset(dgamma, 0, n * sizeof(float)), memset(dbeta, 0, n * sizeof(float));
    for (Py_ssize_t i = 0; i < rows; i++, x += n, g += n, dx += n, found += 2) {
        float mean = found[0], inverse = found[1];
        vec sums = {0}, products = {0};
        for (Py_ssize_t j = 0; j < n; j += VL) {
            Py_ssize_t rest = n - j;
            vec own = (ISA(load)(x + j, rest) - mean) * inverse, given = ISA(load)(g + j, rest);
            ISA(store)(dgamma + j, ISA(load)(dgamma + j, rest) + given * own, rest);
            ISA(store)(dbeta + j, ISA(load)(dbeta + j, rest) + given, rest);
            given *= ISA(load)(gamma + j, rest);
            sums += given, products += given * own;
        }
        float sum = ISA(total)(sums) / n, product = ISA(total)(products) / n;
        for (Py_ssize_t j = 0; j < n; j += VL) {
            Py_ssize_t rest = n - j;
            vec own = (ISA(load)(x + j, rest) - mean) * inverse;
            vec given = ISA(load)(g + j, rest) * ISA(load)(gamma + j, rest);
            ISA(store)(dx + j, (given - sum - own * product) * inverse, rest);
        }
    }
}
