// Zod models of composite values: nested objects, unions, arrays, records, recursive models, and
// models derived from others.

import { z } from 'zod';

// --- nested objects -------------------------------------------------------------------------

const Coordinates = z.object({
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
});
const Address = z.object({
  street: z.string().describe('Street and number.'),
  postcode: z.string().regex(/^\d{5}$/),
  at: Coordinates,
});
const Person = z.object({
  name: z.string(),
  home: Address,
  work: Address.describe('Where the person works.'),
  former: z.array(Address).max(3),
});
const Nullables = z.object({
  text: z.string().nullable(),
  number: z.int().gt(3).lt(5).nullable(),
  object: Coordinates.nullable(),
  list: z.array(z.boolean().nullable()).min(2).nullable(),
  choice: z.enum(['a', 'b']).nullable(),
});
const Optionals = z.object({
  required: z.string(),
  optional: z.string().optional(),
  both: z.int().nullish(),
  object: Coordinates.optional(),
  list: z.array(z.string()).min(1).optional(),
});
const Deep = z.object({
  one: z.object({ two: z.object({ three: z.object({ four: z.object({ leaf: z.boolean() }) }) }) }),
});
const Account = z.object({ id: z.uuid(), owner: Person, tags: z.array(z.string()) });

// --- unions ---------------------------------------------------------------------------------

const Cat = z.object({ kind: z.literal('cat'), lives: z.int().min(1).max(9) });
const Dog = z.object({ kind: z.literal('dog'), good: z.literal(true) });
const Bird = z.object({ kind: z.enum(['crow', 'hen']), wingspan: z.number().positive() });
const Unions = z.object({
  scalar: z.union([z.int(), z.string(), z.null()]),
  bounded: z.union([z.int().gt(100), z.string().min(5)]),
  models: z.union([Cat, Coordinates]),
  listed: z.array(z.union([z.uuid(), z.iso.date(), Coordinates])).min(3),
});
const Discriminated = z.object({
  pet: z.discriminatedUnion('kind', [Cat, Dog, Bird]),
  pets: z.array(z.discriminatedUnion('kind', [Cat, Dog])).min(2),
});
const Result = z.object({
  result: z.discriminatedUnion('ok', [
    z.object({ ok: z.literal(true), value: z.int() }),
    z.object({ ok: z.literal(false), error: z.string().min(1) }),
  ]),
});
const Exclusive = z.object({ one: z.xor([z.string(), z.int()]), other: z.xor([Cat, Dog]) });

// --- arrays and tuples ----------------------------------------------------------------------

const Arrays = z.object({
  bounded: z.array(z.int()).min(2).max(3),
  exact: z.array(z.string()).length(4),
  empty: z.array(z.int()).max(0),
  matrix: z.array(z.array(z.number()).length(2)).min(2),
  filled: z.array(Coordinates).nonempty(),
});
const Tuples = z.object({
  pair: z.tuple([z.string(), z.int()]),
  nested: z.tuple([Coordinates, z.tuple([z.boolean(), z.null()])]),
  rest: z.tuple([z.string()], z.int()),
  nothing: z.tuple([]),
});

// --- records --------------------------------------------------------------------------------

const Records = z.object({
  counts: z.record(z.string(), z.int()),
  nested: z.record(z.string(), z.record(z.string(), z.array(z.boolean()))),
  objects: z.record(z.string(), Coordinates),
});
const Keys = z.object({
  by_enum: z.record(z.enum(['mon', 'tue', 'wed']), z.int()),
  by_literal: z.record(z.literal(['low', 'high']), z.boolean()),
  by_uuid: z.record(z.uuid(), z.string()),
  by_pattern: z.record(z.string().regex(/^[a-z]{2}_[A-Z]{2}$/), z.string()),
  by_length: z.record(z.string().length(3), z.int()),
});
const PartialRecord = z.object({
  some: z.partialRecord(z.enum(['mon', 'tue', 'wed']), z.int()),
  loose: z.looseRecord(z.string().regex(/^x-/), z.string()),
});
const Loose = z.looseObject({ name: z.string() });
const CatchAll = z.object({ name: z.string() }).catchall(z.int());
const Unknowns = z.object({
  any: z.any(),
  unknown: z.unknown(),
  things: z.array(z.unknown()).min(1),
  json: z.json(),
  untyped: z.record(z.string(), z.any()),
});
const Nothing = z.object({});

// --- recursive models -----------------------------------------------------------------------

const Tree = z.object({
  value: z.int(),
  get children() {
    return z.array(Tree);
  },
});
const LinkedList = z.object({
  value: z.string(),
  get next() {
    return LinkedList.nullable();
  },
});
const Department = z.object({
  title: z.string(),
  get staff() {
    return z.array(Employee).max(2);
  },
});
const Employee = z.object({
  name: z.string(),
  get department() {
    return Department.nullable();
  },
});
const Expression = z.lazy(() => z.union([z.number(), Operation]));
const Operation = z.object({
  operator: z.enum(['+', '*']),
  left: Expression,
  right: Expression,
});
const Folder = z.object({
  name: z.string(),
  get entries() {
    return z.record(z.string(), z.union([Folder, z.string()]));
  },
});

// --- derived and annotated models -----------------------------------------------------------

const Changed = Person.pick({ name: true })
  .extend({ age: z.int().min(18).max(99), at: Coordinates.omit({ latitude: true }) })
  .safeExtend({ name: z.string().min(3) });
const Partial = Person.partial().required({ name: true });
const Intersected = z.object({
  both: z.intersection(z.object({ a: z.string() }), z.object({ b: z.int() })),
});
const IntersectedValues = z.object({
  number: z.intersection(z.number().min(3), z.number().max(5)),
  text: z.string().min(3).and(z.string().max(4)),
  open: z.looseObject({ a: z.string() }).and(z.looseObject({ b: z.int() })),
});
const Described = z
  .object({
    price: z.number().meta({ title: 'The price', unit: 'EUR', examples: [1.5] }),
    old: z.string().meta({ deprecated: true }).describe('No longer used.'),
    fixed: z.string().readonly(),
    branded: z.int().brand('Id'),
  })
  .meta({ title: 'A described model', description: 'A model with metadata.' });
const Shared = z.object({
  first: Coordinates.meta({ id: 'coordinates' }),
  second: z.array(z.lazy(() => Coordinates.meta({ id: 'coordinates-2' }))),
});
const Defaults = z.object({
  title: z.string().default('untitled'),
  count: z.int().min(1).default(3),
  tags: z.array(z.string()).prefault(['a']),
  caught: z.int().catch(0),
});
const Transformed = z.object({
  refined: z.int().refine((value) => Number.isInteger(value)),
  transformed: z.string().transform((value) => value.length),
  piped: z.string().min(3).pipe(z.string().max(100)),
  coerced: z.coerce.number().min(3),
});
const OddNames = z.object({
  'a b/c~d%e': z.string(),
  $ref: z.int(),
  '': z.boolean(),
  'naïve ☕': z.null(),
  type: z.string(),
  properties: z.array(z.string()),
});
const Review = z.object({
  sentiment: z.enum(['positive', 'neutral', 'negative']),
  confidence: z.number().min(0).max(1).describe('How certain it is.'),
  rating: z.int().min(1).max(5).nullable(),
  aspects: z.array(z.string()).max(10),
  published: z.iso.date().nullable(),
});

export const MODELS = {
  ...{ Person, Nullables, Optionals, Deep, Account, Unions, Discriminated, Result, Exclusive },
  ...{ Arrays, Tuples, Records, Keys, PartialRecord, Loose, CatchAll, Unknowns, Nothing },
  ...{ Tree, LinkedList, Department, Operation, Folder, Changed, Partial, Intersected },
  ...{ IntersectedValues, Described, Shared, Defaults, Transformed, OddNames, Review },
};
