#include "creation.h"
#include "api/view.h"
#include "boot/config.h"
#include "creation_text.h"
#include "guests/lib/bh.h"
#include "machine.h"
#include "network.h"
#include "peers.h"
#include "users/journal.h"
#include "watch.h"

#define SECTION_BYTES 4096
#define REST_MS	      150 /* until the CPUs of a partition that has just stopped are done with it */

/* Within one frame, for the kernel. */
static _Alignas(16384) struct config_creation creation;
_Static_assert(sizeof(creation) <= 16384, "within one frame");
_Static_assert(CONFIG_MONITOR_BYTES >> 20 == 4, "as is said below");

static char *kept; /* the sections, for our next life: CREATION_ROOM */

/* ---- what a former life has made ---------------------------------------------------------------- */

static const char *kind_words(uint32_t kind) { return kind == BH_KIND_GUEST ? "guest" : "native"; }

/* Those of partitions that the kernel has; it may have refused the last one, or removed it, when that life ended. */
static void take_sections(void)
{
	const struct config *config;

	kept[CREATION_ROOM - 1] = 0;
	creation_text_add(kept, strlen(kept));
	config = creation_text_parse(NULL);
	for (uint32_t i = 0; i < config->partitions; i++) {
		const struct config_partition *partition = &config->partition[i];
		const struct peer *peer = peers_find(partition->name);

		if (!peer || !peer->runtime)
			creation_text_remove(kind_words(partition->kind), partition->name);
	}
}

void creation_start(char sections[CREATION_ROOM])
{
	const struct bh_info_handle *image = bh_find(CONFIG_NAME, BH_HANDLE_IMAGE);

	kept = sections;
	if (image && bh_map(image->address, image->bytes))
		creation_text_start((const char *)(uintptr_t)image->address, image->bytes);
	else
		creation_text_start("", 0);
	take_sections();
	creation_text_parse(NULL);
}

static void forget(const char *kind, const char *name)
{
	creation_text_remove(kind, name);
	creation_text_keep(kept);
	creation_text_parse(NULL);
}

/* ---- a new one ---------------------------------------------------------------------------------- */

static char section[SECTION_BYTES];

static enum view_change say(enum view_change change, char words[VIEW_SENTENCE], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	bh_vsnprintf(words, VIEW_SENTENCE, format, arguments);
	va_end(arguments);
	return change;
}

static enum view_change image_missing(const char *name, const char *key, char words[VIEW_SENTENCE],
				      char wrong[BH_NAME_BYTES])
{
	struct view_image image;
	int number = view_image_find(name);

	if (number >= 0 && view_image((unsigned)number, &image) && image.received == image.bytes)
		return VIEW_DONE;
	bh_strlcpy(wrong, key, BH_NAME_BYTES);
	return say(VIEW_BAD, words, number < 0 ? "There is no image %s." : "The image %s is not complete.", name);
}

/* What the parser cannot know: images, and what the machine has left. The kernel looks again. */
static enum view_change check(const struct config_partition *wanted, char words[VIEW_SENTENCE],
			      char wrong[BH_NAME_BYTES])
{
	uint64_t cpus = machine_stat(BH_MACHINE_CPUS, 0), memory_free = machine_stat(BH_MACHINE_MEMORY_FREE, 0);
	uint64_t need = wanted->memory_bytes + (wanted->kind == BH_KIND_GUEST ? CONFIG_MONITOR_BYTES : 0);
	enum view_change change = VIEW_DONE;

	if (wanted->kind == BH_KIND_GUEST)
		change = image_missing(wanted->image, "kernel", words, wrong);
	if (change == VIEW_DONE && wanted->initrd[0])
		change = image_missing(wanted->initrd, "initrd", words, wrong);
	if (change != VIEW_DONE)
		return change;
	for (unsigned i = 0; i < wanted->vcpus; i++)
		if (wanted->cpu[i] >= cpus) {
			bh_strlcpy(wrong, "cpus", BH_NAME_BYTES);
			return say(VIEW_NO_ROOM, words, "CPU %u is not there: the machine has CPUs 0 to %u.",
				   (unsigned)wanted->cpu[i], (unsigned)cpus - 1);
		}
	if (need <= memory_free)
		return VIEW_DONE;
	bh_strlcpy(wrong, "memory", BH_NAME_BYTES);
	return say(VIEW_NO_ROOM, words, "%llu MiB of memory do not fit: %llu MiB are free%s.",
		   (unsigned long long)wanted->memory_bytes >> 20, (unsigned long long)memory_free >> 20,
		   wanted->kind == BH_KIND_GUEST ? ", and its monitor needs 4" : "");
}

static void fill(const struct config *config, const struct config_partition *wanted)
{
	creation.partition = *wanted;
	creation.ports = 0;
	for (uint32_t i = 0; i < config->network.ports && creation.ports < BH_PORTS_PER_GUEST; i++)
		if (&config->partition[config->network.port[i].partition] == wanted)
			creation.port[creation.ports++] = config->network.port[i];
}

static enum view_change ask_kernel(char words[VIEW_SENTENCE])
{
	int64_t error = machine_create(BH_PARTITION_CREATE, (uintptr_t)&creation, 0, 0);

	switch (error) {
	case 0: return VIEW_DONE;
	case -BH_ENOMEM:
		return say(VIEW_NO_ROOM, words, "The kernel has no room for it: the log says what is missing.");
	default: return say(VIEW_BAD, words, "The kernel refuses it, and says why in the log.");
	}
}

/* Its section stands at the end of the text. */
static enum view_change create(const char *name, char words[VIEW_SENTENCE], char wrong[BH_NAME_BYTES])
{
	struct creation_error error = { .words = words, .key = wrong };
	const struct config *config = creation_text_parse(&error);
	const struct config_partition *wanted = creation_text_find(name);
	enum view_change change;

	if (words[0])
		return VIEW_BAD;
	if (!wanted || wanted->error[0])
		return say(VIEW_BAD, words, "%s", wanted ? wanted->error : "There is no place for it.");
	if (wanted->grants || wanted->trusted_for_dma) {
		bh_strlcpy(wrong, wanted->grants ? "grants" : "trusted-for-dma", BH_NAME_BYTES);
		return say(VIEW_BAD, words, "Grants are given at boot only.");
	}
	change = check(wanted, words, wrong);
	if (change != VIEW_DONE)
		return change;
	fill(config, wanted);
	creation_text_keep(kept); /* first: the kernel may have made it when we end */
	return ask_kernel(words);
}

/* Those who look after it anew; the net service has its ports when it answers. */
static void refresh(bool ports)
{
	peers_refresh();
	if (ports)
		network_refresh();
}

enum view_change view_create(const char *kind, const char *name, const struct view_key *keys, unsigned count,
			     char words[VIEW_SENTENCE], char wrong[BH_NAME_BYTES])
{
	enum view_change change;

	words[0] = wrong[0] = 0;
	memset(&creation, 0, sizeof(creation));
	if (peers_find(name) || creation_text_find(name))
		change = say(VIEW_TAKEN, words, "The name %s is taken.", name);
	else if (!creation_text_section(section, sizeof(section), kind, name, keys, count, words, wrong))
		change = VIEW_BAD;
	else if (!creation_text_add(section, strlen(section)))
		change = say(VIEW_NO_ROOM, words, "The configuration has no room for more.");
	else
		change = create(name, words, wrong);
	if (change == VIEW_DONE) {
		refresh(creation.ports);
		watch_seen(peers_find(name)); /* that it is there is no news */
	} else if (change != VIEW_TAKEN) {
		forget(kind, name);
	}
	journal_add(change == VIEW_DONE ? "done" : "refused", "create %s %s", kind, name);
	return change;
}

/* ---- and its end -------------------------------------------------------------------------------- */

static int64_t ask_removal(const struct peer *peer)
{
	int64_t error = bh_call1(BH_PARTITION_REMOVE, peer->partition);

	for (unsigned i = 0;
	     i < REST_MS && error == -BH_ESTATE && peer_stat(peer, BH_STAT_STATE, 0) == BH_STATE_STOPPED; i++) {
		bh_sleep_ms(1);
		error = bh_call1(BH_PARTITION_REMOVE, peer->partition);
	}
	return error;
}

enum view_change view_remove(unsigned number, char words[VIEW_SENTENCE])
{
	const struct peer *peer = &peers[number];
	const char *kind = kind_words(peer->kind);
	const struct config_partition *config = creation_text_find(peer->name);
	char name[BH_NAME_BYTES];
	bool ports = config && creation_text_has_ports(config);
	int64_t error;

	bh_strlcpy(name, peer->name, sizeof(name));
	if (!peer->runtime)
		return say(VIEW_BUSY, words,
			   "%s is of the boot's configuration: only what was made since can be removed.", name);
	error = ask_removal(peer);
	journal_add(error ? "refused" : "done", "remove %s", name);
	if (error)
		return say(VIEW_BUSY, words, "%s is %s: only one that is stopped can be removed.", name,
			   peer_state_words((uint64_t)peer_stat(peer, BH_STAT_STATE, 0),
					    (uint64_t)peer_stat(peer, BH_STAT_CAUSE, 0)));
	forget(kind, name);
	refresh(ports);
	return VIEW_DONE;
}
