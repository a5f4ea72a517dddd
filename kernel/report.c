#include "report.h"
#include <stdarg.h>
#include <guests/lib/bh_format.h>
#include "log.h"
#include "partition.h"
#include "trace.h"
#include "vcpu.h"
#include "virt.h"

#define EXITS_SHOWN 8

static void append(struct partition *partition, const char *text, unsigned bytes, unsigned limit)
{
	for (unsigned i = 0; i < bytes && partition->report_bytes < limit; i++) {
		char c = text[i];

		if ((c < ' ' || c > '~') && c != '\n')
			c = '?';
		partition->report[partition->report_bytes++] = c;
	}
}

static void add(struct partition *partition, const char *text, unsigned bytes, unsigned limit)
{
	uint32_t life = partition_leader(partition)->epoch;

	spin_lock(&partition->lock);
	if (partition->report_epoch != life) {
		partition->report_epoch = life;
		partition->report_bytes = 0;
	}
	append(partition, text, bytes, limit);
	spin_unlock(&partition->lock);
}

void report_text(struct partition *partition, const char *text, unsigned bytes)
{
	add(partition, text, bytes, REPORT_BYTES / 2);
}

static void line(struct partition *partition, const char *text, va_list arguments)
{
	char buffer[160];
	int length = bh_vsnprintf(buffer, sizeof(buffer) - 1, text, arguments);

	if (length > (int)sizeof(buffer) - 2)
		length = sizeof(buffer) - 2;
	buffer[length++] = '\n';
	add(partition, buffer, (unsigned)length, REPORT_BYTES);
}

void report_line(struct partition *partition, const char *text, ...)
{
	va_list arguments;

	va_start(arguments, text);
	line(partition, text, arguments);
	va_end(arguments);
}

static void registers(struct partition *partition, struct vcpu *vcpu)
{
	static const char *const name[16] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
					      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
	struct bh_vcpu_state state;

	virt->get_state(vcpu, BH_STATE_ALL, &state);
	report_line(partition, "  vCPU %u  rip %llx  rflags %llx  cs %x base %llx", vcpu->index,
		    (unsigned long long)state.rip, (unsigned long long)state.rflags, state.segment[BH_CS].selector,
		    (unsigned long long)state.segment[BH_CS].base);
	report_line(partition, "  cr0 %llx  cr3 %llx  cr4 %llx  efer %llx", (unsigned long long)state.cr0,
		    (unsigned long long)state.cr3, (unsigned long long)state.cr4, (unsigned long long)state.efer);
	for (unsigned i = 0; i < 16; i += 4)
		report_line(partition, "  %3s %-16llx %3s %-16llx %3s %-16llx %3s %-16llx", name[i],
			    (unsigned long long)state.gpr[i], name[i + 1], (unsigned long long)state.gpr[i + 1],
			    name[i + 2], (unsigned long long)state.gpr[i + 2], name[i + 3],
			    (unsigned long long)state.gpr[i + 3]);
}

static void last_exits(struct partition *partition, struct vcpu *vcpu)
{
	report_line(partition, "  last exits, newest first:");
	for (unsigned age = 0; age < EXITS_SHOWN; age++) {
		int64_t reason = trace_read(vcpu, age, 1);

		if (reason < 0)
			break;
		report_line(partition, "    %s %llx", trace_reason[reason],
			    (unsigned long long)trace_read(vcpu, age, 2));
	}
}

void report_failure(struct vcpu *vcpu, const char *reason, ...)
{
	struct partition *partition = vcpu->partition;
	va_list arguments;
	char text[128];

	va_start(arguments, reason);
	bh_vsnprintf(text, sizeof(text), reason, arguments);
	va_end(arguments);

	log_printf("%s: ended: %s", partition->name, text);
	report_line(partition, "%s", text);
	registers(partition, vcpu);
	last_exits(partition, vcpu);
	if (partition->ward)
		report_line(partition->ward, "its monitor ended: %s", text);
	partition_end(partition, BH_CAUSE_FAILED, false);
}

int64_t report_word(const char *text, uint64_t bytes, uint64_t offset)
{
	uint64_t word = 0;

	if (offset >= bytes)
		return -BH_ENOENT;
	for (unsigned i = 0; i < 8 && offset + i < bytes; i++)
		word |= (uint64_t)(text[offset + i] & 0x7f) << i * 8;
	return (int64_t)word;
}

int64_t report_read(const struct partition *partition, uint64_t offset)
{
	return report_word(partition->report, partition->report_bytes, offset);
}

void report_say(struct report_words *words, const char *format, ...)
{
	uint32_t room = words->size - words->bytes, length;
	va_list arguments;

	va_start(arguments, format);
	length = (uint32_t)bh_vsnprintf(words->text + words->bytes, room, format, arguments);
	va_end(arguments);
	words->bytes += length < room ? length : 0;
}
