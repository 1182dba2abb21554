/** docs/protocol.md, drawn from the schemas themselves; a test checks that the file is current. */
import type { TSchema } from 'typebox';
import { commandDefinitions } from '#protocol/commands.ts';
import { type ConditionDefinition, conditionDefinitions } from '#protocol/conditions.ts';
import { downwardBodies, protocolVersion, upwardBodies } from '#protocol/envelope.ts';
import { describeRange, type SettingDefinition, type SettingShape, settingDefinitions, settingLevels } from '#protocol/settings.ts';
import { downwardTopics, maxPacketBytes, topicFor, upwardTopics } from '#protocol/topics.ts';

export function protocolDocument(): string {
  return `${[
    '# The protocol between device and fleet server',
    'Drawn from the schemas in `protocol/` by `npm run documents`; a test checks that it is current. Do not edit it by hand.',
    'MQTT 3.1.1. Client id, user name and device id are the same; clean session; keepalive 10 s; nothing is retained. Over TCP on' +
      ' `FLEET_MQTT_PORT`, and over WebSocket at `/mqtt` of the HTTP port. A device writes only its own upward topics and reads only its own' +
      ` downward ones. The largest packet is ${maxPacketBytes} bytes.`,
    '## Topics',
    table(
      ['topic', 'way', 'QoS', 'at most', 'what'],
      [
        ...Object.entries(upwardTopics).map(([name, { qos, maxBytes }]) =>
          topicRow(name, 'up', qos, maxBytes, describe(name, upwardBodies)),
        ),
        ...Object.entries(downwardTopics).map(([name, { qos, maxBytes }]) =>
          topicRow(name, 'down', qos, maxBytes, describe(name, downwardBodies)),
        ),
      ],
    ),
    '## Envelope',
    `Every payload but preview and snapshot is JSON: \`{"v":${protocolVersion},"session":{"bootId","counter"},"sequence","sentAt","body"}\` upward, and` +
      ` \`{"v":${protocolVersion},"sentAt","body"}\` downward. Order is (session.counter, sequence), never the device’s clock. Fields that the` +
      ' reader does not know are let through; a wrong field makes the message a named problem that is counted and dropped. A wrong value of a' +
      ' setting in `desired` is a field of its own: the device refuses the revision in `applied`, by the key.',
    '## Bodies',
    ...Object.entries({ ...upwardBodies, ...downwardBodies }).flatMap(([name, schema]) => [`### ${name}`, fieldTable(toJson(schema))]),
    '## Settings',
    `Levels, weakest first: ${settingLevels.join(' < ')}.`,
    table(
      ['key', 'default', 'values', 'what'],
      Object.entries<SettingDefinition>(settingDefinitions).map(([key, definition]) => [
        `\`${key}\``,
        definition.default === null ? 'detected' : `\`${JSON.stringify(definition.default)}\``,
        `${describeShape(definition.shape)}${definition.unit === undefined ? '' : `, ${definition.unit}`}`,
        `${definition.description}${definition.secret ? ' A secret.' : ''}`,
      ]),
    ),
    '## Commands',
    table(
      ['kind', 'what', 'deadline', 'arguments'],
      Object.entries(commandDefinitions).map(([kind, definition]) => [
        `\`${kind}\``,
        `${definition.title}${'isServersOwn' in definition ? '. The fleet server sends it of its own accord: it cannot be asked for.' : ''}`,
        `${definition.deadlineMs / 1000} s`,
        fieldRows(toJson(definition.arguments), '')
          .map(([name, type, what]) => `${name} (${type})${what === '' ? '' : `: ${what}`}`)
          .join('; '),
      ]),
    ),
    '## Conditions',
    table(
      ['code', 'severity', 'meaning', 'explained by', 'what to do'],
      Object.entries<ConditionDefinition>(conditionDefinitions).map(([code, { severity, title, dependsOn, advice }]) => [
        `\`${code}\``,
        severity,
        title,
        dependsOn.map((cause) => `\`${cause}\``).join(', '),
        advice,
      ]),
    ),
  ].join('\n\n')}\n`;
}

function topicRow(name: string, way: string, qos: number, maxBytes: number, what: string): readonly string[] {
  return [`\`${topicFor('<deviceId>', name as keyof typeof upwardTopics)}\``, way, String(qos), `${maxBytes / 1024} KiB`, what];
}

function describe(name: string, bodies: Readonly<Record<string, TSchema>>): string {
  const body: { description?: string } | undefined = bodies[name];
  return body?.description ?? (name === 'snapshot' ? 'What the command snapshot brought: a JPEG picture, bare.' : 'A JPEG picture, bare.');
}

function describeShape(shape: SettingShape): string {
  switch (shape.kind) {
    case 'integer':
      return describeRange(shape);
    case 'boolean':
      return 'true or false';
    case 'text':
      return shape.expected;
    default:
      return shape satisfies never;
  }
}

type JsonSchema = {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly description?: string;
};

/** A TypeBox schema is JSON Schema already; its own types only hide that. */
function toJson(schema: TSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema));
}

function fieldTable(schema: JsonSchema): string {
  return table(['field', 'type', ''], fieldRows(schema, ''));
}

/** One row a field, objects inside objects by a dotted name. */
function fieldRows(schema: JsonSchema, prefix: string): readonly (readonly string[])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const isOptional = schema.required?.includes(name) !== true;
    const path = `${prefix}${name}`;
    const row = [`\`${path}\``, `${typeName(field)}${isOptional ? ', optional' : ''}`, field.description ?? ''];
    const inner = field.type === 'array' ? field.items : field;
    return [row, ...(inner === undefined ? [] : fieldRows(inner, `${path}${field.type === 'array' ? '[]' : ''}.`))];
  });
}

function typeName(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeName).join(' or ');
  if (schema.type === 'array') return `array of ${schema.items === undefined ? 'anything' : typeName(schema.items)}`;
  if (schema.patternProperties !== undefined) return `object of ${Object.values(schema.patternProperties).map(typeName).join(' or ')}`;
  if (schema.type === 'object' && schema.properties?.['kind'] !== undefined) return `object (${typeName(schema.properties['kind'])})`;
  return schema.type ?? 'anything';
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
