/* A population of grid cells (Pilly and Grossberg 2013), written down plainly: one trial in steps of 2 ms.
 *
 *     cc -O3 -march=native -ffast-math -o grid_cells grid_cells.c -lm
 *     ./grid_cells path.bin samples step weights.bin seed
 *
 * path.bin holds the samples of x, then those of y (doubles), `step` seconds apart; weights.bin the initial weights
 * [cell][stripe]. It prints seconds of processor time, spikes of the cells, and the mean sum of their weights.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STRIPES = 90, CELLS = 100 };
static const double H = 0.002, SPACING = 35.0, WIDTH = 0.07 * 35.0;

static uint64_t state;

static double uniform(void)
{
    uint64_t z = (state += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return ((z ^ (z >> 31)) >> 11) * (1.0 / 9007199254740992.0);
}

static double W[CELLS][STRIPES], S1[STRIPES], SN[STRIPES], SL[STRIPES], V[CELLS], G[CELLS], L[CELLS];
static int spiked[CELLS];

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    long samples = atol(argv[2]);
    double interval = atof(argv[3]);
    double *x = malloc(2 * samples * sizeof *x), *y = x + samples;
    FILE *file = fopen(argv[1], "rb");
    if (!file || fread(x, sizeof *x, 2 * samples, file) != (size_t)(2 * samples))
        return 1;
    fclose(file);
    file = fopen(argv[4], "rb");
    if (!file || fread(W, sizeof W, 1, file) != 1)
        return 1;
    fclose(file);
    state = strtoull(argv[5], NULL, 10);
    double c[STRIPES], s[STRIPES], a[STRIPES];
    for (int i = 0; i < STRIPES; i++) {
        double angle = (-90 + 10 * (i / 5)) * acos(-1.0) / 180.0;
        c[i] = cos(angle);
        s[i] = sin(angle);
        a[i] = SPACING * (i % 5) / 5;
    }
    for (int j = 0; j < CELLS; j++)
        V[j] = -65.0;
    long steps = lround((samples - 1) * interval / H), total = 0;
    clock_t begin = clock();
    for (long n = 0; n < steps; n++) {
        double at = n * H / interval;
        long k = (long)at;
        if (k > samples - 2)
            k = samples - 2;
        double px = x[k] + (at - k) * (x[k + 1] - x[k]), py = y[k] + (at - k) * (y[k + 1] - y[k]);
        double sent = 0.0, inhibition = 0.0;
        double old[STRIPES];
        for (int i = 0; i < STRIPES; i++) {
            double p = (px * c[i] + py * s[i] - a[i]) / SPACING;
            double d = (p - floor(p + 0.5)) * SPACING;
            double rate = 1000.0 / SPACING * exp(-d * d / (2.0 * WIDTH * WIDTH));
            if (uniform() < H * rate)
                S1[i] = SL[i] = 1.0;
            old[i] = SN[i];
            SN[i] += H * (-SN[i] / 0.05 + 1000.0 * (1.0 - SN[i]) * S1[i]);
            S1[i] -= H * S1[i] / 0.005;
            sent += SL[i];
        }
        for (int j = 0; j < CELLS; j++) {
            if (spiked[j])
                G[j] = L[j] = 1.0;
            inhibition += G[j];
        }
        for (int j = 0; j < CELLS; j++) {
            double excitation = 0.0, fast = 0.001 * H * L[j];
            for (int i = 0; i < STRIPES; i++) {
                excitation += W[j][i] * old[i];
                W[j][i] += fast * (SL[i] - W[j][i] * sent);
            }
            double b = 3.708 / (1.0 + exp(-0.0174 * V[j]));
            V[j] += H / 0.001 * (0.0005 * (-65.0 - V[j]) + 0.025 * excitation * b * (0.0 - V[j])
                                 + 0.0125 * (inhibition - G[j]) * (-70.0 - V[j]));
            spiked[j] = V[j] >= -50.0;
            if (spiked[j]) {
                V[j] = -60.0;
                total++;
            }
        }
        for (int j = 0; j < CELLS; j++) {
            G[j] -= H * G[j] / 0.01;
            L[j] -= H * L[j] / 0.05;
        }
        for (int i = 0; i < STRIPES; i++)
            SL[i] -= H * SL[i] / 0.05;
    }
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC, sum = 0.0;
    for (int j = 0; j < CELLS; j++)
        for (int i = 0; i < STRIPES; i++)
            sum += W[j][i] / CELLS;
    printf("%.6f %ld %.6f\n", seconds, total, sum);
    return 0;
}
