/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What answers to rejected packets have to be, written by their RFCs and
 * without haste; for whole packets, whose headers tell no lies.
 */
#ifndef WEIR_TESTS_BPF_ANSWER_REFERENCE_H
#define WEIR_TESTS_BPF_ANSWER_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#define LINK 14 /* bytes of an Ethernet header */

/* Big endian. */
void put16(uint8_t *at, unsigned int value);
void put32(uint8_t *at, uint32_t value);

/* Where what is behind the IP header begins, and what it is. */
size_t transport_of(const uint8_t *ip, uint8_t *ret_protocol);

/* Puts in the right checksums, and the length of a datagram. */
void seal(uint8_t *ip, size_t length);

/* Writes the frame that answers a frame; returns its length. */
size_t answer_for(const uint8_t *in, uint8_t *out);

#endif
