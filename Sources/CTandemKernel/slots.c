#include "tandem_kernel.h"

#include <stddef.h>

/* In static memory, so that tandem_wake may look at a slot from a signal handler at any time. */
static libtandem_slot slots[LIBTANDEM_SLOTS];
static uintptr_t generation;

enum { SLOT_BITS = 12 };

/* Odd, so that no handle is ever the address of something. */
static uintptr_t handle_of(uintptr_t made, uintptr_t index) { return (made << (SLOT_BITS + 1)) | (index << 1) | 1; }

libtandem_slot *libtandem_slot_take(void) {
  for (uintptr_t i = 0; i < LIBTANDEM_SLOTS; i++) {
    uintptr_t none = 0;
    uintptr_t handle = handle_of(__atomic_add_fetch(&generation, 1, __ATOMIC_SEQ_CST), i);
    if (!__atomic_compare_exchange_n(&slots[i].handle, &none, handle, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
    __atomic_store_n(&slots[i].woken, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&slots[i].busy, 0, __ATOMIC_SEQ_CST);
    return &slots[i];
  }
  return NULL;
}

void libtandem_slot_free(libtandem_slot *slot) { __atomic_store_n(&slot->handle, 0, __ATOMIC_SEQ_CST); }

libtandem_slot *libtandem_slot_of(const tandem_client *client) {
  uintptr_t handle = (uintptr_t)client;
  if (!(handle & 1)) return NULL;
  libtandem_slot *slot = &slots[(handle >> 1) & (LIBTANDEM_SLOTS - 1)];
  return __atomic_load_n(&slot->handle, __ATOMIC_SEQ_CST) == handle ? slot : NULL;
}

int32_t libtandem_slot_index(const libtandem_slot *slot) { return (int32_t)(slot - slots); }

libtandem_signal *libtandem_slot_signal(libtandem_slot *slot) { return &slot->signal; }

void libtandem_slot_set_busy(libtandem_slot *slot, int32_t busy) {
  __atomic_store_n(&slot->busy, (uint32_t)busy, __ATOMIC_SEQ_CST);
}

int32_t libtandem_slot_take_woken(libtandem_slot *slot) {
  return (int32_t)__atomic_exchange_n(&slot->woken, 0, __ATOMIC_SEQ_CST);
}

int32_t tandem_wake(tandem_client *c) {
  if (libtandem_forked()) return TANDEM_E_FORKED;
  libtandem_slot *slot = libtandem_slot_of(c);
  if (slot == NULL) return TANDEM_E_HANDLE;
  __atomic_store_n(&slot->woken, 1, __ATOMIC_SEQ_CST);
  libtandem_signal_raise(&slot->signal);
  return TANDEM_OK;
}
