/* Answers that are none, and credentials: a list of flavors is asked for. */
#include "isobar/result.h"
#include "scenarios.h"

#define SLOW_MS     1500
#define LATE_MS     10000 /* generous: it is there to find a hang */
#define RECOVERY_MS 10000
#define LOOK_MS     500

static bool flavors(struct run *t, int timeout_ms, struct answer *ret)
{
    if (!run_flavors(t, timeout_ms, ret))
        return false;
    const pb_ListFlavorsResponse *list = ret->message;
    if (ret->code == RESULT_CODE_OK && list->n_flavors == 0)
        run_fail(t, "OK, and there are no flavors");
    return !t->failed;
}

/* The cloud is itself again, and soon the answers are too. */
static void recovers(struct run *t)
{
    struct answer r = {0};

    for (int waited = 0; waited <= RECOVERY_MS; waited += LOOK_MS) {
        TRY(flavors(t, 0, &r));
        if (r.code == RESULT_CODE_OK)
            return;
        run_sleep(LOOK_MS);
    }
    TRY(run_code(t, &r, RESULT_CODE_OK));
}

static void ends_with(struct run *t, int timeout_ms, pb_ResultCode wanted)
{
    struct answer r;

    TRY(flavors(t, 0, &r)); /* it is logged in, and connections are kept alive */
    TRY(run_code(t, &r, RESULT_CODE_OK));
    TRY(run_arm(t));
    TRY(flavors(t, timeout_ms, &r));
    run_disarm(t);
    TRY(run_code(t, &r, wanted));
    EXPECT(t, r.result->blame == BLAME_CLOUD, "the cloud is not blamed");
    EXPECT(t, r.result->detail[0], "it does not say what is wrong");
    EXPECT(t, r.took_ms < (timeout_ms ? timeout_ms : CALL_MS) + LATE_MS, "it took %d ms",
           r.took_ms);
    recovers(t);
}

void bad_answer(struct run *t)
{
    ends_with(t, 0, RESULT_CODE_UNAVAILABLE);
}

void slow_answer(struct run *t)
{
    ends_with(t, SLOW_MS, RESULT_CODE_DEADLINE_EXCEEDED);
}

/* The credential has ended before its time: one more log-in, and nobody notices. */
void unauthorized(struct run *t)
{
    struct answer r;

    TRY(flavors(t, 0, &r));
    TRY(run_code(t, &r, RESULT_CODE_OK));
    int before = t->harness->logins ? t->harness->logins() : 0;
    TRY(run_arm(t));
    TRY(flavors(t, 0, &r));
    TRY(run_code(t, &r, RESULT_CODE_OK));
    if (t->harness->logins)
        EXPECT(t, t->harness->logins() == before + 1, "it logged in %d times",
               t->harness->logins() - before);
}

/* By our clock what the cloud gives has ended already: it is used all the same, and not asked for
 * with every call. */
void expired_clock(struct run *t)
{
    struct answer r;
    const pb_Vm *vm;

    TRY(run_arm(t));
    int before = t->harness->logins ? t->harness->logins() : 0;
    for (int i = 0; i < 3; i++) {
        TRY(flavors(t, 0, &r));
        TRY(run_code(t, &r, RESULT_CODE_OK));
    }
    vm = run_created(t, run_id(t), &r);
    TRY(vm && run_exactly(t, r.token, 1, vm->id));
    if (t->harness->logins)
        EXPECT(t, t->harness->logins() <= before + 1, "it logged in %d times",
               t->harness->logins() - before);
}
