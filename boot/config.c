/* The text and its lines; config_section.c reads those of sections, config_keys.c those of keys. */
#include "config_parser.h"

/* A file that is not text would have as many errors as lines: the first is told. */
static bool is_noise(struct config_parser *parser, struct text line)
{
	for (size_t i = 0; i < line.bytes; i++) {
		unsigned char c = (unsigned char)line.at[i];

		if ((c >= 0x20 && c != 0x7f) || c == '\t')
			continue;
		if (parser->partition)
			config_mark(parser->partition, parser->line, "this line is not text");
		if (parser->entry)
			parser->entry->broken = true;
		if (!parser->noise)
			config_fail(parser, NULL, parser->line,
				    "this is not text (more lines like it are not told): write the "
				    "configuration with a text editor, as ASCII or UTF-8");
		parser->noise = true;
		return true;
	}
	return false;
}

static void parse_line(struct config_parser *parser, struct text line)
{
	if (line.bytes && line.at[line.bytes - 1] == '\r')
		line.bytes--;
	if (is_noise(parser, line))
		return;
	line = text_trim(line);
	if (!line.bytes || line.at[0] == '#')
		return;
	if (line.at[0] == '[')
		config_section_line(parser, line);
	else if (parser->section != CONFIG_SECTION_NONE)
		config_key_line(parser, line);
	else if (!parser->section_line && !parser->headless++)
		config_fail(parser, NULL, parser->line,
			    "this stands before the first section: begin with [machine], "
			    "[guest NAME], [native NAME], [channel NAME] or [network NAME]");
	/* Else it has been said that the section is unknown, or that there is none yet. */
}

static void parse_lines(struct config_parser *parser, struct text text)
{
	while (text.bytes) {
		struct text line = { text.at, 0 };

		while (line.bytes < text.bytes && text.at[line.bytes] != '\n')
			line.bytes++;
		text.at += line.bytes + (line.bytes < text.bytes);
		text.bytes -= line.bytes + (line.bytes < text.bytes);
		parser->line++;
		parse_line(parser, line);
	}
	config_section_close(parser);
}

static bool is_text(struct config_parser *parser, struct text text)
{
	const unsigned char *at = (const unsigned char *)text.at;

	if (!text.bytes)
		config_fail(parser, NULL, 0,
			    "the file is empty: it needs at least a [guest NAME] or a "
			    "[native NAME] section");
	else if (text.bytes > CONFIG_TEXT_MAX)
		config_fail(parser, NULL, 0, "the file has %llu bytes, which no configuration needs: %u at most",
			    (unsigned long long)text.bytes, CONFIG_TEXT_MAX);
	else if (text.bytes > 1 && ((at[0] == 0xff && at[1] == 0xfe) || (at[0] == 0xfe && at[1] == 0xff)))
		config_fail(parser, NULL, 1, "the file is UTF-16: save it as ASCII or UTF-8");
	else
		return true;
	return false;
}

static void set_defaults(struct config *config)
{
	__builtin_memset(config, 0, sizeof(*config));
	config->net = UINT32_MAX;
	config->machine.services_weight = 200;
	config->machine.slice_microseconds = 5000;
	config->machine.panic = CONFIG_PANIC_HALT;
}

uint32_t config_parse(const char *text, size_t bytes, struct config *config, config_error report, void *context)
{
	static struct config_parser parser; /* too large for a stack */
	struct text whole = { text, bytes };

	__builtin_memset(&parser, 0, sizeof(parser));
	parser.config = config;
	set_defaults(config);
	if (is_text(&parser, whole)) {
		if (bytes >= 3 && !__builtin_memcmp(text, "\xef\xbb\xbf", 3)) {
			whole.at += 3;
			whole.bytes -= 3;
		}
		parse_lines(&parser, whole);
		config_check(&parser);
	}
	config_report_all(&parser, report, context);
	return config->errors;
}
