#include "harness.h"

#define HARNESS_ROW(name) &harness_##name,
const struct harness *const harnesses[] = {HARNESSES(HARNESS_ROW) NULL};
