/* pic.c: command words and priorities of the 8259A. */
#include "pic.h"

#define CASCADE 2 /* the master's input that the slave drives */

#define ICW1	    0x10
#define ICW1_ICW4   0x01
#define ICW1_SINGLE 0x02
#define ICW4_AEOI   0x02
#define OCW3	    0x08

/* ELCR: inputs 0, 1, 2, 8 and 13 are edge-triggered for ever. */
static const uint8_t elcr_writable[2] = { 0xf8, 0xde };

/* How far an input is from the highest priority: 0 to 7. */
static unsigned rank(const struct pic_chip *chip, unsigned input) { return (input - chip->lowest - 1) & 7; }

/* The input with the highest priority among `inputs`, or -1. */
static int highest(const struct pic_chip *chip, uint8_t inputs)
{
	for (unsigned i = 1; i <= 8; i++)
		if (inputs >> ((chip->lowest + i) & 7) & 1)
			return (chip->lowest + i) & 7;
	return -1;
}

/* The input that asks for service now, or -1: open, and more urgent than those in service. */
static int pending(const struct pic_chip *chip)
{
	int input = highest(chip, chip->irr & ~chip->imr);
	int served = highest(chip, chip->special_mask ? chip->isr & ~chip->imr : chip->isr);

	if (input < 0 || (served >= 0 && rank(chip, (unsigned)input) >= rank(chip, (unsigned)served)))
		return -1;
	return input;
}

static void set_input(struct pic_chip *chip, unsigned input, bool level)
{
	uint8_t bit = (uint8_t)(1u << input);
	bool rises = level && !(chip->lines & bit);

	chip->lines = level ? chip->lines | bit : chip->lines & ~bit;
	if (rises)
		chip->irr |= bit;
	else if (!level)
		chip->irr &= ~bit;
}

static void update_cascade(struct pic *pic) { set_input(&pic->chip[0], CASCADE, pending(&pic->chip[1]) >= 0); }

static void end_of_interrupt(struct pic_chip *chip, int input, bool rotate)
{
	if (input < 0)
		return;
	chip->isr &= ~(1u << input);
	if (rotate)
		chip->lowest = (uint8_t)input;
}

/* The chip's answer to INTA: 7 when the request has gone (spurious). */
static unsigned take(struct pic_chip *chip)
{
	int input = pending(chip);

	if (input < 0)
		return 7;
	chip->isr |= 1u << input;
	if (!(chip->level >> input & 1))
		chip->irr &= ~(1u << input);
	if (chip->icw4 & ICW4_AEOI)
		end_of_interrupt(chip, input, chip->rotate_on_aeoi);
	return (unsigned)input;
}

void pic_set(struct pic *pic, unsigned irq, bool level)
{
	bh_lock(&pic->lock);
	if (irq != CASCADE)
		set_input(&pic->chip[irq / 8 & 1], irq & 7, level);
	update_cascade(pic);
	bh_unlock(&pic->lock);
}

bool pic_output(struct pic *pic)
{
	bh_lock(&pic->lock);
	bool output = pending(&pic->chip[0]) >= 0;
	bh_unlock(&pic->lock);
	return output;
}

uint8_t pic_acknowledge(struct pic *pic)
{
	bh_lock(&pic->lock);
	unsigned input = take(&pic->chip[0]);
	uint8_t vector = (uint8_t)(pic->chip[0].vector + input);

	if (input == CASCADE)
		vector = (uint8_t)(pic->chip[1].vector + take(&pic->chip[1]));
	update_cascade(pic);
	bh_unlock(&pic->lock);
	return vector;
}

static void write_icw1(struct pic_chip *chip, uint8_t value)
{
	uint8_t lines = chip->lines, level = chip->level;

	*chip = (struct pic_chip){ .lines = lines, .level = level, .lowest = 7, .init_step = 2 };
	chip->irr = lines & level;
	chip->needs_icw4 = value & ICW1_ICW4;
	chip->single = value & ICW1_SINGLE;
}

/* OCW2: bits 7:5 say rotate, specific, EOI. */
static void write_ocw2(struct pic_chip *chip, uint8_t value)
{
	bool rotate = value & 0x80, specific = value & 0x40, eoi = value & 0x20;

	if (eoi)
		end_of_interrupt(chip, specific ? value & 7 : highest(chip, chip->isr), rotate);
	else if (rotate && specific)
		chip->lowest = value & 7;
	else if (!specific)
		chip->rotate_on_aeoi = rotate;
}

static void write_ocw3(struct pic_chip *chip, uint8_t value)
{
	if (value & 0x04)
		chip->poll = true;
	if (value & 0x02)
		chip->read_isr = value & 0x01;
	if (value & 0x40)
		chip->special_mask = value & 0x20;
}

static void write_command(struct pic_chip *chip, uint8_t value)
{
	if (value & ICW1)
		write_icw1(chip, value);
	else if (value & OCW3)
		write_ocw3(chip, value);
	else
		write_ocw2(chip, value);
}

static void write_data(struct pic_chip *chip, uint8_t value)
{
	switch (chip->init_step) {
	case 2:
		chip->vector = value & 0xf8;
		chip->init_step = !chip->single ? 3 : chip->needs_icw4 ? 4 : 0;
		return;
	case 3: /* the wiring is what it is */ chip->init_step = chip->needs_icw4 ? 4 : 0; return;
	case 4:
		chip->icw4 = value;
		chip->init_step = 0;
		return;
	}
	chip->imr = value;
}

/* A poll is an INTA that the processor reads. */
static uint8_t read_poll(struct pic_chip *chip)
{
	bool any = pending(chip) >= 0;

	chip->poll = false;
	return any ? (uint8_t)(0x80 | take(chip)) : 0;
}

uint32_t pic_read(void *device, uint16_t port, unsigned size)
{
	struct pic *pic = device;
	struct pic_chip *chip = &pic->chip[port >> 7 & 1];
	uint8_t value;

	(void)size;
	bh_lock(&pic->lock);
	if (chip->poll)
		value = read_poll(chip);
	else if (port & 1)
		value = chip->imr;
	else
		value = chip->read_isr ? chip->isr : chip->irr;
	update_cascade(pic);
	bh_unlock(&pic->lock);
	return value;
}

void pic_write(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct pic *pic = device;
	struct pic_chip *chip = &pic->chip[port >> 7 & 1];

	(void)size;
	bh_lock(&pic->lock);
	if (port & 1)
		write_data(chip, (uint8_t)value);
	else
		write_command(chip, (uint8_t)value);
	update_cascade(pic);
	bh_unlock(&pic->lock);
}

uint32_t pic_read_elcr(void *device, uint16_t port, unsigned size)
{
	struct pic *pic = device;

	(void)size;
	return pic->chip[port & 1].level;
}

void pic_write_elcr(void *device, uint16_t port, unsigned size, uint32_t value)
{
	struct pic *pic = device;

	(void)size;
	bh_lock(&pic->lock);
	pic->chip[port & 1].level = value & elcr_writable[port & 1];
	bh_unlock(&pic->lock);
}

void pic_init(struct pic *pic)
{
	*pic = (struct pic){ 0 };
	for (unsigned i = 0; i < 2; i++) {
		pic->chip[i].lowest = 7;
		pic->chip[i].imr = 0xff;
	}
}
