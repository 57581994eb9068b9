/* The limit for many runs trained together on one core: 512 members at batch size 1, each with its own order of the
 * samples; the loop over members is innermost, so that the compiler trains a vector of them at a time.
 *   cc -O3 -march=native -ffast-math limit_members.c -o limit_members -lm && taskset -c 0 ./limit_members EPOCHS
 * Prints nanoseconds per optimizer step and member, and seconds per epoch and member; gathering each epoch's samples is
 * included. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SAMPLES = 999, MEMBERS = 512, WEIGHTS = 4 };

static float x[SAMPLES], y[SAMPLES];
static int order[SAMPLES][MEMBERS]; /* the same in every epoch: what a gather costs does not depend on it */
static float x_epoch[SAMPLES][MEMBERS], y_epoch[SAMPLES][MEMBERS];
static float weight[WEIGHTS][MEMBERS], mean[WEIGHTS][MEMBERS], square[WEIGHTS][MEMBERS];

int main(int argc, char **argv) {
  const int epochs = argc > 1 ? atoi(argv[1]) : 20;
  for (int i = 0; i < SAMPLES; i++) {
    x[i] = rand() / (float)RAND_MAX;
    y[i] = x[i] * x[i] + 2 * x[i] + 2;
    for (int j = 0; j < MEMBERS; j++) order[i][j] = rand() % SAMPLES;
  }
  for (int j = 0; j < MEMBERS; j++) {
    weight[0][j] = -1 + j * 1e-3f;
    weight[2][j] = 0.8f;
  }
  double beta1_power = 1, beta2_power = 1;
  struct timespec start, stop;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (int epoch = 0; epoch < epochs; epoch++) {
    for (int i = 0; i < SAMPLES; i++)
      for (int j = 0; j < MEMBERS; j++) {
        x_epoch[i][j] = x[order[i][j]];
        y_epoch[i][j] = y[order[i][j]];
      }
    for (int i = 0; i < SAMPLES; i++) {
      beta1_power *= 0.9;
      beta2_power *= 0.999;
      const float alpha = (float)(0.001 * sqrt(1 - beta2_power) / (1 - beta1_power));
      for (int j = 0; j < MEMBERS; j++) {
        const float z = weight[0][j] * x_epoch[i][j] + weight[1][j], h = z * z;
        const float d = 2 * (weight[2][j] * h + weight[3][j] - y_epoch[i][j]), dz = d * weight[2][j] * 2 * z;
        const float gradient[WEIGHTS] = {dz * x_epoch[i][j], dz, d * h, d};
        for (int p = 0; p < WEIGHTS; p++) {
          mean[p][j] += (gradient[p] - mean[p][j]) * 0.1f;
          square[p][j] += (gradient[p] * gradient[p] - square[p][j]) * 0.001f;
          weight[p][j] -= alpha * mean[p][j] / (sqrtf(square[p][j]) + 1e-7f);
        }
      }
    }
  }
  clock_gettime(CLOCK_MONOTONIC, &stop);
  const double seconds = (stop.tv_sec - start.tv_sec) + (stop.tv_nsec - start.tv_nsec) * 1e-9;
  printf("{\"nanoseconds_per_step_and_member\": %.4g, \"seconds_per_epoch\": %.9g, \"a_weight\": %.7g}\n",
         seconds / epochs / SAMPLES / MEMBERS * 1e9, seconds / epochs / MEMBERS, weight[0][3]);
  return 0;
}
