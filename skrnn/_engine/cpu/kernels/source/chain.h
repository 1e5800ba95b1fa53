/* Conditional random fields: the forward-backward sums over all paths of labels, and the
   best paths, in double precision. Included once for each instruction set.

   Probabilities are multiplied, which is faster than adding logarithms. To avoid underflow,
   each step's sums are divided by their total, whose logarithm is kept (Rabiner, 1989). If
   a total is so small that digits could be lost, the sequence is computed again with
   logarithms. */

#ifndef CHAIN_H
#define CHAIN_H
#define SMALLEST_TOTAL 1e-60

struct Chains {
    Py_ssize_t steps, sequences, k, groups, first, last;
    const double *x;           /* (steps, sequences, k) */
    const int64_t *lengths;    /* (sequences) */
    const double *transitions; /* (k, k): label j after label i at [i, j] */
    const double *start, *end; /* (k) */
    const int *labels;         /* (steps, sequences), -1 if unknown; or NULL */
    const double *weights;     /* (sequences) */
    double *sums, *dx, *pairs; /* (sequences), (steps, sequences, k), (groups, k, k) */
    int *paths;                /* (steps, sequences) */
};

/* Working memory for one sequence. */
typedef struct {
    double *powers, *from, *to; /* exponentials: transitions (k, k), start, end (k) */
    double highest[3];          /* what was subtracted before exp */
    double *until, *since, *next, *line, *totals; /* (steps, k) three times, (k), (steps) */
    double *pairs;                                /* (k, k): not yet times `powers` */
} Space;

/* Set `out` to the exponentials of n numbers minus their maximum. Return the maximum. */
static double powers_of(const double *x, Py_ssize_t n, double *out)
{
    double highest = x[0];
    for (Py_ssize_t i = 1; i < n; i++)
        highest = MAX(highest, x[i]);
    for (Py_ssize_t i = 0; i < n; i++)
        out[i] = exp(x[i] - highest);
    return highest;
}

static double log_of_sum(const double *x, Py_ssize_t n)
{
    double highest = x[0], sum = 0;
    for (Py_ssize_t i = 1; i < n; i++)
        highest = MAX(highest, x[i]);
    for (Py_ssize_t i = 0; i < n; i++)
        sum += exp(x[i] - highest);
    return highest + log(sum);
}

/* The label of sequence b at step t, or -1 if it is unknown. */
static int known_label(const Chains *c, const int *labels, Py_ssize_t t, Py_ssize_t b)
{
    return labels ? labels[t * c->sequences + b] : -1;
}
#endif

/* Set the forward sums `until` and the backward sums `since`. Returns 0 if digits could be
   lost. */
static int ISA(scaled)(const Chains *c, Space *s, const int *labels, Py_ssize_t b,
                       double *sum)
{
    Py_ssize_t k = c->k, n = c->lengths[b];
    double logs = s->highest[1] + s->highest[2] + (double)(n - 1) * s->highest[0];
    for (Py_ssize_t t = 0; t < n; t++) {
        const double *x = c->x + (t * c->sequences + b) * k;
        double *until = s->until + t * k, *next = s->next + t * k, total = 0;
        int own = known_label(c, labels, t, b);
        if (own < 0)
            logs += powers_of(x, k, next);
        else {
            memset(next, 0, k * sizeof(double));
            next[own] = 1, logs += x[own];
        }
        if (t == 0)
            memcpy(until, s->from, k * sizeof(double));
        else {
            memset(until, 0, k * sizeof(double));
            for (Py_ssize_t i = 0; i < k; i++) {
                double before = until[i - k];
                const double *restrict row = s->powers + i * k;
                double *restrict sums = until;
                if (before != 0)
                    for (Py_ssize_t j = 0; j < k; j++)
                        sums[j] += before * row[j];
            }
        }
        for (Py_ssize_t j = 0; j < k; j++) {
            until[j] *= next[j];
            total += until[j];
        }
        if (!(total > SMALLEST_TOTAL && total < 1e300))
            return 0;
        for (Py_ssize_t j = 0; j < k; j++)
            until[j] /= total;
        s->totals[t] = total, logs += log(total);
    }
    double total = 0, *last = s->until + (n - 1) * k;
    for (Py_ssize_t j = 0; j < k; j++)
        total += last[j] * s->to[j];
    if (!(total > SMALLEST_TOTAL))
        return 0;
    *sum = logs + log(total);
    for (Py_ssize_t j = 0; j < k; j++)
        s->since[(n - 1) * k + j] = s->to[j] / total;
    for (Py_ssize_t t = n - 1; t > 0; t--) {
        double *next = s->next + t * k, *since = s->since + t * k;
        for (Py_ssize_t j = 0; j < k; j++)
            next[j] *= since[j] / s->totals[t];
        for (Py_ssize_t i = 0; i < k; i++) {
            const double *row = s->powers + i * k;
            double dot = 0;
            for (Py_ssize_t j = 0; j < k; j++)
                dot += row[j] * next[j];
            since[i - k] = dot;
        }
    }
    return 1;
}

/* The same with logarithms; also adds to the results of sequence b. */
static void ISA(logarithmic)(const Chains *c, Space *s, const int *labels, Py_ssize_t b,
                             double weight, double *pairs)
{
    Py_ssize_t k = c->k, n = c->lengths[b];
    for (Py_ssize_t t = 0; t < n; t++) {
        const double *x = c->x + (t * c->sequences + b) * k;
        double *until = s->until + t * k, *next = s->next + t * k;
        int own = known_label(c, labels, t, b);
        for (Py_ssize_t j = 0; j < k; j++) {
            next[j] = own < 0 || own == j ? x[j] : -1e30;
            for (Py_ssize_t i = 0; t && i < k; i++)
                s->line[i] = until[i - k] + c->transitions[i * k + j];
            until[j] = next[j] + (t ? log_of_sum(s->line, k) : c->start[j]);
        }
    }
    memcpy(s->since + (n - 1) * k, c->end, k * sizeof(double));
    for (Py_ssize_t t = n - 1; t > 0; t--)
        for (Py_ssize_t i = 0; i < k; i++) {
            double *since = s->since + t * k;
            for (Py_ssize_t j = 0; j < k; j++)
                s->line[j] = c->transitions[i * k + j] + s->next[t * k + j] + since[j];
            since[i - k] = log_of_sum(s->line, k);
        }
    for (Py_ssize_t j = 0; j < k; j++)
        s->line[j] = s->until[(n - 1) * k + j] + c->end[j];
    double sum = log_of_sum(s->line, k);
    c->sums[b] += weight * sum;
    for (Py_ssize_t t = 0; t < n; t++)
        for (Py_ssize_t j = 0; j < k; j++) {
            double since = s->since[t * k + j] - sum;
            c->dx[(t * c->sequences + b) * k + j] += weight * exp(s->until[t * k + j] + since);
            for (Py_ssize_t i = 0; pairs && t && i < k; i++)
                pairs[i * k + j] += weight * exp(s->until[(t - 1) * k + i] + since +
                                                 c->transitions[i * k + j] + s->next[t * k + j]);
        }
}

/* Add the log of the sum over the paths that `labels` allow, times a weight, and its
   gradient. */
static void ISA(add_paths)(const Chains *c, Space *s, const int *labels, Py_ssize_t b,
                           double weight, double *pairs)
{
    Py_ssize_t k = c->k;
    double sum;
    if (!ISA(scaled)(c, s, labels, b, &sum)) {
        ISA(logarithmic)(c, s, labels, b, weight, pairs);
        return;
    }
    c->sums[b] += weight * sum;
    for (Py_ssize_t t = 0; t < c->lengths[b]; t++) {
        const double *until = s->until + t * k, *since = s->since + t * k;
        double *dx = c->dx + (t * c->sequences + b) * k;
        for (Py_ssize_t j = 0; j < k; j++)
            dx[j] += weight * until[j] * since[j];
        for (Py_ssize_t i = 0; pairs && t && i < k; i++) {
            double before = weight * until[i - k];
            const double *restrict next = s->next + t * k;
            double *restrict row = s->pairs + i * k;
            if (before != 0)
                for (Py_ssize_t j = 0; j < k; j++)
                    row[j] += before * next[j];
        }
    }
}

/* Subtract the score of the only path if all labels of a sequence are known. */
static void ISA(subtract_path)(const Chains *c, Py_ssize_t b, double weight, double *pairs)
{
    Py_ssize_t k = c->k, n = c->lengths[b], before = 0;
    double score = 0;
    for (Py_ssize_t t = 0; t < n; t++) {
        Py_ssize_t at = t * c->sequences + b, own = c->labels[at];
        score += c->x[at * k + own];
        score += t ? c->transitions[before * k + own] : c->start[own];
        c->dx[at * k + own] -= weight;
        if (t)
            pairs[before * k + own] -= weight;
        before = own;
    }
    c->sums[b] -= weight * (score + c->end[before]);
}

static int ISA(chain)(const Chains *c)
{
    Py_ssize_t k = c->k, square = k * k, line = c->steps * k;
    double *room = malloc(sizeof(double) * (2 * square + 3 * k + 3 * line + c->steps));
    if (!room)
        return 0;
    Space s = {.powers = room};
    s.from = room + square, s.to = s.from + k, s.until = s.to + k;
    s.since = s.until + line, s.next = s.since + line, s.line = s.next + line;
    s.totals = s.line + k, s.pairs = s.totals + c->steps;
    s.highest[0] = powers_of(c->transitions, square, s.powers);
    s.highest[1] = powers_of(c->start, k, s.from);
    s.highest[2] = powers_of(c->end, k, s.to);
    for (Py_ssize_t group = c->first; group < c->last; group++) {
        double *pairs = c->labels ? c->pairs + group * square : NULL;
        memset(s.pairs, 0, sizeof(double) * square);
        for (Py_ssize_t b = group; b < c->sequences; b += c->groups) {
            double weight = c->weights[b];
            int is_known = c->labels != NULL;
            for (Py_ssize_t t = 0; is_known && t < c->lengths[b]; t++)
                is_known = c->labels[t * c->sequences + b] >= 0;
            ISA(add_paths)(c, &s, NULL, b, weight, pairs);
            if (is_known)
                ISA(subtract_path)(c, b, weight, pairs);
            else if (pairs)
                ISA(add_paths)(c, &s, c->labels, b, -weight, pairs);
        }
        for (Py_ssize_t i = 0; pairs && i < square; i++)
            pairs[i] += s.pairs[i] * s.powers[i];
    }
    free(room);
    return 1;
}

static int ISA(viterbi)(const Chains *c)
{
    Py_ssize_t k = c->k;
    int *back = malloc(sizeof(int) * c->steps * k);
    double *best = malloc(sizeof(double) * 2 * k);
    for (Py_ssize_t b = c->first; back && best && b < c->last; b++) {
        Py_ssize_t n = c->lengths[b];
        double *now = best, *after = best + k;
        for (Py_ssize_t j = 0; j < k; j++)
            now[j] = c->start[j] + c->x[b * k + j];
        for (Py_ssize_t t = 1; t < n; t++) {
            const double *x = c->x + (t * c->sequences + b) * k;
            int *from = back + t * k;
            for (Py_ssize_t j = 0; j < k; j++)
                after[j] = now[0] + c->transitions[j], from[j] = 0;
            for (Py_ssize_t i = 1; i < k; i++) {
                const double *row = c->transitions + i * k;
                for (Py_ssize_t j = 0; j < k; j++) {
                    double score = now[i] + row[j];
                    from[j] = score > after[j] ? (int)i : from[j];
                    after[j] = score > after[j] ? score : after[j];
                }
            }
            for (Py_ssize_t j = 0; j < k; j++)
                after[j] += x[j];
            double *other = now;
            now = after, after = other;
        }
        Py_ssize_t at = 0;
        for (Py_ssize_t j = 1; j < k; j++)
            if (now[j] + c->end[j] > now[at] + c->end[at])
                at = j;
        for (Py_ssize_t t = n - 1; t >= 0; t--) {
            c->paths[t * c->sequences + b] = (int)at;
            at = t ? back[t * k + at] : at;
        }
    }
    int enough = back && best;
    free(back);
    free(best);
    return enough;
}
