/* Whole training steps of a plain network: one recurrent layer, and a head that reads its
   last hidden state. Most networks have this form. If a network is small, Python takes up
   to a quarter of its training time, and threads that train in parallel wait for each
   other there.

   The results are those of the tape (`skrnn._engine.cpu.autodiff`), with the same kernels. */

enum {
    SQUARED_ERROR,
    BINARY_CROSSENTROPY,
    CATEGORICAL_CROSSENTROPY,
    ABSOLUTE_ERROR,
    HUBER,
    LOG_COSH,
    PINBALL,
    N_LOSSES
};

typedef struct {
    Py_ssize_t cell, activation, loss, steps, units, features, outputs;
    Py_ssize_t n_batches, batch_size; /* batch_size: the maximum */
    const int64_t *counts;            /* (n_batches): sequences in each */
    const int64_t *starts;            /* (n_batches, batch_size): rows of `values` */
    const char *values;               /* rows, with strides in bytes */
    Py_ssize_t row, column;
    Py_ssize_t stride; /* rows from one time step to the next */
    const void *targets; /* (n_batches, batch_size, K) floats, or ints with K=1 */
    const float *weights;
    const float *recurrent_masks; /* (n_batches, batch_size, units), recurrent dropout; or NULL */
    const float *masks;           /* the same for the last hidden states; or NULL */
    float *w, *g;
    float *m, *v; /* Adam's moments; if NULL, only the gradient of one batch is computed */
    const int64_t *ends; /* where each part of w ends */
    Py_ssize_t n_parts;
    const double *rates; /* (n_batches) */
    double clipnorm, global_clipnorm, total, count;
    double parameter; /* of the loss: PINBALL's quantile */
    double keep_1, keep_2, epsilon; /* of Adam */
    Py_ssize_t n_done; /* the optimizer's steps, including earlier calls */
    float *space;      /* working memory */
    int finite;
} Training;

/* Arrays for one batch, in the working memory. */
typedef struct {
    float *x, *z, *h, *c, *extra, *out, *dh, *dc;
    float *last; /* last hidden states after dropout */
    int *active;
} Batch;

/* Set the pointers into t->space, or to NULL without it. Return the size of all arrays. */
static Py_ssize_t place(const Training *t, Batch *b)
{
    float **places[] = {&b->x,   &b->z,  &b->h,  &b->c,   &b->extra,
                        &b->out, &b->dh, &b->dc, &b->last};
    Py_ssize_t all = t->steps * t->batch_size, after = (t->steps + 1) * t->batch_size;
    Py_ssize_t sizes[] = {all * t->features, all * cells[t->cell].gates * t->units,
                          after * t->units, after * t->units, all * t->units,
                          t->batch_size * t->outputs, t->batch_size * t->units,
                          t->batch_size * t->units, t->batch_size * t->units};
    Py_ssize_t at = 0;
    for (int i = 0; i < 9; at += ROUND_UP(sizes[i], 16), i++)
        *places[i] = t->space ? t->space + at : NULL;
    return at;
}

/* Copy the rows of a batch's sequences to x (steps, n, features). */
static void gather(const Training *t, const int64_t *starts, Py_ssize_t n, float *x)
{
    for (Py_ssize_t step = 0; step < t->steps; step++)
        for (Py_ssize_t i = 0; i < n; i++, x += t->features) {
            const char *from = t->values + (starts[i] + step * t->stride) * t->row;
            if (t->column == sizeof(float))
                memcpy(x, from, t->features * sizeof(float));
            else
                /* A field of a packed structured array may be unaligned, hence memcpy. */
                for (Py_ssize_t j = 0; j < t->features; j++)
                    memcpy(x + j, from + j * t->column, sizeof(float));
        }
}

static float sigmoid_of(float z) { return z < 0 ? 1 - 1 / (1 + expf(z)) : 1 / (1 + expf(-z)); }

/* Return the loss of one output z, and set its derivative. */
static float loss_of(const Training *t, float z, float y, float *slope)
{
    float d = z - y, size = fabsf(d), quantile = (float)t->parameter;
    switch (t->loss) {
    case SQUARED_ERROR:
        *slope = 2 * d;
        return d * d;
    case BINARY_CROSSENTROPY:
        *slope = sigmoid_of(z) - y;
        return MAX(z, 0) - z * y + log1pf(expf(-fabsf(z)));
    case ABSOLUTE_ERROR:
        *slope = (float)((d > 0) - (d < 0));
        return size;
    case HUBER:
        *slope = size <= 1 ? d : copysignf(1, d);
        return size <= 1 ? d * d / 2 : size - 0.5f;
    case LOG_COSH:
        *slope = tanhf(d);
        return size + log1pf(expf(-2 * size)) - 0.6931472f;
    default: /* PINBALL */
        *slope = d > 0 ? 1 - quantile : d < 0 ? -quantile : 0;
        return d * *slope;
    }
}

/* Return the weighted sum of the losses, and replace z (n, K) by its gradient. */
static double add_losses(const Training *t, float *z, Py_ssize_t first, Py_ssize_t n)
{
    Py_ssize_t k = t->outputs;
    const float *y = (const float *)t->targets + first * k;
    double total = 0;
    for (Py_ssize_t i = 0; i < n; i++, z += k, y += k) {
        float weight = t->weights[first + i], sum = 0;
        float scale = weight / (float)n;
        if (t->loss == CATEGORICAL_CROSSENTROPY) {
            const int *label = (const int *)t->targets + first + i;
            kernels->crossentropy(z, label, &sum, 1, k, scale);
            total += (double)sum * weight;
            continue;
        }
        for (Py_ssize_t j = 0; j < k; j++) {
            float slope;
            sum += loss_of(t, z[j], y[j], &slope);
            z[j] = slope / (float)k * scale;
        }
        total += (double)(sum / (float)k) * weight;
    }
    return total;
}

static void multiply_by(float *to, const float *from, const float *by, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        to[i] = from[i] * by[i];
}

/* Set the gradient g of one batch and the sum of its losses. Returns 0 without memory. */
static int differentiate(const Training *t, const Batch *b, Py_ssize_t number, double *loss)
{
    Py_ssize_t n = t->counts[number], first = number * t->batch_size, units = t->units;
    Py_ssize_t columns = cells[t->cell].gates * units, all = t->steps * n, k = t->outputs;
    const float *part[5];
    float *d[5];
    for (int i = 0; i < 5; i++) {
        part[i] = t->w + (i ? t->ends[i - 1] : 0);
        d[i] = t->g + (i ? t->ends[i - 1] : 0);
    }
    int as_one = (int)all, count = (int)n, enough;
    for (Py_ssize_t step = 0; step < t->steps; step++)
        b->active[step] = count;
    Rows flat = {1, all, &as_one}, steps = {t->steps, n, b->active}, batch = {1, n, &count};
    const float *mask = t->masks ? t->masks + first * units : NULL;
    const float *recurrent = t->recurrent_masks ? t->recurrent_masks + first * units : NULL;
    Layer l = {.cell = t->cell, .activation = t->activation, .gates = cells[t->cell].gates,
               .steps = t->steps, .sequences = n, .units = units, .first = 0, .last = n,
               .active = b->active, .z = b->z, .h = b->h, .c = b->c, .extra = b->extra,
               .kernel = part[1], .bias = cells[t->cell].apart ? part[2] + columns : NULL,
               .mask = recurrent};
    gather(t, t->starts + first, n, b->x);
    enough = kernels->project(&flat, b->x, t->features, part[0], 0, columns, part[2], b->z);
    memset(b->h, 0, n * units * sizeof(float));
    memset(b->c, 0, n * units * sizeof(float));
    enough = enough && kernels->forward(&l);
    const float *last = b->h + all * units;
    if (mask) {
        multiply_by(b->last, last, mask, n * units);
        last = b->last;
    }
    enough = enough && kernels->project(&batch, last, units, part[3], 0, k, part[4], b->out);
    if (!enough)
        return 0;
    *loss = add_losses(t, b->out, first, n);
    Left head = {last, units, NULL, d[3]};
    enough = kernels->outer(&batch, &head, 1, b->out, k, k, k, d[4]);
    enough = enough && kernels->project(&batch, b->out, k, part[3], 1, units, NULL, b->dh);
    if (mask)
        multiply_by(b->dh, b->dh, mask, n * units);
    memset(b->dc, 0, n * units * sizeof(float));
    enough = enough && kernels->backward(&l, NULL, b->dh, b->dc);
    /* The last gate's recurrent product may have a separate gradient. */
    Py_ssize_t shared = cells[t->cell].apart ? columns - units : columns;
    Left inputs = {b->x, t->features, NULL, d[0]}, states = {b->h, units, recurrent, d[1]};
    Left both[] = {inputs, states};
    /* A mask has one row per sequence, so it needs separate time steps. */
    Rows *rows = recurrent ? &steps : &flat;
    if (cells[t->cell].recurrent != MATRIX) {
        enough = enough && kernels->outer(rows, &inputs, 1, b->z, columns, columns, columns, d[2]);
        if (cells[t->cell].recurrent == WEIGHTS)
            enough = enough && kernels->outer(rows, NULL, 0, b->extra, units, units, units, d[1]);
    } else if (!cells[t->cell].apart)
        enough = enough && kernels->outer(rows, both, 2, b->z, columns, columns, columns, d[2]);
    else {
        float *of_states = d[2] + columns;
        enough = enough && kernels->outer(rows, &inputs, 1, b->z, columns, columns, columns, d[2]);
        enough = enough && kernels->outer(rows, &states, 1, b->z, columns, shared, columns, of_states);
        states.out += shared;
        enough = enough && kernels->outer(rows, &states, 1, b->extra, units, units, columns,
                                          of_states + shared);
    }
    return enough;
}

/* Clip the norm of each part of the gradient. Returns whether all norms are finite. */
static int clip_parts(float *x, const int64_t *ends, Py_ssize_t n_parts, double limit)
{
    int finite = 1;
    for (Py_ssize_t part = 0, first = 0; part < n_parts; first = ends[part++]) {
        Py_ssize_t n = ends[part] - first;
        double norm = sqrt(kernels->square(x + first, n));
        finite &= isfinite(norm);
        if (norm > limit)
            for (Py_ssize_t i = 0; i < n; i++)
                x[first + i] *= (float)(limit / norm);
    }
    return finite;
}

/* Train on all batches, or until a loss or a gradient isn't finite. Returns 0 without
   memory. */
static int train_batches(Training *t)
{
    Batch b = {.active = malloc(t->steps * sizeof(int))};
    int enough = b.active != NULL;
    Py_ssize_t n = t->ends[t->n_parts - 1];
    place(t, &b);
    t->finite = 1;
    for (Py_ssize_t i = 0; enough && i < t->n_batches; i++) {
        double loss = 0;
        enough = differentiate(t, &b, i, &loss);
        if (!enough)
            break;
        t->total += loss, t->count += t->counts[i];
        if (isfinite(t->global_clipnorm))
            clip_parts(t->g, t->ends + t->n_parts - 1, 1, t->global_clipnorm);
        int finite = clip_parts(t->g, t->ends, t->n_parts, t->clipnorm);
        t->finite = finite && isfinite(loss);
        if (!t->finite)
            break;
        if (!t->m)
            break;
        double step = ++t->n_done;
        double rate = t->rates[i] * sqrt(1 - pow(t->keep_2, step)) / (1 - pow(t->keep_1, step));
        kernels->adam(t->w, t->g, t->m, t->v, n, (float)rate, (float)t->keep_1,
                      (float)t->keep_2, (float)t->epsilon);
    }
    free(b.active);
    return enough;
}
