#include "admission.h"

#include "isobar/clock.h"

/* CoDel's constants, here the least: below them is the noise of scheduling. */
#define TARGET_NS   (5 * NS_PER_MS)
#define INTERVAL_NS (100 * NS_PER_MS)

/* The mean is over about so many jobs. */
#define MEAN_OF 16

#define RETRY_LEAST_MS INT64_C(100)
#define RETRY_MOST_MS  INT64_C(60000)

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t interval_ns(const struct admission *a)
{
    return greater(2 * a->mean_ns, INTERVAL_NS);
}

void admission_init(struct admission *a, unsigned workers, unsigned max_queued)
{
    *a = (struct admission){.workers = workers, .max_queued = max_queued};
}

static void look_whether_over(struct admission *a, int64_t now_ns)
{
    if (a->overloaded && now_ns - a->refused_ns > interval_ns(a))
        a->overloaded = false;
}

static bool refuse(struct admission *a, int64_t now_ns)
{
    a->refused_ns = now_ns;
    a->n_refused++;
    return false;
}

bool admission_take(struct admission *a, int64_t now_ns, unsigned waiting, unsigned running,
                    int64_t deadline_ns)
{
    look_whether_over(a, now_ns);
    if (waiting == 0 && running < a->workers)
        a->good_ns = now_ns;
    /* What no worker has taken yet and will at once does not count as waiting. */
    if ((uint64_t)waiting + running >= (uint64_t)a->max_queued + a->workers) {
        if (a->n_served > 0 && now_ns - a->good_ns > interval_ns(a))
            a->overloaded = true;
        return refuse(a, now_ns);
    }
    if (waiting < a->workers)
        return true;
    if (a->overloaded)
        return refuse(a, now_ns);
    /* It says nothing of the lane that a caller has less time than others: no sign of overload. */
    bool in_time =
        deadline_ns == INT64_MAX || admission_wait_ns(a, waiting) <= deadline_ns - now_ns;
    if (!in_time)
        a->n_refused++;
    return in_time;
}

bool admission_begin(struct admission *a, int64_t now_ns, int64_t queued_ns, bool may_shed)
{
    int64_t waited = now_ns - queued_ns;
    look_whether_over(a, now_ns);
    if (waited <= greater(a->mean_ns, TARGET_NS))
        a->good_ns = now_ns;
    /* Where a cloud has become slow all of a sudden the mean lags, and must not cost the queue. */
    int64_t most = 2 * greater(greater(a->mean_ns, a->last_ns), TARGET_NS);
    if (!a->overloaded || !may_shed || waited <= most)
        return true;
    a->refused_ns = now_ns;
    a->n_shed++;
    return false;
}

void admission_served(struct admission *a, int64_t ns)
{
    if (a->n_served < MEAN_OF)
        a->n_served++;
    a->mean_ns += (ns - a->mean_ns) / (int64_t)a->n_served;
    a->last_ns = ns;
}

int64_t admission_wait_ns(const struct admission *a, unsigned waiting)
{
    return a->mean_ns / a->workers * waiting;
}

uint32_t admission_retry_ms(const struct admission *a, unsigned waiting)
{
    int64_t ms = (admission_wait_ns(a, waiting) + a->mean_ns) / NS_PER_MS;
    if (a->overloaded)
        ms = greater(ms, interval_ns(a) / NS_PER_MS);
    return (uint32_t)(ms < RETRY_LEAST_MS  ? RETRY_LEAST_MS
                      : ms > RETRY_MOST_MS ? RETRY_MOST_MS
                                           : ms);
}
