/* CUDA C on the CPU: enough of the language to run the kernels of minigan/kernels/cuda, one block after another.

   A kernel without __syncthreads is a plain loop over its threads.  In one with __syncthreads every thread of a block is a
   fiber, a function with a stack of its own.  A fiber runs until it meets __syncthreads, then the next fiber has its turn.
   So between two barriers the threads run strictly one after another, forwards or backwards as the caller asks.  A kernel
   that needs a barrier and has none gives different results in the two orders.

   Shared memory is static, filled with NaN before every block.  Not here: warp intrinsics, several blocks at a time. */
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <setjmp.h>
#include <ucontext.h>

/* Hidden, or a kernel named as a function of the C library (advance) would be taken for that. */
#define __global__ __attribute__((visibility("hidden")))
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#if defined(__SANITIZE_ADDRESS__)
#define __shared__ static /* where the sanitizer sees it */
#else
#define __shared__ static __attribute__((section("cudashared")))
#endif

struct dim3 { unsigned int x, y, z; };
static dim3 threadIdx, blockIdx, blockDim, gridDim;

using std::exp; using std::log; using std::log1p; using std::sqrt; using std::fabs; using std::pow; using std::cos; using std::sin;
using std::fmax; using std::fmin; using std::floor; using std::isnan; using std::tanh; using std::erf; using std::expm1;
template <class A> static inline A min(A a, A b) { return b < a ? b : a; }
template <class A> static inline A max(A a, A b) { return a < b ? b : a; }
static inline unsigned int __umulhi(unsigned int a, unsigned int b) { return (uint64_t)a * b >> 32; }
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return (unsigned __int128)a * b >> 64; }
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline double __dadd_rn(double a, double b) { return a + b; }
static inline float __int_as_float(int a) { float f; memcpy(&f, &a, 4); return f; }

/* ------------------------------------------------------------------------------------------------------- fibers --- */
namespace shim {
const int most_threads = 1024;
#if defined(__SANITIZE_ADDRESS__)
const size_t stack_size = 1 << 18;
#else
const size_t stack_size = 1 << 16;
#endif
enum State { fresh, waiting, finished };
struct Fiber {
    ucontext_t context;
    jmp_buf at;
    State state;
    int line; /* of the barrier it waits at */
    bool exists;
};
static Fiber fibers[most_threads];
static ucontext_t scheduler;
static jmp_buf scheduler_at;
static int current;
static void (*body)();

/* swapcontext asks the system for the signal mask each time; after the first time longjmp does the same without.  The address
   sanitizer does not understand longjmp between stacks, so under it swapcontext is used throughout. */
static void leave() { /* from a fiber to the scheduler */
#if defined(__SANITIZE_ADDRESS__)
    swapcontext(&fibers[current].context, &scheduler);
#else
    if (!_setjmp(fibers[current].at)) _longjmp(scheduler_at, 1);
#endif
}

static void life() {
    for (;;) {
        body();
        fibers[current].state = finished;
        leave();
    }
}

static void resume(int i) { /* from the scheduler to a fiber */
    Fiber& fiber = fibers[i];
    current = i;
    bool first = !fiber.exists;
    if (first) {
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = malloc(stack_size);
        fiber.context.uc_stack.ss_size = stack_size;
        fiber.context.uc_link = nullptr;
        makecontext(&fiber.context, life, 0);
        fiber.exists = true;
    }
#if defined(__SANITIZE_ADDRESS__)
    swapcontext(&scheduler, &fiber.context);
#else
    if (!_setjmp(scheduler_at)) {
        if (first) setcontext(&fiber.context);
        _longjmp(fiber.at, 1);
    }
#endif
}

static void barrier(int line) {
    fibers[current].state = waiting;
    fibers[current].line = line;
    dim3 mine = threadIdx;
    leave();
    threadIdx = mine;
}

extern "C" { extern char __start_cudashared[] __attribute__((weak)), __stop_cudashared[] __attribute__((weak)); }
static void poison() {
    if (__start_cudashared) memset(__start_cudashared, 0xff, __stop_cudashared - __start_cudashared);
}

static void place(int i) { threadIdx = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)}; }

/* Run one kernel.  Returns 0, or the line of a barrier that some threads reached and others did not. */
static int run(const int* geometry, bool fibers_needed, bool reverse, void (*call)()) {
    gridDim = {(unsigned)geometry[0], (unsigned)geometry[1], (unsigned)geometry[2]};
    blockDim = {(unsigned)geometry[3], (unsigned)geometry[4], (unsigned)geometry[5]};
    int blocks = gridDim.x * gridDim.y * gridDim.z, threads = blockDim.x * blockDim.y * blockDim.z;
    for (int k = 0; k < blocks; k++) {
        int b = reverse ? blocks - 1 - k : k;
        blockIdx = {b % gridDim.x, b / gridDim.x % gridDim.y, b / (gridDim.x * gridDim.y)};
        if (!fibers_needed) {
            for (int j = 0; j < threads; j++) {
                place(reverse ? threads - 1 - j : j);
                call();
            }
            continue;
        }
        poison();
        body = call;
        for (int j = 0; j < threads; j++) fibers[j].state = fresh;
        for (int alive = threads; alive;) {
            int line = 0, arrived = 0;
            alive = 0;
            for (int j = 0; j < threads; j++) {
                int i = reverse ? threads - 1 - j : j;
                if (fibers[i].state == finished) continue;
                place(i);
                resume(i);
                if (fibers[i].state == finished) continue;
                alive++;
                arrived += !line || fibers[i].line == line;
                line = fibers[i].line;
            }
            /* A fiber that is left hanging would go on in the next launch: forget them all. */
            if (alive && arrived != threads) {
                for (int j = 0; j < threads; j++) fibers[j].exists = false;
                return line;
            }
        }
    }
    return 0;
}
}
#define __syncthreads() shim::barrier(__LINE__)
