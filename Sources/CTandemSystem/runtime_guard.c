/* The static Swift runtime installs crash handlers from a constructor when the environment asks for backtraces. In a
   library they would replace the host's. The linker sends the runtime's calls here (--wrap in Package.swift): nothing in
   libtandem may change a signal's disposition, so the calls do nothing, whoever makes them. They say that they succeeded,
   because the runtime complains on stderr about one that fails. libcurl and the other shared libraries are not affected. */
#include <signal.h>
#include <stddef.h>

/* Weak: test bundles are linked without --wrap and never come here. */
__attribute__((weak)) int __real_sigaction(int signal, const struct sigaction *action, struct sigaction *old);

int __wrap_sigaction(int signal, const struct sigaction *action, struct sigaction *old);
int __wrap_sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
  if (action == NULL && __real_sigaction != NULL) return __real_sigaction(signal, NULL, old);
  return 0;
}

int __wrap_sigaltstack(const stack_t *stack, stack_t *old);
int __wrap_sigaltstack(const stack_t *stack, stack_t *old) {
  (void)stack;
  (void)old;
  return 0;
}
