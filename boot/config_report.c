#include "config_parser.h"

void config_mark(struct config_partition *partition, uint32_t line, const char *text)
{
	if (!partition->error[0])
		text_format(partition->error, sizeof(partition->error), "line %u: %s", line, text);
}

/* What is quoted from the file may hold anything; errors go to serial lines, which get ASCII only.
 */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
			*text = '?';
}

static void fail(struct config_parser *parser, struct config_partition *partition, uint32_t line, const char *format,
		 va_list arguments)
{
	char text[CONFIG_ERROR_BYTES];

	text_vformat(text, sizeof(text), format, arguments);
	make_printable(text);
	parser->config->errors++;
	if (partition)
		config_mark(partition, line, text);
	if (parser->reports == CONFIG_REPORTS)
		return;
	parser->report[parser->reports].line = line;
	text_copy(text_of(text), parser->report[parser->reports].text, sizeof(text));
	parser->reports++;
}

void config_fail(struct config_parser *parser, struct config_partition *partition, uint32_t line, const char *format,
		 ...)
{
	va_list arguments;

	va_start(arguments, format);
	fail(parser, partition, line, format, arguments);
	va_end(arguments);
}

void config_fail_here(struct config_parser *parser, const char *format, ...)
{
	va_list arguments;

	if (parser->entry)
		parser->entry->broken = true;
	va_start(arguments, format);
	fail(parser, parser->partition, parser->line, format, arguments);
	va_end(arguments);
}

/* Insertion sort, stable: errors of one line stay in the order in which they were found. */
static void sort(struct config_report *report, uint32_t reports)
{
	for (uint32_t i = 1; i < reports; i++) {
		for (uint32_t j = i; j && report[j].line < report[j - 1].line; j--) {
			struct config_report swap = report[j];

			report[j] = report[j - 1];
			report[j - 1] = swap;
		}
	}
}

void config_report_all(struct config_parser *parser, config_error report, void *context)
{
	uint32_t more = parser->config->errors - parser->reports;
	char text[64];

	if (!report)
		return;
	sort(parser->report, parser->reports);
	for (uint32_t i = 0; i < parser->reports; i++)
		report(context, parser->report[i].line, parser->report[i].text);
	if (!more)
		return;
	text_format(text, sizeof(text), "and %u more errors", more);
	report(context, parser->line, text);
}
