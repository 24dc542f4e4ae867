#include "skew.h"

#include "isobar/clock.h"

/* What took longer would be right to more than 5 s. */
#define ROUND_TRIP_MAX_NS (8 * NS_PER_SEC)
#define SMOOTH            8

void skew_init(struct skew *s)
{
    atomic_init(&s->offset_ns, SKEW_UNKNOWN);
}

int64_t skew_ns(const struct skew *s)
{
    int64_t offset = atomic_load_explicit(&s->offset_ns, memory_order_relaxed);

    return offset == SKEW_UNKNOWN ? 0 : offset;
}

bool skew_sample(const struct http_response *rsp, int64_t wall_ns, int64_t round_trip_ns,
                 int64_t *ret)
{
    const char *date = http_header(rsp, "Date");
    int64_t seconds = date ? http_date(date) : -1;

    if (seconds < 0 || round_trip_ns > ROUND_TRIP_MAX_NS || http_header(rsp, "Age"))
        return false;
    /* The middle of the second, and the middle of the round trip. */
    *ret = seconds * NS_PER_SEC + NS_PER_SEC / 2 - (wall_ns - round_trip_ns / 2);
    return true;
}

void skew_learn(struct skew *s, int64_t sample_ns)
{
    int64_t was = atomic_load_explicit(&s->offset_ns, memory_order_relaxed), is;

    do {
        is = was == SKEW_UNKNOWN ? sample_ns : was + (sample_ns - was) / SMOOTH;
    } while (!atomic_compare_exchange_weak(&s->offset_ns, &was, is));
}

void skew_set(struct skew *s, int64_t sample_ns)
{
    atomic_store(&s->offset_ns, sample_ns);
}
