// Fills every Zod model of the tables through each way in which the Node OpenAI client requests
// one. Zod validates the content.

import { createRequire } from 'node:module';
import {
  zodFunction,
  zodResponseFormat,
  zodResponsesFunction,
  zodTextFormat,
} from 'openai/helpers/zod';
import { VERSION } from 'openai/version';
import { z } from 'zod';
import { HELLO, MODEL, chat, check, client, every, rejected, respond, run } from './kit.mjs';
import { MODELS as SHAPES } from './models_shapes.mjs';
import { MODELS as VALUES } from './models_values.mjs';

const MODELS = { ...VALUES, ...SHAPES };
const chatAsked = { model: MODEL, messages: HELLO };
const responseAsked = { model: MODEL, input: 'Hello' };
const tool_choice = 'required';

// --- with the client's own conversion to a strict schema ------------------------------------

// The models that the client refuses to convert, because OpenAI's strict mode lacks a keyword of
// their schemas: allOf; contentEncoding, oneOf and tuples; open objects; optional fields and
// transforms.
const NOT_STRICT = new Set([
  ...['TextPartsTogether', 'PatternsTogether', 'MultiplesTogether', 'IntersectedValues'],
  ...['Encoded', 'Exclusive', 'Tuples'],
  ...['Records', 'Keys', 'PartialRecord', 'Loose', 'CatchAll', 'Unknowns', 'Folder'],
  ...['Optionals', 'Partial', 'Transformed'],
]);

const STRICT_WAYS = {
  'chat parse()': async (model) => {
    const response_format = zodResponseFormat(model, 'it');
    const answer = await client().chat.completions.parse({ ...chatAsked, response_format });
    return answer.choices[0].message.parsed;
  },
  'responses parse()': async (model) => {
    const text = { format: zodTextFormat(model, 'it') };
    return (await client().responses.parse({ ...responseAsked, text })).output_parsed;
  },
  'chat tool': async (parameters) => {
    const tools = [zodFunction({ name: 'fill', parameters })];
    const asked = { ...chatAsked, tools, tool_choice };
    const { choices: [choice] } = await client().chat.completions.parse(asked);
    return choice.message.tool_calls[0].function.parsed_arguments;
  },
  'responses tool': async (parameters) => {
    const tools = [zodResponsesFunction({ name: 'fill', parameters })];
    const answer = await client().responses.parse({ ...responseAsked, tools, tool_choice });
    return answer.output[0].parsed_arguments;
  },
};

// Models that mocker rejects, and a word of its reason.
const REJECTED = new Map([['Lookarounds', 'look-around']]);

// --- with Zod's own schemas, in several drafts ----------------------------------------------

// Draft 4 has no `propertyNames`, so Zod omits the schemas of these models' keys.
const NOT_DRAFT_4 = new Set(['Keys', 'PartialRecord']);
// Zod cannot describe the output of a transform.
const INPUT_ONLY = new Set(['Transformed']);

const PLAIN_WAYS = {
  'draft 2020-12': async (model, io) => {
    const format = { name: 'it', schema: z.toJSONSchema(model, { io }) };
    const response_format = { type: 'json_schema', json_schema: format };
    const { choices: [choice] } = await chat(client(), { response_format });
    return model.parse(JSON.parse(choice.message.content));
  },
  'draft 7, input': async (model) => {
    const schema = z.toJSONSchema(model, { target: 'draft-7', io: 'input', reused: 'ref' });
    const format = { type: 'json_schema', name: 'it', schema, strict: false };
    const answer = await respond(client(), { text: { format } });
    return model.parse(JSON.parse(answer.output_text));
  },
  'draft 4, input': async (model) => {
    const parameters = z.toJSONSchema(model, { target: 'draft-4', io: 'input' });
    const tools = [{ type: 'function', function: { name: 'fill', parameters } }];
    const { choices: [choice] } = await chat(client(), { tools, tool_choice });
    return model.parse(JSON.parse(choice.message.tool_calls[0].function.arguments));
  },
};

for (const [name, model] of Object.entries(MODELS)) {
  const ways = { ...(NOT_STRICT.has(name) ? {} : STRICT_WAYS), ...PLAIN_WAYS };
  if (NOT_DRAFT_4.has(name)) delete ways['draft 4, input'];
  const io = INPUT_ONLY.has(name) ? 'input' : 'output';
  const word = REJECTED.get(name);
  const filled = Object.entries(ways).map(([what, way]) => {
    const fill = () => way(model, io);
    return [what, word ? () => rejected(fill, word) : fill];
  });
  check(name, () => every(Object.fromEntries(filled)));
}

const { version } = createRequire(import.meta.url)('zod/package.json');
await run('node models', `openai ${VERSION}, zod ${version}`);
