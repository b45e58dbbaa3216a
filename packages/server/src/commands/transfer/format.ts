import { z } from 'zod';

/** Of what an export is made. A reader refuses a higher number; any change that an older reader would misread needs one. */
export const FORMAT_VERSION = 1;

/** A part ends with the record that brings it to this many, or to this many bytes. */
export const PART_RECORDS = 1_000;
export const PART_BYTES = 1_048_576;

/** No part that was ever written is nearly as large: a longer one is damage, and is not read into memory. */
export const PART_BYTES_MAX = 64 * PART_BYTES;

const count = z.int().min(0);
const countsSchema = z.object({ account: count, login: count, event: count, attempt: count });
const checksum = z.string().regex(/^[0-9a-f]{64}$/);

/** The first line. */
export const headerSchema = z.object({
  kind: z.literal('header'),
  format: z.literal('tertulia-export'),
  version: z.int().min(1),
  id: z.uuid(),
  created_at: z.iso.datetime(),
  /** A move was made of a database that nobody used meanwhile: clients may go on where it is imported. A copy may be old. */
  purpose: z.enum(['copy', 'move']),
  source: z.object({ store: z.string(), tertulia: z.string() }),
  epoch: z.string().min(1),
  /** As they were when the export began, for whoever watches it. */
  counts: countsSchema,
});
export type ExportHeader = z.infer<typeof headerSchema>;

/** The line after each part. */
export const partSchema = z.object({
  kind: z.literal('part'),
  number: count,
  records: count,
  /** SHA-256 of every byte before this line, so that it vouches for the order of the parts as well. */
  sha256: checksum,
});

/** The last line: without it an export is cut off. */
export const endSchema = z.object({
  kind: z.literal('end'),
  parts: count,
  counts: countsSchema,
  sha256: checksum,
});
export type ExportEnd = z.infer<typeof endSchema>;
