/* Images and partitions made at run time, by the console of fake_system.h. */
#include <string.h>
#include "audit.h"
#include "boot/config_record.h"
#include "channel.h"
#include "fake_system.h"
#include "frame.h"
#include "pool.h"

static uint64_t machine;
static struct config_creation creation;

#define AT 0x200000 /* in the console's memory */

static int64_t call(uint64_t number, uint64_t b, uint64_t c, uint64_t d)
{
	return fake_call(the_console->vcpu[0], number, machine, b, c, d, 0);
}

static void put(uint64_t address, const void *data, size_t bytes)
{
	memcpy(fake_memory(the_console->extent[0].physical + address), data, bytes);
}

static void assert_clean(void) { assert_int_equal(call(BH_MACHINE_CONTROL, BH_AUDIT, 0, 0), 0); }

/* ---- images ---- */

#define WORD(member) (offsetof(struct bh_image, member) / 8)

static int64_t image_create(const char *name, uint64_t bytes)
{
	struct bh_image image = { .bytes = bytes };

	strncpy(image.name, name, sizeof(image.name));
	put(AT, &image, sizeof(image));
	return call(BH_IMAGE_CREATE, AT, 0, 0);
}

static void test_image_refused(void **state)
{
	static const char *const names[] = { "", ".x", "a/b", "a b", "x.", "\xc3\xa4" };
	uint64_t before = frame_free_bytes();
	char endless[BH_IMAGE_NAME_BYTES + 1];

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(image_create(names[i], 1), -BH_EINVAL);
	memset(endless, 'x', sizeof(endless));
	endless[BH_IMAGE_NAME_BYTES] = 0;
	assert_int_equal(image_create(endless, 1), -BH_EINVAL);
	assert_int_equal(image_create("x", 0), -BH_EINVAL);
	assert_int_equal(image_create("x", UINT64_MAX), -BH_EINVAL);
	assert_int_equal(image_create("x", before + 1), -BH_ENOMEM);
	assert_int_equal(image_create("vmlinuz", 1), -BH_EINVAL);
	assert_int_equal(call(BH_IMAGE_CREATE, the_console->memory_bytes - 8, 0, 0), -BH_EINVAL);
	assert_int_equal(call(BH_IMAGE_CREATE, UINT64_MAX - 8, 0, 0), -BH_EINVAL);
	assert_int_equal(call(BH_IMAGE_STAT, BH_IMAGES, WORD(bytes), 0), -BH_ENOENT);
	assert_int_equal(call(BH_IMAGE_STAT, 9, WORD(bytes), 0), -BH_ENOENT);
	assert_int_equal(call(BH_IMAGE_WRITE, 0, AT, 1), -BH_EINVAL); /* of the boot */
	assert_int_equal(call(BH_IMAGE_REMOVE, 0, 0, 0), -BH_ESTATE);
	assert_int_equal(frame_free_bytes(), before);
	assert_clean();
}

static int64_t write_all(int64_t image, uint64_t bytes)
{
	int64_t error = 0;

	for (uint64_t done = 0, piece; done < bytes && !error; done += piece) {
		piece = bytes - done < 0x10000 ? bytes - done : 0x10000;
		error = call(BH_IMAGE_WRITE, (uint64_t)image, 2 * FAKE_FRAME - 0x10000, piece);
	}
	return error;
}

static void test_image(void **state)
{
	uint64_t before = frame_free_bytes(), bytes = FAKE_FRAME + 5;
	int64_t image = image_create("initrd.img", bytes);
	uint64_t physical = fake_boot.image[image].physical;

	(void)state;
	assert_true(image > 0);
	assert_int_equal(before - frame_free_bytes(), 2 * FAKE_FRAME);
	fake_memory_fill(physical, FAKE_FRAME, 0xee);
	fake_memory_fill(physical + FAKE_FRAME, FAKE_FRAME, 0xee);
	fake_memory_fill(the_console->extent[0].physical + FAKE_FRAME, 3 * FAKE_FRAME, 0x77);
	assert_int_equal(call(BH_IMAGE_WRITE, (uint64_t)image, 0, FAKE_FRAME + 1), -BH_EINVAL);
	/* Across the border of two frames of the caller's. */
	assert_int_equal(call(BH_IMAGE_WRITE, (uint64_t)image, FAKE_FRAME - 1, 2), -BH_EINVAL);
	assert_int_equal(call(BH_IMAGE_WRITE, (uint64_t)image, the_console->memory_bytes, 1), -BH_EINVAL);
	assert_int_equal(write_all(image, bytes), 0);
	assert_int_equal(call(BH_IMAGE_WRITE, (uint64_t)image, 0, 1), -BH_EINVAL);
	assert_int_equal(call(BH_IMAGE_STAT, (uint64_t)image, WORD(missing), 0), 0);
	assert_int_equal(call(BH_IMAGE_STAT, (uint64_t)image, WORD(uploaded), 0), 1);
	assert_true(fake_memory_is(physical, FAKE_FRAME, 0x77));
	assert_true(fake_memory_is(physical + FAKE_FRAME, 5, 0x77));
	assert_true(fake_memory_is(physical + FAKE_FRAME + 5, FAKE_FRAME - 5, 0));
	assert_clean();
	assert_int_equal(call(BH_IMAGE_REMOVE, (uint64_t)image, 0, 0), 0);
	assert_int_equal(call(BH_IMAGE_STAT, (uint64_t)image, WORD(bytes), 0), -BH_ENOENT);
	assert_int_equal(call(BH_IMAGE_WRITE, (uint64_t)image, 0, 1), -BH_ENOENT);
	assert_int_equal(frame_free_bytes(), before);
	assert_clean();
}

/* ---- partitions ---- */

static void want(const char *name, enum bh_kind kind, const char *image)
{
	struct config_partition *p = &creation.partition;

	memset(&creation, 0, sizeof(creation));
	*p = (struct config_partition){ .kind = kind,
					.memory_bytes = 4 * FAKE_MIB,
					.vcpus = 2,
					.cpu = { 3, 0 },
					.weight = 100,
					.cap_percent = 100,
					.restart_limit = UINT32_MAX };
	strcpy(p->name, name);
	strcpy(p->image, image);
}

static int64_t create(void)
{
	put(AT, &creation, sizeof(creation));
	return call(BH_PARTITION_CREATE, AT, 0, 0);
}

static struct partition *find(const char *name)
{
	for (unsigned i = 0; i < partition_count; i++)
		if (partitions[i]->state != BH_STATE_REMOVED && !strcmp(partitions[i]->name, name))
			return partitions[i];
	return NULL;
}

static int64_t on(uint64_t handle, uint64_t number, uint64_t b)
{
	return fake_call(the_console->vcpu[0], number, handle, b, 0, 0, 0);
}

static void live_and_go(enum bh_kind kind)
{
	uint64_t before, pool, handle, physical;
	struct partition *gamma;

	for (unsigned life = 0; life < 3; life++) {
		before = frame_free_bytes();
		pool = pool_free_bytes();
		want("gamma", kind, kind == BH_KIND_GUEST ? "vmlinuz" : "ping.elf");
		creation.partition.vcpus = 2 - life % 2;
		assert_int_equal(create(), 0);
		gamma = find("gamma");
		handle = fake_handle(the_console, BH_HANDLE_PARTITION, "gamma");
		assert_int_equal(gamma->vcpus, 2 - life % 2);
		assert_int_equal(create(), -BH_EINVAL);
		assert_clean();
		fake_start(gamma);
		assert_int_equal(gamma->state, BH_STATE_RUNNING);
		assert_int_equal(gamma->epoch, 1);
		assert_int_equal(on(handle, BH_PARTITION_REMOVE, 0), -BH_ESTATE);
		physical = gamma->extent[0].physical;
		fake_memory_fill(physical, FAKE_FRAME, 0x99);
		assert_int_equal(on(handle, BH_PARTITION_CONTROL, BH_STOP), 0);
		fake_settle();
		assert_int_equal(on(handle, BH_PARTITION_REMOVE, 0), 0);
		assert_null(find("gamma"));
		assert_null(find("gamma.monitor"));
		assert_true(fake_memory_is(physical, FAKE_FRAME, 0));
		assert_int_equal(on(handle, BH_PARTITION_STAT, BH_STAT_STATE), -BH_EBADF);
		assert_clean();
	}
	/* The first one leaves its channel and its vCPUs for the others. */
	assert_int_equal(frame_free_bytes(), before);
	assert_int_equal(pool_free_bytes(), pool);
}

static void test_guest(void **state)
{
	(void)state;
	live_and_go(BH_KIND_GUEST);
}

static void test_native(void **state)
{
	(void)state;
	live_and_go(BH_KIND_NATIVE);
}

static void assert_refused(int64_t error)
{
	uint64_t before = frame_free_bytes();

	assert_int_equal(create(), error);
	assert_int_equal(frame_free_bytes(), before);
	assert_null(find("gamma"));
	assert_clean();
}

static void test_partition_refused(void **state)
{
	(void)state;
	want("gamma", BH_KIND_GUEST, "no-such");
	assert_refused(-BH_EINVAL);
	want("gamma", BH_KIND_NATIVE, "no-such.elf");
	assert_refused(-BH_EINVAL);
	want("gamma", BH_KIND_GUEST, "vmlinuz");
	creation.partition.memory_bytes = 64ull << 30;
	assert_refused(-BH_ENOMEM);
	creation.partition.memory_bytes = 4095;
	assert_refused(-BH_EINVAL);
	want("gamma", BH_KIND_MONITOR, "vmlinuz");
	assert_refused(-BH_EINVAL);
	want("gam\nma", BH_KIND_GUEST, "vmlinuz");
	assert_refused(-BH_EINVAL);
	want("gamma", BH_KIND_GUEST, "vmlinuz");
	creation.partition.cpu[0] = FAKE_CPUS;
	assert_refused(-BH_EINVAL);
	creation.partition.cpu[0] = 1; /* linux shares it */
	creation.partition.dedicated = 1;
	assert_refused(-BH_EINVAL);
	want("gamma", BH_KIND_GUEST, "vmlinuz");
	creation.partition.grants = 1;
	assert_refused(-BH_EINVAL);
	want("gamma", BH_KIND_GUEST, "vmlinuz");
	creation.ports = 1;
	assert_refused(-BH_EINVAL);
	want("gamma", BH_KIND_GUEST, "vmlinuz");
	memset(creation.partition.command, 'x', sizeof(creation.partition.command));
	assert_refused(-BH_EINVAL);
	want("gamma", BH_KIND_GUEST, "vmlinuz");
	creation.partition.vcpus = 17;
	assert_refused(-BH_EINVAL);
}

/* The guest's own memory is there, that of its monitor is not; the place that it had serves the next attempt. */
static void test_half_way(void **state)
{
	uint64_t pool;

	(void)state;
	want("gamma", BH_KIND_GUEST, "vmlinuz");
	creation.partition.memory_bytes = frame_free_bytes() - FAKE_FRAME;
	assert_refused(-BH_ENOMEM);
	pool = pool_free_bytes();
	for (unsigned i = 0; i < 10; i++)
		assert_refused(-BH_ENOMEM);
	assert_int_equal(pool_free_bytes(), pool);
	assert_int_equal(fake_boot.config.partition[fake_boot.config.partitions - 1].name[0], 0);
}

/* An image of whole frames, all there: writing nothing more must not touch the frame behind it, which is another's. */
static void test_nothing_behind_an_image(void **state)
{
	int64_t image = image_create("whole", FAKE_FRAME);
	uint64_t behind = fake_boot.image[image].physical + FAKE_FRAME;

	(void)state;
	assert_int_equal(write_all(image, FAKE_FRAME), 0);
	fake_memory_fill(behind, FAKE_FRAME, 0xee);
	assert_int_equal(call(BH_IMAGE_WRITE, (uint64_t)image, 0, 0), -BH_EINVAL);
	assert_true(fake_memory_is(behind, FAKE_FRAME, 0xee));
	assert_int_equal(call(BH_IMAGE_REMOVE, (uint64_t)image, 0, 0), 0);
}

/* Its key, for example: not to be seen, written, removed or given to anybody. */
static void test_consoles_own(void **state)
{
	struct bh_console_file *file = &fake_boot.config.network.file[BH_FILE_KEY];
	struct boot_image *image = &fake_boot.image[fake_boot.images];
	uint64_t number = fake_boot.images++;

	(void)state;
	strcpy(file->path, "console.key");
	strcpy(image->path, "console.key");
	image->bytes = 100;
	image->physical = fake_boot.image[0].physical;
	for (unsigned word = 0; word < sizeof(struct bh_image) / 8; word++)
		assert_int_equal(call(BH_IMAGE_STAT, number, word, 0), -BH_ENOENT);
	assert_int_equal(call(BH_IMAGE_WRITE, number, AT, 1), -BH_ENOENT);
	assert_int_equal(call(BH_IMAGE_REMOVE, number, 0, 0), -BH_ENOENT);
	assert_int_equal(image_create("console.key", 5), -BH_EINVAL);
	/* Nor if it did not come with the boot. */
	strcpy(fake_boot.config.network.file[BH_FILE_TOKENS].path, "tokens.txt");
	assert_int_equal(image_create("tokens.txt", 5), -BH_EINVAL);
	assert_int_equal(image_create("bulkhead.conf", 5), -BH_EINVAL);
	want("gamma", BH_KIND_GUEST, "console.key");
	assert_refused(-BH_EINVAL);
	want("gamma", BH_KIND_GUEST, "vmlinuz");
	strcpy(creation.partition.initrd, "console.key");
	assert_refused(-BH_EINVAL);
	memset(image, 0, sizeof(*image));
	fake_boot.images--;
	file->path[0] = 0;
}

/* Half of it has come. */
static void test_incomplete_image(void **state)
{
	int64_t image = image_create("half", 100);

	(void)state;
	assert_int_equal(call(BH_IMAGE_WRITE, (uint64_t)image, AT, 50), 0);
	want("gamma", BH_KIND_GUEST, "half");
	assert_refused(-BH_EINVAL);
	assert_int_equal(call(BH_IMAGE_WRITE, (uint64_t)image, AT, 50), 0);
	assert_int_equal(create(), 0);
	assert_int_equal(call(BH_IMAGE_REMOVE, (uint64_t)image, 0, 0), -BH_ESTATE);
	assert_int_equal(on(fake_handle(the_console, BH_HANDLE_PARTITION, "gamma"), BH_PARTITION_REMOVE, 0), 0);
	assert_int_equal(call(BH_IMAGE_REMOVE, (uint64_t)image, 0, 0), 0);
	assert_clean();
}

/* Whoever is not the console has no such right, and what the boot has made stays. */
static void test_rights(void **state)
{
	uint64_t boots = fake_handle(the_console, BH_HANDLE_PARTITION, "linux");

	(void)state;
	assert_int_equal(on(boots, BH_PARTITION_REMOVE, 0), -BH_EPERM);
	for (unsigned i = 0; i < 64; i++)
		assert_true(fake_call(the_ping->vcpu[0], BH_PARTITION_CREATE, i, AT, 0, 0, 0) < 0);
}

/* Records of any content make nothing, or something whole; never a panic. */
static void test_random(void **state)
{
	uint32_t noise = 1;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		uint8_t *bytes = (uint8_t *)&creation;

		want("gamma", round % 2 ? BH_KIND_GUEST : BH_KIND_NATIVE, round % 2 ? "vmlinuz" : "ping.elf");
		for (unsigned i = 0; i < round % 7; i++) {
			noise = noise * 1664525 + 1013904223;
			bytes[(noise >> 8) % (offsetof(struct config_partition, grant))] = (uint8_t)(noise >> 4);
		}
		if (create() == 0 && find(creation.partition.name))
			assert_int_equal(on(fake_handle(the_console, BH_HANDLE_PARTITION, creation.partition.name),
					    BH_PARTITION_REMOVE, 0),
					 0);
		assert_clean();
	}
}

static int prepare(void **state)
{
	int error = fake_system(state);

	machine = fake_handle(the_console, BH_HANDLE_MACHINE, "machine");
	return error;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_image_refused, fake_system_reset),
		cmocka_unit_test_setup(test_image, fake_system_reset),
		cmocka_unit_test_setup(test_guest, fake_system_reset),
		cmocka_unit_test_setup(test_native, fake_system_reset),
		cmocka_unit_test_setup(test_partition_refused, fake_system_reset),
		cmocka_unit_test_setup(test_half_way, fake_system_reset),
		cmocka_unit_test_setup(test_nothing_behind_an_image, fake_system_reset),
		cmocka_unit_test_setup(test_consoles_own, fake_system_reset),
		cmocka_unit_test_setup(test_incomplete_image, fake_system_reset),
		cmocka_unit_test_setup(test_rights, fake_system_reset),
		cmocka_unit_test_setup(test_random, fake_system_reset),
	};

	return cmocka_run_group_tests(tests, prepare, fake_system_end);
}
