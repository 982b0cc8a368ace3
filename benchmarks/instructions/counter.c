/* A QEMU plugin that counts the guest's instructions exactly, by page of memory.
 *
 * Plugin interface version 1, which is QEMU 4.2 to 8.2's; the declarations stand here because Debian packages no header.
 * Argument: out=FILE. Each time the guest makes the system call MARK, one line goes to FILE: "PAGE:COUNT ..." with the
 * instructions since the last one, PAGE in hexadecimal and in units of 4096 bytes. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define MARK 0x4645 /* no system call has this number, so it does nothing but be seen */
#define PAGES 65536 /* of code that is executed; the largest workload has 6,000 */

typedef uint64_t plugin_id;
struct qemu_plugin_tb;

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int operation, void *target, uint64_t addend);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id,
                                          void (*)(plugin_id, unsigned, int64_t number, uint64_t, uint64_t, uint64_t,
                                                   uint64_t, uint64_t, uint64_t, uint64_t, uint64_t));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);

EXPORT int qemu_plugin_version = 1;

static struct {
    uint64_t page, count;
} table[PAGES];
static FILE *out;

static uint64_t *count_of(uint64_t page)
{
    size_t i = (page * UINT64_C(0x9E3779B97F4A7C15)) >> 48;

    while (table[i].page && table[i].page != page)
        i = (i + 1) % PAGES;
    table[i].page = page;
    return &table[i].count;
}

/* A block of instructions without a jump in it was translated: add its length whenever it runs. */
static void translated(plugin_id id, struct qemu_plugin_tb *block)
{
    const int add = 0;

    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, add, count_of(qemu_plugin_tb_vaddr(block) >> 12),
                                             qemu_plugin_tb_n_insns(block));
}

static void system_call(plugin_id id, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                        uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    (void)id, (void)cpu, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if (number != MARK)
        return;
    for (size_t i = 0; i < PAGES; i++)
        if (table[i].count) {
            fprintf(out, "%" PRIx64 ":%" PRIu64 " ", table[i].page, table[i].count);
            table[i].count = 0;
        }
    fputc('\n', out);
    fflush(out);
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    if (argc != 1 || strncmp(argv[0], "out=", 4) != 0 || !(out = fopen(argv[0] + 4, "w")))
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, system_call);
    return 0;
}
