/* `LABEL_GROUPS`: the nearest mode of each pixel in the joint domain, for each instruction set. */
#ifndef SEGMENT_PYRAMID_LABEL_SETS_H
#define SEGMENT_PYRAMID_LABEL_SETS_H

#include "_pyramid.h"

#define KERNEL "../pixels/_pyramid_label_kernel.h"
#include "../meanshift/_each_set.h"

typedef void (*label_group_t)(const pyramid_t *p, const kernel_t *k, int64_t group,
                              const double *modes, const int32_t *candidates, int count,
                              double limit, float *bounds, int32_t *passed, int32_t *labels);
static const label_group_t LABEL_GROUPS[] = EACH_SET(label_group);

#endif
