/* The forward and backward passes of layers with a memory. `vector.h` includes this file
   for each instruction set. `skrnn/_networks/cells/ntm.py` has the formulas.

   A memory has the shape (width, slots), because most loops run over the slots. A few
   sequences take each time step together, so that they share the kernels in the cache. */

#define TOGETHER 8

/* log(x) for a positive normal x = 2^whole * rest, with 1 <= rest < 2. */
INLINE vec ISA(log)(vec x)
{
    bits whole = (((bits)x) >> 23) - 127;
    vec rest = (vec)((((bits)x) & 0x7fffff) | 0x3f800000);
    return __builtin_convertvector(whole, vec) * 0.69314718f + ISA(log1p)(rest - 1.0f);
}

/* Replace z (n) by softmax(factor * z). The factor mustn't be negative. */
static void ISA(sharpen)(float *z, Py_ssize_t n, float factor)
{
    vec top = ISA(constant)(z[0]), sums = {0};
    for (Py_ssize_t i = 0; i < n; i += VL) {
        vec v = ISA(load)(z + i, n - i);
        for (Py_ssize_t j = n - i; j < VL; j++)
            v[j] = z[0];
        top = ISA(at_least)(top, v);
    }
    float most = top[0];
    for (int j = 1; j < VL; j++)
        most = MAX(most, top[j]);
    for (Py_ssize_t i = 0; i < n; i += VL) {
        vec v = ISA(exp)((ISA(load)(z + i, n - i) - most) * factor);
        ISA(store)(z + i, v, n - i);
        sums += ISA(load)(z + i, n - i);
    }
    vec scale = ISA(constant)(1 / ISA(total)(sums));
    for (Py_ssize_t i = 0; i < n; i += VL)
        ISA(store)(z + i, ISA(load)(z + i, n - i) * scale, n - i);
}

/* The backward pass of y = softmax(factor * z). g has the gradient of y and gets that of
   z. Returns the gradient of the factor. */
static float ISA(sharpen_back)(const float *z, const float *y, float *g, Py_ssize_t n,
                               float factor)
{
    vec sums = {0}, slopes = {0};
    for (Py_ssize_t i = 0; i < n; i += VL)
        sums += ISA(load)(y + i, n - i) * ISA(load)(g + i, n - i);
    float mean = ISA(total)(sums);
    for (Py_ssize_t i = 0; i < n; i += VL) {
        vec v = ISA(load)(y + i, n - i) * (ISA(load)(g + i, n - i) - mean);
        slopes += v * ISA(load)(z + i, n - i);
        ISA(store)(g + i, v * factor, n - i);
    }
    return ISA(total)(slopes);
}

static float ISA(softplus)(float x) { return MAX(x, 0) + log1pf(expf(-fabsf(x))); }

static void ISA(activate_all)(int kind, float *x, Py_ssize_t n)
{
    for (Py_ssize_t j = 0; j < n; j += VL)
        ISA(store)(x + j, ISA(activate)(kind, ISA(load)(x + j, n - j)), n - j);
}

/* Activate both heads' parameters in place. Each head has a key, a strength, a gate, three
   shift weights and a sharpness. The erase vector and the add vector follow. */
static void ISA(activate_heads)(float *asked, Py_ssize_t width)
{
    float *erase = asked + 2 * (width + 6);
    for (int head = 0; head < 2; head++, asked += width + 6) {
        float *rest = asked + width;
        ISA(activate_all)(TANH, asked, width);
        rest[0] = ISA(softplus)(rest[0]);
        ISA(activate_all)(SIGMOID, rest + 1, 1);
        ISA(sharpen)(rest + 2, 3, 1);
        rest[5] = 1 + ISA(softplus)(rest[5]);
    }
    ISA(activate_all)(SIGMOID, erase, width);
    ISA(activate_all)(TANH, erase + width, width);
}

static float ISA(length)(const float *key, Py_ssize_t n)
{
    float square = 0;
    for (Py_ssize_t j = 0; j < n; j++)
        square += key[j] * key[j];
    return sqrtf(square + MEMORY_TINY);
}

/* Mix the content address and the previous address by the gate. `mixed` (slots + 2) is
   circular, for shifts by -1, 0 and 1. */
static void ISA(mix)(const float *asked, const float *content, const float *before,
                     float *mixed, Py_ssize_t n)
{
    vec gate = ISA(constant)(asked[1]);
    for (Py_ssize_t i = 0; i < n; i += VL) {
        vec old = ISA(load)(before + i, n - i);
        ISA(store)(mixed + 1 + i, old + gate * (ISA(load)(content + i, n - i) - old), n - i);
    }
    mixed[0] = mixed[n], mixed[n + 1] = mixed[1];
}

/* Compute a head's address: its attention weights over the slots. `look` has four rows of
   (slots): similarities to the key, content address, shifted address and address. The
   first row is given. */
static void ISA(address)(const float *asked, const float *before, float *look, float *mixed,
                         Py_ssize_t n)
{
    float *content = look + n, *moved = look + 2 * n, *share = look + 3 * n;
    memcpy(content, look, n * sizeof(float));
    ISA(sharpen)(content, n, asked[0]);
    ISA(mix)(asked, content, before, mixed, n);
    vec least = ISA(constant)(MEMORY_LEAST);
    for (Py_ssize_t i = 0; i < n; i += VL) {
        vec v = ISA(load)(mixed + i + 2, n - i) * asked[2];
        v += ISA(load)(mixed + i + 1, n - i) * asked[3] + ISA(load)(mixed + i, n - i) * asked[4];
        ISA(store)(moved + i, v, n - i);
        ISA(store)(share + i, ISA(log)(ISA(at_least)(least, v)), n - i);
    }
    ISA(sharpen)(share, n, asked[5]);
}

/* The backward pass of `address`. g has the gradient of the address and gets that of the
   previous address. d_alike gets the gradient of the similarities, `slopes` those of the
   head's other parameters before their activations. */
static void ISA(address_back)(const float *asked, const float *before, const float *look,
                              float *g, float *d_alike, float *slopes, float *mixed,
                              float *work, Py_ssize_t n)
{
    const float *content = look + n, *moved = look + 2 * n, *share = look + 3 * n;
    vec least = ISA(constant)(MEMORY_LEAST), zero = {0}, shifts[3] = {zero, zero, zero};
    for (Py_ssize_t i = 0; i < n; i += VL)
        ISA(store)(work + i, ISA(log)(ISA(at_least)(least, ISA(load)(moved + i, n - i))), n - i);
    float of_sharpness = ISA(sharpen_back)(work, share, g, n, asked[5]);
    ISA(mix)(asked, content, before, mixed, n);
    for (Py_ssize_t i = 0; i < n; i += VL) {
        vec m = ISA(load)(moved + i, n - i), v = ISA(load)(g + i, n - i);
        v = ISA(choose)(m > least, v / ISA(at_least)(least, m), zero);
        ISA(store)(work + 1 + i, v, n - i);
        v = ISA(load)(work + 1 + i, n - i);
        for (int s = 0; s < 3; s++)
            shifts[s] += v * ISA(load)(mixed + i + 2 - s, n - i);
    }
    work[0] = work[n], work[n + 1] = work[1];
    vec of_gate = zero, gate = ISA(constant)(asked[1]);
    for (Py_ssize_t i = 0; i < n; i += VL) {
        vec v = ISA(load)(work + i, n - i) * asked[2];
        v += ISA(load)(work + i + 1, n - i) * asked[3] + ISA(load)(work + i + 2, n - i) * asked[4];
        ISA(store)(g + i, v * (1.0f - gate), n - i);
        of_gate += v * (ISA(load)(content + i, n - i) - ISA(load)(before + i, n - i));
        ISA(store)(d_alike + i, v * gate, n - i);
    }
    float of_strength = ISA(sharpen_back)(look, content, d_alike, n, asked[0]);
    slopes[0] = of_strength * -expm1f(-asked[0]);
    slopes[1] = ISA(total)(of_gate) * asked[1] * (1 - asked[1]);
    float d[3], mean = 0;
    for (int s = 0; s < 3; s++)
        d[s] = ISA(total)(shifts[s]), mean += d[s] * asked[2 + s];
    for (int s = 0; s < 3; s++)
        slopes[2 + s] = asked[2 + s] * (d[s] - mean);
    slopes[5] = of_sharpness * -expm1f(1 - asked[5]);
}

#define LOOKS(l, t, row) ((l)->looks + (((l)->kept ? (t) : 0) * (l)->sequences + (row)) * 9 * (l)->slots)
#define MEMORY(l, t, row)                                                                   \
    ((l)->memory + (((l)->kept ? (t) : 0) * (l)->sequences + (row)) * (l)->width * (l)->slots)
#define ROW(l, array, t, row, n) ((array) + ((t) * (l)->sequences + (row)) * (n))
#define KEPT(l, array, t, row, n) ROW(l, array, (l)->kept ? (t) : 0, row, n)
#define HEADS(l) (4 * (l)->width + 12)

/* A head's address before step t. */
static const float *ISA(before)(const MemoryLayer *l, Py_ssize_t t, Py_ssize_t row, int head)
{
    if (!t)
        return l->addresses + (2 * row + head) * l->slots;
    return LOOKS(l, t - 1, row) + (4 * head + 3) * l->slots;
}

/* Read the memory of a sequence, then write to it. */
static void ISA(remember)(const MemoryLayer *l, Py_ssize_t t, Py_ssize_t row,
                          const float *asked, float *mixed, float *read)
{
    Py_ssize_t n = l->slots, width = l->width;
    const float *memory = MEMORY(l, t, row), *keys[2] = {asked, asked + width + 6};
    const float *erase = asked + 2 * (width + 6), *add = erase + width;
    float *after = MEMORY(l, t + 1, row), *looks = LOOKS(l, t, row), *inverse = looks + 8 * n;
    float *alike[2] = {looks, looks + 4 * n};
    for (Py_ssize_t i = 0; i < n; i += VL) {
        vec square = {0}, first = {0}, second = {0};
        for (Py_ssize_t j = 0; j < width; j++) {
            vec m = ISA(load)(memory + j * n + i, n - i);
            square += m * m, first += m * keys[0][j], second += m * keys[1][j];
        }
        ISA(store)(inverse + i, square, n - i);
        ISA(store)(alike[0] + i, first, n - i);
        ISA(store)(alike[1] + i, second, n - i);
    }
    float lengths[2] = {ISA(length)(keys[0], width), ISA(length)(keys[1], width)};
    for (Py_ssize_t i = 0; i < n; i++) {
        inverse[i] = 1 / sqrtf(inverse[i] + MEMORY_TINY);
        alike[0][i] *= inverse[i] / lengths[0];
        alike[1][i] *= inverse[i] / lengths[1];
    }
    for (int head = 0; head < 2; head++)
        ISA(address)(keys[head] + width, ISA(before)(l, t, row, head), alike[head], mixed, n);
    const float *reads = looks + 3 * n, *writes = looks + 7 * n;
    for (Py_ssize_t j = 0; j < width; j++) {
        vec sums = {0};
        for (Py_ssize_t i = 0; i < n; i += VL) {
            vec m = ISA(load)(memory + j * n + i, n - i), at = ISA(load)(writes + i, n - i);
            sums += m * ISA(load)(reads + i, n - i);
            ISA(store)(after + j * n + i, m + at * (add[j] - m * erase[j]), n - i);
        }
        read[j] = ISA(total)(sums);
    }
}

/* The backward pass of `remember`. `asked` gets the gradient of the heads' parameters.
   d_memory (width, slots) and d_shares (2, slots) get the gradients of the previous memory
   and addresses. */
static void ISA(remember_back)(const MemoryLayer *l, Py_ssize_t t, Py_ssize_t row,
                               float *asked, const float *d_read, float *d_shares,
                               float *d_memory, float *work)
{
    Py_ssize_t n = l->slots, width = l->width;
    const float *memory = MEMORY(l, t, row), *looks = LOOKS(l, t, row), *inverse = looks + 8 * n;
    const float *reads = looks + 3 * n, *writes = looks + 7 * n;
    float *erase = asked + 2 * (width + 6), *add = erase + width;
    float *d_alike[2] = {work, work + n}, *falling = work + 2 * n, *mixed = work + 3 * n;
    float *scratch = work + 4 * n + 2, *d_write = d_shares + n;
    for (Py_ssize_t j = 0; j < width; j++) {
        vec erased = {0}, added = {0};
        for (Py_ssize_t i = 0; i < n; i += VL) {
            vec m = ISA(load)(memory + j * n + i, n - i);
            vec g = ISA(load)(d_memory + j * n + i, n - i);
            vec at = ISA(load)(writes + i, n - i), part = g * at;
            added += part, erased += part * m;
            vec d = ISA(load)(d_write + i, n - i) + g * (add[j] - m * erase[j]);
            ISA(store)(d_write + i, d, n - i);
            d = ISA(load)(d_shares + i, n - i) + m * d_read[j];
            ISA(store)(d_shares + i, d, n - i);
            g += ISA(load)(reads + i, n - i) * d_read[j] - part * erase[j];
            ISA(store)(d_memory + j * n + i, g, n - i);
        }
        erase[j] = -ISA(total)(erased) * erase[j] * (1 - erase[j]);
        add[j] = ISA(total)(added) * (1 - add[j] * add[j]);
    }
    float slopes[2][6], pull[2] = {0, 0}, lengths[2];
    for (int head = 0; head < 2; head++) {
        const float *told = asked + head * (width + 6) + width;
        ISA(address_back)(told, ISA(before)(l, t, row, head), looks + 4 * head * n,
                          d_shares + head * n, d_alike[head], slopes[head], mixed, scratch, n);
        lengths[head] = ISA(length)(told - width, width);
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        float sum = 0;
        for (int head = 0; head < 2; head++) {
            float part = d_alike[head][i] * looks[4 * head * n + i];
            sum += part, pull[head] += part;
            d_alike[head][i] *= inverse[i] / lengths[head];
        }
        falling[i] = sum * inverse[i] * inverse[i];
    }
    float *keys[2] = {asked, asked + width + 6};
    for (Py_ssize_t j = 0; j < width; j++) {
        vec first = {0}, second = {0};
        for (Py_ssize_t i = 0; i < n; i += VL) {
            vec m = ISA(load)(memory + j * n + i, n - i);
            vec a = ISA(load)(d_alike[0] + i, n - i), b = ISA(load)(d_alike[1] + i, n - i);
            first += a * m, second += b * m;
            vec g = ISA(load)(d_memory + j * n + i, n - i);
            g += a * keys[0][j] + b * keys[1][j] - m * ISA(load)(falling + i, n - i);
            ISA(store)(d_memory + j * n + i, g, n - i);
        }
        float found[2] = {ISA(total)(first), ISA(total)(second)};
        for (int head = 0; head < 2; head++) {
            float key = keys[head][j];
            float d = found[head] - key * pull[head] / (lengths[head] * lengths[head]);
            keys[head][j] = d * (1 - key * key);
        }
    }
    for (int head = 0; head < 2; head++)
        memcpy(keys[head] + width, slopes[head], sizeof(slopes[head]));
}

/* How many of the TOGETHER sequences from `first` on still run at step t. */
static Py_ssize_t ISA(running)(const MemoryLayer *l, Py_ssize_t t, Py_ssize_t first)
{
    return MAX(0, MIN(MIN(l->active[t], l->last) - first, TOGETHER));
}

/* One step of a sequence's LSTM, the controller: set its gates, c and h. */
static void ISA(control)(const MemoryLayer *l, Py_ssize_t t, Py_ssize_t row, const float *z,
                         float *h)
{
    Py_ssize_t u = l->units;
    const float *x = ROW(l, l->x, t, row, 4 * u), *c = ROW(l, l->c, t, row, u);
    float *gates = KEPT(l, l->gates, t, row, 4 * u), *after = ROW(l, l->c, t + 1, row, u);
    for (Py_ssize_t j = 0; j < u; j += VL) {
        vec gate[4];
        for (int k = 0; k < 4; k++) {
            gate[k] = ISA(load)(x + k * u + j, u - j) + ISA(load)(z + k * u + j, u - j);
            gate[k] = k == 2 ? ISA(tanh)(gate[k]) : ISA(sigmoid)(gate[k]);
            ISA(store)(gates + k * u + j, gate[k], u - j);
        }
        vec new = gate[1] * ISA(load)(c + j, u - j) + gate[0] * gate[2];
        ISA(store)(after + j, new, u - j);
        ISA(store)(h + j, gate[3] * ISA(tanh)(new), u - j);
    }
}

/* The backward pass of `control`. The gates get the gradients of their inputs, and dc gets
   the gradient of the previous c. */
static void ISA(control_back)(const MemoryLayer *l, Py_ssize_t t, Py_ssize_t row,
                              const float *dh, float *dc)
{
    Py_ssize_t u = l->units;
    const float *c = ROW(l, l->c, t, row, u), *after = ROW(l, l->c, t + 1, row, u);
    float *gates = ROW(l, l->gates, t, row, 4 * u);
    for (Py_ssize_t j = 0; j < u; j += VL) {
        vec gate[4], d = ISA(load)(dh + j, u - j);
        for (int k = 0; k < 4; k++)
            gate[k] = ISA(load)(gates + k * u + j, u - j);
        vec shown = ISA(tanh)(ISA(load)(after + j, u - j));
        vec own = ISA(load)(dc + j, u - j) + d * gate[3] * (1.0f - shown * shown);
        ISA(store)(dc + j, own * gate[1], u - j);
        ISA(store)(gates + j, own * gate[2] * gate[0] * (1.0f - gate[0]), u - j);
        vec kept = own * ISA(load)(c + j, u - j);
        ISA(store)(gates + u + j, kept * gate[1] * (1.0f - gate[1]), u - j);
        ISA(store)(gates + 2 * u + j, own * gate[0] * (1.0f - gate[2] * gate[2]), u - j);
        ISA(store)(gates + 3 * u + j, d * shown * gate[3] * (1.0f - gate[3]), u - j);
    }
}

static int ISA(memory)(const MemoryLayer *l)
{
    Py_ssize_t u = l->units, width = l->width, n = l->slots, both = u + width, told = HEADS(l);
    float *z = allocate(TOGETHER * (5 * u + width) + n + 2);
    if (!z)
        return 0;
    float *h = z + TOGETHER * 4 * u, *read = h + TOGETHER * u, *mixed = read + TOGETHER * width;
    for (Py_ssize_t first = l->first; first < l->last; first += TOGETHER) {
        for (Py_ssize_t t = 0, m; t < l->steps && (m = ISA(running)(l, t, first)); t++) {
            ISA(narrow)(m, both, ROW(l, l->states, t, first, both), l->kernel, 4 * u, NULL, z);
            for (Py_ssize_t i = 0; i < m; i++)
                ISA(control)(l, t, first + i, z + i * 4 * u, h + i * u);
            float *asked = KEPT(l, l->heads, t, first, told), *y = ROW(l, l->y, t, first, u);
            ISA(narrow)(m, u, h, l->head, told, l->head_bias, asked);
            for (Py_ssize_t i = 0; i < m; i++) {
                float *state = ROW(l, l->states, t + 1, first + i, both);
                ISA(activate_heads)(asked + i * told, width);
                ISA(remember)(l, t, first + i, asked + i * told, mixed, read + i * width);
                memcpy(state, h + i * u, u * sizeof(float));
                memcpy(state + u, read + i * width, width * sizeof(float));
            }
            ISA(narrow)(m, width, read, l->output, u, NULL, y);
            for (Py_ssize_t j = 0; j < m * u; j++)
                y[j] += h[j];
        }
    }
    free(z);
    return 1;
}

static void ISA(transpose)(const float *from, Py_ssize_t m, Py_ssize_t n, float *to)
{
    for (Py_ssize_t i = 0; i < m; i++)
        for (Py_ssize_t j = 0; j < n; j++)
            to[j * m + i] = from[i * n + j];
}

static int ISA(memory_back)(const MemoryLayer *l, const float *dy, const MemoryGradients *grads)
{
    Py_ssize_t u = l->units, width = l->width, n = l->slots, both = u + width, told = HEADS(l);
    float *kernel = allocate(both * 4 * u + u * told + width * u +
                             TOGETHER * (u + width) + 5 * n + 4 + 2);
    if (!kernel)
        return 0;
    float *head = kernel + both * 4 * u, *output = head + u * told, *dh = output + width * u;
    float *dr = dh + TOGETHER * u, *work = dr + TOGETHER * width;
    ISA(transpose)(l->kernel, both, 4 * u, kernel);
    ISA(transpose)(l->head, u, told, head);
    ISA(transpose)(l->output, width, u, output);
    for (Py_ssize_t first = l->first; first < l->last; first += TOGETHER) {
        float *ds = grads->states + first * both, *dc = grads->c + first * u;
        float *d_shares = grads->addresses + first * 2 * n;
        float *d_memory = grads->memory + first * width * n;
        for (Py_ssize_t t = l->steps - 1; t >= 0; t--) {
            Py_ssize_t m = ISA(running)(l, t, first);
            const float *g = ROW(l, dy, t, first, u);
            float *asked = ROW(l, l->heads, t, first, told);
            ISA(narrow)(m, u, g, output, width, NULL, dr);
            for (Py_ssize_t i = 0; i < m; i++) {
                float *d_read = dr + i * width;
                for (Py_ssize_t j = 0; j < width; j++)
                    d_read[j] += ds[i * both + u + j];
                ISA(remember_back)(l, t, first + i, asked + i * told, d_read,
                                   d_shares + i * 2 * n, d_memory + i * width * n, work);
            }
            ISA(narrow)(m, told, asked, head, u, NULL, dh);
            for (Py_ssize_t i = 0; i < m; i++) {
                for (Py_ssize_t j = 0; j < u; j++)
                    dh[i * u + j] += g[i * u + j] + ds[i * both + j];
                ISA(control_back)(l, t, first + i, dh + i * u, dc + i * u);
            }
            ISA(narrow)(m, 4 * u, ROW(l, l->gates, t, first, 4 * u), kernel, both, NULL, ds);
        }
    }
    free(kernel);
    return 1;
}

#undef TOGETHER
