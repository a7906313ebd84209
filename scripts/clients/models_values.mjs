// Zod models of single values: strings, patterns, formats, times and numbers. Each row becomes a
// strict object with those fields.

import { z } from 'zod';

const text = z.string;
const like = (pattern) => z.string().regex(pattern);

const TEXTS = {
  Texts: { any: text(), one: z.literal('only'), empty: z.literal(''), flag: z.boolean() },
  TextLengths: {
    short: text().min(1).max(3),
    exact: text().length(12),
    long: text().min(300),
    nothing: text().max(0),
    filled: text().nonempty(),
  },
  TextParts: {
    starts: text().startsWith('https://'),
    ends: text().endsWith('.png'),
    includes: text().includes(' of '),
    odd: text().startsWith('$[^.*+?(){}|\\/'),
  },
  TextPartsTogether: {
    both: text().startsWith('id_').endsWith('!'),
    bounded: text().startsWith('id_').length(10),
    all: text().startsWith('<').includes('-').endsWith('>').max(8),
  },
  TextCases: {
    lower: text().lowercase().min(1),
    upper: text().uppercase().length(6),
    trimmed: text().trim().min(2),
  },
  Enums: {
    size: z.enum(['S', 'M', 'L']),
    quoted: z.enum(['say "hi"', 'back\\slash', 'naïve ☕', 'line\nbreak']),
    level: z.enum({ LOW: 1, HIGH: 10 }),
    mixed: z.enum({ WORD: 'word', NUMBER: 7 }),
    fewer: z.enum(['a', 'b', 'c']).exclude(['a']),
  },
  Literals: {
    several: z.literal(['one', 2, true, null]),
    numbers: z.literal([1, 2, 3]),
    number: z.literal(-0.5),
    nothing: z.null(),
  },
};

// The expression that semver.org suggests, without its named groups.
const NUMBER = '(?:0|[1-9]\\d*)';
const IDENTIFIER = `(?:${NUMBER}|\\d*[a-zA-Z-][0-9a-zA-Z-]*)`;
const PRERELEASE = `(?:-(${IDENTIFIER}(?:\\.${IDENTIFIER})*))?`;
const BUILD = '(?:\\+([0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*))?';
const SEMVER = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}${PRERELEASE}${BUILD}$`);

const PATTERNS = {
  Codes: {
    sku: like(/^[A-Z]{3}-\d{4}$/),
    slug: like(/^[a-z0-9]+(?:-[a-z0-9]+)*$/),
    country: like(/^[A-Z]{2}$/),
    plate: like(/^[A-Z]{1,3}-[A-Z]{1,2} [1-9]\d{0,3}[EH]?$/),
  },
  PhoneNumbers: {
    us: like(/^\(?\d{3}\)?[-. ]?\d{3}[-. ]?\d{4}$/),
    loose: like(/^\+?[0-9 ()-]{7,20}$/),
  },
  Colours: {
    hex: like(/^#[0-9a-fA-F]{6}$/),
    short_or_long: like(/^#(?:[0-9a-f]{3}){1,2}$/),
    upper: like(/^#[0-9A-F]{8}$/),
  },
  Versions: {
    simple: like(/^\d+\.\d+\.\d+$/),
    tag: like(/^v\d{1,2}(\.\d{1,2}){0,2}$/),
    semver: like(SEMVER),
  },
  Unanchored: {
    contains: like(/\d{3}/),
    starts: like(/^https?:\/\//),
    ends: like(/\.(png|jpe?g|gif)$/),
  },
  Alternations: {
    size: like(/^(XS|S|M|L|XL)$/),
    loose: like(/^left$|^right$/),
    nested: like(/^(a|b(c|d(e|f)))+$/),
  },
  Classes: {
    word: like(/^\w{5}$/),
    negated: like(/^[^@\s]+@[^@\s]+$/),
    printable: like(/^[ -~]{4}$/),
    escaped: like(/^[\w.+\-[\]]{3,6}$/),
    any: like(/^.{5}$/),
    hex: like(/^\x41\u0042[\x43-\x45]\t$/),
  },
  UnicodeClasses: {
    letters: like(/^\p{L}+$/u),
    capital: like(/^\p{Lu}\p{Ll}+$/u),
    emoji: like(/^[\u{1F600}-\u{1F64F}]$/u),
    cyrillic: like(/^[а-яё]{2,4}$/),
  },
  Scripts: { greek: like(/^\p{Script=Greek}{2,4}$/u), han: like(/^\p{sc=Han}+$/u) },
  Lookarounds: {
    password: like(/^(?=.*[A-Z])(?=.*\d)[A-Za-z\d]{8,}$/),
    not_zero: like(/^(?!0+$)\d{3}$/),
    behind: like(/^\d+(?<!0)$/),
    referred: like(/^(['"])quoted\1$/),
    edges: like(/^\bword\b$/),
  },
  Quantifiers: {
    lazy: like(/^<.+?>$/),
    exactly: like(/^(?:ab){3}$/),
    at_least: like(/^z{4,}$/),
    named: like(/^(?<year>\d{4})-(?<week>W\d\d)$/),
  },
  PatternsWithLengths: {
    username: like(/^[a-z][a-z0-9_]*$/).min(6).max(8),
    long: like(/^[A-Z]+$/).min(50),
    pieces: like(/^(?:[a-z]{2}-?)+$/).length(7),
    contains: like(/-/).length(10),
  },
  PatternsTogether: {
    two: like(/^[a-z]/).regex(/\d$/),
    three: like(/^[a-z0-9]+$/).regex(/[a-z]/).regex(/\d/).min(4).max(6),
  },
  TemplateLiterals: {
    id: z.templateLiteral(['user_', z.int().min(0)]),
    size: z.templateLiteral([z.number(), z.enum(['px', 'em', 'rem'])]),
    mail: z.templateLiteral([text().min(1), '@', text().max(64), '.com']),
  },
};

const FORMATS = {
  Uuids: { any: z.uuid(), four: z.uuidv4(), six: z.uuidv6(), seven: z.uuidv7(), guid: z.guid() },
  OtherUuids: { one: z.uuid({ version: 'v1' }), eight: z.uuid({ version: 'v8' }) },
  Emails: { email: z.email(), short: z.email().max(20), several: z.array(z.email()).min(2) },
  OtherEmails: {
    html5: z.email({ pattern: z.regexes.html5Email }),
    rfc5322: z.email({ pattern: z.regexes.rfc5322Email }),
    unicode: z.email({ pattern: z.regexes.unicodeEmail }),
  },
  Urls: { any: z.url(), long: z.url().min(60), http: z.httpUrl() },
  Emoji: { emoji: z.emoji(), several: z.emoji().min(4) },
  ShortIds: { nanoid: z.nanoid(), cuid: z.cuid(), cuid2: z.cuid2() },
  SortableIds: { ulid: z.ulid(), xid: z.xid(), ksuid: z.ksuid() },
  Addresses: { four: z.ipv4(), six: z.ipv6(), mac: z.mac(), dashed: z.mac({ delimiter: '-' }) },
  Networks: { four: z.cidrv4(), six: z.cidrv6() },
  Encoded: { base64: z.base64(), base64url: z.base64url(), filled: z.base64().min(8) },
  Jwts: { any: z.jwt() },
  Phones: { e164: z.e164(), long: z.e164().length(16) },
  Hostnames: { host: z.hostname(), long: z.hostname().min(30) },
  Hashes: {
    hex: z.hex(),
    md5: z.hash('md5'),
    sha256: z.hash('sha256'),
    sha1: z.hash('sha1', { enc: 'base64' }),
    sha512: z.hash('sha512', { enc: 'base64url' }),
  },
  CustomFormats: {
    sku: z.stringFormat('sku', /^[A-Z]{2}\d{6}$/),
    either: z.union([z.ipv4(), z.ipv6()]),
  },
};

const TIMES = {
  Dates: { day: z.iso.date(), days: z.array(z.iso.date()).min(1), maybe: z.iso.date().nullable() },
  Datetimes: { at: z.iso.datetime(), maybe: z.iso.datetime().nullable() },
  DatetimesWithOffset: {
    offset: z.iso.datetime({ offset: true }),
    local: z.iso.datetime({ local: true }),
    both: z.iso.datetime({ offset: true, local: true }),
  },
  DatetimePrecisions: {
    minutes: z.iso.datetime({ precision: -1 }),
    seconds: z.iso.datetime({ precision: 0 }),
    milliseconds: z.iso.datetime({ precision: 3 }),
    all: z.iso.datetime({ precision: 6, offset: true }),
  },
  TimesOfDay: {
    time: z.iso.time(),
    minutes: z.iso.time({ precision: -1 }),
    seconds: z.iso.time({ precision: 0 }),
    milliseconds: z.iso.time({ precision: 3 }),
  },
  Durations: { duration: z.iso.duration(), maybe: z.iso.duration().nullable() },
};

const NUMBERS = {
  IntegerBounds: {
    gt: z.int().gt(10),
    exact: z.int().min(10).max(10),
    lt: z.int().lt(-5),
    between: z.int().gt(3).lt(5),
    negative: z.int().min(-20).max(-10),
  },
  IntegerSizes: {
    int: z.int(),
    int32: z.int32(),
    uint32: z.uint32(),
    largest: z.int().min(2 ** 53 - 1),
  },
  FloatBounds: {
    unit: z.number().gt(0).lt(1),
    narrow: z.number().gt(0.1).lt(0.10001),
    large: z.number().min(1e20),
    tiny: z.number().gt(0).max(1e-9),
    negative: z.number().lt(-0.5),
    float32: z.float32(),
    float64: z.float64(),
  },
  Signs: {
    positive: z.number().positive(),
    negative: z.number().negative(),
    natural: z.int().nonnegative(),
    debt: z.number().nonpositive(),
  },
  Multiples: {
    five: z.int().multipleOf(5),
    seven: z.int().multipleOf(7).gt(100).lt(110),
    cents: z.number().multipleOf(0.01),
    quarters: z.number().multipleOf(0.25).gt(3.3).lt(3.7),
    },
  MultiplesTogether: { both: z.int().multipleOf(4).multipleOf(6).min(1) },
};

const ROWS = { ...TEXTS, ...PATTERNS, ...FORMATS, ...TIMES, ...NUMBERS };
export const MODELS = Object.fromEntries(
  Object.entries(ROWS).map(([name, fields]) => [name, z.strictObject(fields)]),
);
