/* The kernels for one instruction set. `_kernels.c` includes this file once per set.

   It defines VL, the number of floats in a vector; MR and NV, the rows and the vectors of
   a product's tile, which stays in registers; and ISA(name), the name of a function here.
   If the set has such instructions, it also defines MASKED_LOAD, MASKED_STORE, MAXIMUM
   and MINIMUM. The last two return their second operand if either one is NaN. */

typedef float ISA(vector) __attribute__((vector_size(VL * 4), aligned(4), may_alias));
typedef int ISA(integers) __attribute__((vector_size(VL * 4), aligned(4), may_alias));
/* Unsigned, because signed overflow is undefined. */
typedef unsigned ISA(naturals) __attribute__((vector_size(VL * 4), aligned(4), may_alias));
#define vec ISA(vector)
#define bits ISA(integers)
#define PANEL (VL * NV)

INLINE vec ISA(load)(const float *from, Py_ssize_t n)
{
    if (n >= VL)
        return *(const vec *)from;
#ifdef MASKED_LOAD
    return MASKED_LOAD(from, n);
#else
    vec v = {0};
    for (Py_ssize_t j = 0; j < n; j++)
        v[j] = from[j];
    return v;
#endif
}

INLINE void ISA(store)(float *to, vec v, Py_ssize_t n)
{
    if (n >= VL)
        *(vec *)to = v;
    else {
#ifdef MASKED_STORE
        MASKED_STORE(to, v, n);
#else
        for (Py_ssize_t j = 0; j < n; j++)
            to[j] = v[j];
#endif
    }
}

INLINE vec ISA(constant)(float value) { return value - (vec){0}; }

/* `at_least` and `at_most` return NaN if `x` is NaN. */
INLINE vec ISA(at_least)(vec limit, vec x)
{
#ifdef MAXIMUM
    return MAXIMUM(limit, x);
#else
    bits below = x < limit;
    return (vec)((below & (bits)limit) | (~below & (bits)x));
#endif
}

INLINE vec ISA(at_most)(vec limit, vec x)
{
#ifdef MINIMUM
    return MINIMUM(limit, x);
#else
    bits above = x > limit;
    return (vec)((above & (bits)limit) | (~above & (bits)x));
#endif
}

INLINE vec ISA(clamp)(vec x, float limit)
{
    vec top = ISA(constant)(limit);
    return ISA(at_least)(-top, ISA(at_most)(top, x));
}

INLINE vec ISA(choose)(bits where, vec yes, vec no)
{
    return (vec)((where & (bits)yes) | (~where & (bits)no));
}

INLINE vec ISA(absolute)(vec x) { return (vec)((bits)x & 0x7fffffff); }

/* ---- exponentials ---------------------------------------------------------------- */

/* Split e^x = scale + scale * rest for x <= 0. `scale` is a power of 2. `rest` is
   e^r - 1 with |r| <= ln(2) / 2, by a minimax polynomial. Below -88, `scale` is 0. If x
   is NaN, `rest` is NaN. */
INLINE void ISA(split_exp)(vec x, vec *scale, vec *rest)
{
    x = ISA(at_least)(ISA(constant)(-88), x);
    /* Adding 1.5 * 2^23 rounds to a whole number and moves it to the lowest bits. */
    vec shifted = x * 1.44269504f + 12582912.0f;
    vec n = shifted - 12582912.0f;
    /* ln(2) has two parts here, so that n times the first part is exact. */
    vec r = x - n * 0.693145751953125f - n * 1.42860677e-6f;
    vec p = r * 1.3946473e-3f + 8.366598e-3f;
    p = p * r + 4.166628e-2f;
    p = p * r + 1.6666543e-1f;
    p = p * r + 0.5f;
    *rest = p * (r * r) + r;
    *scale = (vec)(((ISA(naturals))shifted + 127u) << 23);
}

/* e^x for x <= 0, within 2e-7 of the value; 0 below -88. */
INLINE vec ISA(exp)(vec x)
{
    vec scale, rest;
    ISA(split_exp)(x, &scale, &rest);
    return scale + scale * rest;
}

/* e^x - 1 for x <= 0, within 3e-7 of the value, even near 0, where exp(x) - 1 loses digits. */
INLINE vec ISA(expm1)(vec x)
{
    vec scale, rest;
    ISA(split_exp)(x, &scale, &rest);
    return scale * rest + (scale - 1.0f);
}

/* log(1 + u) for 0 <= u <= 1, within 3e-7 of the value: 2 artanh(u / (2 + u)). */
INLINE vec ISA(log1p)(vec u)
{
    vec s = u / (u + 2.0f);
    vec w = s * s;
    vec p = w * 2.8017074e-1f + 2.8000835e-1f;
    p = p * w + 4.0021577e-1f;
    p = p * w + 6.666642e-1f;
    return p * w * s + (s + s);
}

/* ---- activations ---------------------------------------------------------------- */

/* A rational minimax approximation on |x| <= 9, within 4e-7 of the value in single
   precision. NaN stays NaN. */
INLINE vec ISA(tanh)(vec x)
{
    x = ISA(clamp)(x, 9.0f);
    vec s = x * x;
    vec p = s * 1.3354795e-8f + 2.0609189e-5f;
    vec q = s * 7.7766162e-7f + 3.2856459e-4f;
    p = p * s + 3.4955951e-3f;
    q = q * s + 2.5877009e-2f;
    p = p * s + 1.3381032e-1f;
    q = q * s + 4.6714347e-1f;
    p = p * s + 1.0f;
    q = q * s + 1.0f;
    return ISA(clamp)(x * p / q, 1.0f);
}

INLINE vec ISA(sigmoid)(vec x) { return ISA(tanh)(x * 0.5f) * 0.5f + 0.5f; }

/* sigmoid(x) and sigmoid(-x), each within 4e-7 of the value. Tiny values must be exact
   too, because silu multiplies them by x. */
INLINE void ISA(sigmoids)(vec x, vec *of_x, vec *of_minus_x)
{
    vec small = ISA(exp)(-ISA(absolute)(x)), large = 1.0f / (small + 1.0f);
    small *= large;
    *of_x = ISA(choose)(x < 0.0f, small, large);
    *of_minus_x = ISA(choose)(x < 0.0f, large, small);
}

INLINE vec ISA(activate)(int kind, vec x)
{
    vec zero = {0}, a, b;
    switch (kind) {
    case TANH:
        return ISA(tanh)(x);
    case SIGMOID:
        return ISA(sigmoid)(x);
    case RELU:
        return ISA(at_least)(zero, x);
    case ELU:
        return ISA(choose)(x > zero, x, ISA(expm1)(ISA(at_most)(zero, x)));
    case SELU:
        a = ISA(expm1)(ISA(at_most)(zero, x)) * (SELU_SCALE * SELU_ALPHA);
        return ISA(choose)(x > zero, x * SELU_SCALE, a);
    case SOFTPLUS:
        /* If x is NaN, both terms are. */
        return ISA(at_least)(zero, x) + ISA(log1p)(ISA(exp)(-ISA(absolute)(x)));
    case SOFTSIGN:
        return x / (ISA(absolute)(x) + 1.0f);
    case SILU:
        ISA(sigmoids)(x, &a, &b);
        return x * a;
    default:
        return x;
    }
}

/* What the backward pass needs of an activation: its value y, which determines the slope.
   Silu needs its input x instead, because two inputs can have the same value. */
INLINE vec ISA(kept)(int kind, vec x, vec y) { return kind == SILU ? x : y; }

/* Return an activation's value from what `kept` returned, and set its derivative. */
INLINE vec ISA(recall)(int kind, vec y, vec *slope)
{
    vec zero = {0}, one = ISA(constant)(1), a, b;
    switch (kind) {
    case TANH:
        *slope = one - y * y;
        return y;
    case SIGMOID:
        *slope = y * (one - y);
        return y;
    case RELU:
        *slope = (vec)((y > zero) & (bits)one);
        return y;
    case ELU:
        *slope = ISA(choose)(y > zero, one, y + one);
        return y;
    case SELU:
        a = y + ISA(constant)(SELU_SCALE * SELU_ALPHA);
        *slope = ISA(choose)(y > zero, ISA(constant)(SELU_SCALE), a);
        return y;
    case SOFTPLUS:
        *slope = -ISA(expm1)(-y);
        return y;
    case SOFTSIGN:
        a = one - ISA(absolute)(y);
        *slope = a * a;
        return y;
    case SILU:
        ISA(sigmoids)(y, &a, &b);
        *slope = a * (one + y * b);
        return y * a;
    default:
        *slope = one;
        return y;
    }
}

/* ---- products ------------------------------------------------------------------- */

/* Transpose `real` rows of n numbers in 4 x 4 blocks. Rows of b are `apart` numbers apart. */
INLINE void ISA(turn_panel)(const float *b, Py_ssize_t n, Py_ssize_t apart, Py_ssize_t real,
                            Py_ssize_t width, float *to)
{
    Py_ssize_t rows = real & ~(Py_ssize_t)3, numbers = n & ~(Py_ssize_t)3;
    for (Py_ssize_t j = 0; j < rows; j += 4)
        for (Py_ssize_t i = 0; i < numbers; i += 4) {
            quad q[4];
            for (int r = 0; r < 4; r++)
                q[r] = *(const quad *)(b + (j + r) * apart + i);
            quad a = BOTH(q[0], q[1], 0, 4, 1, 5), c = BOTH(q[0], q[1], 2, 6, 3, 7);
            quad d = BOTH(q[2], q[3], 0, 4, 1, 5), e = BOTH(q[2], q[3], 2, 6, 3, 7);
            float *at = to + i * width + j;
            *(quad *)at = BOTH(a, d, 0, 1, 4, 5);
            *(quad *)(at + width) = BOTH(a, d, 2, 3, 6, 7);
            *(quad *)(at + 2 * width) = BOTH(c, e, 0, 1, 4, 5);
            *(quad *)(at + 3 * width) = BOTH(c, e, 2, 3, 6, 7);
        }
    for (Py_ssize_t j = 0; j < real; j++)
        for (Py_ssize_t i = j < rows ? numbers : 0; i < n; i++)
            to[i * width + j] = b[j * apart + i];
}

/* Copy the first `real` columns of b (k, .) to a panel of `width`. A transposed b is read
   in pieces of its rows. Reading single numbers would miss the cache every time if the
   rows are a power of two apart. */
static void ISA(pack_panel)(const float *b, Py_ssize_t k, Py_ssize_t row, Py_ssize_t column,
                            Py_ssize_t real, Py_ssize_t width, float *to)
{
    for (Py_ssize_t first = 0; first < k; first += VL, b += VL * row, to += VL * width) {
        Py_ssize_t n = MIN(VL, k - first);
        for (Py_ssize_t i = 0; column == 1 && i < n; i++)
            for (Py_ssize_t j = 0; j < width; j += VL)
                *(vec *)(to + i * width + j) = ISA(load)(b + i * row + j, real - j);
        for (Py_ssize_t i = 0; column != 1 && i < n; i++)
            for (Py_ssize_t j = real; j < width; j++)
                to[i * width + j] = 0;
        if (column != 1 && row == 1)
            ISA(turn_panel)(b, n, column, real, width, to);
        else if (column != 1)
            for (Py_ssize_t j = 0; j < real; j++)
                for (Py_ssize_t i = 0; i < n; i++)
                    to[i * width + j] = b[i * row + j * column];
    }
}

/* Copy b (k, n) to panels of PANEL columns. The last panel is padded to whole vectors. */
static void ISA(pack)(const float *b, Py_ssize_t k, Py_ssize_t n, Py_ssize_t row, Py_ssize_t column, float *to)
{
    for (Py_ssize_t first = 0; first < n; first += PANEL) {
        Py_ssize_t real = MIN(PANEL, n - first);
        Py_ssize_t width = ROUND_UP(real, VL);
        ISA(pack_panel)(b + first * column, k, row, column, real, width, to);
        to += k * width;
    }
}

/* One tile of `product`. Each call has constants for m and vectors, so the loops unroll. */
INLINE void ISA(tile)(const int m, const int vectors, Py_ssize_t k, const float *a, Py_ssize_t row,
                      Py_ssize_t column, const float *b, float *c, Py_ssize_t ldc, Py_ssize_t n, int add,
                      const float *bias)
{
    vec sum[MR][NV];
    UNROLL
    for (int j = 0; j < vectors; j++) {
        vec start = bias ? ISA(load)(bias + j * VL, n - j * VL) : (vec){0};
        UNROLL
        for (int i = 0; i < m; i++)
            sum[i][j] = start;
    }
    for (Py_ssize_t p = 0; p < k; p++, a += column, b += vectors * VL) {
        vec right[NV];
        UNROLL
        for (int j = 0; j < vectors; j++)
            right[j] = *(const vec *)(b + j * VL);
        UNROLL
        for (int i = 0; i < m; i++) {
            vec left = ISA(constant)(a[i * row]);
            UNROLL
            for (int j = 0; j < vectors; j++)
                sum[i][j] += left * right[j];
        }
    }
    UNROLL
    for (int i = 0; i < m; i++)
        UNROLL
        for (int j = 0; j < vectors; j++) {
            float *to = c + i * ldc + j * VL;
            if (add)
                sum[i][j] += ISA(load)(to, n - j * VL);
            ISA(store)(to, sum[i][j], n - j * VL);
        }
}

#define TILE(M, N)                                                                     \
    case (N)*16 + (M):                                                                 \
        ISA(tile)(M, N, k, a, row, column, b, c, ldc, n, add, bias);                   \
        break;
#define TILES_4(N) TILE(1, N) TILE(2, N) TILE(3, N) TILE(4, N)
#if MR == 8
#define TILES(N) TILES_4(N) TILE(5, N) TILE(6, N) TILE(7, N) TILE(8, N)
#else
#define TILES(N) TILES_4(N)
#endif

static void ISA(any_tile)(int m, int vectors, Py_ssize_t k, const float *a, Py_ssize_t row,
                          Py_ssize_t column, const float *b, float *c, Py_ssize_t ldc, Py_ssize_t n,
                          int add, const float *bias)
{
    switch (vectors * 16 + m) {
        TILES(1)
        TILES(2)
#if NV > 2
        TILES(3)
#endif
    }
}

/* c (m, n) = [c +] [bias +] a (m, k) b, with b in panels. */
static void ISA(product)(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const float *a, Py_ssize_t row, Py_ssize_t column,
                         const float *b, float *c, Py_ssize_t ldc, int add, const float *bias)
{
    for (Py_ssize_t j = 0; j < n; j += PANEL) {
        Py_ssize_t real = MIN(PANEL, n - j);
        int vectors = (real + VL - 1) / VL;
        for (Py_ssize_t i = 0; i < m; i += MR)
            ISA(any_tile)(MIN(MR, m - i), vectors, k, a + i * row, row, column, b,
                          c + i * ldc + j, ldc, real, add, bias ? bias + j : NULL);
        b += k * vectors * VL;
    }
}

/* ---- cells: one step of one row -------------------------------------------------- */

/* `kind`, the activation, is a constant in each inlined call. Each activation thus gets
   its own loop without a branch. */

INLINE void ISA(rnn_forward)(const int kind, const Layer *l, Py_ssize_t t, Py_ssize_t row,
                           const float *r)
{
    float *z = GATES(l, t, row);
    for (Py_ssize_t u = 0; u < l->units; u += VL) {
        Py_ssize_t n = l->units - u;
        vec x = ISA(load)(z + u, n) + ISA(load)(r + u, n);
        ISA(store)(STATE(l, h, t + 1, row) + u, ISA(activate)(kind, x), n);
        /* The backward pass finds all other activations' values in the output. */
        if (kind == SILU)
            ISA(store)(z + u, x, n);
    }
}

INLINE void ISA(lstm_forward)(const int kind, const Layer *l, Py_ssize_t t, Py_ssize_t row,
                            const float *r)
{
    Py_ssize_t units = l->units;
    float *z = GATES(l, t, row);
    for (Py_ssize_t u = 0; u < units; u += VL) {
        Py_ssize_t n = units - u;
        vec i = ISA(sigmoid)(ISA(load)(z + u, n) + ISA(load)(r + u, n));
        vec f = ISA(sigmoid)(ISA(load)(z + units + u, n) + ISA(load)(r + units + u, n));
        vec x = ISA(load)(z + 2 * units + u, n) + ISA(load)(r + 2 * units + u, n);
        vec o = ISA(load)(z + 3 * units + u, n) + ISA(load)(r + 3 * units + u, n);
        vec g = ISA(activate)(kind, x);
        o = ISA(sigmoid)(o);
        vec c = f * ISA(load)(STATE(l, c, t, row) + u, n) + i * g;
        vec a = ISA(activate)(kind, c);
        ISA(store)(z + u, i, n);
        ISA(store)(z + units + u, f, n);
        ISA(store)(z + 2 * units + u, ISA(kept)(kind, x, g), n);
        ISA(store)(z + 3 * units + u, o, n);
        ISA(store)(STATE(l, c, t + 1, row) + u, c, n);
        ISA(store)(STATE(l, extra, t, row) + u, ISA(kept)(kind, c, a), n);
        ISA(store)(STATE(l, h, t + 1, row) + u, o * a, n);
    }
}

INLINE void ISA(gru_forward)(const int kind, const Layer *l, Py_ssize_t t, Py_ssize_t row,
                           const float *r)
{
    Py_ssize_t units = l->units;
    float *z = GATES(l, t, row);
    for (Py_ssize_t u = 0; u < units; u += VL) {
        Py_ssize_t n = units - u;
        vec keep = ISA(load)(z + u, n) + ISA(load)(r + u, n);
        vec reset = ISA(load)(z + units + u, n) + ISA(load)(r + units + u, n);
        vec before = ISA(load)(r + 2 * units + u, n);
        keep = ISA(sigmoid)(keep);
        reset = ISA(sigmoid)(reset);
        vec x = ISA(load)(z + 2 * units + u, n) + reset * before;
        vec new = ISA(activate)(kind, x);
        vec h = new + keep * (ISA(load)(STATE(l, h, t, row) + u, n) - new);
        ISA(store)(z + u, keep, n);
        ISA(store)(z + units + u, reset, n);
        ISA(store)(z + 2 * units + u, ISA(kept)(kind, x, new), n);
        ISA(store)(STATE(l, extra, t, row) + u, before, n);
        ISA(store)(STATE(l, h, t + 1, row) + u, h, n);
    }
}

/* These cells have no matrix product with the previous hidden state: r is NULL. */

INLINE void ISA(mingru_forward)(const int kind, const Layer *l, Py_ssize_t t, Py_ssize_t row,
                              const float *r)
{
    (void)r;
    Py_ssize_t units = l->units;
    float *z = GATES(l, t, row);
    const float *h = STATE(l, h, t, row);
    float *to = STATE(l, h, t + 1, row);
    for (Py_ssize_t u = 0; u < units; u += VL) {
        Py_ssize_t n = units - u;
        vec update = ISA(sigmoid)(ISA(load)(z + u, n));
        vec x = ISA(load)(z + units + u, n), before = ISA(load)(h + u, n);
        vec new = ISA(activate)(kind, x);
        ISA(store)(z + u, update, n);
        ISA(store)(z + units + u, ISA(kept)(kind, x, new), n);
        ISA(store)(to + u, before + update * (new - before), n);
    }
}

/* Return sigmoid(-x), and set `loss` to -log(sigmoid(x)), which is log(1 + e^-x). */
INLINE vec ISA(not_sigmoid)(vec x, vec *loss)
{
    vec zero = {0}, small = ISA(exp)(-ISA(absolute)(x)), large = 1.0f / (small + 1.0f);
    *loss = ISA(at_least)(zero, -x) + ISA(log1p)(small);
    return ISA(choose)(x > zero, small * large, large);
}

INLINE void ISA(minlstm_forward)(const int kind, const Layer *l, Py_ssize_t t, Py_ssize_t row,
                               const float *r)
{
    (void)r;
    Py_ssize_t units = l->units;
    float *z = GATES(l, t, row);
    for (Py_ssize_t u = 0; u < units; u += VL) {
        Py_ssize_t n = units - u;
        vec lost_f, lost_i;
        vec not_f = ISA(not_sigmoid)(ISA(load)(z + u, n), &lost_f);
        vec not_i = ISA(not_sigmoid)(ISA(load)(z + units + u, n), &lost_i);
        vec x = ISA(load)(z + 2 * units + u, n), before = ISA(load)(STATE(l, h, t, row) + u, n);
        vec new = ISA(activate)(kind, x);
        /* The normalised forget gate, f / (f + i). */
        vec keep = ISA(sigmoid)(lost_i - lost_f);
        ISA(store)(z + u, not_f, n);
        ISA(store)(z + units + u, not_i, n);
        ISA(store)(z + 2 * units + u, ISA(kept)(kind, x, new), n);
        ISA(store)(STATE(l, extra, t, row) + u, keep, n);
        ISA(store)(STATE(l, h, t + 1, row) + u, new + keep * (before - new), n);
    }
}

INLINE void ISA(indrnn_forward)(const int kind, const Layer *l, Py_ssize_t t, Py_ssize_t row,
                              const float *r)
{
    (void)r;
    float *z = GATES(l, t, row);
    for (Py_ssize_t u = 0; u < l->units; u += VL) {
        Py_ssize_t n = l->units - u;
        vec h = ISA(load)(STATE(l, h, t, row) + u, n);
        if (l->mask)
            h *= ISA(load)(l->mask + row * l->units + u, n);
        vec x = ISA(load)(z + u, n) + ISA(load)(l->kernel + u, n) * h;
        ISA(store)(STATE(l, h, t + 1, row) + u, ISA(activate)(kind, x), n);
        if (kind == SILU)
            ISA(store)(z + u, x, n);
    }
}

/* The backward pass. At first, dh is the gradient of the hidden state after the time
   step. At the end, GATES holds the gradient of the projected inputs, and dh that of the
   previous hidden state, without the part that comes through the recurrent product. */

INLINE void ISA(rnn_backward)(const int kind, const Layer *l, Py_ssize_t t, Py_ssize_t row,
                            float *dh, float *dc)
{
    (void)dc;
    for (Py_ssize_t u = 0; u < l->units; u += VL) {
        Py_ssize_t n = l->units - u;
        vec d = ISA(load)(dh + u, n), slope;
        float *z = GATES(l, t, row) + u;
        ISA(recall)(kind, ISA(load)(kind == SILU ? z : OUTPUT(l, t, row) + u, n), &slope);
        ISA(store)(z, d * slope, n);
        ISA(store)(dh + u, (vec){0}, n);
    }
}

INLINE void ISA(lstm_backward)(const int kind, const Layer *l, Py_ssize_t t, Py_ssize_t row,
                             float *dh, float *dc)
{
    Py_ssize_t units = l->units;
    float *z = GATES(l, t, row);
    vec one = ISA(constant)(1);
    for (Py_ssize_t u = 0; u < units; u += VL) {
        Py_ssize_t n = units - u;
        vec d = ISA(load)(dh + u, n);
        vec i = ISA(load)(z + u, n), f = ISA(load)(z + units + u, n);
        vec g = ISA(load)(z + 2 * units + u, n), o = ISA(load)(z + 3 * units + u, n);
        vec a = ISA(load)(STATE(l, extra, t, row) + u, n), slope_g, slope_a;
        g = ISA(recall)(kind, g, &slope_g);
        a = ISA(recall)(kind, a, &slope_a);
        vec c = ISA(load)(STATE(l, c, t, row) + u, n);
        vec dcell = ISA(load)(dc + u, n) + d * o * slope_a;
        ISA(store)(z + u, dcell * g * i * (one - i), n);
        ISA(store)(z + units + u, dcell * c * f * (one - f), n);
        ISA(store)(z + 2 * units + u, dcell * i * slope_g, n);
        ISA(store)(z + 3 * units + u, d * a * o * (one - o), n);
        ISA(store)(dc + u, dcell * f, n);
        ISA(store)(dh + u, (vec){0}, n);
    }
}

INLINE void ISA(gru_backward)(const int kind, const Layer *l, Py_ssize_t t, Py_ssize_t row,
                            float *dh, float *dc)
{
    (void)dc;
    Py_ssize_t units = l->units;
    float *z = GATES(l, t, row);
    vec one = ISA(constant)(1);
    for (Py_ssize_t u = 0; u < units; u += VL) {
        Py_ssize_t n = units - u;
        float *extra = STATE(l, extra, t, row) + u;
        vec d = ISA(load)(dh + u, n);
        vec keep = ISA(load)(z + u, n), reset = ISA(load)(z + units + u, n);
        vec new = ISA(load)(z + 2 * units + u, n), before = ISA(load)(extra, n), slope;
        new = ISA(recall)(kind, new, &slope);
        vec h = ISA(load)(STATE(l, h, t, row) + u, n);
        vec dnew = d * (one - keep) * slope;
        ISA(store)(z + u, d * (h - new) * keep * (one - keep), n);
        ISA(store)(z + units + u, dnew * before * reset * (one - reset), n);
        ISA(store)(z + 2 * units + u, dnew, n);
        ISA(store)(extra, dnew * reset, n);
        ISA(store)(dh + u, d * keep, n);
    }
}

INLINE void ISA(mingru_backward)(const int kind, const Layer *l, Py_ssize_t t, Py_ssize_t row,
                               float *dh, float *dc)
{
    (void)dc;
    Py_ssize_t units = l->units;
    float *z = GATES(l, t, row);
    const float *h = STATE(l, h, t, row);
    vec one = ISA(constant)(1);
    for (Py_ssize_t u = 0; u < units; u += VL) {
        Py_ssize_t n = units - u;
        vec d = ISA(load)(dh + u, n), update = ISA(load)(z + u, n), slope;
        vec new = ISA(recall)(kind, ISA(load)(z + units + u, n), &slope);
        vec through = d * update;
        ISA(store)(z + u, through * (new - ISA(load)(h + u, n)) * (one - update), n);
        ISA(store)(z + units + u, through * slope, n);
        ISA(store)(dh + u, d - through, n);
    }
}

INLINE void ISA(minlstm_backward)(const int kind, const Layer *l, Py_ssize_t t, Py_ssize_t row,
                                float *dh, float *dc)
{
    (void)dc;
    Py_ssize_t units = l->units;
    float *z = GATES(l, t, row);
    vec one = ISA(constant)(1);
    for (Py_ssize_t u = 0; u < units; u += VL) {
        Py_ssize_t n = units - u;
        vec d = ISA(load)(dh + u, n), keep = ISA(load)(STATE(l, extra, t, row) + u, n), slope;
        vec new = ISA(recall)(kind, ISA(load)(z + 2 * units + u, n), &slope);
        vec h = ISA(load)(STATE(l, h, t, row) + u, n);
        /* The gradient of lost_i - lost_f, whose sigmoid is `keep`. */
        vec both = d * (h - new) * keep * (one - keep);
        ISA(store)(z + u, both * ISA(load)(z + u, n), n);
        ISA(store)(z + units + u, -both * ISA(load)(z + units + u, n), n);
        ISA(store)(z + 2 * units + u, d * (one - keep) * slope, n);
        ISA(store)(dh + u, d * keep, n);
    }
}

INLINE void ISA(indrnn_backward)(const int kind, const Layer *l, Py_ssize_t t, Py_ssize_t row,
                               float *dh, float *dc)
{
    (void)dc;
    for (Py_ssize_t u = 0; u < l->units; u += VL) {
        Py_ssize_t n = l->units - u;
        vec d = ISA(load)(dh + u, n), h = ISA(load)(STATE(l, h, t, row) + u, n), slope;
        float *z = GATES(l, t, row) + u;
        ISA(recall)(kind, ISA(load)(kind == SILU ? z : OUTPUT(l, t, row) + u, n), &slope);
        d *= slope;
        ISA(store)(z, d, n);
        vec back = d * ISA(load)(l->kernel + u, n);
        if (l->mask) {
            vec mask = ISA(load)(l->mask + row * l->units + u, n);
            back *= mask, h *= mask;
        }
        ISA(store)(STATE(l, extra, t, row) + u, d * h, n);
        ISA(store)(dh + u, back, n);
    }
}

#define BY_ACTIVATION(step, ...)                                                       \
    switch (l->activation) {                                                           \
    case TANH: step(TANH, __VA_ARGS__); break;                                         \
    case SIGMOID: step(SIGMOID, __VA_ARGS__); break;                                   \
    case RELU: step(RELU, __VA_ARGS__); break;                                         \
    case LINEAR: step(LINEAR, __VA_ARGS__); break;                                     \
    case ELU: step(ELU, __VA_ARGS__); break;                                           \
    case SELU: step(SELU, __VA_ARGS__); break;                                         \
    case SOFTPLUS: step(SOFTPLUS, __VA_ARGS__); break;                                 \
    case SOFTSIGN: step(SOFTSIGN, __VA_ARGS__); break;                                 \
    case SILU: step(SILU, __VA_ARGS__); break;                                         \
    }

static void ISA(step_forward)(const Layer *l, Py_ssize_t t, Py_ssize_t row, const float *r)
{
    switch (l->cell) {
    case RNN:
        BY_ACTIVATION(ISA(rnn_forward), l, t, row, r)
        break;
    case LSTM:
        BY_ACTIVATION(ISA(lstm_forward), l, t, row, r)
        break;
    case GRU:
        BY_ACTIVATION(ISA(gru_forward), l, t, row, r)
        break;
    case MINGRU:
        BY_ACTIVATION(ISA(mingru_forward), l, t, row, r)
        break;
    case MINLSTM:
        BY_ACTIVATION(ISA(minlstm_forward), l, t, row, r)
        break;
    case INDRNN:
        BY_ACTIVATION(ISA(indrnn_forward), l, t, row, r)
        break;
    }
}

static void ISA(step_backward)(const Layer *l, Py_ssize_t t, Py_ssize_t row, float *dh, float *dc)
{
    switch (l->cell) {
    case RNN:
        BY_ACTIVATION(ISA(rnn_backward), l, t, row, dh, dc)
        break;
    case LSTM:
        BY_ACTIVATION(ISA(lstm_backward), l, t, row, dh, dc)
        break;
    case GRU:
        BY_ACTIVATION(ISA(gru_backward), l, t, row, dh, dc)
        break;
    case MINGRU:
        BY_ACTIVATION(ISA(mingru_backward), l, t, row, dh, dc)
        break;
    case MINLSTM:
        BY_ACTIVATION(ISA(minlstm_backward), l, t, row, dh, dc)
        break;
    case INDRNN:
        BY_ACTIVATION(ISA(indrnn_backward), l, t, row, dh, dc)
        break;
    }
}

INLINE void ISA(add_rows)(float *to, const float *from, Py_ssize_t n)
{
    for (Py_ssize_t j = 0; j < n; j += VL)
        ISA(store)(to + j, ISA(load)(to + j, n - j) + ISA(load)(from + j, n - j), n - j);
}

INLINE void ISA(scale_rows)(float *to, const float *from, const float *by, Py_ssize_t n)
{
    for (Py_ssize_t j = 0; j < n; j += VL)
        ISA(store)(to + j, ISA(load)(from + j, n - j) * ISA(load)(by + j, n - j), n - j);
}

/* ---- a layer over all steps ------------------------------------------------------- */

/* Copy a time step's output to y. Then set the states to zero if a reset follows. */
static void ISA(hand_out)(const Layer *l, Py_ssize_t t, Py_ssize_t row)
{
    size_t size = l->units * sizeof(float);
    memcpy(STATE(l, y, t, row), STATE(l, h, t + 1, row), size);
    if (t + 1 < l->steps && row < l->active[t + 1] &&
        l->resets[(t + 1) * l->sequences + row]) {
        memset(STATE(l, h, t + 1, row), 0, size);
        if (cells[l->cell].has_c)
            memset(STATE(l, c, t + 1, row), 0, size);
    }
}

static int ISA(forward)(const Layer *l)
{
    Py_ssize_t units = l->units, columns = l->gates * units, rows = l->last - l->first;
    int has_product = cells[l->cell].recurrent == MATRIX;
    float *packed = allocate(has_product ? PACKED(units, columns, VL) : 0);
    float *r = allocate(has_product ? rows * columns : 0);
    float *masked = l->mask ? allocate(rows * units) : NULL;
    int enough = packed && r && (masked || !l->mask);
    if (enough) {
        if (has_product)
            ISA(pack)(l->kernel, units, columns, columns, 1, packed);
        for (Py_ssize_t t = 0; t < l->steps; t++) {
            Py_ssize_t n = MIN(l->last, l->active[t]) - l->first;
            if (n <= 0)
                break;
            const float *h = STATE(l, h, t, l->first);
            if (has_product && l->mask) {
                ISA(scale_rows)(masked, h, l->mask + l->first * units, n * units);
                h = masked;
            }
            if (has_product)
                ISA(product)(n, columns, units, h, units, 1, packed, r, columns, 0, l->bias);
            for (Py_ssize_t i = 0; i < n; i++) {
                Py_ssize_t row = l->first + i;
                if (l->table)
                    memcpy(GATES(l, t, row), l->table + l->ids[t * l->sequences + row] * columns,
                           columns * sizeof(float));
                ISA(step_forward)(l, t, row, has_product ? r + i * columns : NULL);
                if (l->y)
                    ISA(hand_out)(l, t, row);
            }
        }
    }
    free(packed), free(r), free(masked);
    return enough;
}

static int ISA(backward)(const Layer *l, const float *dy, float *dh, float *dc)
{
    Py_ssize_t units = l->units, columns = l->gates * units, rows = l->last - l->first;
    /* `apart` cells have a separate gradient for the last gate's product, in `extra`. */
    Py_ssize_t shared = cells[l->cell].apart ? columns - units : columns;
    int has_product = cells[l->cell].recurrent == MATRIX;
    float *packed = allocate(has_product ? PACKED(shared, units, VL) + PACKED(units, units, VL) : 0);
    float *through = allocate(rows * units);
    int enough = packed && through;
    if (enough) {
        if (has_product)
            ISA(pack)(l->kernel, shared, units, 1, columns, packed);
        float *packed_new = packed + PACKED(shared, units, VL);
        if (cells[l->cell].apart)
            ISA(pack)(l->kernel + shared, units, units, 1, columns, packed_new);
        dh += l->first * units;
        if (cells[l->cell].has_c)
            dc += l->first * units;
        for (Py_ssize_t t = l->steps - 1; t >= 0; t--) {
            Py_ssize_t n = MIN(l->last, l->active[t]) - l->first;
            if (n <= 0)
                continue;
            if (dy)
                ISA(add_rows)(dh, dy + (t * l->sequences + l->first) * units, n * units);
            for (Py_ssize_t i = 0; i < n; i++)
                ISA(step_backward)(l, t, l->first + i, dh + i * units,
                                   cells[l->cell].has_c ? dc + i * units : NULL);
            float *to = l->mask ? through : dh;
            if (has_product)
                ISA(product)(n, units, shared, GATES(l, t, l->first), columns, 1, packed, to,
                             units, !l->mask, NULL);
            if (cells[l->cell].apart)
                ISA(product)(n, units, units, STATE(l, extra, t, l->first), units, 1,
                             packed_new, to, units, 1, NULL);
            if (has_product && l->mask) {
                ISA(scale_rows)(to, to, l->mask + l->first * units, n * units);
                ISA(add_rows)(dh, to, n * units);
            }
            /* No gradient passes through a reset. */
            for (Py_ssize_t i = 0; l->resets && i < n; i++)
                if (l->resets[t * l->sequences + l->first + i]) {
                    memset(dh + i * units, 0, units * sizeof(float));
                    if (cells[l->cell].has_c)
                        memset(dc + i * units, 0, units * sizeof(float));
                }
        }
    }
    free(packed), free(through);
    return enough;
}

/* ---- products over the rows of all steps ------------------------------------------ */

/* c = [bias +] a b for the active rows, zeros for the others. */
static int ISA(project)(const Rows *rows, const float *a, Py_ssize_t k, const float *b,
                        int transposed, Py_ssize_t n, const float *bias, float *c)
{
    float *packed = allocate(PACKED(k, n, VL));
    if (!packed)
        return 0;
    ISA(pack)(b, k, n, transposed ? 1 : n, transposed ? k : 1, packed);
    for (Py_ssize_t t = 0; t < rows->steps;) {
        Py_ssize_t first = t * rows->sequences, m = rows->active[t];
        /* Join steps at which all sequences run: their rows have no gaps. */
        for (t++; m == t * rows->sequences - first && t < rows->steps &&
                  rows->active[t] == rows->sequences; t++)
            m += rows->sequences;
        ISA(product)(m, n, k, a + first * k, k, 1, packed, c + first * n, n, 0, bias);
        Py_ssize_t end = t * rows->sequences;
        memset(c + (first + m) * n, 0, (end - first - m) * n * sizeof(float));
    }
    free(packed);
    return 1;
}

/* c (m, n) = [bias +] a (m, k) b for few rows: b isn't packed, and is read once per row. */
static void ISA(narrow)(Py_ssize_t m, Py_ssize_t k, const float *a, const float *b, Py_ssize_t n,
                        const float *bias, float *c)
{
    for (Py_ssize_t i = 0; i < m; i++, a += k, c += n) {
        if (bias)
            memcpy(c, bias, n * sizeof(float));
        else
            memset(c, 0, n * sizeof(float));
        for (Py_ssize_t p = 0; p < k; p += 4) {
            /* Past the end, use the last row again, times zero. */
            const float *rows[4];
            vec by[4];
            for (int r = 0; r < 4; r++) {
                rows[r] = b + MIN(p + r, k - 1) * n;
                by[r] = ISA(constant)(p + r < k ? a[p + r] : 0);
            }
            for (Py_ssize_t j = 0; j < n; j += VL) {
                vec sum = ISA(load)(c + j, n - j);
                UNROLL
                for (int r = 0; r < 4; r++)
                    sum += by[r] * ISA(load)(rows[r] + j, n - j);
                ISA(store)(c + j, sum, n - j);
            }
        }
    }
}

/* Return a block of active rows. They are copied only if there are gaps or a mask. */
static const float *ISA(block)(const Rows *rows, const Py_ssize_t *at, Py_ssize_t n_rows,
                               const Left *left, float *to)
{
    Py_ssize_t m = left->m;
    if (!left->mask && at[n_rows - 1] - at[0] == n_rows - 1)
        return left->a + at[0] * m;
    for (Py_ssize_t i = 0; i < n_rows; i++)
        if (left->mask)
            ISA(scale_rows)(to + i * m, left->a + at[i] * m,
                            left->mask + at[i] % rows->sequences * m, m);
        else
            memcpy(to + i * m, left->a + at[i] * m, m * sizeof(float));
    return to;
}

/* The gradients of kernels: for each left operand, the sum over the active rows of the
   outer products of its row and b's row. `total`, if given, gets the sum of b's rows,
   computed while they are in the cache. */
static int ISA(outer)(const Rows *rows, const Left *lefts, int n_lefts, const float *b,
                      Py_ssize_t ldb, Py_ssize_t n, Py_ssize_t ldout, float *total)
{
    Py_ssize_t widest = 0, at[BLOCK], filled = 0, add = 0;
    for (int i = 0; i < n_lefts; i++)
        widest = MAX(widest, lefts[i].m);
    float *packed = allocate(PACKED(BLOCK, n, VL) + BLOCK * MAX(widest, n));
    if (!packed)
        return 0;
    float *space = packed + PACKED(BLOCK, n, VL);
    if (total)
        memset(total, 0, n * sizeof(float));
    for (Py_ssize_t t = 0; t < rows->steps; t++)
        for (Py_ssize_t s = 0; s < rows->active[t]; s++) {
            at[filled++] = t * rows->sequences + s;
            int is_last = s == rows->active[t] - 1 &&
                          (t == rows->steps - 1 || rows->active[t + 1] == 0);
            if (filled < BLOCK && !is_last)
                continue;
            const float *right = b + at[0] * ldb;
            Py_ssize_t row = ldb;
            if (at[filled - 1] - at[0] != filled - 1) {
                for (Py_ssize_t i = 0; i < filled; i++)
                    memcpy(space + i * n, b + at[i] * ldb, n * sizeof(float));
                right = space, row = n;
            }
            ISA(pack)(right, filled, n, row, 1, packed);
            for (Py_ssize_t i = 0; total && i < filled; i++)
                ISA(add_rows)(total, right + i * row, n);
            for (int i = 0; i < n_lefts; i++) {
                const float *left = ISA(block)(rows, at, filled, lefts + i, space);
                ISA(product)(lefts[i].m, n, filled, left, 1, lefts[i].m, packed,
                             lefts[i].out, ldout, add, NULL);
            }
            filled = 0, add = 1;
        }
    free(packed);
    return 1;
}

/* ---- the loss of a softmax --------------------------------------------------------- */

static void ISA(crossentropy)(float *z, const int *targets, float *losses, Py_ssize_t rows,
                              Py_ssize_t n, float scale)
{
    for (Py_ssize_t i = 0; i < rows; i++, z += n) {
        float most = z[0], sum = 0;
        for (Py_ssize_t j = 1; j < n; j++)
            most = z[j] > most ? z[j] : most;
        if (targets[i] < 0) {
            losses[i] = 0;
            memset(z, 0, n * sizeof(float));
            continue;
        }
        float own = z[targets[i]] - most;
        vec sums = {0};
        for (Py_ssize_t j = 0; j < n; j += VL) {
            vec e = ISA(exp)(ISA(load)(z + j, n - j) - most);
            ISA(store)(z + j, e, n - j);
            /* e isn't zero past the end of the row, so load the row again: zeros there. */
            sums += ISA(load)(z + j, n - j);
        }
        for (int j = 0; j < VL; j++)
            sum += sums[j];
        vec factor = ISA(constant)(scale / sum);
        for (Py_ssize_t j = 0; j < n; j += VL)
            ISA(store)(z + j, ISA(load)(z + j, n - j) * factor, n - j);
        z[targets[i]] -= scale;
        losses[i] = logf(sum) - own;
    }
}

/* ---- optimization ----------------------------------------------------------------- */

static double ISA(square)(const float *x, Py_ssize_t n)
{
    double sum = 0;
    for (Py_ssize_t i = 0; i < n; i += VL) {
        vec v = ISA(load)(x + i, n - i);
        v *= v;
        float part = 0;
        for (int j = 0; j < VL; j++)
            part += v[j];
        sum += part;
    }
    return sum;
}

static void ISA(adam)(float *w, const float *g, float *m, float *v, Py_ssize_t n, float rate,
                      float keep_1, float keep_2, float epsilon)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        m[i] += (g[i] - m[i]) * (1 - keep_1);
        v[i] += (g[i] * g[i] - v[i]) * (1 - keep_2);
        w[i] -= rate * m[i] / (sqrtf(v[i]) + epsilon);
    }
}

#include "attention.h"
#include "memory.h"
#include "convolution.h"
#include "block.h"

static const Kernels ISA(kernels) = {ISA(forward), ISA(backward), ISA(project),
                                     ISA(outer),   ISA(square),   ISA(crossentropy),
                                     ISA(narrow),  ISA(adam),
                                     ISA(chain),   ISA(viterbi),  ISA(transformer),
                                     ISA(transformer_back), ISA(normalise), ISA(normalise_back),
                                     ISA(memory), ISA(memory_back),
                                     ISA(convolve), ISA(convolve_back), ISA(statistics),
                                     ISA(rectify), ISA(rectify_back)};

#undef BY_ACTIVATION
#undef vec
#undef bits
#undef PANEL
#undef TILE
#undef TILES_4
#undef TILES
