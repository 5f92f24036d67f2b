/* `BALLS`: one step of mean shift in the joint domain, for each instruction set. */
#ifndef SEGMENT_PYRAMID_BALL_SETS_H
#define SEGMENT_PYRAMID_BALL_SETS_H

#include "_pyramid.h"

#define KERNEL "../pixels/_pyramid_ball_kernel.h"
#include "../meanshift/_each_set.h"

typedef double (*ball_t)(const pyramid_t *p, const kernel_t *k, const double *center,
                         near_t *near, int32_t *list, int32_t *next, double *sum);
static const ball_t BALLS[] = EACH_SET(ball);

#endif
