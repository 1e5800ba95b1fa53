/* Layer normalisation, and self-attention one head at a time. `vector.h` includes this
   file for each instruction set. A few queries are computed together, so that their data
   stays in the cache. Attention weights aren't kept: the backward pass computes them
   again. */

/* Number of queries that are computed together. */
#define QUERIES 32

/* Return the first `n` lanes of x, then those of `rest`. */
INLINE vec ISA(first_lanes)(vec x, Py_ssize_t n, vec rest)
{
    static const int lane_numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    bits place = *(const bits *)lane_numbers;
    return ISA(choose)(place < (int)MIN(n, VL), x, rest);
}

/* The sum of all lanes, four at a time, always in the same order. */
INLINE float ISA(total)(vec x)
{
    quad parts[VL / 4];
    *(vec *)parts = x;
    UNROLL
    for (int i = 1; i < VL / 4; i++)
        parts[0] += parts[i];
    quad pairs = parts[0] + BOTH(parts[0], parts[0], 2, 3, 0, 1);
    return pairs[0] + pairs[1];
}

INLINE float ISA(greatest)(vec x)
{
    quad parts[VL / 4];
    *(vec *)parts = x;
    UNROLL
    for (int i = 1; i < VL / 4; i++)
        parts[0] = greater_ones(parts[0], parts[i]);
    quad pairs = greater_ones(parts[0], BOTH(parts[0], parts[0], 2, 3, 0, 1));
    return MAX(pairs[0], pairs[1]);
}

/* ---- layer normalisation ----------------------------------------------------------- */

/* Set the rows of y to those of x, scaled to mean 0 and variance 1, times gamma plus beta.
   Rows of x are `stride` apart. `found` gets means and inverse standard deviations. */
static void ISA(normalise)(const float *x, Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t n,
                           const float *gamma, const float *beta, float epsilon, float *y,
                           float *found)
{
    for (Py_ssize_t i = 0; i < rows; i++, x += stride, y += n, found += 2) {
        vec sums = {0}, squares = {0};
        for (Py_ssize_t j = 0; j < n; j += VL)
            sums += ISA(load)(x + j, n - j);
        float mean = ISA(total)(sums) / n;
        for (Py_ssize_t j = 0; j < n; j += VL) {
            vec centred = ISA(first_lanes)(ISA(load)(x + j, n - j) - mean, n - j, (vec){0});
            squares += centred * centred;
        }
        float inverse = 1 / sqrtf(ISA(total)(squares) / n + epsilon);
        for (Py_ssize_t j = 0; j < n; j += VL) {
            vec own = (ISA(load)(x + j, n - j) - mean) * inverse;
            own = own * ISA(load)(gamma + j, n - j) + ISA(load)(beta + j, n - j);
            ISA(store)(y + j, own, n - j);
        }
        found[0] = mean, found[1] = inverse;
    }
}

/* The backward pass of `normalise`: g, in contiguous rows, is the gradient of y. Adds to
   dgamma and dbeta. The rows `more`, if given, are added to dx. */
static void ISA(normalise_back)(const float *x, Py_ssize_t stride, const float *g, Py_ssize_t rows,
                                Py_ssize_t n, const float *gamma, const float *found,
                                const float *more, float *dx, Py_ssize_t dx_stride,
                                float *dgamma, float *dbeta)
{
    for (Py_ssize_t i = 0; i < rows; i++, x += stride, g += n, dx += dx_stride, found += 2) {
        float mean = found[0], inverse = found[1];
        vec sums = {0}, products = {0};
        for (Py_ssize_t j = 0; j < n; j += VL) {
            Py_ssize_t rest = n - j;
            vec own = (ISA(load)(x + j, rest) - mean) * inverse, given = ISA(load)(g + j, rest);
            ISA(store)(dgamma + j, ISA(load)(dgamma + j, rest) + given * own, rest);
            ISA(store)(dbeta + j, ISA(load)(dbeta + j, rest) + given, rest);
            /* This is zero past the end of a row, because gamma is. */
            given *= ISA(load)(gamma + j, rest);
            sums += given, products += given * own;
        }
        float sum = ISA(total)(sums) / n, product = ISA(total)(products) / n;
        for (Py_ssize_t j = 0; j < n; j += VL) {
            Py_ssize_t rest = n - j;
            vec own = (ISA(load)(x + j, rest) - mean) * inverse;
            vec given = ISA(load)(g + j, rest) * ISA(load)(gamma + j, rest);
            given = (given - sum - own * product) * inverse;
            if (more)
                given += ISA(load)(more + i * n + j, rest);
            ISA(store)(dx + j, given, rest);
        }
    }
}

/* ---- attention ---------------------------------------------------------------------- */

/* How many of n keys to compute for queries before step `end`. Causal queries see no later
   keys, but panels of packed keys are computed whole. */
INLINE Py_ssize_t ISA(seen)(int causal, Py_ssize_t end, Py_ssize_t n, Py_ssize_t width)
{
    return causal && width <= PANEL ? MIN(n, ROUND_UP(end, PANEL)) : n;
}

/* Replace the first n of `seen` scores by their exponentials, the others by zeros.
   `found` gets the maximum score and the inverse of the sum. */
INLINE void ISA(exponentials)(float *row, Py_ssize_t n, Py_ssize_t seen, float scale, float *found)
{
    vec most = ISA(constant)(row[0]), sums = {0}, zero = {0};
    for (Py_ssize_t j = 0; j < n; j += VL)
        most = ISA(at_least)(most, ISA(first_lanes)(ISA(load)(row + j, n - j), n - j, most));
    found[0] = ISA(greatest)(most);
    for (Py_ssize_t j = 0; j < seen; j += VL) {
        vec e = ISA(exp)((ISA(load)(row + j, seen - j) - found[0]) * scale);
        e = ISA(first_lanes)(e, MAX(n - j, 0), zero);
        sums += e;
        ISA(store)(row + j, e, seen - j);
    }
    found[1] = 1 / ISA(total)(sums);
}

/* `row` has scores and gets the attention weights. `to` has the gradients of the weights
   and gets those of the scores. `sum` is the sum of weights times their gradients. */
INLINE void ISA(shares_back)(float *row, float *to, Py_ssize_t n, Py_ssize_t seen, float scale,
                             const float *found, float sum)
{
    vec zero = {0};
    for (Py_ssize_t j = 0; j < seen; j += VL) {
        vec e = ISA(exp)((ISA(load)(row + j, seen - j) - found[0]) * scale) * found[1];
        e = ISA(first_lanes)(e, MAX(n - j, 0), zero);
        vec d = ISA(first_lanes)(ISA(load)(to + j, seen - j) - sum, MAX(n - j, 0), zero);
        ISA(store)(row + j, e, seen - j);
        ISA(store)(to + j, d * e * scale, seen - j);
    }
}

/* The size of `space` for `attend` and `attend_back`, for n steps and heads of `width`. */
INLINE Py_ssize_t ISA(space_of_attention)(Py_ssize_t n, Py_ssize_t width)
{
    return 3 * PACKED(width, n, VL) + 3 * PACKED(MAX(n, QUERIES), width, VL) +
           2 * QUERIES * ROUND_UP(n, VL);
}

/* The output of one attention head. Rows of q, k and v are `stride` apart, those of `out`
   are `out_stride` apart. `found` (n, 2) is for the backward pass. */
static void ISA(attend)(Py_ssize_t n, Py_ssize_t width, int causal, const float *q, const float *k,
                        const float *v, Py_ssize_t stride, float *out, Py_ssize_t out_stride,
                        float *found, float *space)
{
    Py_ssize_t ld = ROUND_UP(n, VL);
    float scale = 1 / sqrtf((float)width);
    float *keys = space, *values = keys + PACKED(width, n, VL);
    float *shares = values + PACKED(n, width, VL);
    ISA(pack)(k, width, n, 1, stride, keys);
    ISA(pack)(v, n, width, stride, 1, values);
    for (Py_ssize_t first = 0; first < n; first += QUERIES) {
        Py_ssize_t m = MIN(QUERIES, n - first), seen = ISA(seen)(causal, first + m, n, width);
        float *to = out + first * out_stride;
        ISA(product)(m, seen, width, q + first * stride, stride, 1, keys, shares, ld, 0, NULL);
        for (Py_ssize_t i = 0; i < m; i++)
            ISA(exponentials)(shares + i * ld, causal ? first + i + 1 : n, seen, scale,
                              found + 2 * (first + i));
        ISA(product)(m, width, seen, shares, ld, 1, values, to, out_stride, 0, NULL);
        for (Py_ssize_t i = 0; i < m; i++)
            for (Py_ssize_t j = 0; j < width; j += VL) {
                float *at = to + i * out_stride + j;
                ISA(store)(at, ISA(load)(at, width - j) * found[2 * (first + i) + 1], width - j);
            }
    }
}

/* The backward pass of `attend`: g is the gradient of `out`. Sets dq, and adds to dk and
   dv. */
static void ISA(attend_back)(Py_ssize_t n, Py_ssize_t width, int causal, const float *q,
                             const float *k, const float *v, Py_ssize_t stride, const float *out,
                             const float *g, Py_ssize_t out_stride, const float *found,
                             float *dq, float *dk, float *dv, float *space)
{
    Py_ssize_t ld = ROUND_UP(n, VL);
    float scale = 1 / sqrtf((float)width);
    float *keys = space, *values = keys + PACKED(width, n, VL);
    float *rows_of_keys = values + PACKED(width, n, VL);
    float *queries = rows_of_keys + PACKED(n, width, VL);
    float *given = queries + PACKED(QUERIES, width, VL);
    float *shares = given + PACKED(QUERIES, width, VL), *scores = shares + QUERIES * ld;
    ISA(pack)(k, width, n, 1, stride, keys);
    ISA(pack)(v, width, n, 1, stride, values);
    ISA(pack)(k, n, width, stride, 1, rows_of_keys);
    for (Py_ssize_t first = 0; first < n; first += QUERIES) {
        Py_ssize_t m = MIN(QUERIES, n - first), seen = ISA(seen)(causal, first + m, n, width);
        const float *own = q + first * stride, *told = g + first * out_stride;
        ISA(product)(m, seen, width, own, stride, 1, keys, shares, ld, 0, NULL);
        ISA(product)(m, seen, width, told, out_stride, 1, values, scores, ld, 0, NULL);
        for (Py_ssize_t i = 0; i < m; i++) {
            vec sums = {0};
            for (Py_ssize_t j = 0; j < width; j += VL)
                sums += ISA(load)(told + i * out_stride + j, width - j) *
                        ISA(load)(out + (first + i) * out_stride + j, width - j);
            ISA(shares_back)(shares + i * ld, scores + i * ld, causal ? first + i + 1 : n, seen,
                             scale, found + 2 * (first + i), ISA(total)(sums));
        }
        ISA(pack)(own, m, width, stride, 1, queries);
        ISA(pack)(told, m, width, out_stride, 1, given);
        ISA(product)(m, width, seen, scores, ld, 1, rows_of_keys, dq + first * stride, stride, 0,
                     NULL);
        ISA(product)(seen, width, m, scores, 1, ld, queries, dk, stride, 1, NULL);
        ISA(product)(seen, width, m, shares, 1, ld, given, dv, stride, 1, NULL);
    }
}
#undef QUERIES
