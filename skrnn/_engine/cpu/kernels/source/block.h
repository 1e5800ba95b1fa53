/* The forward and backward passes of a Transformer block, one sequence at a time, so that
   results stay in the cache. `vector.h` includes this file for each instruction set. */

/* Rotate pairs of columns of each head by the angles of the time steps, or back. */
static void ISA(turn)(const Block *b, Py_ssize_t n, float *x, Py_ssize_t stride, int back)
{
    Py_ssize_t d = b->width / b->heads, half = d / 2;
    for (Py_ssize_t t = 0; t < n; t++, x += stride) {
        const float *cosines = b->rotation + t * 2 * half, *sines = cosines + half;
        for (Py_ssize_t h = 0; h < b->heads; h++)
            for (Py_ssize_t j = 0; j < half; j += VL) {
                float *one = x + h * d + j, *two = one + half;
                vec first = ISA(load)(one, half - j), second = ISA(load)(two, half - j);
                vec cos = ISA(load)(cosines + j, half - j), sin = ISA(load)(sines + j, half - j);
                sin = back ? -sin : sin;
                ISA(store)(one, first * cos - second * sin, half - j);
                ISA(store)(two, first * sin + second * cos, half - j);
            }
    }
}

/* The rows of sequence s in an array (steps, sequences, width). NULL stays NULL. */
#define ROWS_OF(b, array, s) ((array) ? (array) + (s) * (b)->width : NULL)

/* to = [x +] [mask *] y. Each array has its own distance from row to row. */
static void ISA(add_masked)(Py_ssize_t rows, Py_ssize_t n, const float *x, Py_ssize_t x_stride,
                            const float *mask, Py_ssize_t mask_stride, const float *y,
                            Py_ssize_t y_stride, float *to, Py_ssize_t stride)
{
    for (Py_ssize_t i = 0; i < rows; i++)
        for (Py_ssize_t j = 0; j < n; j += VL) {
            vec v = ISA(load)(y + i * y_stride + j, n - j);
            if (mask)
                v *= ISA(load)(mask + i * mask_stride + j, n - j);
            if (x)
                v += ISA(load)(x + i * x_stride + j, n - j);
            ISA(store)(to + i * stride + j, v, n - j);
        }
}

INLINE void ISA(activate_rows)(const int kind, Py_ssize_t n, float *z, float *y)
{
    for (Py_ssize_t j = 0; j < n; j += VL) {
        vec x = ISA(load)(z + j, n - j), a = ISA(activate)(kind, x);
        ISA(store)(z + j, ISA(kept)(kind, x, a), n - j);
        if (kind == SILU)
            ISA(store)(y + j, a, n - j);
    }
}

INLINE void ISA(slope_rows)(const int kind, Py_ssize_t n, const float *z, float *d)
{
    for (Py_ssize_t j = 0; j < n; j += VL) {
        vec slope;
        ISA(recall)(kind, ISA(load)(z + j, n - j), &slope);
        ISA(store)(d + j, ISA(load)(d + j, n - j) * slope, n - j);
    }
}

static void ISA(padding)(const Block *b, Py_ssize_t s, Py_ssize_t n, float *to)
{
    for (Py_ssize_t t = n; t < b->steps; t++)
        memset(to + (t * b->sequences + s) * b->width, 0, b->width * sizeof(float));
}

static void ISA(block_of_sequence)(const Block *l, Py_ssize_t s, Py_ssize_t n, const Kept *kept,
                                   const Matrices *m, float *space)
{
    Py_ssize_t w = l->width, d = w / l->heads, apart = l->sequences * w, hidden = l->hidden;
    const float *x = ROWS_OF(l, l->x, s);
    ISA(normalise)(x, apart, n, w, l->norms, l->norms + w, l->epsilon, kept->read, kept->moments);
    ISA(product)(n, 3 * w, w, kept->read, w, 1, m->project, kept->qkv, 3 * w, 0, l->project_bias);
    if (l->rotation) {
        ISA(turn)(l, n, kept->qkv, 3 * w, 0);
        ISA(turn)(l, n, kept->qkv + w, 3 * w, 0);
    }
    for (Py_ssize_t h = 0; h < l->heads; h++) {
        const float *q = kept->qkv + h * d;
        ISA(attend)(n, d, l->causal, q, q + w, q + 2 * w, 3 * w, kept->context + h * d, w,
                    kept->shares + h * 2 * n, space);
    }
    ISA(product)(n, w, w, kept->context, w, 1, m->output, kept->sum, w, 0, l->output_bias);
    ISA(add_masked)(n, w, x, apart, ROWS_OF(l, l->masks[0], s), apart, kept->sum, w, kept->sum, w);
    ISA(normalise)(kept->sum, w, n, w, l->norms + 2 * w, l->norms + 3 * w, l->epsilon, kept->normed,
                   kept->moments + 2 * n);
    ISA(product)(n, hidden, w, kept->normed, w, 1, m->dense, kept->hidden, hidden, 0, l->dense_bias);
    BY_ACTIVATION(ISA(activate_rows), n * hidden, kept->hidden, kept->active)
    float *answer = space;
    ISA(product)(n, w, hidden, kept->active, hidden, 1, m->dense_output, answer, w, 0,
                 l->dense_output_bias);
    ISA(add_masked)(n, w, kept->sum, w, ROWS_OF(l, l->masks[1], s), apart, answer, w,
                    ROWS_OF(l, l->out, s), apart);
    ISA(padding)(l, s, n, l->out);
}

/* Pointers into `at` for one sequence. There are `rows` steps in all; earlier sequences
   have `before` of them. */
static Kept ISA(place_kept)(const Block *b, float *at, Py_ssize_t rows, Py_ssize_t before)
{
    Py_ssize_t w = b->width, hidden = b->hidden;
    Kept k;
    k.read = at + before * w, at += rows * w;
    k.qkv = at + before * 3 * w, at += rows * 3 * w;
    k.context = at + before * w, at += rows * w;
    k.sum = at + before * w, at += rows * w;
    k.normed = at + before * w, at += rows * w;
    k.hidden = k.active = at + before * hidden, at += rows * hidden;
    if (b->activation == SILU)
        k.active = at + before * hidden, at += rows * hidden;
    k.moments = at + before * 4, at += rows * 4;
    k.shares = at + before * 2 * b->heads;
    return k;
}

static int ISA(transformer)(const Block *b)
{
    Py_ssize_t w = b->width, hidden = b->hidden, before = 0;
    Py_ssize_t sizes[] = {PACKED(w, 3 * w, VL), PACKED(w, w, VL), PACKED(w, hidden, VL),
                          PACKED(hidden, w, VL)};
    Py_ssize_t size = ISA(space_of_attention)(b->steps, w / b->heads);
    float *packed = allocate(sizes[0] + sizes[1] + sizes[2] + sizes[3]);
    float *space = allocate(MAX(size, b->steps * w));
    float *own = b->kept ? NULL : allocate(numbers_kept(b, b->steps));
    int enough = packed && space && (own || b->kept);
    if (enough) {
        Matrices m = {packed, packed + sizes[0], packed + sizes[0] + sizes[1],
                      packed + sizes[0] + sizes[1] + sizes[2]};
        ISA(pack)(b->project, w, 3 * w, 3 * w, 1, m.project);
        ISA(pack)(b->output, w, w, w, 1, m.output);
        ISA(pack)(b->dense, w, hidden, hidden, 1, m.dense);
        ISA(pack)(b->dense_output, hidden, w, w, 1, m.dense_output);
        for (Py_ssize_t s = 0; s < b->last; before += b->lengths[s++]) {
            if (s < b->first)
                continue;
            Kept kept = own ? ISA(place_kept)(b, own, b->steps, 0)
                            : ISA(place_kept)(b, b->kept, b->rows, before);
            ISA(block_of_sequence)(b, s, b->lengths[s], &kept, &m, space);
        }
    }
    free(packed), free(space), free(own);
    return enough;
}

/* ---- backward ----------------------------------------------------------------------- */

static BlockGradients ISA(place_gradients)(const Block *b, float *at, Py_ssize_t before)
{
    Py_ssize_t w = b->width;
    BlockGradients grads;
    grads.project = at + before * 3 * w, at += b->rows * 3 * w;
    grads.output = at + before * w, at += b->rows * w;
    grads.dense = at + before * b->hidden, at += b->rows * b->hidden;
    grads.dense_output = at + before * w;
    return grads;
}

static void ISA(block_back_of_sequence)(const Block *l, const float *g, float *dx, float *d_norms,
                                        Py_ssize_t s, Py_ssize_t n, const Kept *kept,
                                        const BlockGradients *grads, const Matrices *m,
                                        float *space)
{
    Py_ssize_t w = l->width, d = w / l->heads, apart = l->sequences * w, hidden = l->hidden;
    const float *x = ROWS_OF(l, l->x, s);
    float *d_sum = space, *between = d_sum + n * w;
    space = between + n * w;
    d_norms += s * 4 * w;
    memset(d_norms, 0, 4 * w * sizeof(float));
    g = ROWS_OF(l, g, s), dx = ROWS_OF(l, dx, s);
    /* The gradient reaches `sum` directly and through the dense layers. */
    ISA(add_masked)(n, w, NULL, 0, NULL, 0, g, apart, d_sum, w);
    ISA(add_masked)(n, w, NULL, 0, ROWS_OF(l, l->masks[1], s), apart, g, apart, grads->dense_output,
                    w);
    ISA(product)(n, hidden, w, grads->dense_output, w, 1, m->dense_output, grads->dense, hidden, 0,
                 NULL);
    BY_ACTIVATION(ISA(slope_rows), n * hidden, kept->hidden, grads->dense)
    ISA(product)(n, w, hidden, grads->dense, hidden, 1, m->dense, between, w, 0, NULL);
    ISA(normalise_back)(kept->sum, w, between, n, w, l->norms + 2 * w, kept->moments + 2 * n, d_sum,
                        d_sum, w, d_norms + 2 * w, d_norms + 3 * w);
    ISA(add_masked)(n, w, NULL, 0, ROWS_OF(l, l->masks[0], s), apart, d_sum, w, grads->output, w);
    ISA(product)(n, w, w, grads->output, w, 1, m->output, between, w, 0, NULL);
    memset(grads->project, 0, n * 3 * w * sizeof(float));
    for (Py_ssize_t h = 0; h < l->heads; h++) {
        const float *q = kept->qkv + h * d;
        float *dq = grads->project + h * d;
        ISA(attend_back)(n, d, l->causal, q, q + w, q + 2 * w, 3 * w, kept->context + h * d,
                         between + h * d, w, kept->shares + h * 2 * n, dq, dq + w, dq + 2 * w,
                         space);
    }
    if (l->rotation) {
        ISA(turn)(l, n, grads->project, 3 * w, 1);
        ISA(turn)(l, n, grads->project + w, 3 * w, 1);
    }
    ISA(product)(n, w, 3 * w, grads->project, 3 * w, 1, m->project, between, w, 0, NULL);
    ISA(normalise_back)(x, apart, between, n, w, l->norms, kept->moments, d_sum, dx, apart, d_norms,
                        d_norms + w);
    ISA(padding)(l, 0, n, dx);
}

static int ISA(transformer_back)(const Block *b, const float *g, float *d_products,
                                 float *d_norms, float *dx)
{
    Py_ssize_t w = b->width, hidden = b->hidden, before = 0;
    Py_ssize_t sizes[] = {PACKED(3 * w, w, VL), PACKED(w, w, VL), PACKED(hidden, w, VL),
                          PACKED(w, hidden, VL)};
    float *packed = allocate(sizes[0] + sizes[1] + sizes[2] + sizes[3]);
    float *space =
        allocate(2 * b->steps * w + ISA(space_of_attention)(b->steps, w / b->heads));
    int enough = packed && space;
    if (enough) {
        Matrices m = {packed, packed + sizes[0], packed + sizes[0] + sizes[1],
                      packed + sizes[0] + sizes[1] + sizes[2]};
        ISA(pack)(b->project, 3 * w, w, 1, 3 * w, m.project);
        ISA(pack)(b->output, w, w, 1, w, m.output);
        ISA(pack)(b->dense, hidden, w, 1, hidden, m.dense);
        ISA(pack)(b->dense_output, w, hidden, 1, w, m.dense_output);
        for (Py_ssize_t s = 0; s < b->last; before += b->lengths[s++]) {
            if (s < b->first)
                continue;
            Kept kept = ISA(place_kept)(b, b->kept, b->rows, before);
            BlockGradients own = ISA(place_gradients)(b, d_products, before);
            ISA(block_back_of_sequence)(b, g, dx, d_norms, s, b->lengths[s], &kept, &own, &m,
                                        space);
        }
    }
    free(packed), free(space);
    return enough;
}
