/*
 * hostile_nic.h: a NIC whose registers and memory say what the input says, between any two calls of its driver. No call
 * may leave the driver's memory or its BARs, hand out a frame that cannot be, or fail to return.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * After fake_nic_reset and so on: starts the driver of `id`, then plays the input. With `from_start` the model is not
 * even asked at the start.
 */
void hostile_nic(uint32_t id, bool from_start, const uint8_t *data, size_t size);
