/* report.h: why a partition ended, in words; kept until a later life of it has something to report.
 */
#pragma once
#include <stdint.h>

struct partition;
struct vcpu;

/*
 * Ends the vCPU's partition as failed: the reason in words, the registers and the last exits go to
 * its report, and to its guest's if it is a monitor; the reason goes to the log too. The vCPU's own
 * CPU; it must not run on.
 */
void report_failure(struct vcpu *vcpu, const char *reason, ...) __attribute__((format(printf, 2, 3)));

/* Appends a line; what does not fit is dropped. */
void report_line(struct partition *partition, const char *text, ...) __attribute__((format(printf, 2, 3)));

/* Appends text as a partition gives it; what is not printable becomes '?'. Half of the report is the kernel's alone. */
void report_text(struct partition *partition, const char *text, unsigned bytes);

/* 8 bytes from `offset`, or -BH_ENOENT. */
int64_t report_read(const struct partition *partition, uint64_t offset);

/* 8 bytes of a text of `bytes`, as a positive number; bytes past its end are 0. -BH_ENOENT past the
 * end. */
int64_t report_word(const char *text, uint64_t bytes, uint64_t offset);

/* A text that is read so. What does not fit any more is left out whole. */
struct report_words {
	char *text;
	uint32_t size, bytes;
};
void report_say(struct report_words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
