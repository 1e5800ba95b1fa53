/* The forward and backward passes of recurrent layers, for training on a CPU.

   For a small layer, a framework spends most of its time between the matrix products.
   Here one call runs a layer over all time steps: it packs the recurrent kernel once,
   keeps each product's tiles in registers, and computes the gates while they are in the
   cache. A call releases Python's lock.

   Arrays are time-major, (steps, sequences, ...), float32 and contiguous. Sequences are
   sorted, longest first. `active` is the number of sequences that still run at each step.
   Results don't depend on how sequences are divided among threads. */

/* setup.py installs skrnn without the kernels if this fails. */
#if !defined(__GNUC__) && !defined(__clang__)
#error "skrnn's kernels need GCC or clang, whose vectors they are written with."
#endif

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))
/* Unroll a short loop, so that its sums stay in registers. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define ROUND_UP(n, to) (((n) + (to)-1) / (to) * (to))
#define PACKED(k, n, vl) ((k)*ROUND_UP(n, vl))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
/* Choose four numbers of two vectors by their indices, 0 to 7. */
typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));
#if defined(__clang__) || __GNUC__ >= 12
#define BOTH(x, y, a, b, c, d) __builtin_shufflevector(x, y, a, b, c, d)
#else
typedef int places __attribute__((vector_size(16)));
#define BOTH(x, y, a, b, c, d) __builtin_shuffle(x, y, (places){a, b, c, d})
#endif
typedef int quad_of_ints __attribute__((vector_size(16)));
INLINE quad greater_ones(quad x, quad y)
{
    quad_of_ints greater = x > y;
    return (quad)((greater & (quad_of_ints)x) | (~greater & (quad_of_ints)y));
}
/* Number of rows that `outer` sums together: its operands then fit in the cache. */
#define BLOCK 128

enum { RNN, LSTM, GRU, MINGRU, MINLSTM, INDRNN, N_CELLS };
/* What multiplies the previous hidden state: nothing, one weight per unit, or a matrix. */
enum { NOTHING, WEIGHTS, MATRIX };
enum { TANH, SIGMOID, RELU, LINEAR, ELU, SELU, SOFTPLUS, SOFTSIGN, SILU, N_ACTIVATIONS };

/* How cells differ, apart from their steps in `vector.h`. */
typedef struct {
    const char *name;
    int gates;      /* the kernels have gates * units columns */
    int has_c;      /* whether it has a second state, c */
    int has_extra;  /* whether its backward pass needs `extra` */
    int apart;      /* whether the last gate's recurrent product has its own bias and its own
                       gradient, which is in `extra` */
    int recurrent;  /* the kind of recurrent kernel. With WEIGHTS, the backward pass puts
                       their gradient at each step in `extra` */
} Cell;

static const Cell cells[N_CELLS] = {
    [RNN] = {"rnn", 1, 0, 0, 0, MATRIX},
    [LSTM] = {"lstm", 4, 1, 1, 0, MATRIX},
    [GRU] = {"gru", 3, 0, 1, 1, MATRIX},
    [MINGRU] = {"mingru", 2, 0, 0, 0, NOTHING},
    [MINLSTM] = {"minlstm", 3, 0, 1, 0, NOTHING},
    [INDRNN] = {"indrnn", 1, 0, 1, 0, WEIGHTS},
};

/* Klambauer et al. (2017), "Self-normalizing neural networks". */
#define SELU_ALPHA 1.6732632423543772f
#define SELU_SCALE 1.0507009873554805f

/* Sequences `first` to `last` of one layer in one direction. */
typedef struct {
    Py_ssize_t cell, activation, gates, steps, sequences, units, first, last;
    const int *active;
    float *z;            /* (steps, sequences, gates * units): projected inputs, then gates */
    float *h, *c;        /* (steps + 1, sequences, units) */
    float *extra;        /* (steps, sequences, units): also for the backward pass */
    const float *kernel; /* (units, gates * units), or (units), or NULL */
    const float *bias;   /* (gates * units) of the recurrent product, or NULL */
    const float *mask;   /* (sequences, units) for the recurrent product, or NULL */
    const float *table;  /* (rows, gates * units): projected inputs by id; or NULL */
    const int *ids;      /* (steps, sequences) */
    /* (steps, sequences): where states are reset to zeros before a step. The outputs are
       then in y (steps, sequences, units), because h has these zeros. Or both NULL. */
    const unsigned char *resets;
    float *y;
} Layer;

typedef struct {
    Py_ssize_t steps, sequences;
    const int *active;
} Rows;

/* A left operand (rows, m) of a sum of outer products, and the output for the sum. */
typedef struct {
    const float *a;
    Py_ssize_t m;
    const float *mask; /* (sequences, m), a factor of a; or NULL */
    float *out;
} Left;

#define GATES(l, t, row) ((l)->z + ((t) * (l)->sequences + (row)) * (l)->gates * (l)->units)
#define OUTPUT(l, t, row) ((l)->y ? STATE(l, y, t, row) : STATE(l, h, t + 1, row))
#define STATE(l, name, t, row) ((l)->name + ((t) * (l)->sequences + (row)) * (l)->units)

/* Allocate n floats, or return NULL without memory. malloc(0) could return NULL too. */
static float *allocate(Py_ssize_t n) { return malloc(MAX(n, 1) * sizeof(float)); }

typedef struct Chains Chains;
/* Sequences `first` to `last` of a Transformer block. Arrays are (steps, sequences, ...),
   for all sequences. Padding isn't read; in outputs it is set to zeros. */
typedef struct {
    Py_ssize_t steps, sequences, heads, width, hidden, activation, first, last;
    Py_ssize_t rows; /* the sum of the lengths */
    int causal;
    float epsilon;
    const int *lengths;                       /* (sequences) */
    const float *x;                           /* (steps, sequences, width) */
    const float *norms;                       /* (4, width): gamma and beta of both */
    const float *project, *project_bias;      /* (width, 3 * width): queries, keys, values */
    const float *output, *output_bias;        /* (width, width) */
    const float *dense, *dense_bias;          /* (width, hidden) */
    const float *dense_output, *dense_output_bias; /* (hidden, width) */
    /* (steps, width / heads): the cosines, then the sines, of the angles that rotate
       queries and keys; or NULL. */
    const float *rotation;
    const float *masks[2]; /* (steps, sequences, width): dropout masks; or NULL */
    float *kept;           /* for the backward pass, see `numbers_kept`; or NULL */
    float *out;            /* (steps, sequences, width) */
} Block;

/* What the backward pass needs of one sequence. `read` is x normalised, `context` the output
   of the heads, `sum` x plus the projected context, and `normed` the normalised sum. `hidden`
   determines the activation's slopes, `active` has its values. `moments` are those of both
   normalisations. `shares` has the maximum score and the inverse sum of each softmax. */
typedef struct {
    float *read, *qkv, *context, *sum, *normed, *hidden, *active, *moments, *shares;
} Kept;

/* The gradients of the outputs of one sequence's matrix products. */
typedef struct {
    float *project, *output, *dense, *dense_output;
} BlockGradients;

/* The four matrices, packed. */
typedef struct {
    float *project, *output, *dense, *dense_output;
} Matrices;

/* As in `skrnn/_networks/cells/ntm.py`. MEMORY_TINY is added to squares before their root.
   MEMORY_LEAST is the least attention weight of a slot before sharpening. */
#define MEMORY_TINY 1e-16f
#define MEMORY_LEAST 1e-12f

/* Sequences `first` to `last` of one layer with a memory. The backward pass needs every step
   `kept`; without it, arrays (kept, ...) have one step only. Index 0 of states, c and memory
   is the initial state. */
typedef struct {
    Py_ssize_t steps, sequences, units, slots, width, first, last;
    int kept;
    const int *active;
    const float *x;         /* (steps, sequences, 4 * units): projected inputs */
    const float *kernel;    /* (units + width, 4 * units): for h and the read vector */
    const float *head;      /* (units, 4 * width + 12) */
    const float *head_bias; /* (4 * width + 12) */
    const float *output;    /* (width, units) */
    const float *addresses; /* (sequences, 2, slots): the heads' addresses before step 0 */
    float *states;          /* (steps + 1, sequences, units + width): h and the read vector */
    float *c;               /* (steps + 1, sequences, units) */
    float *y;               /* (steps, sequences, units) */
    float *gates;           /* (kept, sequences, 4 * units) */
    float *heads;           /* (kept, sequences, 4 * width + 12) */
    float *looks;           /* (kept, sequences, 9, slots) */
    float *memory;          /* (kept + 1, sequences, width, slots) */
} MemoryLayer;

/* At first the gradients of the final states, at the end those of the initial states. */
typedef struct {
    float *states;    /* (sequences, units + width) */
    float *c;         /* (sequences, units) */
    float *addresses; /* (sequences, 2, slots) */
    float *memory;    /* (sequences, width, slots) */
} MemoryGradients;

/* A convolution of x (steps, sequences, features). Each window has `size` steps that are
   `dilation` apart. It begins `before` steps before its output's step. */
typedef struct {
    Py_ssize_t steps, sequences, features, size, filters, dilation, before;
    const int *lengths; /* (sequences): later steps aren't read */
    const float *x;
} Convolution;

/* Batch normalisation of x (steps, sequences, channels), ReLU, and max over `pool` steps. */
typedef struct {
    Py_ssize_t steps, sequences, channels, pool;
    const unsigned char *real; /* (steps, sequences): false in padding; or NULL */
    const float *x;
    const float *mean, *factor; /* (channels) */
} Rectified;

typedef struct {
    int (*forward)(const Layer *);
    int (*backward)(const Layer *, const float *dy, float *dh, float *dc);
    int (*project)(const Rows *, const float *a, Py_ssize_t k, const float *b, int transposed,
                   Py_ssize_t n, const float *bias, float *c);
    int (*outer)(const Rows *, const Left *, int n_lefts, const float *b, Py_ssize_t ldb, Py_ssize_t n,
                 Py_ssize_t ldout, float *total);
    double (*square)(const float *, Py_ssize_t);
    void (*crossentropy)(float *z, const int *targets, float *losses, Py_ssize_t rows,
                         Py_ssize_t n, float scale);
    void (*narrow)(Py_ssize_t m, Py_ssize_t k, const float *a, const float *b, Py_ssize_t n,
                   const float *bias, float *c);
    void (*adam)(float *w, const float *g, float *m, float *v, Py_ssize_t n, float rate,
                 float keep_1, float keep_2, float epsilon);
    int (*chain)(const Chains *);
    int (*viterbi)(const Chains *);
    int (*transformer)(const Block *);
    int (*transformer_back)(const Block *, const float *g, float *d_products, float *d_norms,
                            float *dx);
    void (*normalise)(const float *x, Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t n,
                      const float *gamma, const float *beta, float epsilon, float *y,
                      float *found);
    void (*normalise_back)(const float *x, Py_ssize_t stride, const float *g, Py_ssize_t rows,
                           Py_ssize_t n, const float *gamma, const float *found,
                           const float *more, float *dx, Py_ssize_t dx_stride, float *dgamma,
                           float *dbeta);
    int (*memory)(const MemoryLayer *);
    int (*memory_back)(const MemoryLayer *, const float *dy, const MemoryGradients *);
    int (*convolve)(const Convolution *, const float *kernel, const float *bias, float *out,
                    Py_ssize_t first, Py_ssize_t last);
    int (*convolve_back)(const Convolution *, const float *g, Py_ssize_t n, float *d_kernel,
                         float *d_bias);
    void (*statistics)(const Rectified *, Py_ssize_t n_real, Py_ssize_t first, Py_ssize_t last,
                       float *mean, float *variance);
    void (*rectify)(const Rectified *, const float *beta, float *y, Py_ssize_t first,
                    Py_ssize_t last);
    void (*rectify_back)(const Rectified *, const float *beta, const float *inverse,
                         Py_ssize_t n_real, const float *g, float *dx, float *d_gamma,
                         float *d_beta, Py_ssize_t first, Py_ssize_t last);
} Kernels;

/* How many floats a block keeps for the backward pass of `rows` steps; -1 if too many. */
static Py_ssize_t times(Py_ssize_t a, Py_ssize_t b);
static Py_ssize_t numbers_kept(const Block *b, Py_ssize_t rows)
{
    Py_ssize_t hidden = (b->activation == SILU ? 2 : 1) * b->hidden;
    return times(rows, 7 * b->width + hidden + 4 + 2 * b->heads);
}

#define VL 4
#define MR 4
#define NV 2
#define ISA(name) plain_##name
#include "chain.h"
#include "vector.h"
#undef VL
#undef MR
#undef NV
#undef ISA

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
static const int lanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
#define LANES(n) _mm256_loadu_si256((const __m256i *)(lanes + 8 - (n)))
#define MASKED_LOAD(from, n) _mm256_maskload_ps(from, LANES(n))
#define MASKED_STORE(to, v, n) _mm256_maskstore_ps(to, LANES(n), (__m256)(v))
#define MAXIMUM(a, b) ((vec)_mm256_max_ps((__m256)(a), (__m256)(b)))
#define MINIMUM(a, b) ((vec)_mm256_min_ps((__m256)(a), (__m256)(b)))
#define VL 8
#define MR 4
#define NV 3
#define ISA(name) avx2_##name
#include "chain.h"
#include "vector.h"
#undef MASKED_LOAD
#undef MASKED_STORE
#undef MAXIMUM
#undef MINIMUM
#undef VL
#undef MR
#undef NV
#undef ISA
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))),              \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx2,fma,prefer-vector-width=512")
#endif
#define MASKED_LOAD(from, n) _mm512_maskz_loadu_ps((__mmask16)((1u << (n)) - 1), from)
#define MASKED_STORE(to, v, n)                                                         \
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << (n)) - 1), (__m512)(v))
#define MAXIMUM(a, b) ((vec)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define MINIMUM(a, b) ((vec)_mm512_min_ps((__m512)(a), (__m512)(b)))
#define VL 16
#define MR 8
#define NV 3
#define ISA(name) avx512_##name
#include "chain.h"
#include "vector.h"
#undef MASKED_LOAD
#undef MASKED_STORE
#undef MAXIMUM
#undef MINIMUM
#undef VL
#undef MR
#undef NV
#undef ISA
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

static const Kernels *kernels = &plain_kernels;
static const char *instruction_set = "plain";

static int choose(const char *name)
{
    if (!strcmp(name, "plain")) {
        kernels = &plain_kernels, instruction_set = "plain";
        return 1;
    }
#if defined(__x86_64__)
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (!strcmp(name, "avx2") && avx2) {
        kernels = &avx2_kernels, instruction_set = "avx2";
        return 1;
    }
    if (!strcmp(name, "avx512") && avx2 && __builtin_cpu_supports("avx512f")) {
        kernels = &avx512_kernels, instruction_set = "avx512";
        return 1;
    }
#endif
    return 0;
}

/* Gradients that vanish over many steps become denormal numbers, and a processor is a
   hundred times slower with these. They count as zero while a kernel runs. Then the
   thread's setting is restored. */
#if defined(__x86_64__)
#define WITHOUT_TINY_NUMBERS(work)                                                     \
    do {                                                                               \
        unsigned before = _mm_getcsr();                                                \
        _mm_setcsr(before | 0x8040);                                                   \
        work;                                                                          \
        _mm_setcsr(before);                                                            \
    } while (0)
#else
#define WITHOUT_TINY_NUMBERS(work) work
#endif

#include "steps.h"

/* ---- Python ----------------------------------------------------------------------- */

/* An array that may be None. */
typedef struct {
    Py_buffer view;
    int given;
} Array;

/* Whether the items are numbers of one of the `formats`, in this machine's byte order. */
static int has_format(const Py_buffer *view, const char *formats)
{
    const char *found = view->format ? view->format : "B";
    /* NumPy puts a mark before the format of an unaligned array. */
    found += *found == '=' || *found == '^' || *found == '@';
    return found[0] && !found[1] && strchr(formats, found[0]);
}

/* Read an array argument: of one of the `formats`, with items of `size` bytes, contiguous,
   aligned and, if the flags say so, writable. None is allowed unless an array is `needed`. */
static int take(PyObject *object, Array *array, const char *formats, Py_ssize_t size,
                int flags, int needed)
{
    if (!object) { /* Python cleans up if it can't read a later argument. */
        if (array->given)
            PyBuffer_Release(&array->view);
        array->given = 0;
        return 1;
    }
    if (object == Py_None) {
        if (needed)
            PyErr_SetString(PyExc_TypeError, "None where an array is needed");
        return !needed;
    }
    Py_buffer *view = &array->view;
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | flags) < 0)
        return 0;
    if (!has_format(view, formats) || view->itemsize != size)
        PyErr_Format(PyExc_TypeError, "an array of format '%s' where '%s' is needed",
                     view->format ? view->format : "B", formats);
    else if (view->len && (uintptr_t)view->buf % (uintptr_t)size)
        PyErr_SetString(PyExc_ValueError, "an array that isn't aligned");
    if (PyErr_Occurred()) {
        PyBuffer_Release(view);
        return 0;
    }
    array->given = 1;
    return Py_CLEANUP_SUPPORTED;
}

#define ARGUMENT(name, formats, size, flags, needed)                                   \
    static int name(PyObject *object, void *to)                                        \
    {                                                                                  \
        return take(object, to, formats, size, flags, needed);                         \
    }

ARGUMENT(in, "f", 4, 0, 1)
ARGUMENT(out, "f", 4, PyBUF_WRITABLE, 1)
ARGUMENT(maybe_in, "f", 4, 0, 0)
ARGUMENT(maybe_out, "f", 4, PyBUF_WRITABLE, 0)
/* The C type of int32 and int64, and so its format, depends on the system. */
ARGUMENT(ints, "il", 4, 0, 1)
ARGUMENT(maybe_ints, "il", 4, 0, 0)
ARGUMENT(longs, "lq", 8, 0, 1)
ARGUMENT(doubles, "d", 8, 0, 1)
ARGUMENT(doubles_out, "d", 8, PyBUF_WRITABLE, 1)
ARGUMENT(ints_out, "il", 4, PyBUF_WRITABLE, 1)
ARGUMENT(maybe_bools, "?", 1, 0, 0)
ARGUMENT(targets, "fil", 4, 0, 1)

/* The product of two sizes, or -1 if one is negative or the product is too large. */
static Py_ssize_t times(Py_ssize_t a, Py_ssize_t b)
{
    return a < 0 || b < 0 || (b && a > PY_SSIZE_T_MAX / b) ? -1 : a * b;
}

/* Return an array's data. Sets an error if it has fewer than `n` items. */
static void *items(const Array *array, Py_ssize_t n, Py_ssize_t size, int *good)
{
    if (!array->given)
        return NULL;
    if (*good && (n < 0 || array->view.len / size < n)) {
        PyErr_Format(PyExc_ValueError, "an array of %zd bytes where %zd are needed",
                     array->view.len, times(n, size));
        *good = 0;
    }
    return array->view.buf;
}

static void *floats(const Array *array, Py_ssize_t n, int *good)
{
    return items(array, n, sizeof(float), good);
}

/* Whether no size is negative; sets an error if one is. */
static int sizes_are_good(const Py_ssize_t *sizes, int n)
{
    for (int i = 0; i < n; i++)
        if (sizes[i] < 0) {
            PyErr_Format(PyExc_ValueError, "a size of %zd", sizes[i]);
            return 0;
        }
    return 1;
}

/* Whether at most `most` sequences run at every step; sets an error if not. */
static int counts_are_good(const int *active, Py_ssize_t steps, Py_ssize_t most)
{
    for (Py_ssize_t t = 0; active && t < steps; t++)
        if (active[t] < 0 || active[t] > most) {
            PyErr_Format(PyExc_ValueError, "%d of %zd sequences", active[t], most);
            return 0;
        }
    return 1;
}

/* Whether all ids are rows of a table; sets an error if not. */
static int ids_are_good(const int *ids, Py_ssize_t n, Py_ssize_t n_rows)
{
    for (Py_ssize_t i = 0; ids && i < n; i++)
        if (ids[i] < 0 || ids[i] >= n_rows) {
            PyErr_Format(PyExc_IndexError, "id %d of %zd rows", ids[i], n_rows);
            return 0;
        }
    return 1;
}

static void release(Array *arrays, int n)
{
    for (int i = 0; i < n; i++)
        if (arrays[i].given)
            PyBuffer_Release(&arrays[i].view);
}

static PyObject *finish(Array *arrays, int n, int good, int enough)
{
    release(arrays, n);
    if (!good)
        return NULL;
    if (!enough)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

/* layer(cell, activation, steps, sequences, units, first, last, active, z, h, c, extra,
         kernel, bias, mask, table, ids, resets, y, dy, dh, dc): the forward pass if dy is None.
   Otherwise, dh and dc have the gradients of each sequence's final states, and get the
   gradients of its initial states. */
static PyObject *layer(PyObject *self, PyObject *args)
{
    (void)self;
    Layer l;
    Array a[15] = {0};
    if (!PyArg_ParseTuple(args, "nnnnnnnO&O&O&O&O&O&O&O&O&O&O&O&O&O&O&", &l.cell,
                          &l.activation, &l.steps, &l.sequences, &l.units, &l.first,
                          &l.last, ints, a, out, a + 1, out, a + 2, maybe_out, a + 3,
                          maybe_out, a + 4, maybe_in, a + 5, maybe_in, a + 6, maybe_in, a + 7,
                          maybe_in, a + 8, maybe_ints, a + 9, maybe_bools, a + 10,
                          maybe_out, a + 11, maybe_in, a + 12, maybe_out, a + 13,
                          maybe_out, a + 14))
        return NULL;
    int good = 1, enough = 0;
    if (l.cell < 0 || l.cell >= N_CELLS || l.activation < TANH || l.activation >= N_ACTIVATIONS ||
        l.steps < 0 || l.units < 1 || l.first < 0 || l.last < l.first ||
        l.last > l.sequences) {
        release(a, 15);
        return PyErr_Format(PyExc_ValueError,
                            "cell %zd, activation %zd, %zd steps of %zd units, "
                            "sequences %zd to %zd of %zd",
                            l.cell, l.activation, l.steps, l.units, l.first, l.last,
                            l.sequences);
    }
    l.gates = cells[l.cell].gates;
    Py_ssize_t rows = times(l.steps, l.sequences);
    Py_ssize_t after = times(l.steps < PY_SSIZE_T_MAX ? l.steps + 1 : -1, l.sequences);
    Py_ssize_t columns = times(l.gates, l.units);
    l.active = floats(a, l.steps, &good);
    l.z = floats(a + 1, times(rows, columns), &good);
    l.h = floats(a + 2, times(after, l.units), &good);
    l.c = floats(a + 3, times(after, l.units), &good);
    l.extra = floats(a + 4, times(rows, l.units), &good);
    int recurrent = cells[l.cell].recurrent;
    l.kernel = floats(a + 5, recurrent == MATRIX ? times(l.units, columns) : l.units, &good);
    l.bias = floats(a + 6, columns, &good);
    l.mask = floats(a + 7, times(l.sequences, l.units), &good);
    l.table = floats(a + 8, 0, &good);
    l.ids = floats(a + 9, rows, &good);
    l.resets = items(a + 10, rows, 1, &good);
    l.y = floats(a + 11, times(rows, l.units), &good);
    float *dy = floats(a + 12, times(rows, l.units), &good);
    float *dh = floats(a + 13, times(l.sequences, l.units), &good);
    float *dc = floats(a + 14, times(l.sequences, l.units), &good);
    if (good && dy && (!dh || (cells[l.cell].has_c && !dc))) {
        PyErr_SetString(PyExc_ValueError, "dy needs dh, and dc if the cell has c");
        good = 0;
    }
    if (good && ((cells[l.cell].has_extra && !l.extra) || (cells[l.cell].has_c && !l.c))) {
        PyErr_SetString(PyExc_ValueError, "the cell needs c or extra");
        good = 0;
    }
    if (good && recurrent != NOTHING && !l.kernel) {
        PyErr_SetString(PyExc_ValueError, "the cell needs its recurrent kernel");
        good = 0;
    }
    if (good && (!l.table != !l.ids || !l.resets != !l.y)) {
        PyErr_SetString(PyExc_ValueError, "table needs ids, and resets need y");
        good = 0;
    }
    good = good && counts_are_good(l.active, l.steps, l.sequences);
    Py_ssize_t width = columns * (Py_ssize_t)sizeof(float);
    good = good && ids_are_good(l.ids, rows, l.table ? a[8].view.len / width : 0);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(enough = dy ? kernels->backward(&l, dy, dh, dc)
                                         : kernels->forward(&l));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 15, good, enough);
}

/* project(steps, sequences, active, a, k, b, transposed, n, bias, c) */
static PyObject *project(PyObject *self, PyObject *args)
{
    (void)self;
    Rows rows;
    Array a[5] = {0};
    Py_ssize_t k, n;
    int transposed, good = 1, enough = 0;
    if (!PyArg_ParseTuple(args, "nnO&O&nO&inO&O&", &rows.steps, &rows.sequences, ints, a,
                          in, a + 1, &k, in, a + 2, &transposed, &n, maybe_in, a + 3, out,
                          a + 4))
        return NULL;
    good = sizes_are_good((Py_ssize_t[]){rows.steps, rows.sequences, k, n}, 4);
    rows.active = floats(a, rows.steps, &good);
    Py_ssize_t all = times(rows.steps, rows.sequences);
    float *left = floats(a + 1, times(all, k), &good);
    float *right = floats(a + 2, times(k, n), &good);
    float *bias = floats(a + 3, n, &good);
    float *to = floats(a + 4, times(all, n), &good);
    good = good && counts_are_good(rows.active, rows.steps, rows.sequences);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(
            enough = kernels->project(&rows, left, k, right, transposed, n, bias, to));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 5, good, enough);
}

/* stacked(stack, m, k, a, b, n, c): c = a (m, k) times the transpose of b (n, k), for each
   matrix of a stack. */
static PyObject *stacked(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[3] = {0};
    Py_ssize_t stack, m, k, n;
    int good = 1, enough = 1;
    if (!PyArg_ParseTuple(args, "nnnO&O&nO&", &stack, &m, &k, in, a, in, a + 1, &n, out,
                          a + 2))
        return NULL;
    good = sizes_are_good((Py_ssize_t[]){stack, m, k, n}, 4);
    float *left = floats(a, times(stack, times(m, k)), &good);
    float *right = floats(a + 1, times(stack, times(n, k)), &good);
    float *to = floats(a + 2, times(stack, times(m, n)), &good);
    if (good && m > INT_MAX) {
        PyErr_Format(PyExc_ValueError, "%zd rows", m);
        good = 0;
    }
    if (good) {
        int active = (int)m;
        Rows rows = {1, m, &active};
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(
            for (Py_ssize_t i = 0; i < stack && enough; i++)
                enough = kernels->project(&rows, left + i * m * k, k, right + i * n * k, 1, n,
                                          NULL, to + i * m * n));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 3, good, enough);
}

/* narrow(m, k, a, b, n, bias, c): like `project`, for few rows. */
static PyObject *narrow(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[4] = {0};
    Py_ssize_t m, k, n;
    int good = 1;
    if (!PyArg_ParseTuple(args, "nnO&O&nO&O&", &m, &k, in, a, in, a + 1, &n, maybe_in,
                          a + 2, out, a + 3))
        return NULL;
    good = sizes_are_good((Py_ssize_t[]){m, k, n}, 3);
    float *left = floats(a, times(m, k), &good), *right = floats(a + 1, times(k, n), &good);
    float *bias = floats(a + 2, n, &good), *to = floats(a + 3, times(m, n), &good);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(kernels->narrow(m, k, left, right, n, bias, to));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 4, good, 1);
}

/* outer(steps, sequences, active, b, ldb, first, n, column, ldout, total, a, m, out,
         other, other_m, mask, other_out): use `n` columns of b, from `first` on. The
   results go to columns from `column` on of the outputs and of the total of b's rows,
   which are all `ldout` wide. */
static PyObject *outer(PyObject *self, PyObject *args)
{
    (void)self;
    Rows rows;
    Left lefts[2];
    Array a[8] = {0};
    Py_ssize_t first, n, ldb, ldout, column;
    int good = 1, enough = 0;
    if (!PyArg_ParseTuple(args, "nnO&O&nnnnnO&O&nO&O&nO&O&", &rows.steps, &rows.sequences,
                          ints, a, in, a + 1, &ldb, &first, &n, &column, &ldout, maybe_out,
                          a + 2, in, a + 3, &lefts[0].m, out, a + 4, maybe_in, a + 5,
                          &lefts[1].m, maybe_in, a + 6, maybe_out, a + 7))
        return NULL;
    good = sizes_are_good((Py_ssize_t[]){rows.steps, rows.sequences, ldb, ldout,
                                         lefts[0].m, lefts[1].m}, 6);
    Py_ssize_t all = times(rows.steps, rows.sequences);
    rows.active = floats(a, rows.steps, &good);
    float *b = floats(a + 1, times(all, ldb), &good), *sum = floats(a + 2, ldout, &good);
    lefts[0].a = floats(a + 3, times(all, lefts[0].m), &good);
    lefts[0].mask = a[5].given ? NULL : floats(a + 6, times(rows.sequences, lefts[0].m), &good);
    lefts[0].out = floats(a + 4, times(lefts[0].m, ldout), &good);
    lefts[1].a = floats(a + 5, times(all, lefts[1].m), &good);
    lefts[1].mask = floats(a + 6, times(rows.sequences, lefts[1].m), &good);
    lefts[1].out = floats(a + 7, times(lefts[1].m, ldout), &good);
    if (good && (first < 0 || n < 0 || n > ldb || first > ldb - n || column < 0 ||
                 n > ldout || column > ldout - n)) {
        PyErr_Format(PyExc_ValueError, "%zd columns from %zd on of %zd", n, first, ldb);
        good = 0;
    }
    if (good && !lefts[1].a != !lefts[1].out) {
        PyErr_SetString(PyExc_ValueError, "a second left operand needs an output");
        good = 0;
    }
    good = good && counts_are_good(rows.active, rows.steps, rows.sequences);
    if (good) {
        b += first;
        lefts[0].out += column;
        int n_lefts = lefts[1].a ? 2 : 1;
        lefts[1].out += lefts[1].a ? column : 0;
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(enough = kernels->outer(&rows, lefts, n_lefts, b, ldb, n, ldout,
                                                     sum ? sum + column : NULL));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 8, good, enough);
}

/* train(cell, activation, loss, parameter, steps, units, features, outputs, stride, counts,
         starts, values, targets, weights, w, g, m, v, ends, space, rates, recurrent_masks, masks,
         clipnorm, global_clipnorm, keep_1, keep_2, epsilon, n_done): see `steps.h`. Without m and v,
   it only puts the gradient of the first batch in g. Returns the sum of the losses, their number,
   whether all values were finite, and the optimizer's number of steps. */
static PyObject *train(PyObject *self, PyObject *args)
{
    (void)self;
    Training t = {0};
    Array a[13] = {0};
    PyObject *rows;
    Py_buffer values;
    int good = 1, enough = 1;
    if (!PyArg_ParseTuple(args, "nnndnnnnnO&O&OO&O&O&O&O&O&O&O&O&O&O&dddddn", &t.cell,
                          &t.activation, &t.loss, &t.parameter, &t.steps, &t.units, &t.features,
                          &t.outputs, &t.stride, longs, a, longs, a + 1, &rows, targets, a + 2,
                          in, a + 3, out, a + 4, out, a + 5, maybe_out, a + 6, maybe_out,
                          a + 7, longs, a + 8, out, a + 9, doubles, a + 10, maybe_in, a + 11,
                          maybe_in, a + 12, &t.clipnorm, &t.global_clipnorm, &t.keep_1,
                          &t.keep_2, &t.epsilon, &t.n_done))
        return NULL;
    if (PyObject_GetBuffer(rows, &values, PyBUF_STRIDED_RO | PyBUF_FORMAT) < 0) {
        release(a, 13);
        return NULL;
    }
    t.n_batches = a[0].view.len / (Py_ssize_t)sizeof(int64_t);
    Py_ssize_t n = a[1].view.len / (Py_ssize_t)sizeof(int64_t);
    t.batch_size = t.n_batches ? n / t.n_batches : 0;
    t.counts = a[0].view.buf, t.starts = a[1].view.buf;
    int of_labels = t.loss == CATEGORICAL_CROSSENTROPY;
    t.targets = floats(a + 2, of_labels ? n : times(n, t.outputs), &good);
    t.weights = floats(a + 3, n, &good);
    t.rates = a[10].view.buf;
    good = good && a[10].view.len == t.n_batches * (Py_ssize_t)sizeof(double);
    t.n_parts = a[8].view.len / (Py_ssize_t)sizeof(int64_t), t.ends = a[8].view.buf;
    good = good && t.n_parts == 5 && t.cell >= 0 && t.cell < N_CELLS && values.ndim == 2;
    good &= t.activation >= TANH && t.activation < N_ACTIVATIONS && t.loss >= SQUARED_ERROR;
    good &= t.loss < N_LOSSES && t.steps > 0 && t.units > 0;
    good &= t.features >= 0 && t.outputs > 0 && t.stride >= 0 && t.n_done >= 0;
    good &= (*a[2].view.format == 'f') != of_labels && has_format(&values, "f");
    /* Only the gradient of a single batch can be computed without m and v. */
    if (good && (!a[6].given != !a[7].given || (!a[6].given && t.n_batches != 1))) {
        PyErr_SetString(PyExc_ValueError, "m needs v, and several batches need both");
        good = 0;
    }
    t.recurrent_masks = floats(a + 11, good ? times(n, t.units) : 0, &good);
    t.masks = floats(a + 12, good ? times(n, t.units) : 0, &good);
    if (good) {
        Py_ssize_t columns = times(cells[t.cell].gates, t.units);
        int kind = cells[t.cell].recurrent;
        Py_ssize_t recurrent = kind == MATRIX ? times(t.units, columns) : kind == WEIGHTS ? t.units : 0;
        Py_ssize_t sizes[] = {times(t.features, columns), recurrent,
                              times(columns, cells[t.cell].apart ? 2 : 1),
                              times(t.units, t.outputs), t.outputs};
        for (Py_ssize_t i = 0, end = 0; i < 5; end = t.ends[i++])
            good = good && sizes[i] >= 0 && end >= 0 && t.ends[i] - end == sizes[i];
        good &= values.shape[1] == t.features;
        t.values = values.buf, t.row = values.strides[0], t.column = values.strides[1];
        float **parts[] = {&t.w, &t.g, &t.m, &t.v};
        for (int i = 0; good && i < 4; i++)
            *parts[i] = floats(a + 4 + i, t.ends[4], &good);
        /* An upper bound of a batch's size, because `place` doesn't check for overflow. */
        Py_ssize_t width = good ? t.features + columns + 3 * t.units + t.outputs + 16 : 0;
        Py_ssize_t steps = t.steps < PY_SSIZE_T_MAX ? t.steps + 1 : -1;
        good = good && times(times(steps, t.batch_size), times(9, width)) >= 0;
        Batch unused;
        t.space = good ? floats(a + 9, place(&t, &unused), &good) : NULL;
    }
    for (Py_ssize_t i = 0; good && i < t.n_batches; i++) {
        good &= t.counts[i] > 0 && t.counts[i] <= t.batch_size;
        for (Py_ssize_t j = 0; good && j < t.counts[i]; j++) {
            int64_t start = t.starts[i * t.batch_size + j];
            good &= start >= 0 && start < values.shape[0];
            good = good && (!t.stride || t.steps - 1 <= (values.shape[0] - 1 - start) / t.stride);
            if (good && of_labels) {
                int label = ((const int *)t.targets)[i * t.batch_size + j];
                good &= label >= 0 && label < t.outputs;
            }
        }
    }
    if (!good && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "weights, sequences or labels of another network");
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(enough = train_batches(&t));
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&values);
    release(a, 13);
    if (!good)
        return NULL;
    if (!enough)
        return PyErr_NoMemory();
    return Py_BuildValue("ddin", t.total, t.count, t.finite, t.n_done);
}

/* clip(x, ends, limit): clip the norm of each part of x to the limit. Returns whether all
   norms are finite. */
static PyObject *clip(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[2] = {0};
    double limit;
    int good = 1, finite = 1;
    if (!PyArg_ParseTuple(args, "O&O&d", out, a, longs, a + 1, &limit))
        return NULL;
    Py_ssize_t n_parts = a[1].view.len / sizeof(int64_t);
    int64_t *ends = a[1].view.buf;
    for (Py_ssize_t part = 0; good && part < n_parts; part++)
        if (ends[part] < (part ? ends[part - 1] : 0)) {
            PyErr_SetString(PyExc_ValueError, "ends that aren't in order");
            good = 0;
        }
    float *x = floats(a, good && n_parts ? ends[n_parts - 1] : 0, &good);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        finite = clip_parts(x, ends, n_parts, limit);
        Py_END_ALLOW_THREADS
    }
    release(a, 2);
    return good ? PyBool_FromLong(finite) : NULL;
}

/* adam(w, g, m, v, rate, keep_1, keep_2, epsilon) */
static PyObject *adam(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[4] = {0};
    float rate, keep_1, keep_2, epsilon;
    int good = 1;
    if (!PyArg_ParseTuple(args, "O&O&O&O&ffff", out, a, in, a + 1, out, a + 2, out,
                          a + 3, &rate, &keep_1, &keep_2, &epsilon))
        return NULL;
    Py_ssize_t n = a[0].view.len / sizeof(float);
    float *w = floats(a, n, &good), *g = floats(a + 1, n, &good);
    float *m = floats(a + 2, n, &good), *v = floats(a + 3, n, &good);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(
            kernels->adam(w, g, m, v, n, rate, keep_1, keep_2, epsilon));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 4, good, 1);
}

/* scatter(ids, rows, n, width, first, last, out): add columns `first` to `last` of each
   row to the row of `out` with its id. */
static PyObject *scatter(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[3] = {0};
    Py_ssize_t n, width, first, last;
    int good = 1;
    if (!PyArg_ParseTuple(args, "O&O&nnnnO&", ints, a, in, a + 1, &n, &width, &first,
                          &last, out, a + 2))
        return NULL;
    good = sizes_are_good((Py_ssize_t[]){n, width}, 2);
    const int *ids = floats(a, n, &good);
    const float *rows = floats(a + 1, times(n, width), &good);
    float *to = a[2].view.buf;
    Py_ssize_t n_rows = width > 0 ? a[2].view.len / (Py_ssize_t)sizeof(float) / width : 0;
    good = good && ids_are_good(ids, n, n_rows);
    if (good && (first < 0 || last > width)) {
        PyErr_Format(PyExc_ValueError, "columns %zd to %zd of %zd", first, last, width);
        good = 0;
    }
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < n; i++) {
            float *restrict out = to + ids[i] * width;
            const float *restrict row = rows + i * width;
            for (Py_ssize_t j = first; j < last; j++)
                out[j] += row[j];
        }
        Py_END_ALLOW_THREADS
    }
    return finish(a, 3, good, 1);
}

/* crossentropy(z, targets, losses, first, last, n, scale): the softmax loss of rows `first`
   to `last` of z (rows, n). z is replaced by its gradient times `scale`. A target of -1
   has no loss and no gradient. */
static PyObject *crossentropy(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[3] = {0};
    Py_ssize_t first, last, n;
    float scale;
    int good = 1;
    if (!PyArg_ParseTuple(args, "O&O&O&nnnf", out, a, ints, a + 1, out, a + 2, &first,
                          &last, &n, &scale))
        return NULL;
    float *z = floats(a, times(last, n), &good), *losses = floats(a + 2, last, &good);
    const int *targets = floats(a + 1, last, &good);
    if (good && (first < 0 || last < first || n < 1)) {
        PyErr_Format(PyExc_ValueError, "rows %zd to %zd of %zd columns", first, last, n);
        good = 0;
    }
    for (Py_ssize_t i = MAX(first, 0); good && i < last; i++)
        if (targets[i] < -1 || targets[i] >= n) {
            PyErr_Format(PyExc_IndexError, "target %d of %zd columns", targets[i], n);
            good = 0;
        }
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        kernels->crossentropy(z + first * n, targets + first, losses + first, last - first,
                              n, scale);
        Py_END_ALLOW_THREADS
    }
    return finish(a, 3, good, 1);
}

/* Whether a chain's sizes, lengths and labels are valid; sets an error if not. */
static int is_chain(const Chains *c, Py_ssize_t n_groups)
{
    Py_ssize_t sizes[] = {c->steps - 1, c->sequences - 1, c->k - 1, c->groups, c->first,
                          c->last - c->first, n_groups - c->last};
    if (!sizes_are_good(sizes, 7))
        return 0;
    for (Py_ssize_t b = 0; b < c->sequences; b++)
        if (c->lengths[b] < 1 || c->lengths[b] > c->steps) {
            PyErr_Format(PyExc_ValueError, "a length of %lld", (long long)c->lengths[b]);
            return 0;
        }
    for (Py_ssize_t i = 0; c->labels && i < c->steps * c->sequences; i++)
        if (c->labels[i] < -1 || c->labels[i] >= c->k) {
            PyErr_Format(PyExc_IndexError, "label %d of %zd", c->labels[i], c->k);
            return 0;
        }
    return 1;
}

/* Read the 5 arrays that `chain` and `viterbi` share. */
static void read_chain(Chains *c, const Array *a, int *good)
{
    Py_ssize_t n = times(c->steps, c->sequences);
    c->x = items(a, times(n, c->k), sizeof(double), good);
    c->lengths = items(a + 1, c->sequences, sizeof(int64_t), good);
    c->transitions = items(a + 2, times(c->k, c->k), sizeof(double), good);
    c->start = items(a + 3, c->k, sizeof(double), good);
    c->end = items(a + 4, c->k, sizeof(double), good);
}

/* chain(steps, sequences, k, groups, first, last, x, lengths, transitions, start, end,
         labels, weights, sums, dx, pairs): for the groups `first` to `last`. Sequence b is
   in group b modulo `groups`. Without labels, adds the log of the sum over all paths to
   sums, and the labels' probabilities to dx. With labels, adds the loss to sums and its
   gradient to dx and pairs. */
static PyObject *chain(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[10] = {0};
    Chains c = {0};
    int good = 1, enough = 1;
    if (!PyArg_ParseTuple(args, "nnnnnnO&O&O&O&O&O&O&O&O&O&", &c.steps, &c.sequences, &c.k,
                          &c.groups, &c.first, &c.last, doubles, a, longs, a + 1, doubles,
                          a + 2, doubles, a + 3, doubles, a + 4, maybe_ints, a + 5, doubles,
                          a + 6, doubles_out, a + 7, doubles_out, a + 8, doubles_out, a + 9))
        return NULL;
    Py_ssize_t n = times(c.steps, c.sequences);
    read_chain(&c, a, &good);
    c.labels = items(a + 5, n, sizeof(int), &good);
    c.weights = items(a + 6, c.sequences, sizeof(double), &good);
    c.sums = items(a + 7, c.sequences, sizeof(double), &good);
    c.dx = items(a + 8, times(n, c.k), sizeof(double), &good);
    Py_ssize_t n_pairs = c.labels ? times(c.groups, times(c.k, c.k)) : 0;
    c.pairs = items(a + 9, n_pairs, sizeof(double), &good);
    good = good && is_chain(&c, c.groups);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        enough = kernels->chain(&c);
        Py_END_ALLOW_THREADS
    }
    return finish(a, 10, good, enough);
}

/* viterbi(steps, sequences, k, first, last, x, lengths, transitions, start, end, paths):
   the labels with the highest score for sequences `first` to `last`. A tie goes to the
   first label. Padding isn't written. */
static PyObject *viterbi(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[6] = {0};
    Chains c = {0};
    int good = 1, enough = 1;
    if (!PyArg_ParseTuple(args, "nnnnnO&O&O&O&O&O&", &c.steps, &c.sequences, &c.k, &c.first,
                          &c.last, doubles, a, longs, a + 1, doubles, a + 2, doubles, a + 3,
                          doubles, a + 4, ints_out, a + 5))
        return NULL;
    read_chain(&c, a, &good);
    c.paths = items(a + 5, times(c.steps, c.sequences), sizeof(int), &good);
    good = good && is_chain(&c, c.sequences);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        enough = kernels->viterbi(&c);
        Py_END_ALLOW_THREADS
    }
    return finish(a, 6, good, enough);
}

/* normalise(rows, n, x, gamma, beta, epsilon, y, found): set y to the rows of x, scaled to
   mean 0 and variance 1, times gamma plus beta. `found` (rows, 2) gets each row's mean and
   inverse standard deviation. */
static PyObject *normalise(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[5] = {0};
    Py_ssize_t rows, n;
    float epsilon;
    int good;
    if (!PyArg_ParseTuple(args, "nnO&O&O&fO&O&", &rows, &n, in, a, in, a + 1, in, a + 2,
                          &epsilon, out, a + 3, out, a + 4))
        return NULL;
    good = sizes_are_good((Py_ssize_t[]){rows, n}, 2);
    const float *x = floats(a, times(rows, n), &good), *gamma = floats(a + 1, n, &good);
    const float *beta = floats(a + 2, n, &good);
    float *y = floats(a + 3, times(rows, n), &good);
    float *found = floats(a + 4, times(rows, 2), &good);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(kernels->normalise(x, n, rows, n, gamma, beta, epsilon, y, found));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 5, good, 1);
}

/* normalise_back(rows, n, x, g, gamma, found, dx, dgamma, dbeta): the backward pass of
   `normalise`. g is the gradient of y. */
static PyObject *normalise_back(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[7] = {0};
    Py_ssize_t rows, n;
    int good;
    if (!PyArg_ParseTuple(args, "nnO&O&O&O&O&O&O&", &rows, &n, in, a, in, a + 1, in, a + 2,
                          in, a + 3, out, a + 4, out, a + 5, out, a + 6))
        return NULL;
    good = sizes_are_good((Py_ssize_t[]){rows, n}, 2);
    const float *x = floats(a, times(rows, n), &good), *g = floats(a + 1, times(rows, n), &good);
    const float *gamma = floats(a + 2, n, &good), *found = floats(a + 3, times(rows, 2), &good);
    float *dx = floats(a + 4, times(rows, n), &good), *dgamma = floats(a + 5, n, &good);
    float *dbeta = floats(a + 6, n, &good);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(
            memset(dgamma, 0, n * sizeof(float)); memset(dbeta, 0, n * sizeof(float));
            kernels->normalise_back(x, n, g, rows, n, gamma, found, NULL, dx, n, dgamma,
                                    dbeta));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 7, good, 1);
}

/* Whether a block's sizes and lengths are valid; sets an error if not. Valid sizes are so
   small that their sums and small multiples don't overflow. */
static int is_block(Block *b)
{
    Py_ssize_t sizes[] = {b->steps - 1, b->sequences - 1, b->heads - 1, b->width - 1,
                          b->hidden - 1, b->first, b->last - b->first, b->sequences - b->last,
                          INT_MAX - b->width, INT_MAX - b->hidden};
    if (!sizes_are_good(sizes, 10))
        return 0;
    if (b->width % b->heads || b->activation < TANH || b->activation >= N_ACTIVATIONS ||
        (b->rotation && b->width / b->heads % 2)) {
        PyErr_Format(PyExc_ValueError, "%zd heads of %zd units, activation %zd", b->heads,
                     b->width, b->activation);
        return 0;
    }
    b->rows = 0;
    for (Py_ssize_t i = 0; i < b->sequences; i++) {
        if (b->lengths[i] < 0 || b->lengths[i] > b->steps) {
            PyErr_Format(PyExc_ValueError, "a length of %d of %zd steps", b->lengths[i],
                         b->steps);
            return 0;
        }
        b->rows += b->lengths[i];
    }
    return 1;
}

/* transformer(steps, sequences, heads, width, hidden, activation, causal, first, last, epsilon,
         lengths, x, norms, project, project_bias, output, output_bias, dense, dense_bias,
         dense_output, dense_output_bias, rotation, mask, other_mask, out, kept, g, d_products,
         d_norms, dx): the forward pass if g is None. Otherwise sets dx, the gradients
   `d_products` of the outputs of the matrix products, and the gradients `d_norms`
   (sequences, 4, width) of the normalisations' weights. The forward pass must have set
   `kept`. */
static PyObject *transformer(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[20] = {0};
    Block b = {0};
    int good = 1, enough = 1;
    if (!PyArg_ParseTuple(args, "nnnnnninnfO&O&O&O&O&O&O&O&O&O&O&O&O&O&O&O&O&O&O&O&", &b.steps,
                          &b.sequences, &b.heads, &b.width, &b.hidden, &b.activation, &b.causal,
                          &b.first, &b.last, &b.epsilon, ints, a, in, a + 1, in, a + 2, in, a + 3,
                          in, a + 4, in, a + 5, in, a + 6, in, a + 7, in, a + 8, in, a + 9, in,
                          a + 10, maybe_in, a + 11, maybe_in, a + 12, maybe_in, a + 13, out,
                          a + 14, maybe_out, a + 15, maybe_in, a + 16, maybe_out, a + 17,
                          maybe_out, a + 18, maybe_out, a + 19))
        return NULL;
    b.lengths = floats(a, b.sequences, &good);
    b.rotation = floats(a + 11, 0, &good);
    good = good && is_block(&b);
    Py_ssize_t w = good ? b.width : 1, hidden = good ? b.hidden : 1;
    Py_ssize_t n = times(times(b.steps, b.sequences), w);
    b.x = floats(a + 1, n, &good), b.norms = floats(a + 2, 4 * w, &good);
    b.project = floats(a + 3, times(3 * w, w), &good);
    b.project_bias = floats(a + 4, 3 * w, &good);
    b.output = floats(a + 5, times(w, w), &good), b.output_bias = floats(a + 6, w, &good);
    b.dense = floats(a + 7, times(w, hidden), &good), b.dense_bias = floats(a + 8, hidden, &good);
    b.dense_output = floats(a + 9, times(hidden, w), &good);
    b.dense_output_bias = floats(a + 10, w, &good);
    b.rotation = floats(a + 11, good ? times(b.steps, w / b.heads) : 0, &good);
    b.masks[0] = floats(a + 12, n, &good), b.masks[1] = floats(a + 13, n, &good);
    b.out = floats(a + 14, n, &good);
    b.kept = floats(a + 15, good ? numbers_kept(&b, b.rows) : 0, &good);
    const float *g = floats(a + 16, n, &good);
    float *d_products = floats(a + 17, times(b.rows, 5 * w + hidden), &good);
    float *d_norms = floats(a + 18, times(b.sequences, 4 * w), &good);
    float *dx = floats(a + 19, n, &good);
    if (good && g && !(b.kept && d_products && d_norms && dx)) {
        PyErr_SetString(PyExc_ValueError, "g needs kept, d_products, d_norms and dx");
        good = 0;
    }
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(enough = g ? kernels->transformer_back(&b, g, d_products, d_norms, dx)
                                        : kernels->transformer(&b));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 20, good, enough);
}

/* memory(steps, sequences, units, slots, width, kept, first, last, active, x, kernel, head,
          head_bias, output, addresses, states, c, y, gates, heads, looks, memory, dy,
          d_states, d_c, d_addresses, d_memory): the forward pass if dy is None. The backward
   pass replaces gates and heads by the gradients of their inputs. The last four arguments, see
   `MemoryGradients`, have the gradients of the final states and get those of the initial states. */
static PyObject *memory(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[19] = {0};
    MemoryLayer l = {0};
    MemoryGradients grads = {0};
    int good = 1, enough = 1;
    if (!PyArg_ParseTuple(args, "nnnnninnO&O&O&O&O&O&O&O&O&O&O&O&O&O&O&O&O&O&O&", &l.steps,
                          &l.sequences, &l.units, &l.slots, &l.width, &l.kept, &l.first, &l.last,
                          ints, a, in, a + 1, in, a + 2, in, a + 3, in, a + 4, in, a + 5, in, a + 6,
                          out, a + 7, out, a + 8, out, a + 9, out, a + 10, out, a + 11, out,
                          a + 12, out, a + 13, maybe_in, a + 14, maybe_out, a + 15, maybe_out,
                          a + 16, maybe_out, a + 17, maybe_out, a + 18))
        return NULL;
    Py_ssize_t sizes[] = {l.steps, l.sequences, l.units, l.slots - 1, l.width, l.first,
                          l.last - l.first, l.sequences - l.last};
    good = sizes_are_good(sizes, 8);
    Py_ssize_t rows = times(l.steps, l.sequences), more = times(l.steps + 1, l.sequences);
    Py_ssize_t kept = l.kept ? rows : l.sequences, told = 4 * l.width + 12;
    l.active = items(a, l.steps, sizeof(int), &good);
    l.x = floats(a + 1, times(rows, 4 * l.units), &good);
    l.kernel = floats(a + 2, times(l.units + l.width, 4 * l.units), &good);
    l.head = floats(a + 3, times(l.units, told), &good);
    l.head_bias = floats(a + 4, told, &good);
    l.output = floats(a + 5, times(l.width, l.units), &good);
    l.addresses = floats(a + 6, times(times(l.sequences, 2), l.slots), &good);
    l.states = floats(a + 7, times(more, l.units + l.width), &good);
    l.c = floats(a + 8, times(more, l.units), &good);
    l.y = floats(a + 9, times(rows, l.units), &good);
    l.gates = floats(a + 10, times(kept, 4 * l.units), &good);
    l.heads = floats(a + 11, times(kept, told), &good);
    l.looks = floats(a + 12, times(times(kept, 9), l.slots), &good);
    l.memory = floats(a + 13, times(times(l.kept ? more : kept, l.width), l.slots), &good);
    const float *dy = floats(a + 14, times(rows, l.units), &good);
    grads.states = floats(a + 15, times(l.sequences, l.units + l.width), &good);
    grads.c = floats(a + 16, times(l.sequences, l.units), &good);
    grads.addresses = floats(a + 17, times(times(l.sequences, 2), l.slots), &good);
    grads.memory = floats(a + 18, times(times(l.sequences, l.width), l.slots), &good);
    good = good && counts_are_good(l.active, l.steps, l.sequences);
    if (good && dy && !(grads.states && grads.c && grads.addresses && grads.memory && l.kept)) {
        PyErr_SetString(PyExc_ValueError, "dy needs kept, d_states, d_c, d_addresses and d_memory");
        good = 0;
    }
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        if (dy)
            WITHOUT_TINY_NUMBERS(enough = kernels->memory_back(&l, dy, &grads));
        else
            WITHOUT_TINY_NUMBERS(enough = kernels->memory(&l));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 19, good, enough);
}

/* Whether a convolution's sizes are valid, without overflow; sets an error if not. */
static int windows_are_good(const Convolution *v)
{
    Py_ssize_t reach = times(v->size, v->dilation);
    if (!sizes_are_good((Py_ssize_t[]){v->steps, v->sequences, v->features, v->size,
                                       v->filters, v->before}, 6))
        return 0;
    if (v->size < 1 || v->dilation < 1 || reach < 0 || v->before > reach ||
        reach > PY_SSIZE_T_MAX / 4 || v->steps > PY_SSIZE_T_MAX / 4) {
        PyErr_Format(PyExc_ValueError, "%zd steps that are %zd apart, from %zd before",
                     v->size, v->dilation, v->before);
        return 0;
    }
    return counts_are_good(v->lengths, v->sequences, v->steps);
}

/* Whether `first` to `last` is a range within n; sets an error if not. */
static int range_is_good(Py_ssize_t first, Py_ssize_t last, Py_ssize_t n)
{
    if (first >= 0 && first <= last && last <= n)
        return 1;
    PyErr_Format(PyExc_ValueError, "%zd to %zd of %zd", first, last, n);
    return 0;
}

/* convolve(steps, sequences, features, size, filters, dilation, before, lengths, first,
            last, x, kernel, bias, out): for sequences `first` to `last`. bias may be None. */
static PyObject *convolve(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[5] = {0};
    Convolution v = {0};
    Py_ssize_t first, last;
    int good = 1, enough = 1;
    if (!PyArg_ParseTuple(args, "nnnnnnnO&nnO&O&O&O&", &v.steps, &v.sequences, &v.features,
                          &v.size, &v.filters, &v.dilation, &v.before, ints, a, &first, &last,
                          in, a + 1, in, a + 2, maybe_in, a + 3, out, a + 4))
        return NULL;
    v.lengths = floats(a, v.sequences, &good);
    good = good && windows_are_good(&v) && range_is_good(first, last, v.sequences);
    Py_ssize_t rows = times(v.steps, v.sequences), k = times(v.size, v.features);
    v.x = floats(a + 1, times(rows, v.features), &good);
    const float *kernel = floats(a + 2, times(k, v.filters), &good);
    const float *bias = floats(a + 3, v.filters, &good);
    float *to = floats(a + 4, times(rows, v.filters), &good);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(enough = kernels->convolve(&v, kernel, bias, to, first, last));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 5, good, enough);
}

/* convolve_back(steps, sequences, features, size, filters, dilation, before, lengths,
                 first, last, x, g, d_kernel, d_bias): for filters `first` to `last`. */
static PyObject *convolve_back(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[5] = {0};
    Convolution v = {0};
    Py_ssize_t first, last;
    int good = 1, enough = 1;
    if (!PyArg_ParseTuple(args, "nnnnnnnO&nnO&O&O&O&", &v.steps, &v.sequences, &v.features,
                          &v.size, &v.filters, &v.dilation, &v.before, ints, a, &first, &last,
                          in, a + 1, in, a + 2, out, a + 3, out, a + 4))
        return NULL;
    v.lengths = floats(a, v.sequences, &good);
    good = good && windows_are_good(&v) && range_is_good(first, last, v.filters);
    Py_ssize_t rows = times(v.steps, v.sequences), k = times(v.size, v.features);
    v.x = floats(a + 1, times(rows, v.features), &good);
    const float *g = floats(a + 2, times(rows, v.filters), &good);
    float *d_kernel = floats(a + 3, times(k, v.filters), &good);
    float *d_bias = floats(a + 4, v.filters, &good);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(enough = kernels->convolve_back(
                                 &v, g + first, last - first, d_kernel + first, d_bias + first));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 5, good, enough);
}

/* Whether the sizes of pooling are valid; sets an error if not. n is the output's size. */
static int pools_are_good(const Rectified *r, Py_ssize_t *n)
{
    if (!sizes_are_good((Py_ssize_t[]){r->steps, r->sequences, r->channels}, 3))
        return 0;
    if (r->pool < 1 || r->pool > INT_MAX || r->steps < 1) {
        PyErr_Format(PyExc_ValueError, "%zd of %zd steps", r->pool, r->steps);
        return 0;
    }
    *n = times(times((r->steps - 1) / r->pool + 1, r->sequences), r->channels);
    return 1;
}

/* statistics(steps, sequences, channels, first, last, real, n_real, x, mean, variance): for
   channels `first` to `last`, over the `real` steps. If None, all steps are real. */
static PyObject *statistics(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[4] = {0};
    Rectified r = {.pool = 1};
    Py_ssize_t first, last, n_real, n = 0;
    int good = 1;
    if (!PyArg_ParseTuple(args, "nnnnnO&nO&O&O&", &r.steps, &r.sequences, &r.channels, &first,
                          &last, maybe_bools, a, &n_real, in, a + 1, out, a + 2, out, a + 3))
        return NULL;
    good = pools_are_good(&r, &n) && range_is_good(first, last, r.channels);
    r.real = items(a, times(r.steps, r.sequences), 1, &good);
    r.x = floats(a + 1, n, &good);
    float *mean = floats(a + 2, r.channels, &good), *variance = floats(a + 3, r.channels, &good);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(kernels->statistics(&r, n_real, first, last, mean, variance));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 4, good, 1);
}

/* rectify(steps, sequences, channels, pool, first, last, real, x, mean, factor, beta, y): for
   channels `first` to `last`. */
static PyObject *rectify(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[6] = {0};
    Rectified r = {0};
    Py_ssize_t first, last, n = 0;
    int good = 1;
    if (!PyArg_ParseTuple(args, "nnnnnnO&O&O&O&O&O&", &r.steps, &r.sequences, &r.channels,
                          &r.pool, &first, &last, maybe_bools, a, in, a + 1, in, a + 2, in,
                          a + 3, in, a + 4, out, a + 5))
        return NULL;
    good = pools_are_good(&r, &n) && range_is_good(first, last, r.channels);
    Py_ssize_t rows = times(r.steps, r.sequences);
    r.real = items(a, rows, 1, &good), r.x = floats(a + 1, times(rows, r.channels), &good);
    r.mean = floats(a + 2, r.channels, &good), r.factor = floats(a + 3, r.channels, &good);
    const float *beta = floats(a + 4, r.channels, &good);
    float *y = floats(a + 5, n, &good);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(kernels->rectify(&r, beta, y, first, last));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 6, good, 1);
}

/* rectify_back(steps, sequences, channels, pool, first, last, real, x, mean, factor, beta,
                inverse, n_real, g, dx, d_gamma, d_beta): for channels `first` to `last`. */
static PyObject *rectify_back(PyObject *self, PyObject *args)
{
    (void)self;
    Array a[10] = {0};
    Rectified r = {0};
    Py_ssize_t first, last, n_real, n = 0;
    int good = 1;
    if (!PyArg_ParseTuple(args, "nnnnnnO&O&O&O&O&O&nO&O&O&O&", &r.steps, &r.sequences,
                          &r.channels, &r.pool, &first, &last, maybe_bools, a, in, a + 1, in,
                          a + 2, in, a + 3, in, a + 4, in, a + 5, &n_real, in, a + 6, out,
                          a + 7, out, a + 8, out, a + 9))
        return NULL;
    good = pools_are_good(&r, &n) && range_is_good(first, last, r.channels);
    Py_ssize_t rows = times(r.steps, r.sequences), all = times(rows, r.channels);
    r.real = items(a, rows, 1, &good), r.x = floats(a + 1, all, &good);
    r.mean = floats(a + 2, r.channels, &good), r.factor = floats(a + 3, r.channels, &good);
    const float *beta = floats(a + 4, r.channels, &good);
    const float *inverse = floats(a + 5, r.channels, &good), *g = floats(a + 6, n, &good);
    float *dx = floats(a + 7, all, &good), *d_gamma = floats(a + 8, r.channels, &good);
    float *d_beta = floats(a + 9, r.channels, &good);
    if (good) {
        Py_BEGIN_ALLOW_THREADS
        WITHOUT_TINY_NUMBERS(kernels->rectify_back(&r, beta, inverse, n_real, g, dx, d_gamma,
                                                   d_beta, first, last));
        Py_END_ALLOW_THREADS
    }
    return finish(a, 10, good, 1);
}

/* use(name): compute with this instruction set; an error if the processor lacks it. */
static PyObject *use(PyObject *self, PyObject *args)
{
    (void)self;
    const char *name;
    if (!PyArg_ParseTuple(args, "s", &name))
        return NULL;
    if (!choose(name))
        return PyErr_Format(PyExc_ValueError, "this processor lacks %s", name);
    Py_RETURN_NONE;
}

/* cells() -> names of the cells that have kernels, in the order of their numbers. */
static PyObject *names_of_cells(PyObject *self, PyObject *args)
{
    (void)self, (void)args;
    PyObject *names = PyTuple_New(N_CELLS);
    for (int i = 0; names && i < N_CELLS; i++) {
        PyObject *name = PyUnicode_FromString(cells[i].name);
        if (!name || PyTuple_SetItem(names, i, name) < 0)
            Py_CLEAR(names);
    }
    return names;
}

/* instructions() -> name of the instruction set in use. */
static PyObject *instructions(PyObject *self, PyObject *args)
{
    (void)self, (void)args;
    return PyUnicode_FromString(instruction_set);
}

static PyMethodDef methods[] = {
    {"layer", layer, METH_VARARGS, NULL},     {"project", project, METH_VARARGS, NULL},
    {"outer", outer, METH_VARARGS, NULL},     {"clip", clip, METH_VARARGS, NULL},
    {"stacked", stacked, METH_VARARGS, NULL},
    {"adam", adam, METH_VARARGS, NULL},       {"use", use, METH_VARARGS, NULL},
    {"scatter", scatter, METH_VARARGS, NULL}, {"narrow", narrow, METH_VARARGS, NULL},
    {"crossentropy", crossentropy, METH_VARARGS, NULL},
    {"transformer", transformer, METH_VARARGS, NULL},
    {"normalise", normalise, METH_VARARGS, NULL},
    {"normalise_back", normalise_back, METH_VARARGS, NULL},
    {"convolve", convolve, METH_VARARGS, NULL},
    {"convolve_back", convolve_back, METH_VARARGS, NULL},
    {"statistics", statistics, METH_VARARGS, NULL},
    {"rectify", rectify, METH_VARARGS, NULL},
    {"rectify_back", rectify_back, METH_VARARGS, NULL},
    {"train", train, METH_VARARGS, NULL},     {"chain", chain, METH_VARARGS, NULL},
    {"viterbi", viterbi, METH_VARARGS, NULL},
    {"memory", memory, METH_VARARGS, NULL},
    {"cells", names_of_cells, METH_NOARGS, NULL},
    {"instructions", instructions, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_kernels", NULL, -1, methods,
                                   NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernels(void)
{
    if (!choose("avx512"))
        choose("avx2");
    return PyModule_Create(&module);
}
