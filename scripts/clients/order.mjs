// A Zod model with every kind of field that people use in structured outputs. Any value that fits
// is accepted. Its objects are strict: an additional key is an error.

import { z } from 'zod';

const Part = z.strictObject({
  name: z.string(),
  price: z.number().min(0.5).max(99.5),
  colour: z.enum(['red', 'green']),
});

export const Comment = z.strictObject({
  text: z.string(),
  get reply() {
    return Comment.nullable();
  },
});

export const Order = z.strictObject({
  id: z.uuid(),
  title: z.string().min(3).max(20),
  email: z.email(),
  at: z.iso.datetime(),
  day: z.iso.date(),
  count: z.int().gt(4).lt(9),
  ratio: z.number(),
  done: z.boolean(),
  kind: z.literal('order'),
  tags: z.array(z.string()).min(2).max(4),
  parts: z.array(Part),
  best: Part,
  note: z.string().nullable(),
  comment: Comment,
  size: z.union([z.number(), z.string()]),
});
