#include "load.h"
#include "config_files.h"
#include "config_machine.h"
#include "elf.h"
#include "firmware.h"
#include "text.h"
#include "volume.h"

#define PAGE_BYTES 4096ull

/* A program on its way from the volume to the arena that all programs share. */
struct pending {
	struct config_file file; /* as the configuration names it; the services: their name */
	struct volume_file open;
	const void *content; /* NULL: not loaded */
	const char *wrong;
};

static struct pending *pending; /* BOOT_PROGRAMS of them */
static uint32_t pendings;
static uint64_t arena, arena_bytes;

static struct boot_info *info;
static config_error report;
static void *report_context;

static void fail(const struct config_file *file, const char *why)
{
	config_file_fail(&info->config, file, why, report, report_context);
}

/* "12M", "340K": short, since firmware's console may be slow. */
static const char *short_size(uint64_t bytes)
{
	static char text[24];

	return text_size(text, bytes >= 10u << 20 ? bytes >> 20 << 20 : (bytes + 1023) >> 10 << 10);
}

void *load_file(const char *path, uint64_t *bytes, const char **wrong)
{
	struct volume_file file;
	void *content = NULL;

	*wrong = volume_open(path, &file);
	*bytes = file.bytes;
	if (!*wrong && !file.bytes)
		*wrong = "the file is empty";
	if (!*wrong) {
		content = firmware_allocate(file.bytes);
		*wrong = content ? volume_read(&file, content, file.bytes) : "memory is too small";
	}
	volume_close(&file);
	return *wrong ? NULL : content;
}

/* Reads an open file into frames of its own and pads them with zeros. */
static const char *read_image(const char *path, struct volume_file *file)
{
	uint64_t room = (file->bytes + FRAME_BYTES - 1) & ~(FRAME_BYTES - 1);
	struct boot_image *image = &info->image[info->images];
	const char *wrong;

	if (!file->bytes)
		return "the file is empty";
	if (info->images == BOOT_IMAGES)
		return "too many different files: 64 at most";
	image->physical = firmware_allocate_frames(file->bytes, false);
	if (!image->physical)
		return "the machine's memory cannot hold it";
	firmware_print("  %s %s", path, short_size(file->bytes));
	wrong = volume_read(file, (void *)image->physical, file->bytes);
	if (wrong)
		return wrong;
	__builtin_memset((uint8_t *)image->physical + file->bytes, 0, room - file->bytes);
	image->bytes = file->bytes;
	text_copy(text_of(path), image->path, sizeof(image->path));
	info->images++;
	return NULL;
}

static void load_image(const struct config_file *file)
{
	struct volume_file open;
	const char *wrong = volume_open(file->path, &open);

	if (!wrong)
		wrong = read_image(file->path, &open);
	volume_close(&open);
	if (wrong)
		fail(file, wrong);
}

/* A file that is an image too is in memory already. */
static const void *loaded_image(const char *path, uint64_t *bytes)
{
	for (uint32_t i = 0; i < info->images; i++) {
		if (!text_same(info->image[i].path, path))
			continue;
		*bytes = info->image[i].bytes;
		return (const void *)info->image[i].physical;
	}
	return NULL;
}

static struct pending *add_pending(const struct config_file *file, const char *path)
{
	struct pending *add = &pending[pendings++];

	add->file = *file;
	add->content = file->image ? loaded_image(file->path, &add->open.bytes) : NULL;
	if (!add->content && !file->image) {
		add->wrong = volume_open(path, &add->open);
		if (!add->wrong && !add->open.bytes)
			add->wrong = "the file is empty";
		arena_bytes += (add->open.bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	}
	return add;
}

/* Reads all open programs one behind the other, since most are far smaller than a frame. */
static void read_pending(void)
{
	uint64_t at;

	arena_bytes = (arena_bytes + FRAME_BYTES - 1) & ~(FRAME_BYTES - 1);
	arena = at = arena_bytes ? firmware_allocate_frames(arena_bytes, false) : 0;
	if (arena)
		__builtin_memset((void *)arena, 0, arena_bytes);
	else
		arena_bytes = 0;
	for (struct pending *p = pending; p < pending + pendings; p++) {
		if (p->content || p->file.image)
			continue;
		if (p->wrong) {
			volume_close(&p->open);
			continue;
		}
		if (!arena)
			p->wrong = "the machine's memory cannot hold it";
		else
			p->wrong = volume_read(&p->open, (void *)at, p->open.bytes);
		if (!p->wrong) {
			p->content = (const void *)at;
			firmware_print("  %s %s", p->file.path, short_size(p->open.bytes));
			at += (p->open.bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
		}
		volume_close(&p->open);
	}
}

/* Makes a boot_program of what was read. False with `error` (ELF_ERROR_BYTES) filled. */
static bool parse_pending(const struct pending *p, char *error)
{
	struct boot_program *program = &info->program[info->programs];

	if (!p->content) {
		text_copy(text_of(p->wrong ? p->wrong : "it was not loaded"), error, ELF_ERROR_BYTES);
		return false;
	}
	if (!elf_parse(p->content, p->open.bytes, &elf_native, program, error))
		return false;
	for (uint32_t i = 0; i < program->segments; i++)
		program->segment[i].physical += (uint64_t)p->content;
	text_copy(text_of(p->file.path), program->path, sizeof(program->path));
	info->programs++;
	return true;
}

static void finish_program(const struct pending *p)
{
	struct config_file as_program = { p->file.path, p->file.line, false, true };
	char error[ELF_ERROR_BYTES];

	/* An image that could not be loaded has been reported for all who need it. */
	if (!p->content && p->file.image)
		return;
	if (!parse_pending(p, error))
		fail(&as_program, error);
	else
		config_program_check(&info->config, p->file.path, elf_end(&info->program[info->programs - 1]), report,
				     report_context);
}

/* Without a monitor no guest can run, but the natives and the console can. */
static void finish_monitor(const struct pending *p)
{
	char error[ELF_ERROR_BYTES];
	struct config *config = &info->config;

	if (parse_pending(p, error))
		return;
	firmware_print("%s%s: %s", LOAD_FOLDER, p->file.path, error);
	for (uint32_t i = 0; i < config->partitions; i++)
		if (config->partition[i].kind == BH_KIND_GUEST)
			config_partition_fail(config, &config->partition[i], config->partition[i].line, report,
					      report_context, "%s needs the monitor, and %s%s: %s",
					      config->partition[i].name, LOAD_FOLDER, p->file.path, error);
}

/* Without the net service its guests run, on networks that carry nothing. */
static void finish_net(const struct pending *p)
{
	struct config_partition *net = &info->config.partition[info->config.net];
	char error[ELF_ERROR_BYTES];

	if (!parse_pending(p, error))
		config_partition_fail(&info->config, net, net->line, report, report_context, "networks need %s%s: %s",
				      LOAD_FOLDER, p->file.path, error);
}

static bool finish_console(const struct pending *p)
{
	char error[ELF_ERROR_BYTES];

	if (parse_pending(p, error))
		return true;
	firmware_give_up("%s%s: %s", LOAD_FOLDER, p->file.path, error);
	return false;
}

/* For the console, which adds to it what is made at run time. Without it there is nothing to add to. */
static void load_configuration(void)
{
	struct volume_file open;

	if (!volume_open(CONFIG_NAME, &open) && open.bytes && open.bytes <= CONFIG_TEXT_MAX)
		read_image(CONFIG_NAME, &open);
	volume_close(&open);
}

static void load_named(struct config_file *files)
{
	uint32_t count = config_files(&info->config, files);

	for (uint32_t i = 0; i < count; i++)
		if (files[i].image)
			load_image(&files[i]);
	for (uint32_t i = 0; i < count; i++)
		if (files[i].program)
			add_pending(&files[i], files[i].path);
}

bool load_all(struct boot_info *boot, config_error to, void *context)
{
	static const struct config_file services[] = { { "monitor.elf", 0, false, true },
						       { "console.elf", 0, false, true },
						       { CONFIG_NET_PROGRAM, 0, false, true } };
	uint32_t first = boot->config.network.networks ? 3 : 2; /* of the programs that the configuration names */
	struct config_file *files = firmware_allocate(CONFIG_FILES * sizeof(*files));

	info = boot;
	report = to;
	report_context = context;
	pending = firmware_allocate(BOOT_PROGRAMS * sizeof(*pending));
	if (!files || !pending) {
		firmware_give_up("Memory is too small even for the list of files.");
		return false;
	}
	load_configuration();
	add_pending(&services[0], LOAD_FOLDER "monitor.elf");
	add_pending(&services[1], LOAD_FOLDER "console.elf");
	if (first > 2)
		add_pending(&services[2], LOAD_FOLDER CONFIG_NET_PROGRAM);
	load_named(files);
	read_pending();
	finish_monitor(&pending[0]);
	if (first > 2)
		finish_net(&pending[2]);
	for (uint32_t i = first; i < pendings; i++)
		finish_program(&pending[i]);
	return finish_console(&pending[1]);
}

void load_mark(const struct boot_info *boot, struct memory_map *map)
{
	memory_map_set(map, arena, arena_bytes, BOOT_MEMORY_IMAGE);
	for (uint32_t i = 0; i < boot->images; i++)
		memory_map_set(map, boot->image[i].physical,
			       (boot->image[i].bytes + FRAME_BYTES - 1) & ~(FRAME_BYTES - 1), BOOT_MEMORY_IMAGE);
}
